use unrolled::prelude::*;

network! {
    struct Net(16) -> (digit: 10, place: 2) {
        shared: Dense(16),
        digit: Dense(10),
        place: shared => Dense(2),
    }
}

fn main() {
    let mut net = Net::new(1);
    let mut d_net = Net::zeros();
    let _ = net.loss_and_gradients(&CrossEntropy::new(), &[[0.0; 16]], &[1], &mut d_net, RngKey::new(1));
}
