//! How a network does on samples, without learning from them.

use super::{Score, stretches};
use crate::contract::Network;
use crate::data::Data;
use crate::loss::{Loss, Tallies};
use crate::step::{Batch, BatchError, Chunks, infer_flat, output_valid};
use crate::system::parallel;
use crate::types::{MAX_OUTPUTS, Values};

/// Numbers of outputs that are held at once, and the most samples that have them.
const OUTPUT_NUMBERS: usize = 1 << 20;
const MAX_SAMPLES: usize = 4096;

/// Samples whose losses one thread computes at a time.
const SHARD: usize = 32;

/// See [`Network::evaluate`].
pub(crate) fn evaluate<N: Network, L: Loss<N::Output>>(
    net: &N,
    data: &Data<N::Input, L::Target>,
    loss: &L,
) -> Result<Score, BatchError> {
    Batch::checked(loss, &data.inputs, &data.targets)?.accepted_by::<N>()?;
    Ok(Score::of::<N>(&evaluate_checked(net, data, loss)))
}

/// The loss and the right predictions on all samples, which were checked, in inference mode.
pub(super) fn evaluate_checked<N: Network, L: Loss<N::Output>>(
    net: &N,
    data: &Data<N::Input, L::Target>,
    loss: &L,
) -> Tallies {
    let at_once = (OUTPUT_NUMBERS / N::Output::LEN).clamp(1, MAX_SAMPLES);
    evaluate_in_order(net, data, loss, at_once, &mut [])
}

/// As [`evaluate_checked`], of the stretches of a long sequence that is cut into `batch` key.
pub(super) fn evaluate_stretches<N: Network, L: Loss<N::Output>>(
    net: &N,
    data: &Data<N::Input, L::Target>,
    loss: &L,
    batch: usize,
) -> Tallies {
    let order = stretches::order(data.len(), batch);
    let ordered = order.iter().map(|&i| (data.inputs[i], data.targets[i])).collect();
    let mut carried = stretches::nothing_carried::<N>(batch, data.len());
    evaluate_in_order(net, &ordered, loss, batch, &mut carried)
}

/// All samples, `at_once` at a time, which go on from what those before them `carried`, if anything.
fn evaluate_in_order<N: Network, L: Loss<N::Output>>(
    net: &N,
    data: &Data<N::Input, L::Target>,
    loss: &L,
    at_once: usize,
    carried: &mut [f32],
) -> Tallies {
    let len = N::Output::LEN;
    let at_once = at_once.min(data.len().max(1));
    let mut outputs = vec![0.0; at_once * len];
    let mut d_outputs = outputs.clone();
    let mut tallies = vec![Tallies::default(); at_once.div_ceil(SHARD)];
    let mut sum = Tallies::default();
    for (inputs, targets) in data.inputs.chunks(at_once).zip(data.targets.chunks(at_once)) {
        let outputs = &mut outputs[..inputs.len() * len];
        // The last ones may be fewer.
        let each = carried.len() / at_once;
        infer_flat(net, inputs, outputs, &mut carried[..inputs.len() * each]);
        let tallies = &mut tallies[..inputs.len().div_ceil(SHARD)];
        tally_shards::<N, L>(loss, inputs, outputs, targets, &mut d_outputs, tallies);
        sum = tallies.iter().fold(sum, |sum, tally| sum.with(tally));
    }
    sum
}

/// What the loss says of outputs, shard by shard. Losses write gradients too; they go to `d_outputs`.
fn tally_shards<N: Network, L: Loss<N::Output>>(
    loss: &L,
    inputs: &[N::Input],
    outputs: &[f32],
    targets: &[L::Target],
    d_outputs: &mut [f32],
    tallies: &mut [Tallies],
) {
    let len = N::Output::LEN;
    let end = |shard: usize| targets.len().min((shard + 1) * SHARD) * len;
    let tasks = tallies.len();
    let tallies = Chunks::new(tallies, 1);
    parallel::for_each_piece(d_outputs, tasks, end, |shard, _, d_y| {
        let first = shard * SHARD;
        let samples = inputs[first..].iter().zip(&targets[first..]);
        let outputs = outputs[first * len..].chunks_exact(len).zip(d_y.chunks_exact_mut(len));
        let mut tally = Tallies::default();
        for ((input, target), (y, d_y)) in samples.zip(outputs) {
            loss.tally(y, target, &output_valid::<N>(input), &[1.0; MAX_OUTPUTS], d_y, &mut tally);
        }
        // SAFETY: each shard is the task of one thread, and the tallies are borrowed meanwhile.
        unsafe { tallies.chunk(shard)[0] = tally };
    });
}
