//! The loss and the accuracy of a network on a data set.

use super::chunks;
use super::history::Score;
use crate::contract::Network;
use crate::data::Data;
use crate::loss::{Loss, LossSums, OutputSample};
use crate::step::{Batch, BatchError, Chunks, infer_flat, output_valid};
use crate::system::parallel;
use crate::types::{MAX_OUTPUTS, Values};

/// Elements of outputs in memory at a time, and the largest number of samples that have them.
const OUTPUT_ELEMENTS: usize = 1 << 20;
const MAX_SAMPLES: usize = 4096;

/// Samples whose losses one thread computes at a time.
const SHARD: usize = 32;

/// See [`TrainingExt::evaluate`](crate::TrainingExt::evaluate).
pub(crate) fn evaluate<N: Network, L: Loss<N::Output>>(
    net: &N,
    data: &Data<N::Input, L::Target>,
    loss: &L,
) -> Result<Score, BatchError> {
    Batch::checked(loss, &data.inputs, &data.targets)?.accepted_by::<N>()?;
    Ok(Score::of::<N>(&evaluate_checked(net, data, loss)))
}

/// The loss sums of checked samples, in inference mode.
pub(super) fn evaluate_checked<N: Network, L: Loss<N::Output>>(
    net: &N,
    data: &Data<N::Input, L::Target>,
    loss: &L,
) -> LossSums {
    let at_once = (OUTPUT_ELEMENTS / N::Output::LEN).clamp(1, MAX_SAMPLES);
    evaluate_in_order(net, data, loss, at_once, &mut [])
}

/// As [`evaluate_checked`], for the chunks of a long sequence that is cut into `batch` parallel sequences.
pub(super) fn evaluate_chunks<N: Network, L: Loss<N::Output>>(
    net: &N,
    data: &Data<N::Input, L::Target>,
    loss: &L,
    batch: usize,
) -> LossSums {
    let order = chunks::order(data.len(), batch);
    let mut ordered = Data { inputs: Vec::new(), targets: Vec::new() };
    ordered.inputs.reserve_exact(data.len());
    ordered.targets.reserve_exact(data.len());
    for i in order {
        // Copied in place: a sample may be larger than the stack.
        ordered.inputs.extend_from_slice(&data.inputs[i..=i]);
        ordered.targets.extend_from_slice(&data.targets[i..=i]);
    }
    let mut state = chunks::initial_state::<N>(batch, data.len());
    evaluate_in_order(net, &ordered, loss, batch, &mut state)
}

/// All samples, `at_once` at a time. Those of each call begin with the recurrent `state` that the call before left, unless
/// it is empty.
fn evaluate_in_order<N: Network, L: Loss<N::Output>>(
    net: &N,
    data: &Data<N::Input, L::Target>,
    loss: &L,
    at_once: usize,
    state: &mut [f32],
) -> LossSums {
    let len = N::Output::LEN;
    let at_once = at_once.min(data.len().max(1));
    let mut outputs = vec![0.0; at_once * len];
    // Losses write gradients, which nothing reads here.
    let mut d_outputs = outputs.clone();
    let mut shard_sums = vec![LossSums::default(); at_once.div_ceil(SHARD)];
    let mut sum = LossSums::default();
    for (inputs, targets) in data.inputs.chunks(at_once).zip(data.targets.chunks(at_once)) {
        let outputs = &mut outputs[..inputs.len() * len];
        // The last call may have fewer samples.
        let each = state.len() / at_once;
        infer_flat(net, inputs, outputs, &mut state[..inputs.len() * each]);
        let evaluated = Evaluated::<N, L> { loss, inputs, outputs, targets };
        let shard_sums = &mut shard_sums[..inputs.len().div_ceil(SHARD)];
        evaluated.sum_shards(&mut d_outputs, shard_sums);
        sum = shard_sums.iter().fold(sum, |sum, one| sum.with(one));
    }
    sum
}

/// Samples with the network's outputs.
struct Evaluated<'a, N: Network, L: Loss<N::Output>> {
    loss: &'a L,
    inputs: &'a [N::Input],
    outputs: &'a [f32],
    targets: &'a [L::Target],
}

impl<N: Network, L: Loss<N::Output>> Evaluated<'_, N, L> {
    /// Writes the loss sums of each shard. Their order in the total is that of the shards, so that it does not depend on
    /// the number of threads.
    fn sum_shards(&self, d_outputs: &mut [f32], shard_sums: &mut [LossSums]) {
        let Self { loss, inputs, outputs, targets } = *self;
        let len = N::Output::LEN;
        let end = |shard: usize| targets.len().min((shard + 1) * SHARD) * len;
        let tasks = shard_sums.len();
        let shard_sums = Chunks::new(shard_sums, 1);
        parallel::for_each_piece(d_outputs, tasks, end, |shard, _, d_y| {
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
        });
    }
}
