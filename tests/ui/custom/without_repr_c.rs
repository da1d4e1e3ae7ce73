use unrolled::Weights;

#[derive(Weights)]
struct Scale<const N: usize> {
    weight: [f32; N],
}

fn main() {}
