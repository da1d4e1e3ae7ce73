use unrolled::prelude::*;

network! {
    struct Mlp<const HIDDEN: usize>(784) -> 10 {
        fc1: Dense(HIDDEN),
        Residual { Dense(64) },
        fc2: Dense(10),
    }
}

fn main() {
    let net = Mlp::<32>::new(1);
    let scores: [f32; 10] = net.forward(&[0.0; 784]);
    println!("{scores:?}");
}
