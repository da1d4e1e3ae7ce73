//! Files of weights: read from PyTorch, written as PyTorch writes them, and refused if they belong to another network.

use crate::common::temporary;
use std::fs;
use std::path::PathBuf;
use unrolled::data::{Standardizer, Vocabulary};
use unrolled::io::Dtype;
use unrolled::prelude::*;

network! {
    /// The network of `tests/reference/roundtrip.py`.
    #[allow(bias_before_batch_norm)]
    struct Small(6x5x2) -> 3 {
        conv1: Conv2d(4, kernel = 3),
        BatchNorm,
        ReLU,
        Flatten,
        fc1: Dense(8),
        ReLU,
        fc2: Dense(3),
    }

    /// Weights that are rounded in many ways.
    struct Values(1) -> 1033 { values: Dense(1033, bias = false) }

    /// Weight normalisation, with the names of both of PyTorch's functions.
    #[allow(dense_after_dense)]
    struct Normalised(8x2) -> 4x5 {
        conv1: WNConv1d(3, kernel = 3),
        conv2: WNConv1d(4, kernel = 3, bias = false, names = weight_g),
        fc: WNDense(5),
    }

    /// Spectral normalisation, with the names of both of PyTorch's functions.
    #[allow(dense_after_dense)]
    struct Spectral(6x5x2) -> 5 {
        conv1: SNConv2d(3, kernel = (3, 2)),
        conv2: SNConv2d(4, kernel = 2, bias = false, names = weight_orig),
        Flatten,
        fc: SNDense(5),
    }

    /// Another network.
    struct Other(6x5x2) -> 3 {
        conv1: Conv2d(5, kernel = 3), ReLU, Flatten, dense: Dense(8), ReLU, fc2: Dense(3),
    }
}

/// The file that PyTorch wrote.
const PYTORCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/roundtrip.safetensors");

#[test]
fn a_network_trained_in_pytorch_runs_here() {
    let net = Small::load(PYTORCH).unwrap();
    let image = std::array::from_fn(|y| {
        std::array::from_fn(|x| std::array::from_fn(|c| ((y * 10 + x * 2 + c) % 7) as f32 / 7.0))
    });
    let expected = [0.17290121154685945, -0.30459605123662686, 0.2670471076117162];
    for (found, expected) in net.forward(&image).iter().zip(expected) {
        assert!(
            (f64::from(*found) - expected).abs() < 1e-6,
            "{found}, PyTorch computes {expected}"
        );
    }
}

#[test]
fn a_network_is_written_as_pytorch_writes_it() {
    let path = temporary("roundtrip/as_pytorch.safetensors");
    Small::load(PYTORCH).unwrap().save(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), fs::read(PYTORCH).unwrap());
}

#[test]
fn weight_normalisation_is_written_as_pytorch_writes_it() {
    let file = pytorch("roundtrip_weight_norm");
    assert_eq!(Normalised::load(&file).unwrap().to_bytes(), fs::read(&file).unwrap());
}

#[test]
fn spectral_normalisation_is_read_and_written_as_pytorch_does() {
    let file = pytorch("roundtrip_spectral_norm");
    let net = Spectral::load(&file).unwrap();
    assert_eq!(net.to_bytes(), fs::read(&file).unwrap());
    let mut image = [[[0.0; 2]; 5]; 6];
    let pixels = image.as_flattened_mut().as_flattened_mut().iter_mut();
    pixels.enumerate().for_each(|(i, x)| *x = (i % 7) as f32 / 7.0);
    // roundtrip.py prints these.
    let expected = [-1.1330906, 7.1528072, -8.5517308, -4.4576489, 4.8822392];
    for (found, expected) in net.forward(&image).iter().zip(expected) {
        let difference = f64::from(*found) - expected;
        assert!(difference.abs() < 1e-5, "{found}, PyTorch computes {expected}");
    }
}

/// A file that PyTorch wrote.
fn pytorch(name: &str) -> PathBuf {
    PathBuf::from(PYTORCH).with_file_name(format!("{name}.safetensors"))
}

/// Rounds a network of PyTorch, compares the file with PyTorch's of the rounded network, and reads it.
fn check_rounded<N: Network>(name: &str) {
    let net = N::load(pytorch(name)).unwrap();
    for (dtype, suffix) in [(Dtype::F16, "f16"), (Dtype::BF16, "bf16")] {
        let theirs = fs::read(pytorch(&format!("{name}_{suffix}"))).unwrap();
        assert!(net.to_bytes_as(dtype).unwrap() == theirs, "{name} as {dtype}");
        let path = temporary(&format!("roundtrip/{name}_{suffix}.safetensors"));
        net.save_as(&path, dtype).unwrap();
        assert!(fs::read(&path).unwrap() == theirs, "{name} as {dtype}, in a file");
        let rounded = N::load(&path).unwrap();
        assert_ne!(rounded.params(), net.params());
        assert!(rounded.to_bytes_as(dtype).unwrap() == theirs, "rounded values are exact");
    }
    assert!(net.to_bytes_as(Dtype::F32).unwrap() == net.to_bytes());
}

#[test]
fn weights_are_rounded_as_pytorch_rounds_them() {
    check_rounded::<Small>("roundtrip");
    check_rounded::<Values>("roundtrip_values");
}

#[test]
fn weights_and_metadata_are_restored_bit_by_bit() {
    let path = temporary("roundtrip/with_standardizer.safetensors");
    let net = Small::new(7);
    let standardizer = Standardizer::per_feature(&[[0.1, 5.0, -1.0], [0.7, 5.0, 1e9]]).unwrap();
    net.save_with(&path, &standardizer).unwrap();
    let (loaded, restored): (Box<Small>, Standardizer) = Small::load_with(&path).unwrap();
    assert_eq!(loaded.params(), net.params());
    assert_eq!(restored, standardizer);
    // The standardizer can be ignored.
    assert_eq!(Small::load(&path).unwrap().params(), net.params());
    let Err(error) = Small::load_with::<Vec<String>>(&path) else { panic!("loaded a list") };
    assert!(error.to_string().contains("has another type"), "{error}");
    let Err(error) = Small::load_with::<Standardizer>(PYTORCH) else {
        panic!("loaded a standardizer")
    };
    assert!(error.to_string().contains("has no value stored with its weights"), "{error}");
}

#[test]
fn a_vocabulary_is_stored_with_the_weights() {
    let path = temporary("roundtrip/with_vocabulary.safetensors");
    let words = Vocabulary::words().learn(["\"naïve\", they said\\", "they said 🦀"]);
    let standardizer = Standardizer::over_all(&[[0.1, 5.0]]).unwrap();
    Small::new(7).save_with(&path, &(&words, &standardizer)).unwrap();
    let (_, restored): (_, (Vocabulary, Standardizer)) = Small::load_with(&path).unwrap();
    assert_eq!(restored.0.encode("they 🦀 whispered"), words.encode("they 🦀 whispered"));
    assert_eq!(restored, (words, standardizer));
}

#[test]
fn gradients_are_stored_under_the_names_of_weights() {
    let path = temporary("roundtrip/gradients.safetensors");
    let mut net = Small::new(1);
    let mut d_net = Small::zeros();
    let inputs = [[[[0.5, -0.5]; 5]; 6]; 4];
    net.loss_and_gradients(
        &CrossEntropy::default(),
        &inputs,
        &[0, 1, 2, 0],
        &mut d_net,
        RngKey::new(1),
    )
    .unwrap();
    d_net.save(&path).unwrap();
    assert_eq!(Small::load(&path).unwrap().params(), d_net.params());
}

#[test]
fn the_weights_of_another_network_are_refused_with_a_list_of_differences() {
    let path = temporary("roundtrip/other.safetensors");
    Other::new(0).save(&path).unwrap();
    let Err(error) = Small::load(&path) else { panic!("loaded another network") };
    let expected = "does not fit this network, 10 differences:
  shape of `conv1.weight`: expected [4, 2, 3, 3], found [5, 2, 3, 3]
  shape of `conv1.bias`: expected [4], found [5]
  missing: `batch_norm.weight` [4]
  missing: `batch_norm.bias` [4]
  missing: `batch_norm.running_mean` [4]
  missing: `batch_norm.running_var` [4]
  missing: `fc1.weight` [8, 48]
  missing: `fc1.bias` [8] (in the file it may be `dense.bias`)
  unexpected: `dense.bias` [8]
  unexpected: `dense.weight` [8, 60]";
    assert!(error.to_string().ends_with(expected), "{error}");
}
