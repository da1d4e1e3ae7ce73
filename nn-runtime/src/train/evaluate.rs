//! The loss, the accuracy and the metrics of a network on a data set.

use super::chunks;
use super::error::{DataSet, TrainError};
use super::history::Score;
use super::loader::{CheckedData, check_input, check_sample};
use super::metrics::Metric;
use super::same_types::{LossTarget, SameInput, TypedData, TypedLoss};
use super::slots::{DynData, Slots};
use super::task::Task;
use crate::contract::{Network, Node, Root};
use crate::data::{Data, Dataset};
use crate::loss::{Loss, LossSum, LossSums, OutputSample};
use crate::ranks::{Ranks, bytes_of_mut};
use crate::step::{BatchError, Chunks, infer_flat, output_valid};
use crate::system::{RngKey, parallel, time};
use crate::types::{Inputs, MAX_OUTPUTS, Values};
use std::ops::Range;

/// Elements of outputs in memory at a time, and the largest number of samples that have them.
const OUTPUT_ELEMENTS: usize = 1 << 20;
const MAX_SAMPLES: usize = 4096;

/// Elements of inputs in memory at a time, of data sets that are not in memory.
const INPUT_ELEMENTS: usize = 1 << 22;

/// Samples whose losses one thread computes at a time.
const SHARD: usize = 32;

/// The metrics of a trainer.
pub(super) type Metrics<'a, N, Target> = Vec<Box<dyn Metric<<N as Network>::Output, Target> + 'a>>;

/// The key of the samples of data sets that are evaluated without a trainer.
const KEY: RngKey = RngKey::new(0);

/// See [`TrainingExt::evaluate`](crate::TrainingExt::evaluate).
pub(crate) fn evaluate<N, D, L>(net: &N, data: &D, loss: &L) -> Result<Score, BatchError>
where
    N: Network,
    D: Dataset<Input: SameInput<N::Input>, Target: Copy + Send + Sync>,
    L: Loss<N::Output, Target: LossTarget<D::Target>>,
{
    let loss = &TypedLoss::<_, D::Target, D::Target>::new(loss);
    let mut losses = LossAdder::new(loss);
    let mut sum = LossSums::default();
    for_each_checked(
        net,
        &TypedData::new(data),
        &|index, input, target| check_sample::<N, _>(loss, index, input, target),
        &mut |samples| sum = total(sum, losses.shards_of(&samples)),
    )?;
    Ok(Score::of(N::OUTPUTS, &sum))
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
pub fn measure<N, D>(
    net: &N,
    data: &D,
    mut metric: impl Metric<N::Output, D::Target>,
) -> Result<f64, BatchError>
where
    N: Network,
    D: Dataset<Input: SameInput<N::Input>, Target: Copy + Send + Sync>,
{
    let data = &TypedData::new(data);
    let check = |index, input: &N::Input, _: &D::Target| check_input::<N>(index, input);
    for_each_checked(net, data, &check, &mut |samples| samples.add_to(&mut metric))?;
    Ok(metric.value())
}

/// Calls `f` with each target and the network's output for its sample, once `check` has accepted the target.
pub(super) fn for_each_output<N, D>(
    net: &N,
    data: &D,
    check: impl Fn(usize, &D::Target) -> Result<(), BatchError> + Sync,
    mut f: impl FnMut(&D::Target, &[f32]),
) -> Result<(), BatchError>
where
    N: Network,
    D: Dataset<Input: SameInput<N::Input>, Target: Copy + Send + Sync>,
{
    let check = |index, input: &N::Input, target: &D::Target| {
        check(index, target).and_then(|()| check_input::<N>(index, input))
    };
    for_each_checked(net, &TypedData::new(data), &check, &mut |samples| {
        let outputs = samples.outputs.chunks_exact(N::Output::LEN);
        samples.targets.iter().zip(outputs).for_each(|(target, output)| f(target, output));
    })
}

/// Calls `f` with all samples, many at a time, once `check` has accepted them.
fn for_each_checked<N: Network, Target: Copy + Send + Sync>(
    net: &N,
    data: DynData<'_, N, Target>,
    check: &CheckSample<'_, N, Target>,
    f: &mut EachInferred<'_, N, Target>,
) -> Result<(), BatchError> {
    data.check()?;
    if data.is_empty() {
        return Err(BatchError::Empty);
    }
    let pass = Pass::over(data.len());
    if let Some((inputs, targets)) = data.in_memory() {
        let mut samples = inputs.iter().zip(targets).enumerate();
        samples.try_for_each(|(index, (input, target))| check(index, input, target))?;
        for_each_inferred(net, (inputs, targets), pass, f);
        return Ok(());
    }
    let slots = Slots::new(data, 1);
    let check = |index, input: &_, target: &_| {
        let refused = |source| TrainError::Data { data: DataSet::Validation, source };
        check(index, input, target).map_err(refused)
    };
    let load = |slot, indices: &[usize]| slots.load(slot, indices, KEY, check);
    for_each_loaded(net, &slots, pass, &load, f).map_err(|error| match error {
        TrainError::Data { source, .. } => source,
        _ => unreachable!("the only error of `load` is that of `check`"),
    })
}

/// How a trainer evaluates.
#[derive(Clone, Copy)]
pub(super) struct Evaluation<'r> {
    /// The number of parallel sequences, if the samples are chunks of a long one.
    pub(super) batch: Option<usize>,
    /// The key of the samples.
    pub(super) key: RngKey,
    /// The ranks among which the samples are divided.
    pub(super) ranks: Option<&'r Ranks<'r>>,
}

/// The loss sums of samples in inference mode, which are added to `metrics`.
pub(super) fn evaluate_checked<N: Network, L: Loss<N::Output>>(
    net: &N,
    data: &CheckedData<'_, N, L>,
    evaluation: Evaluation<'_>,
    metrics: &mut Metrics<'_, N, L::Target>,
) -> Result<LossSums, TrainError> {
    let Evaluation { batch, key, ranks } = evaluation;
    // The state of parallel sequences goes from each batch to the next: every rank computes all of them.
    let ranks = ranks.filter(|_| batch.is_none());
    let mut losses = LossAdder::new(data.loss());
    if let Some(ranks) = ranks.filter(|_| metrics.is_empty()) {
        return evaluate_part(net, data, key, ranks, &mut losses);
    }
    let mut sum = LossSums::default();
    let add = &mut |samples: Inferred<'_, N, L::Target>| {
        sum = total(sum, losses.shards_of(&samples));
        for metric in metrics.iter_mut() {
            samples.add_to(&mut **metric);
        }
    };
    // Metrics need all outputs and targets: ranks send each other the outputs of their parts.
    let pass = Pass { samples: 0..data.len(), batch, ranks };
    let load = |slot, indices: &[usize]| data.load(slot, indices, key);
    match data.in_memory() {
        Some(samples) => for_each_inferred(net, samples, pass, add),
        None => for_each_loaded(net, data.slots(), pass, &load, add)?,
    }
    ranks.map_or(Ok(()), Ranks::check).map_err(TrainError::Distributed)?;
    Ok(sum)
}

/// The loss sums of all samples, of which this rank loads and computes only its part.
fn evaluate_part<N: Network, L: Loss<N::Output>>(
    net: &N,
    data: &CheckedData<'_, N, L>,
    key: RngKey,
    ranks: &Ranks<'_>,
    losses: &mut LossAdder<'_, L>,
) -> Result<LossSums, TrainError> {
    let (len, shard) = (data.len(), shard_len::<N>());
    let shards = len.div_ceil(shard);
    let own = shard_range(ranks.rank(), shards, ranks.size());
    let mut own_sums = Vec::new();
    let add = &mut |samples: Inferred<'_, N, L::Target>| {
        own_sums.extend_from_slice(losses.shards_of(&samples));
    };
    let samples = len.min(own.start * shard)..len.min(own.end * shard);
    let pass = Pass { samples, batch: None, ranks: None };
    let load = |slot, indices: &[usize]| data.load(slot, indices, key);
    match data.in_memory() {
        Some(samples) => for_each_inferred(net, samples, pass, add),
        None => for_each_loaded(net, data.slots(), pass, &load, add)?,
    }
    sum_of_ranks(&own_sums, shards, ranks)
}

/// The shards that a rank computes.
const fn shard_range(rank: usize, shards: usize, ranks: usize) -> Range<usize> {
    rank * shards / ranks..(rank + 1) * shards / ranks
}

/// The total of the sums of all shards, of which this rank has its own.
fn sum_of_ranks(
    own_sums: &[LossSums],
    shards: usize,
    ranks: &Ranks<'_>,
) -> Result<LossSums, TrainError> {
    let shards_of = |rank| shard_range(rank, shards, ranks.size());
    let mut all = vec![[[0.0; LossSum::VALUES]; MAX_OUTPUTS]; shards];
    for (values, sums) in all[shards_of(ranks.rank())].iter_mut().zip(own_sums) {
        *values = sums.0.map(LossSum::to_values);
    }
    let bytes = size_of::<[[f64; LossSum::VALUES]; MAX_OUTPUTS]>();
    let lens: Vec<_> = (0..ranks.size()).map(|rank| shards_of(rank).len() * bytes).collect();
    ranks.gather_parts(bytes_of_mut(all.as_flattened_mut().as_flattened_mut()), &lens);
    ranks.check().map_err(TrainError::Distributed)?;
    // In the order of the samples, as a single process adds them.
    let sums: Vec<_> =
        all.iter().map(|values| LossSums(values.map(LossSum::from_values))).collect();
    Ok(total(LossSums::default(), &sums))
}

/// The sums of shards, added in their order to those before.
fn total(before: LossSums, shards: &[LossSums]) -> LossSums {
    shards.iter().fold(before, |sum, one| sum.with(one))
}

/// Which samples are inferred, and how.
struct Pass<'r> {
    samples: Range<usize>,
    /// As [`Evaluation::batch`].
    batch: Option<usize>,
    /// The ranks each of which infers a part of the samples, and sends the outputs to all others.
    ranks: Option<&'r Ranks<'r>>,
}

impl Pass<'_> {
    /// All of `len` samples on this process.
    const fn over(len: usize) -> Self {
        Self { samples: 0..len, batch: None, ranks: None }
    }
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

/// What checks the input and the target of a sample, by its index.
type CheckSample<'f, N, Target> =
    dyn Fn(usize, &<N as Network>::Input, &Target) -> Result<(), BatchError> + Sync + 'f;

/// What puts the samples with these indices into a slot.
type LoadSlot<'f> = dyn Fn(usize, &[usize]) -> Result<(), TrainError> + Sync + 'f;

/// What is called with samples and their outputs, many at a time.
type EachInferred<'f, N, Target> = dyn FnMut(Inferred<'_, N, Target>) + 'f;

/// Calls `f` with all samples.
fn for_each_inferred<N: Network, Target: Copy>(
    net: &N,
    samples: (&[N::Input], &[Target]),
    pass: Pass<'_>,
    f: &mut EachInferred<'_, N, Target>,
) {
    let ordered = pass.batch.map(|batch| in_chunk_order(samples, batch));
    let ordered = ordered.as_ref().map(|data| (&data.inputs[..], &data.targets[..]));
    let (inputs, targets) = ordered.unwrap_or(samples);
    let range = pass.samples.clone();
    let (inputs, targets) = (&inputs[range.clone()], &targets[range]);
    let mut memory = InferenceMemory::new::<N>(pass, MAX_SAMPLES);
    let at_once = memory.at_once;
    for (inputs, targets) in inputs.chunks(at_once).zip(targets.chunks(at_once)) {
        f(memory.infer(net, inputs, targets));
    }
}

/// As [`for_each_inferred`], for samples that `load` puts into a slot when they are needed.
fn for_each_loaded<N: Network, Target: Send + Sync>(
    net: &N,
    slots: &Slots<'_, N, Target>,
    pass: Pass<'_>,
    load: &LoadSlot<'_>,
    f: &mut EachInferred<'_, N, Target>,
) -> Result<(), TrainError> {
    let (len, samples) = (pass.samples.len(), pass.samples.clone());
    let order = pass.batch.map_or_else(|| samples.collect(), |batch| chunks::order(len, batch));
    let order: Vec<usize> = order;
    let input_len: usize = N::Input::LENS.iter().sum();
    let mut memory = InferenceMemory::new::<N>(pass, INPUT_ELEMENTS / input_len.max(1));
    let at_once = memory.at_once;
    let load =
        |nth: usize, slot: usize| load(slot, &order[nth * at_once..len.min((nth + 1) * at_once)]);
    slots.for_each(0..len.div_ceil(at_once), &load, &mut |slot| {
        let loaded = slots.get(slot);
        f(memory.infer(net, &loaded.inputs, &loaded.targets));
    })
}

/// The outputs of the samples that are in memory at a time, and their recurrent states.
struct InferenceMemory<'r> {
    at_once: usize,
    ranks: Option<&'r Ranks<'r>>,
    outputs: Vec<f32>,
    /// Empty if samples begin with states of zeros.
    state: Vec<f32>,
}

impl<'r> InferenceMemory<'r> {
    /// Memory for at most `most` samples; with parallel sequences for a chunk of each.
    fn new<N: Network>(pass: Pass<'r>, most: usize) -> Self {
        let Pass { samples, batch, ranks } = pass;
        let len = samples.len();
        // Whole shards, so that they are the same wherever the samples begin.
        let shard = shard_len::<N>();
        let fitting = (OUTPUT_ELEMENTS / N::Output::LEN).min(most).min(MAX_SAMPLES);
        let at_once = (fitting / shard).max(1) * shard;
        let at_once = batch.unwrap_or(at_once).min(len.max(1));
        let state = batch
            .map(|batch| chunks::initial_state(batch, len, <N as Node<Root>>::STATE))
            .unwrap_or_default();
        Self { at_once, ranks, outputs: vec![0.0; at_once * N::Output::LEN], state }
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
        let state = &mut self.state[..inputs.len() * each];
        match self.ranks {
            None => infer_flat(net, inputs, outputs, state),
            Some(ranks) => infer_part(net, inputs, outputs, ranks),
        }
        Inferred { inputs, outputs, targets }
    }
}

/// Infers a part of the samples, and receives the outputs of the others.
fn infer_part<N: Network>(net: &N, inputs: &[N::Input], outputs: &mut [f32], ranks: &Ranks<'_>) {
    let size = ranks.size();
    let part = |rank: usize| rank * inputs.len() / size..(rank + 1) * inputs.len() / size;
    let own = part(ranks.rank());
    let len = N::Output::LEN;
    if !own.is_empty() {
        let outputs = &mut outputs[own.start * len..own.end * len];
        infer_flat(net, &inputs[own], outputs, &mut []);
    }
    let lens: Vec<_> = (0..size).map(|rank| part(rank).len() * len * size_of::<f32>()).collect();
    ranks.gather_parts(bytes_of_mut(outputs), &lens);
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

/// The number of samples whose losses one thread adds up: [`SHARD`], or as many as have their outputs in memory.
fn shard_len<N: Network>() -> usize {
    (OUTPUT_ELEMENTS / N::Output::LEN).clamp(1, SHARD)
}

/// Adds up losses.
struct LossAdder<'a, L> {
    loss: &'a L,
    // Losses write gradients, which nothing reads here.
    d_outputs: Vec<f32>,
    shard_sums: Vec<LossSums>,
}

impl<'a, L> LossAdder<'a, L> {
    fn new(loss: &'a L) -> Self {
        let (d_outputs, shard_sums) = (Vec::new(), Vec::new());
        Self { loss, d_outputs, shard_sums }
    }

    /// The loss sums of each shard.
    fn shards_of<N: Network>(&mut self, samples: &Inferred<'_, N, L::Target>) -> &[LossSums]
    where
        L: Loss<N::Output>,
    {
        let shards = samples.inputs.len().div_ceil(shard_len::<N>());
        self.d_outputs.resize(samples.outputs.len(), 0.0);
        self.shard_sums.resize(shards, LossSums::default());
        sum_shards(samples, self.loss, &mut self.d_outputs, &mut self.shard_sums);
        &self.shard_sums
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
    let (len, shard_len) = (N::Output::LEN, shard_len::<N>());
    let end = |shard: usize| targets.len().min((shard + 1) * shard_len) * len;
    let tasks = shard_sums.len();
    let shard_sums = Chunks::new(shard_sums, 1);
    let sum_shard = |shard: usize, _, d_y: &mut [f32]| {
        let first = shard * shard_len;
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
    parallel::for_work(time(0, 8 * d_outputs.len() as u64), || {
        parallel::for_each_piece(d_outputs, tasks, end, sum_shard);
    });
}
