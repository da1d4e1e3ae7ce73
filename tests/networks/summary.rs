//! The table that `summary` returns.

use unrolled::prelude::*;

network! {
    /// A nested network.
    #[allow(bias_before_batch_norm)]
    struct Encoder(8x8x1) -> 4 {
        Conv2d(2, kernel = 3), BatchNorm, ReLU, GlobalAvgPool, Dense(4),
    }

    /// A network with a nested one.
    struct Judge(8x8x1) -> 1000 {
        encoder: Encoder,
        Dropout(0.5),
        head: Dense(1000, bias = false),
    }
}

#[test]
fn nested_networks_are_indented() {
    let expected = "\
Judge: 8x8x1 -> 1000
layer              kind                       output  parameters  multiply-adds
-------------------------------------------------------------------------------
encoder            Encoder                    4               36            728
  conv2d           Conv2d(2, kernel = 3)      6x6x2           20            648
  batch_norm       BatchNorm                  6x6x2            4             72
  relu             ReLU                       6x6x2            0              0
  global_avg_pool  GlobalAvgPool              2                0              0
  dense            Dense(4)                   4               12              8
dropout            Dropout(0.5)               4                0              0
head               Dense(1000, bias = false)  1000         4,000          4,000
-------------------------------------------------------------------------------
total                                                      4,036          4,728
weights: 4,036 trained values and 5 running statistics, 16,164 bytes
";
    let summary = Judge::summary();
    let memory = summary.strip_prefix(expected).expect(&summary);
    // The amount depends on the memory plan.
    assert!(memory.starts_with("memory for a sample: "), "{memory}");
}
