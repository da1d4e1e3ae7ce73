use unrolled::prelude::*;

network! {
    pub struct Encoder(28x28x1) -> 32 {
        Conv2d(8, kernel = 30),
        Flatten,
        Dense(32),
    }

    pub struct Classifier(28x28x1) -> 10 {
        encoder: Encoder,
        Dense(10),
    }
}

fn main() {
    let net = Classifier::new(1);
    let scores: [f32; 10] = net.forward(&[[[0.0]; 28]; 28]);
    println!("{scores:?} {}", Encoder::new(1).forward(&[[[0.0]; 28]; 28])[0]);
}
