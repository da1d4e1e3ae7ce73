use unrolled::prelude::*;

network! {
    struct Net(8x8x3) -> 8x8x2 { Conv2d(2, kernel = 1) }
}

fn main() {
    let mut net = Net::new(1);
    let train = Data { inputs: vec![[[[0.0; 3]; 8]; 8]; 4], targets: vec![1_u32; 4] };
    let _ = Trainer::new(Adam::new(1e-3)).fit(&mut net, &train, &CrossEntropy::new());
}
