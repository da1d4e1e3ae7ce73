use unrolled::Weights;

#[derive(Weights)]
#[repr(C, align(64))]
struct Scale {
    weight: [f32; 3],
}

fn main() {}
