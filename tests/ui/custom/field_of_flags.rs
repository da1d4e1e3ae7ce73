use unrolled::Weights;

#[derive(Weights)]
#[repr(C)]
struct Masked {
    weight: [f32; 4],
    mask: [bool; 4],
    trained: bool,
}

fn main() {}
