//! Weights and values of networks as nalgebra's matrices.

use unrolled::nalgebra::Matrix4;
use unrolled::prelude::*;
use unrolled::{AsMatrix, RngKey, init};

network! {
    #[allow(dense_after_dense)]
    struct Square(4) -> 4 {
        fc1: Dense(4),
        fc2: Dense(4, bias = false),
    }
}

#[test]
fn views_compute_what_the_network_computes() {
    let net = Square::new(5);
    let x = [0.5, -1.0, 2.0, 0.25];
    let hidden = net.fc1.weight.view().tr_mul(&x.view()) + net.fc1.bias.view();
    let expected = net.fc2.weight.view().tr_mul(&hidden);
    let y = net.forward(&x);
    assert!((expected - y.view()).amax() < 1e-6);
}

#[test]
fn an_orthogonal_layer_preserves_norms() {
    let mut net = Square::new(5);
    init::orthogonal(&mut net.fc2.weight, 1.0, RngKey::new(1));
    net.fc1.weight.view_mut().copy_from(&Matrix4::identity());
    net.fc1.bias.view_mut().fill(0.0);
    let x = [0.5, -1.0, 2.0, 0.25];
    assert!((net.forward(&x).view().norm() - x.view().norm()).abs() < 1e-6);
}
