use unrolled::Weights;

#[derive(Weights)]
#[repr(C)]
struct Scale {
    #[weights(frozen)]
    weight: [f32; 3],
}

fn main() {}
