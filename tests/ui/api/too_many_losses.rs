use unrolled::prelude::*;

network! {
    struct Net(8) -> (a: 3, b: 2) { hidden: Dense(4), ReLU, a: Dense(3), b: hidden => Dense(2) }
}

fn main() {
    let mut net = Net::new(1);
    let train = Data { inputs: vec![[0.0_f32; 8]; 4], targets: vec![(1_u32, 0_u32, 2_u32); 4] };
    let losses = (CrossEntropy::new(), CrossEntropy::new(), CrossEntropy::new());
    let _ = Trainer::new(Adam::new(1e-3)).fit(&mut net, &train, &losses);
}
