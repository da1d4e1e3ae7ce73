use unrolled::Weights;

#[derive(Weights)]
#[repr(C)]
enum Scale {
    Of([f32; 3]),
}

fn main() {}
