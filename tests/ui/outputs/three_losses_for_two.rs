use unrolled::prelude::*;

network! {
    struct Net(16) -> (digit: 10, place: 2) {
        shared: Dense(16),
        digit: Dense(10),
        place: shared => Dense(2),
    }
}

fn main() {
    let net = Net::new(1);
    let data = Data { inputs: vec![[0.0; 16]], targets: vec![(1, [0.0; 2], [0.0; 2])] };
    let loss = (CrossEntropy::new(), MeanSquaredError, MeanSquaredError);
    let _ = net.evaluate(&data, &loss);
}
