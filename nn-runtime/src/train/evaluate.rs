//! The loss, the accuracy and the metrics of a network on a data set.

use super::chunks;
use super::error::TrainError;
use super::history::Score;
use super::loader::CheckedData;
use super::metrics::Metric;
use crate::contract::Network;
use crate::data::Data;
use crate::loss::{Loss, LossSums, OutputSample};
use crate::step::{Batch, BatchError, Chunks, check_inputs, infer_flat, output_valid};
use crate::system::{RngKey, parallel, time};
use crate::types::{Inputs, MAX_OUTPUTS, Values};
use std::ops::ControlFlow;

/// Elements of outputs in memory at a time, and the largest number of samples that have them.
const OUTPUT_ELEMENTS: usize = 1 << 20;
const MAX_SAMPLES: usize = 4096;

/// Elements of inputs in memory at a time, of data sets that are not in memory.
const INPUT_ELEMENTS: usize = 1 << 22;

/// Samples whose losses one thread computes at a time.
const SHARD: usize = 32;

/// The metrics of a trainer.
pub(super) type Metrics<'a, N, Target> = Vec<Box<dyn Metric<<N as Network>::Output, Target> + 'a>>;

/// See [`TrainingExt::evaluate`](crate::TrainingExt::evaluate).
pub(crate) fn evaluate<N: Network, L: Loss<N::Output>>(
    net: &N,
    data: &Data<N::Input, L::Target>,
    loss: &L,
) -> Result<Score, BatchError> {
    Batch::checked(loss, &data.inputs, &data.targets)?.accepted_by::<N>()?;
    let mut losses = LossAdder::new(loss);
    for_each_inferred(net, (&data.inputs, &data.targets), None, |samples| losses.add(&samples));
    Ok(Score::of::<N>(&losses.sum))
}

/// A metric of a network on a data set, in inference mode. Samples are added to those that the metric has.
///
/// ```
/// # use unrolled_runtime::{BatchError, Network, data::Data, train::{Accuracy, measure}};
/// # fn example<N: Network<Input = [f32; 4], Output = [f32; 9]>>(
/// #     net: &N, data: &Data<[f32; 4], u32>,
/// # ) -> Result<(), BatchError> {
/// let top_3 = measure(net, data, Accuracy::top(3))?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If there are no samples, the numbers of inputs and targets differ, or the network refuses an input.
pub fn measure<N: Network, Target: Copy>(
    net: &N,
    data: &Data<N::Input, Target>,
    mut metric: impl Metric<N::Output, Target>,
) -> Result<f64, BatchError> {
    if data.is_empty() {
        return Err(BatchError::Empty);
    }
    if data.inputs.len() != data.targets.len() {
        let (inputs, targets) = (data.inputs.len(), data.targets.len());
        return Err(BatchError::Targets { inputs, targets });
    }
    check_inputs::<N>(&data.inputs)?;
    for_each_inferred(net, (&data.inputs, &data.targets), None, |samples| {
        samples.add_to(&mut metric)
    });
    Ok(metric.value())
}

/// The loss sums of samples in inference mode, which are added to `metrics`. With a `batch` the samples are chunks of a
/// long sequence that is cut into so many parallel sequences.
pub(super) fn evaluate_checked<N: Network, L: Loss<N::Output>>(
    net: &N,
    data: &CheckedData<'_, N, L>,
    batch: Option<usize>,
    key: RngKey,
    metrics: &mut Metrics<'_, N, L::Target>,
) -> Result<LossSums, TrainError> {
    let mut losses = LossAdder::new(data.loss());
    let add = |samples: Inferred<'_, N, L::Target>| {
        losses.add(&samples);
        for metric in metrics.iter_mut() {
            samples.add_to(&mut **metric);
        }
    };
    match data.in_memory() {
        Some(samples) => for_each_inferred(net, samples, batch, add),
        None => for_each_loaded(net, data, batch, key, add)?,
    }
    Ok(losses.sum)
}

fn in_chunk_order<Input: Copy, Target: Copy>(
    (inputs, targets): (&[Input], &[Target]),
    batch: usize,
) -> Data<Input, Target> {
    let order = chunks::order(inputs.len(), batch);
    let mut ordered = Data { inputs: Vec::new(), targets: Vec::new() };
    ordered.inputs.reserve_exact(inputs.len());
    ordered.targets.reserve_exact(targets.len());
    for i in order {
        // Copied in place: a sample may be larger than the stack.
        ordered.inputs.extend_from_slice(&inputs[i..=i]);
        ordered.targets.extend_from_slice(&targets[i..=i]);
    }
    ordered
}

/// Calls `f` with all samples, many at a time.
fn for_each_inferred<N: Network, Target: Copy>(
    net: &N,
    samples: (&[N::Input], &[Target]),
    batch: Option<usize>,
    mut f: impl FnMut(Inferred<'_, N, Target>),
) {
    let ordered = batch.map(|batch| in_chunk_order(samples, batch));
    let ordered = ordered.as_ref().map(|data| (&data.inputs[..], &data.targets[..]));
    let (inputs, targets) = ordered.unwrap_or(samples);
    let at_once = (OUTPUT_ELEMENTS / N::Output::LEN).clamp(1, MAX_SAMPLES);
    let mut memory = InferenceMemory::new::<N>(inputs.len(), at_once, batch);
    let at_once = memory.at_once;
    for (inputs, targets) in inputs.chunks(at_once).zip(targets.chunks(at_once)) {
        f(memory.infer(net, inputs, targets));
    }
}

/// As [`for_each_inferred`], for samples that are loaded when they are needed.
fn for_each_loaded<N: Network, L: Loss<N::Output>>(
    net: &N,
    data: &CheckedData<'_, N, L>,
    batch: Option<usize>,
    key: RngKey,
    mut f: impl FnMut(Inferred<'_, N, L::Target>),
) -> Result<(), TrainError> {
    let len = data.len();
    let order = batch.map_or_else(|| (0..len).collect(), |batch| chunks::order(len, batch));
    let input_len: usize = N::Input::LENS.iter().sum();
    let at_once = (OUTPUT_ELEMENTS / N::Output::LEN).min(INPUT_ELEMENTS / input_len.max(1));
    let mut memory = InferenceMemory::new::<N>(len, at_once.clamp(1, MAX_SAMPLES), batch);
    let at_once = memory.at_once;
    let indices = |nth: usize| &order[nth * at_once..len.min((nth + 1) * at_once)];
    data.for_each_loaded(0..len.div_ceil(at_once), indices, key, |_, loaded| {
        f(memory.infer(net, &loaded.inputs, &loaded.targets));
        Ok(ControlFlow::Continue(()))
    })
    .map(drop)
}

/// The outputs of the samples that are in memory at a time, and their recurrent states.
struct InferenceMemory {
    at_once: usize,
    outputs: Vec<f32>,
    /// Empty if samples begin with states of zeros.
    state: Vec<f32>,
}

impl InferenceMemory {
    /// Memory for `at_once` of `len` samples; with a `batch` for so many chunks of parallel sequences.
    fn new<N: Network>(len: usize, at_once: usize, batch: Option<usize>) -> Self {
        let at_once = batch.unwrap_or(at_once).min(len.max(1));
        let state = batch.map(|batch| chunks::initial_state::<N>(batch, len)).unwrap_or_default();
        Self { at_once, outputs: vec![0.0; at_once * N::Output::LEN], state }
    }

    /// The outputs of the next samples, which begin with the recurrent states that those before left.
    fn infer<'a, N: Network, Target>(
        &'a mut self,
        net: &N,
        inputs: &'a [N::Input],
        targets: &'a [Target],
    ) -> Inferred<'a, N, Target> {
        let outputs = &mut self.outputs[..inputs.len() * N::Output::LEN];
        // The last call may have fewer samples.
        let each = self.state.len() / self.at_once;
        infer_flat(net, inputs, outputs, &mut self.state[..inputs.len() * each]);
        Inferred { inputs, outputs, targets }
    }
}

/// Samples with the network's outputs.
struct Inferred<'a, N: Network, Target> {
    inputs: &'a [N::Input],
    outputs: &'a [f32],
    targets: &'a [Target],
}

impl<N: Network, Target> Inferred<'_, N, Target> {
    /// Adds all samples to a metric.
    fn add_to(&self, metric: &mut (impl Metric<N::Output, Target> + ?Sized)) {
        let outputs = self.outputs.chunks_exact(N::Output::LEN);
        for ((input, y), target) in self.inputs.iter().zip(outputs).zip(self.targets) {
            metric.add(&y[..valid_len::<N>(input)], target);
        }
    }
}

/// The number of elements of the valid steps of an output; all, if there are several outputs.
fn valid_len<N: Network>(input: &N::Input) -> usize {
    let steps = match N::Output::SHAPE.rank() {
        0 => 1,
        _ => N::Output::SHAPE.dim(0),
    };
    match N::OUTPUTS {
        [] => output_valid::<N>(input)[0] * (N::Output::LEN / steps),
        _ => N::Output::LEN,
    }
}

/// Adds up losses.
struct LossAdder<'a, L> {
    loss: &'a L,
    // Losses write gradients, which nothing reads here.
    d_outputs: Vec<f32>,
    shard_sums: Vec<LossSums>,
    sum: LossSums,
}

impl<'a, L> LossAdder<'a, L> {
    fn new(loss: &'a L) -> Self {
        let (d_outputs, shard_sums) = (Vec::new(), Vec::new());
        Self { loss, d_outputs, shard_sums, sum: LossSums::default() }
    }

    fn add<N: Network>(&mut self, samples: &Inferred<'_, N, L::Target>)
    where
        L: Loss<N::Output>,
    {
        let shards = samples.inputs.len().div_ceil(SHARD);
        self.d_outputs.resize(samples.outputs.len(), 0.0);
        self.shard_sums.resize(shards, LossSums::default());
        sum_shards(samples, self.loss, &mut self.d_outputs, &mut self.shard_sums);
        self.sum = self.shard_sums.iter().fold(self.sum, |sum, one| sum.with(one));
    }
}

/// Writes the loss sums of each shard. Their order in the total is that of the shards, so that it does not depend on the
/// number of threads.
fn sum_shards<N: Network, L: Loss<N::Output>>(
    samples: &Inferred<'_, N, L::Target>,
    loss: &L,
    d_outputs: &mut [f32],
    shard_sums: &mut [LossSums],
) {
    let Inferred { inputs, outputs, targets } = *samples;
    let len = N::Output::LEN;
    let end = |shard: usize| targets.len().min((shard + 1) * SHARD) * len;
    let tasks = shard_sums.len();
    let shard_sums = Chunks::new(shard_sums, 1);
    let sum_shard = |shard: usize, _, d_y: &mut [f32]| {
        let first = shard * SHARD;
        let samples = inputs[first..].iter().zip(&targets[first..]);
        let outputs = outputs[first * len..].chunks_exact(len).zip(d_y.chunks_exact_mut(len));
        let mut sums = LossSums::default();
        for ((input, target), (y, d_y)) in samples.zip(outputs) {
            let valid = output_valid::<N>(input);
            let sample = OutputSample::new(y, target, &valid, &[1.0; MAX_OUTPUTS], d_y);
            loss.accumulate(sample, &mut sums);
        }
        // SAFETY: each shard is one task, a task runs on one thread, and `shard_sums` is borrowed until
        // `for_each_piece` returns.
        unsafe { shard_sums.chunk(shard)[0] = sums };
    };
    // Losses take about as long as eight elementwise passes.
    parallel::for_work(time(0, 8 * d_outputs.len()), || {
        parallel::for_each_piece(d_outputs, tasks, end, sum_shard);
    });
}
