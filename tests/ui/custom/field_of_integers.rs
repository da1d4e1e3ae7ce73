use unrolled::Weights;

#[derive(Weights)]
#[repr(C)]
struct Counted<const N: usize> {
    weight: [f32; N],
    counts: [u32; N],
}

fn main() {}
