//! Weights in memory, from files of PyTorch's wrappers, and of a part of a network.

use crate::common::temporary;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::path::PathBuf;
use unrolled::io::{self, LoadError, Mismatch, SaveError};
use unrolled::prelude::*;

network! {
    #[allow(bias_before_batch_norm)]
    struct Encoder(6) -> 3 { fc1: Dense(5), norm: BatchNorm, ReLU, fc2: Dense(3) }

    /// All names begin like those of a wrapper.
    struct Wrapped(6) -> 3 { module: Encoder }

    /// The same with another number of outputs.
    #[allow(bias_before_batch_norm)]
    struct Other(6) -> 4 { fc1: Dense(5), norm: BatchNorm, ReLU, fc2: Dense(4), ReLU, fc3: Dense(4) }
}

fn path(name: &str) -> PathBuf {
    temporary(&format!("files/{name}.safetensors"))
}

/// One tensor of a file.
type Entry = (String, Dtype, Vec<usize>, Vec<u8>);

/// The weights of `net` with the tensors that `change` returns.
fn changed(net: &Encoder, change: impl Fn(Entry) -> Option<Entry>) -> Vec<u8> {
    let bytes = net.to_bytes();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let entries: Vec<Entry> = file
        .tensors()
        .into_iter()
        .map(|(name, it)| (name, it.dtype(), it.shape().to_vec(), it.data().to_vec()))
        .filter_map(change)
        .collect();
    let views = entries.iter().map(|(name, dtype, shape, data)| {
        (name, TensorView::new(*dtype, shape.clone(), data).unwrap())
    });
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn bytes_are_those_of_the_file() {
    let net = Encoder::new(1);
    net.save(path("bytes")).unwrap();
    let bytes = net.to_bytes();
    assert_eq!(bytes, std::fs::read(path("bytes")).unwrap());
    assert_eq!(Encoder::load_bytes(&bytes).unwrap().params(), net.params());
    let error = Encoder::load_bytes(&bytes[..bytes.len() - 1]).map(drop).unwrap_err();
    assert!(error.to_string().starts_with("`bytes` is damaged"), "{error}");
}

#[test]
fn weights_that_a_type_cannot_hold_are_refused_before_the_file_is_written() {
    let mut net = Encoder::new(1);
    net.fc2.bias = [1.0, -70000.0, 2.0];
    net.save_as(path("overflow"), io::Dtype::BF16).unwrap();
    let before = std::fs::read(path("overflow")).unwrap();
    let error = net.save_as(path("overflow"), io::Dtype::F16).unwrap_err();
    assert!(matches!(&error, SaveError::Overflow { tensor, .. } if tensor == "fc2.bias"));
    let expected = "`fc2.bias` has the value -70000.0, which F16 cannot hold: expected values up to \
        65504.0; write BF16 instead";
    assert_eq!(error.to_string(), expected);
    assert_eq!(std::fs::read(path("overflow")).unwrap(), before);

    net.fc2.bias[1] = f32::MAX;
    let error = net.to_bytes_as(io::Dtype::BF16).unwrap_err().to_string();
    assert!(error.ends_with("expected values up to 3.3895314e38; write F32 instead"), "{error}");
    // Those that are infinite or NaN already stay what they are.
    net.fc2.bias = [f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
    for dtype in [io::Dtype::F16, io::Dtype::BF16] {
        let read = Encoder::load_bytes(&net.to_bytes_as(dtype).unwrap()).unwrap();
        assert_eq!(read.fc2.bias[..2], net.fc2.bias[..2]);
        assert!(read.fc2.bias[2].is_nan());
    }
}

#[test]
fn prefixes_of_wrappers_are_ignored() {
    let net = Encoder::new(1);
    for prefix in ["module.", "_orig_mod.", "module._orig_mod."] {
        let bytes = changed(&net, |(name, dtype, shape, data)| {
            Some((format!("{prefix}{name}"), dtype, shape, data))
        });
        assert_eq!(Encoder::load_bytes(&bytes).unwrap().params(), net.params());
    }
    // Not where some names are without it.
    let bytes = changed(&net, |(name, dtype, shape, data)| {
        let name = if name == "fc1.bias" { name } else { format!("module.{name}") };
        Some((name, dtype, shape, data))
    });
    assert!(matches!(Encoder::load_bytes(&bytes), Err(LoadError::Mismatch { .. })));
}

#[test]
fn a_layer_may_be_called_like_a_prefix() {
    let net = Wrapped::new(1);
    let bytes = net.to_bytes();
    assert_eq!(Wrapped::load_bytes(&bytes).unwrap().params(), net.params());
    // The file of the wrapper is also one of the network inside.
    assert_eq!(Encoder::load_bytes(&bytes).unwrap().params(), net.params());
}

#[test]
fn a_counter_may_be_missing_or_of_another_type() {
    let mut net = Encoder::new(1);
    let tensors = Encoder::tensors();
    let count = tensors.iter().find(|it| it.name == "norm.num_batches_tracked").unwrap().offset;
    net.params_mut()[count] = 7.0;
    let with_count = |dtype: Dtype, shape: Vec<usize>, value: Vec<u8>| {
        let bytes = changed(&net, |entry| match entry.0 == "norm.num_batches_tracked" {
            true => Some((entry.0, dtype, shape.clone(), value.clone())),
            false => Some(entry),
        });
        Encoder::load_bytes(&bytes).map(|net| net.params()[count]).unwrap()
    };
    assert_eq!(with_count(Dtype::I64, vec![1], 9_i64.to_le_bytes().into()), 9.0);
    assert_eq!(with_count(Dtype::I32, vec![], 9_i32.to_le_bytes().into()), 9.0);
    assert_eq!(with_count(Dtype::F32, vec![1], 9_f32.to_le_bytes().into()), 9.0);
    let bytes = changed(&net, |entry| (entry.0 != "norm.num_batches_tracked").then_some(entry));
    assert_eq!(Encoder::load_bytes(&bytes).unwrap().params()[count], 0.0);
}

#[test]
fn what_matches_is_loaded_and_the_rest_reported() {
    let source = Encoder::new(1);
    source.save(path("matching")).unwrap();
    let mut net = Other::new(2);
    let before = net.params().to_vec();
    let report = net
        .load_matching(path("matching"), |name| (name != "norm.weight").then(|| name.to_owned()))
        .unwrap();
    assert_eq!(report.skipped, ["norm.weight"]);
    let loaded = ["fc1.weight", "fc1.bias", "norm.bias", "norm.running_mean", "norm.running_var"];
    assert_eq!(report.loaded[..5], loaded);
    assert_eq!(
        report.to_string(),
        "6 tensors loaded, 1 skipped, 5 differences:\n  \
         missing: `norm.weight` [5]\n  \
         shape of `fc2.weight`: expected [4, 5], found [3, 5]\n  \
         shape of `fc2.bias`: expected [4], found [3]\n  \
         missing: `fc3.weight` [4, 4]\n  \
         missing: `fc3.bias` [4]"
    );
    assert_eq!(net.fc1.weight, source.fc1.weight);
    for tensor in Other::tensors() {
        let kept = net.params()[tensor.offset] == before[tensor.offset];
        let refused = report.mismatches.iter().any(|it| it.tensor() == tensor.name);
        assert!(kept || !refused, "{}", tensor.name);
    }
    // Other names: the first layer alone.
    let report =
        net.load_matching(path("matching"), |name| Some(name.replace("fc1", "fc3"))).unwrap();
    assert!(
        report
            .mismatches
            .iter()
            .any(|it| { matches!(it, Mismatch::Shape { tensor, .. } if tensor == "fc3.weight") })
    );
}
