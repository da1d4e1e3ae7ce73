use unrolled::Weights;

#[derive(Weights)]
#[repr(C)]
#[weights(name = "scale")]
struct Scale {
    weight: [f32; 3],
}

fn main() {}
