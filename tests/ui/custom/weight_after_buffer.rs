use unrolled::Weights;

#[derive(Weights)]
#[repr(C)]
struct Normalise {
    weight: [f32; 3],
    #[weights(buffer)]
    mean: [f32; 3],
    bias: [f32; 3],
}

fn main() {}
