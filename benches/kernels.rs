//! Kernels of dense layers and convolutions, forward and backward, on one thread, with the best instruction set of the
//! machine or that of `UNROLLED_ISA`. The throughput counts multiply-adds, so it is half of the FLOP/s.
//!
//! `cargo bench -p unrolled-benches -- 'conv2d/13x13x32'`

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use std::hint::black_box;
use std::time::Duration;
use unrolled_benches::random;
use unrolled_runtime::kernels::{self, Accumulate, Depth, Geometry, Isa, RowBlocks};

/// Rows, inputs, units: the layers of the workloads, and sizes around multiples of the tile size.
const DENSE: &[[usize; 3]] = &[
    [64, 1600, 128],
    [4, 1600, 128],
    [1, 1600, 128],
    [64, 784, 256],
    [64, 128, 10],
    [64, 64, 64],
    [64, 17, 17],
    [64, 100, 100],
    [64, 4096, 4096],
    [1, 4096, 4096],
];

/// A convolution with square sizes.
struct Case {
    size: usize,
    channels: usize,
    filters: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    groups: usize,
}

const fn case(size: usize, channels: usize, filters: usize, kernel: usize) -> Case {
    Case { size, channels, filters, kernel, stride: 1, padding: 0, groups: 1 }
}

/// The convolutions of the workloads, and others unlike them.
const CONV2D: &[Case] = &[
    case(28, 1, 32, 3),
    case(13, 32, 64, 3),
    Case { padding: 1, ..case(32, 3, 16, 3) },
    Case { padding: 1, ..case(32, 16, 16, 3) },
    Case { padding: 1, stride: 2, ..case(32, 16, 32, 3) },
    Case { padding: 1, ..case(8, 64, 64, 3) },
    Case { padding: 1, ..case(7, 512, 512, 3) },
    case(14, 256, 256, 1),
    Case { padding: 1, groups: 32, ..case(32, 32, 32, 3) },
    Case { padding: 1, groups: 128, ..case(56, 128, 128, 3) },
    Case { padding: 3, stride: 2, ..case(64, 3, 64, 7) },
    Case { padding: 1, ..case(16, 17, 17, 3) },
];

impl Case {
    fn geometry(&self) -> Geometry {
        let &Self { size, channels, filters, kernel, stride, padding, groups } = self;
        Geometry {
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
        }
    }

    fn name(&self) -> String {
        let Self { size, channels, filters, kernel, stride, groups, .. } = self;
        format!("{size}x{size}x{channels} to {filters} k{kernel} s{stride} g{groups}")
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    bench_dense(&mut criterion);
    bench_conv2d(&mut criterion);
    criterion.final_summary();
}

/// A group of short measurements.
fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20);
    group.warm_up_time(Duration::from_millis(200));
    group.measurement_time(Duration::from_millis(600));
    group
}

fn bench_dense(criterion: &mut Criterion) {
    let isa = Isa::best();
    let mut group = group(criterion, "dense");
    for &[n, inputs, units] in DENSE {
        let name = format!("{n}x{inputs}x{units}");
        let (x, weight, bias) =
            (random(n * inputs, 1), random(inputs * units, 2), random(units, 3));
        let (mut y, d_y) = (vec![0.0; n * units], random(n * units, 4));
        let (mut d_x, mut d_weight) = (vec![0.0; n * inputs], vec![0.0; inputs * units]);
        group.throughput(Throughput::Elements((n * inputs * units) as u64));
        group.bench_function(format!("{name}/y"), |b| {
            b.iter(|| {
                let (x, weight, bias, y) = (black_box(&x), &weight, &bias, &mut y);
                kernels::dense(isa, kernels::DenseArgs { inputs, units, x, weight, bias, y });
            });
        });
        group.bench_function(format!("{name}/d_x"), |b| {
            b.iter(|| kernels::dense_d_x(isa, units, black_box(&d_y), &weight, &mut d_x));
        });
        group.bench_function(format!("{name}/d_weight"), |b| {
            let (onto, rows) = (Accumulate::Overwrite, RowBlocks::one(n));
            let d_w = &mut d_weight;
            b.iter(|| {
                kernels::dense_d_weight(
                    isa,
                    kernels::DenseDWeightArgs {
                        inputs,
                        units,
                        accumulate: onto,
                        blocks: rows,
                        first: 0,
                        x: black_box(&x),
                        d_y: &d_y,
                        d_weight: &mut *d_w,
                    },
                );
            });
        });
    }
}

fn bench_conv2d(criterion: &mut Criterion) {
    let isa = Isa::best();
    let mut group = group(criterion, "conv2d");
    for case in CONV2D {
        let (g, name) = (&case.geometry(), case.name());
        let (x, weight) = (random(g.input_len(), 1), random(g.weight_len(), 2));
        let (mut y, d_y) = (vec![0.0; g.output_len()], random(g.output_len(), 3));
        let (mut d_x, mut d_weight) = (vec![0.0; g.input_len()], vec![0.0; g.weight_len()]);
        let mut turned = vec![0.0; g.weight_len()];
        let mut scratch = vec![0.0; g.scratch_len()];
        let multiplications = g.output[0] * g.output[1] * g.weight_len();
        group.throughput(Throughput::Elements(multiplications as u64));
        group.bench_function(format!("{name}/y"), |b| {
            b.iter(|| {
                let (x, weight, bias, y) = (black_box(&x), &weight, &[], &mut y);
                kernels::conv2d(isa, g, kernels::ConvArgs { x, weight, bias, y });
            });
        });
        kernels::conv2d_flip(isa, g, &weight, &mut turned);
        group.bench_function(format!("{name}/d_x"), |b| {
            b.iter(|| {
                kernels::conv2d_d_x(isa, g, black_box(&d_y), &turned, &mut d_x);
            });
        });
        group.bench_function(format!("{name}/d_weight"), |b| {
            let (onto, d_w, scratch) = (Accumulate::Overwrite, &mut d_weight, &mut scratch);
            b.iter(|| {
                kernels::conv2d_d_weight(
                    isa,
                    g,
                    kernels::ConvDWeightArgs {
                        part: None,
                        accumulate: onto,
                        x: black_box(&x),
                        d_y: &d_y,
                        d_weight: &mut *d_w,
                        scratch: &mut *scratch,
                    },
                );
            });
        });
    }
}
