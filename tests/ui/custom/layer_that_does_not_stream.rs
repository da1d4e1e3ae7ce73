use unrolled::prelude::*;

#[derive(Weights)]
struct Backwards;

impl Layer for Backwards {
    type Input = [[f32; 4]; 9];
    type Output = [[f32; 4]; 9];

    fn forward(&self, x: &[[f32; 4]; 9], y: &mut [[f32; 4]; 9]) {
        for t in 0..9 {
            y[t] = x[8 - t];
        }
    }

    fn backward(
        &self,
        _: &[[f32; 4]; 9],
        _: &[[f32; 4]; 9],
        d_y: &[[f32; 4]; 9],
        d_x: &mut [[f32; 4]; 9],
        _: &mut Self,
    ) {
        for t in 0..9 {
            d_x[8 - t] = d_y[t];
        }
    }
}

network! {
    pub struct Tagger(9x3) -> 9x2 {
        LSTM(4),
        turn: Backwards,
        Dense(2),
    }

    pub struct Outer(9x3) -> 9x2 { inner: Tagger, Dense(2) }
}

fn main() {
    let (net, mut state) = (Tagger::new(1), State::new());
    let _ = net.forward(&[[0.0; 3]; 9]);
    let _ = net.step(&mut state, &[0.0; 3]);

    let (net, mut state) = (Outer::new(1), State::new());
    let _ = net.step(&mut state, &[0.0; 3]);
}
