use unrolled::prelude::*;

network! {
    struct Net(8) -> 10 { Dense(10) }
}

fn main() {
    let mut net = Net::new(1);
    let train = Data { inputs: vec![[0.0_f32; 9]; 4], targets: vec![1_u32; 4] };
    let _ = Trainer::new(Adam::new(1e-3)).fit(&mut net, &train, &CrossEntropy::new());
}
