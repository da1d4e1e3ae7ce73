use unrolled::{Layer, Shape, ShapeError, Text, Weights, network};

/// Swaps neighbours: needs pairs.
#[derive(Weights)]
struct Swap<const N: usize>;

impl<const N: usize> Layer for Swap<N> {
    type Input = [f32; N];
    type Output = [f32; N];

    const RULE: Result<Shape, ShapeError> = {
        if N.is_multiple_of(2) {
            Ok(Shape::new(&[N]))
        } else {
            let message = Text::of("takes pairs of values, but gets ").number(N);
            Err(ShapeError::layer(message).help(Text::of("give it an even number")))
        }
    };

    fn forward(&self, x: &[f32; N], y: &mut [f32; N]) {
        for i in 0..N {
            y[i] = x[i ^ 1];
        }
    }

    fn backward(
        &self,
        _x: &[f32; N],
        _y: &[f32; N],
        d_y: &[f32; N],
        d_x: &mut [f32; N],
        _d_self: &mut Self,
    ) {
        self.forward(d_y, d_x);
    }
}

network! {
    struct Net(4) -> 2 {
        Dense(7),
        swap: Swap::<7>,
        Dense(2),
    }
}

fn main() {}
