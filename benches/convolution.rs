//! A single convolution on one thread: prints the microseconds of its forward pass and of a training step (forward, and
//! the gradients of input and weights), separated by a tab.
//!
//!     convolution SIZE CHANNELS FILTERS KERNEL STRIDE PADDING GROUPS BATCH
//!
//! `scripts/convolutions.py` compares many of them with PyTorch.

use std::hint::black_box;
use unrolled_benches::{random, seconds_per_call};
use unrolled_runtime::kernels::{self, Accumulate, Depth, Epilogue, Geometry, Isa};

fn main() -> Result<(), String> {
    let numbers: Result<Vec<usize>, _> = std::env::args().skip(1).map(|it| it.parse()).collect();
    let [size, channels, filters, kernel, stride, padding, groups, batch] =
        numbers.map_err(|error| error.to_string())?[..]
    else {
        return Err("expected SIZE CHANNELS FILTERS KERNEL STRIDE PADDING GROUPS BATCH".into());
    };
    let g = Geometry {
        input: [size; 2],
        channels,
        output: [(size + 2 * padding - kernel) / stride + 1; 2],
        filters,
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [[padding; 2]; 2],
        dilation: [1; 2],
        groups,
        depth: Depth::FLAT,
    };
    let [forward, training] = measure(&g, batch).map(|seconds| 1e6 * seconds);
    println!("{forward:.2}\t{training:.2}");
    Ok(())
}

/// Elements in a cache line.
const LINE: usize = 16;

/// `len` of the values, aligned to a cache line.
fn aligned(values: &mut [f32], len: usize) -> &mut [f32] {
    let skip = values.as_ptr().align_offset(LINE * size_of::<f32>());
    &mut values[skip..skip + len]
}

/// Seconds of the forward pass, and of a training step.
fn measure(g: &Geometry, batch: usize) -> [f64; 2] {
    let isa = Isa::best();
    let (input, output) = (batch * g.input_len(), batch * g.output_len());
    // Aligned to cache lines, as the values of a network are.
    let [mut x, mut d_x] = [1, 2].map(|seed| random(input + LINE, seed));
    let [mut y, mut d_y] = [3, 4].map(|seed| random(output + LINE, seed));
    let [x, d_x] = [&mut x, &mut d_x].map(|values| aligned(values, input));
    let [y, d_y] = [&mut y, &mut d_y].map(|values| aligned(values, output));
    let (weight, mut d_weight) = (random(g.weight_len(), 5), vec![0.0; g.weight_len()]);
    let mut turned = vec![0.0; g.weight_len()];
    let mut scratch = vec![0.0; g.scratch_len()];
    let mut memory = vec![0.0; g.winograd_len()];
    let forward = seconds_per_call(|| {
        let args = kernels::ConvArgs { x: black_box(&*x), weight: &weight, bias: &[], y: &mut *y };
        kernels::conv_forward(isa, g, args, Epilogue::NONE, &mut memory);
        black_box(&mut *y);
    });
    let training = seconds_per_call(|| {
        let (x, d_y, nothing) = (black_box(&*x), black_box(&*d_y), Accumulate::Overwrite);
        let args = kernels::ConvArgs { x, weight: &weight, bias: &[], y: &mut *y };
        kernels::conv_forward(isa, g, args, Epilogue::NONE, &mut memory);
        kernels::conv2d_flip(isa, g, &weight, &mut turned);
        kernels::conv2d_d_x(isa, g, d_y, &turned, d_x);
        kernels::conv2d_d_weight(
            isa,
            g,
            kernels::ConvDWeightArgs {
                part: None,
                accumulate: nothing,
                x,
                d_y,
                d_weight: &mut d_weight,
                scratch: &mut scratch,
            },
        );
        black_box((&mut *y, &mut *d_x, &mut d_weight));
    });
    [forward, training]
}
