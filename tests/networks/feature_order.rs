//! Networks whose features have an order that no PyTorch model has: their files are marked, and others are refused.

use crate::common::{random_values, temporary};
use unrolled::io::LoadError;
use unrolled::prelude::*;

network! {
    /// Groups of flattened features: in PyTorch other features would be in a group.
    struct Groups(2x2x3) -> 5 { Flatten, GroupNorm(2), Dense(5) }

    /// The same names and shapes, but groups in PyTorch's order.
    struct Plain(12) -> 5 { GroupNorm(2), Dense(5) }
}

#[test]
fn a_network_without_a_counterpart_in_pytorch_is_saved_and_loaded() {
    let path = temporary("feature_order/own.safetensors");
    let mut net = Groups::new(3);
    let x = random_values(1);
    net.params_mut().iter_mut().zip(0_u8..).for_each(|(w, i)| *w += f32::from(i));
    net.save(&path).unwrap();
    let loaded = Groups::load(&path).unwrap();
    assert_eq!(net.params(), loaded.params());
    assert_eq!(net.forward(&x), loaded.forward(&x));
}

#[test]
fn a_file_in_another_order_is_refused() {
    let path = temporary("feature_order/other.safetensors");
    Plain::new(3).save(&path).unwrap();
    let error = Groups::load(&path).map(drop).unwrap_err();
    assert!(matches!(&error, LoadError::Order { why, .. } if why.layer == "flatten"), "{error}");
    Groups::new(3).save(&path).unwrap();
    let error = Plain::load(&path).map(drop).unwrap_err();
    assert!(matches!(error, LoadError::OwnOrder { .. }), "{error}");
}
