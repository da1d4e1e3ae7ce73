use unrolled::prelude::*;

network! {
    block Hidden(units) {
        Dense(units, bais = false),
        ReLU,
    }

    pub struct First(28x28x1) -> 10 {
        conv1: Conv2d(32, kernel = 30),
        Flatten -> 100,
        Hidden(64),
        Dense(0),
        Dropout(50),
        Dens(10),
    }

    pub struct Second(8) -> 3 {
        fc: Dense(4) -> 5,
        Softmax,
    }

    pub struct Third(8) -> 3 {
        Dense(4),
    }
}

fn main() {
    let _scores: [f32; 10] = First::new(1).forward(&[[[0.0]; 28]; 28]);
    let _second: [f32; 3] = Second::new(1).forward(&[0.0; 8]);
    let _third: [f32; 3] = Third::new(1).forward(&[0.0; 8]);
}
