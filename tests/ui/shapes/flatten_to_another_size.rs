use unrolled::prelude::*;

network! {
    /// Classifies handwritten digits.
    pub struct Digits(28x28x1) -> 10 {
        conv1: Conv2d(32, kernel = 3)    -> 26x26x32,
        ReLU,
        MaxPool2d(2)                     -> 13x13x32,
        conv2: Conv2d(64, kernel = 3)    -> 11x11x64,
        ReLU,
        MaxPool2d(2)                     -> 5x5x64,
        Flatten                          -> 1568,
        fc1: Dense(128),
        ReLU,
        Dropout(0.5),
        fc2: Dense(10),
    }
}

fn main() {
    let mut net = Digits::new(42);
    let scores: [f32; 10] = net.forward(&[[[0.0; 1]; 28]; 28]);
    println!("{scores:?} {}", Digits::summary());

    let data = Data { inputs: vec![[[[0.0; 1]; 28]; 28]; 8], targets: vec![0; 8] };
    let loss = CrossEntropy::default();
    Trainer::new(Adam::new(1e-3)).batch(4).epochs(1).fit(&mut net, &data, &loss).unwrap();
    net.save("digits.safetensors").unwrap();
}
