//! Inference of ResNet-18 and MobileNetV2 on images of 224x224: prints the milliseconds of one batch.
//!
//!     image_networks resnet18|mobilenet_v2 BATCH THREADS
//!
//! `scripts/image_networks.py` compares them with onnxruntime and PyTorch.

use std::time::{Duration, Instant};
use unrolled::parallel::with_threads;
use unrolled::prelude::*;
use unrolled_benches::random;

network! {
    /// Two convolutions with a skip connection (He et al., 2016).
    block Basic(channels) {
        Residual {
            conv1: Conv2d(channels, kernel = 3, padding = 1, bias = false), bn1: BatchNorm, ReLU,
            conv2: Conv2d(channels, kernel = 3, padding = 1, bias = false), bn2: BatchNorm,
        },
        ReLU,
    }

    /// The same, halving height and width.
    block Halving(channels) {
        Residual {
            conv1: Conv2d(channels, kernel = 3, stride = 2, padding = 1, bias = false), bn1: BatchNorm, ReLU,
            conv2: Conv2d(channels, kernel = 3, padding = 1, bias = false), bn2: BatchNorm,
        }
        downsample: skip [Conv2d(channels, kernel = 1, stride = 2, bias = false), BatchNorm],
        ReLU,
    }

    pub struct ResNet18(224x224x3) -> 1000 {
        conv1: Conv2d(64, kernel = 7, stride = 2, padding = 3, bias = false), bn1: BatchNorm, ReLU,
        MaxPool2d(3, stride = 2, padding = 1),
        layer1: [Basic(64), Basic(64)],
        layer2: [Halving(128), Basic(128)],
        layer3: [Halving(256), Basic(256)],
        layer4: [Halving(512), Basic(512)],
        GlobalAvgPool,
        fc: Dense(1000),
    }
}

network! {
    /// A convolution, normalised and activated (Sandler et al., 2018).
    block Normalised(channels, kernel, stride = 1, groups = 1) [
        Conv2d(channels, kernel = kernel, stride = stride, padding = kernel / 2, groups = groups, bias = false),
        BatchNorm,
        ReLU6,
    ]

    /// Widens, filters each channel, and narrows.
    block Inverted(hidden, channels, stride = 1) {
        conv: [
            Normalised(hidden, kernel = 1),
            Normalised(hidden, kernel = 3, stride = stride, groups = hidden),
            Conv2d(channels, kernel = 1, bias = false),
            BatchNorm,
        ],
    }

    /// The same with a skip connection.
    block InvertedResidual(hidden, channels) {
        conv: Residual [
            Normalised(hidden, kernel = 1),
            Normalised(hidden, kernel = 3, groups = hidden),
            Conv2d(channels, kernel = 1, bias = false),
            BatchNorm,
        ],
    }

    /// Without widening.
    block Separable(channels) {
        conv: [Normalised(32, kernel = 3, groups = 32), Conv2d(channels, kernel = 1, bias = false), BatchNorm],
    }

    pub struct MobileNetV2(224x224x3) -> 1000 {
        features: [
            Normalised(32, kernel = 3, stride = 2),
            Separable(16),
            Inverted(96, 24, stride = 2), InvertedResidual(144, 24),
            Inverted(144, 32, stride = 2), _: Repeat(2) { _: InvertedResidual(192, 32) },
            Inverted(192, 64, stride = 2), _: Repeat(3) { _: InvertedResidual(384, 64) },
            Inverted(384, 96), _: Repeat(2) { _: InvertedResidual(576, 96) },
            Inverted(576, 160, stride = 2), _: Repeat(2) { _: InvertedResidual(960, 160) },
            Inverted(960, 320),
            Normalised(1280, kernel = 1),
        ],
        GlobalAvgPool,
        classifier: [Dropout(0.2), Dense(1000)],
    }
}

type Image = [[[f32; 3]; 224]; 224];

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [network, batch, threads] = &arguments[..] else {
        return Err("expected NETWORK BATCH THREADS".into());
    };
    let number = |text: &str| text.parse().map_err(|_| format!("expected a number, found {text}"));
    let (batch, threads) = (number(batch)?, number(threads)?);
    let seconds = with_threads(threads, || match network.as_str() {
        "resnet18" => Ok(measure::<ResNet18>(batch)),
        "mobilenet_v2" => Ok(measure::<MobileNetV2>(batch)),
        _ => Err(format!("expected `resnet18` or `mobilenet_v2`, found `{network}`")),
    })?;
    println!("{:.3}", 1e3 * seconds);
    Ok(())
}

/// The median of the seconds of a batch, over two seconds and at least five batches.
fn measure<N: Network<Input = Image, Output = [f32; 1000]>>(batch: usize) -> f64 {
    let net = N::new(1);
    let mut images = Image::zeroed_vec(batch);
    let pixels = images.as_flattened_mut().as_flattened_mut().as_flattened_mut();
    pixels.copy_from_slice(&random(pixels.len(), 2));
    let mut outputs = vec![[0.0; 1000]; batch];
    net.forward_batch(&images, &mut outputs);
    let (begin, mut times) = (Instant::now(), Vec::new());
    while times.len() < 5 || begin.elapsed() < Duration::from_secs(2) {
        let begin = Instant::now();
        net.forward_batch(&images, &mut outputs);
        times.push(begin.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
