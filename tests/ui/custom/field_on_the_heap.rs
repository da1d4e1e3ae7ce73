use unrolled::Weights;

#[derive(Weights)]
#[repr(C)]
struct Heap {
    weight: Vec<f32>,
}

fn main() {}
