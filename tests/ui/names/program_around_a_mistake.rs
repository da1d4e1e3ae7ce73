use unrolled::prelude::*;

network! {
    struct Image(28x28x1) -> 10 {
        conv: Conv2d(8, kernel = 3), ReLU, Flatten,
        fc1: Dense(16), ReLU,
        fc2: Dens(10),
    }

    struct Next(text: 64) -> 64x9 {
        tokens: Embedding(9, 8),
        memory: GRU(4),
        next: Dense(9, bais = true),
    }
}

fn main() {
    let net = Image::new(1);
    let sum: f32 = net.fc1.bias.iter().sum();
    let mut scores = [sum; 10];
    net.forward_into(&[[[0.0; 1]; 28]; 28], &mut scores);
    println!("{} {scores:?}", net.conv.weight.len());

    let next = Next::new(1);
    let (mut state, token) = (State::new(), 3_u32);
    let scores = next.step(&mut state, &token);
    println!("{} {:?}", scores[0], next.forward(&[token; 64])[63]);
}
