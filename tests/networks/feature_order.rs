//! Networks whose features have an order that no PyTorch model has: their files are marked, and others are refused.

use crate::common::temporary;
use unrolled::io::LoadError;
use unrolled::prelude::*;

network! {
    /// Groups of flattened features: in PyTorch other features would be in a group.
    struct Groups(2x2x3) -> 5 { Flatten, GroupNorm(2), Dense(5) }

    /// A weight of flattened features that another layer has for other features.
    struct Shared(2x2x3) -> 12 { Flatten, first: Dense(12), ReLU, Dense(12, weight = first) }

    /// The same names and shapes, but groups in PyTorch's order.
    struct Plain(12) -> 5 { GroupNorm(2), Dense(5) }
}

fn check_own_files<N: Network<Input: Values, Output: PartialEq>>(name: &str) {
    let path = temporary(&format!("feature_order/{name}.safetensors"));
    let mut net = N::new(3);
    net.params_mut().iter_mut().zip(0_u16..).for_each(|(w, i)| *w += f32::from(i));
    net.save(&path).unwrap();
    let loaded = N::load(&path).unwrap();
    assert_eq!(net.params(), loaded.params());
    // Marked, so that a network with PyTorch's order does not take it for one of PyTorch.
    let bytes = std::fs::read(&path).unwrap();
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(header.metadata().as_ref().unwrap()["order"], "unrolled");
}

#[test]
fn a_network_without_a_counterpart_in_pytorch_is_saved_and_loaded() {
    check_own_files::<Groups>("groups");
    check_own_files::<Shared>("shared");
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
