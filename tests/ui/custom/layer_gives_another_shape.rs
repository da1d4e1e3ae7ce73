use unrolled::{Layer, Weights, network};

#[derive(Weights)]
struct Twice<const N: usize>;

impl<const N: usize> Layer for Twice<N> {
    type Input = [f32; N];
    type Output = [f32; N];

    fn forward(&self, x: &[f32; N], y: &mut [f32; N]) {
        *y = x.map(|x| 2.0 * x);
    }

    fn backward(
        &self,
        _x: &[f32; N],
        _y: &[f32; N],
        d_y: &[f32; N],
        d_x: &mut [f32; N],
        _d_self: &mut Self,
    ) {
        *d_x = d_y.map(|d_y| 2.0 * d_y);
    }
}

network! {
    struct Net(4) -> 2 {
        Dense(5),
        twice: Twice::<5> -> 6,
        Dense(2),
    }
}

fn main() {}
