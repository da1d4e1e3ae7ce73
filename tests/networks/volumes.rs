//! Networks of volumes, all of whose layers have four axes.

use super::common::{bits, gradient, random_values, same_on_all_threads};
use unrolled::loss::{CrossEntropy, MeanSquaredError};
use unrolled::prelude::*;
use unrolled::{check_gradients, infer_batch};

network! {
    #[allow(bias_before_batch_norm)]
    struct Scan(5x12x10x2) -> 4 {
        stem: Conv3d(8, kernel = (3, 5, 3), stride = (1, 2, 1), padding = (1, 2, 1)) -> 5x6x10x8,
        BatchNorm,
        ReLU,
        Residual {
            Conv3d(8, kernel = 3, padding = same, groups = 8),
            GroupNorm(2),
            SiLU,
            Conv3d(8, kernel = 1),
        },
        MaxPool3d((1, 2, 2), ceil_mode = true) -> 5x3x5x8,
        Dropout(0.1),
        Concat {
            { AvgPool3d(2, padding = (0, 1, 1)) -> 2x2x3x8 },
            { AdaptiveMaxPool3d((2, 2, 3)), PReLU(per_channel = true) },
        },
        Conv3d(24, kernel = 2, dilation = (1, 1, 2)) -> 1x1x1x24,
        AdaptiveAvgPool3d(1),
        Flatten,
        Dense(4),
    }

    /// Small enough for finite differences.
    struct Few(3x4x3x2) -> 2 {
        Conv3d(3, kernel = 2, padding = (1, 0, 0, 0, 0, 1)), Tanh, AvgPool3d(2, stride = 1), InstanceNorm, GELU,
        Add { { GlobalAvgPool }, { GlobalMaxPool } }, Dense(2),
    }
}

fn inputs(count: u64) -> Vec<<Scan as Network>::Input> {
    (0..count).map(random_values).collect()
}

#[test]
fn samples_have_the_same_bits_alone_in_batches_and_in_memory_of_the_caller() {
    let net = Scan::new(1);
    let inputs = inputs(9);
    let alone: Vec<Vec<u32>> = inputs.iter().map(|x| bits(&net.forward(x))).collect();
    let batch = same_on_all_threads(|| {
        let mut outputs = vec![[0.0; 4]; inputs.len()];
        infer_batch(&*net, &inputs, &mut outputs);
        outputs.iter().map(|y| bits(y)).collect::<Vec<_>>()
    });
    assert_eq!(alone, batch);
    let mut workspace = vec![f32::NAN; Scan::WORKSPACE_LEN];
    for (x, expected) in inputs.iter().zip(&alone) {
        assert_eq!(&bits(&net.forward_in(&mut workspace, x)), expected);
    }
}

#[test]
fn gradients_have_the_same_bits_on_any_number_of_threads() {
    let (inputs, targets) = (inputs(13), vec![1; 13]);
    same_on_all_threads(|| {
        bits(&gradient(&mut *Scan::new(1), &CrossEntropy::new(), &inputs, &targets))
    });
}

#[test]
fn gradients_agree_with_finite_differences() {
    let inputs: Vec<<Few as Network>::Input> = (0..3).map(random_values).collect();
    let targets = [[0.5, -1.0], [2.0, 0.0], [-0.5, 1.0]];
    let check = check_gradients(&*Few::new(3), &MeanSquaredError, &inputs, &targets).unwrap();
    assert!(check.worst < 1e-3, "{check}");
}

#[test]
fn files_are_read_back() {
    let net = Scan::new(4);
    let loaded = Scan::load_bytes(&net.to_bytes()).expect("a file of this network");
    assert_eq!(bits(net.params()), bits(loaded.params()));
    let stem = Scan::tensors().into_iter().find(|tensor| tensor.name == "stem.weight");
    let axes = stem.expect("a weight").axes;
    assert_eq!(axes.iter().map(|axis| axis.len).collect::<Vec<_>>(), [8, 2, 3, 5, 3]);
}
