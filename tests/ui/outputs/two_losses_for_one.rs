use unrolled::prelude::*;

network! {
    struct Net(16) -> 10 {
        Dense(10),
    }
}

fn main() {
    let mut net = Net::new(1);
    let mut d_net = Net::zeros();
    let loss = (CrossEntropy::new(), MeanSquaredError);
    let _ = net.loss_and_gradients(&loss, &[[0.0; 16]], &[(1, [0.0; 2])], &mut d_net, RngKey::new(1));
}
