//! The training step: forward, through the loss, and backward.

use super::workspace::{CarriedOfAll, Chunks, with_workspace};
use super::{MAX_INPUTS, gather, inputs_len, shard_capacity, with_inputs, with_lengths};
use crate::batch::{Batch, BatchError};
use crate::heads::{MOST_HEADS, clear_outputs, valid_steps};
use crate::loss::{Loss, Tallies};
use crate::memory::{Buffer, Memory, Shards};
use crate::station::Pass;
use crate::{Inputs, Lengths, Network, Station, Streams, TiedWeight, Values, Whole, parallel};

/// A slice for the gradient of each input, or none where there is no memory for them.
fn d_input_slices<N: Network>(n: usize, d_copies: &mut [f32]) -> [Option<&mut [f32]>; MAX_INPUTS] {
    let mut slices = [const { None }; MAX_INPUTS];
    let mut rest = d_copies;
    if rest.is_empty() {
        return slices;
    }
    for (slice, &len) in slices.iter_mut().zip(N::Input::LENS) {
        let (input, behind) = rest.split_at_mut(n * len);
        *slice = Some(input);
        rest = behind;
    }
    slices
}

/// Where things are in the memory of a shard's passage; sizes in numbers per sample.
struct Local;

impl Local {
    const fn inputs<N: Network>() -> Buffer {
        Buffer { offset: 0, len: inputs_len::<N>() }
    }
    const fn output<N: Network>() -> Buffer {
        Self::inputs::<N>().then(N::Output::LEN)
    }
    const fn d_output<N: Network>() -> Buffer {
        Self::output::<N>().then(N::Output::LEN)
    }
    const fn saved<N: Network>() -> Buffer {
        Self::d_output::<N>().then(N::SAVED)
    }
    /// The inputs' gradients, where they are asked for.
    const fn d_inputs<N: Network>() -> Buffer {
        Self::saved::<N>().then(inputs_len::<N>())
    }
    /// Numbers for one sample.
    const fn sample<N: Network>(with_d_inputs: bool) -> usize {
        if with_d_inputs { Self::d_inputs::<N>().end() } else { Self::saved::<N>().end() }
    }
    /// Numbers for `capacity` samples, with the scratch memory behind them, in whole cache lines.
    const fn len<N: Network>(capacity: usize, with_d_inputs: bool) -> usize {
        (capacity * Self::sample::<N>(with_d_inputs) + N::SCRATCH).next_multiple_of(16)
    }
}

/// Numbers that one sample of a training step uses.
pub(crate) const fn train_len<N: Network>() -> usize {
    Local::saved::<N>().end() + N::SCRATCH + N::KEPT + N::PARTIAL
}

/// The mean loss of a batch, in training mode, and its gradient, written to `d_net`.
///
/// # Errors
/// When the batch is empty or too small for the network's statistics, when there are not as many
/// targets as inputs, or when the loss refuses a target.
pub fn loss_and_gradients<N: Network, L: Loss<N::Output>>(
    net: &mut N,
    loss: &L,
    inputs: &[N::Input],
    targets: &[L::Target],
    d_net: &mut N,
    streams: Streams,
) -> Result<f32, BatchError> {
    let batch = Batch::checked(loss, inputs, targets)?.enough_for::<N>()?.accepted_by::<N>()?;
    Ok(run_step(net, loss, batch, d_net, None, &mut [], streams).mean_loss() as f32)
}

/// As [`loss_and_gradients`] on one stretch of longer sequences: each sample begins with what it carries,
/// [`Station::STATE`] numbers in `carried`, and leaves there what it carries to the next stretch. The
/// gradient ends at the beginning of the stretch (truncated backpropagation through time).
///
/// # Errors
/// As [`loss_and_gradients`], and when there is not as much state as inputs.
pub fn loss_and_gradients_from<N: Network, L: Loss<N::Output>>(
    net: &mut N,
    loss: &L,
    inputs: &[N::Input],
    targets: &[L::Target],
    d_net: &mut N,
    carried: &mut [f32],
    streams: Streams,
) -> Result<f32, BatchError> {
    let (expected, found) = (inputs.len() * <N as Station<Whole>>::STATE, carried.len());
    if expected != found {
        return Err(BatchError::Carried { expected, found });
    }
    let batch = Batch::checked(loss, inputs, targets)?.enough_for::<N>()?.accepted_by::<N>()?;
    Ok(run_step(net, loss, batch, d_net, None, carried, streams).mean_loss() as f32)
}

/// As [`loss_and_gradients`], and writes the gradient of the mean loss with respect to each sample to
/// `d_inputs`: what in the picture speaks for its class. An input of class or token numbers has none.
///
/// # Errors
/// As [`loss_and_gradients`], and when there are not as many `d_inputs` as inputs.
pub fn loss_and_all_gradients<N: Network, L: Loss<N::Output>>(
    net: &mut N,
    loss: &L,
    inputs: &[N::Input],
    targets: &[L::Target],
    d_net: &mut N,
    d_inputs: &mut [N::Input],
    streams: Streams,
) -> Result<f32, BatchError> {
    if inputs.len() != d_inputs.len() {
        return Err(BatchError::InputGradients { inputs: inputs.len(), gradients: d_inputs.len() });
    }
    let batch = Batch::checked(loss, inputs, targets)?.enough_for::<N>()?.accepted_by::<N>()?;
    Ok(run_step(net, loss, batch, d_net, Some(d_inputs), &mut [], streams).mean_loss() as f32)
}

/// The samples of a network and a loss.
pub(crate) type BatchOf<'a, N, L> =
    Batch<'a, <N as Network>::Input, <L as Loss<<N as Network>::Output>>::Target>;

/// Forward and backward on a batch that was checked, in training mode: what the loss says of it, and
/// the gradient of the mean loss in `d_net`.
pub(crate) fn run_step<N: Network, L: Loss<N::Output>>(
    net: &mut N,
    loss: &L,
    batch: BatchOf<'_, N, L>,
    d_net: &mut N,
    d_inputs: Option<&mut [N::Input]>,
    carried: &mut [f32],
    streams: Streams,
) -> Tallies {
    let with_d_inputs = d_inputs.is_some();
    // A constant of the network and of the batch's size, never of the number of threads: gradients are
    // sums over shards. It divides evenly among a few threads.
    let capacity = shard_capacity(Local::saved::<N>().end(), batch.len(), N::SHARD, 4, 2);
    let shards = batch.len().div_ceil(capacity);
    let kept_stride = Shards::stride(capacity, N::PARTIAL, N::KEPT);
    // With one phase a shard goes forward and backward at once, in memory of the worker's own; with
    // more, each shard's values wait for the others.
    let locals = if N::PHASES == 1 { parallel::threads().min(shards) } else { shards };
    let local_len = Local::len::<N>(capacity, with_d_inputs);
    let need = N::SHARED.next_multiple_of(16) + locals * local_len + shards * kept_stride;
    with_workspace(need, shards, |memory, tallies| {
        let (shared, memory) = memory.split_at_mut(N::SHARED.next_multiple_of(16));
        let (local, kept) = memory.split_at_mut(locals * local_len);
        let mut step = StepRun::<N, L> {
            net,
            loss,
            batch,
            streams,
            capacity,
            local: Chunks::new(local, local_len),
            kept: Chunks::new(kept, kept_stride),
            tallies: Chunks::new(tallies, 1),
            scales: batch.weights::<N, L>(loss).map(scale),
            carried: CarriedOfAll::new::<N>(carried),
            d_inputs: d_inputs.map(|d_inputs| Chunks::new(d_inputs, 1)),
        };
        step.net.prepare(&mut shared[..N::SHARED]);
        step.all_phases(&mut shared[..N::SHARED]);
        step.gradients(d_net);
        tallies.iter().fold(Tallies::default(), |sum, tally| sum.with(tally))
    })
}

/// What turns a sum of samples' losses into their mean; nothing where nothing has any weight.
fn scale(weight: f64) -> f32 {
    if weight == 0.0 { 0.0 } else { (1.0 / weight) as f32 }
}

/// One training step on its way.
struct StepRun<'a, N: Network, L: Loss<N::Output>> {
    net: &'a mut N,
    loss: &'a L,
    batch: BatchOf<'a, N, L>,
    streams: Streams,
    capacity: usize,
    local: Chunks<f32>,
    kept: Chunks<f32>,
    tallies: Chunks<Tallies>,
    // What the gradient of each sample's loss is multiplied with, output by output.
    scales: [f32; MOST_HEADS],
    carried: CarriedOfAll,
    d_inputs: Option<Chunks<N::Input>>,
}

/// Which half of a step a shard goes through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

impl<N: Network, L: Loss<N::Output>> StepRun<'_, N, L> {
    fn shards(&self) -> usize {
        self.batch.len().div_ceil(self.capacity)
    }

    fn all_phases(&mut self, shared: &mut [f32]) {
        if N::PHASES == 1 {
            parallel::for_each(self.shards(), |shard, worker| {
                self.phase(Direction::Forward, 0, shard, worker, shared);
                self.phase(Direction::Backward, 0, shard, worker, shared);
            });
            return;
        }
        for phase in 0..N::PHASES {
            self.for_each_shard(Direction::Forward, phase, shared);
            if phase + 1 < N::PHASES {
                let all = all_shards::<N>(&self.kept, self.batch.len(), self.capacity);
                self.net.combine_forward(phase, all, shared);
            }
        }
        for phase in (0..N::PHASES).rev() {
            self.for_each_shard(Direction::Backward, phase, shared);
            if phase > 0 {
                let all = all_shards::<N>(&self.kept, self.batch.len(), self.capacity);
                self.net.combine_backward(phase, all, shared);
            }
        }
    }

    fn for_each_shard(&self, direction: Direction, phase: usize, shared: &[f32]) {
        parallel::for_each(self.shards(), |shard, _| {
            self.phase(direction, phase, shard, shard, shared);
        });
    }

    /// One phase of one shard, in local memory `local`.
    fn phase(
        &self,
        direction: Direction,
        phase: usize,
        shard: usize,
        local: usize,
        shared: &[f32],
    ) {
        let first = shard * self.capacity;
        let n = self.capacity.min(self.batch.len() - first);
        // SAFETY: a shard is the task of one thread at a time, and `local` is either the shard's own
        // number or the worker's; so nobody else uses these chunks now.
        let (local, kept, tally) =
            unsafe { (self.local.chunk(local), self.kept.chunk(shard), self.tallies.chunk(shard)) };
        let sample = Local::sample::<N>(self.d_inputs.is_some());
        let (local, scratch) = local.split_at_mut(n * sample);
        let (local, d_copies) = local.split_at_mut(n * Local::saved::<N>().end());
        let [copies, y, d_y, saved] = crate::take(
            local,
            n,
            [
                Local::inputs::<N>(),
                Local::output::<N>(),
                Local::d_output::<N>(),
                Local::saved::<N>(),
            ],
        );
        let (partial, kept) = kept.split_at_mut(N::PARTIAL);
        let kept = &mut kept[..n * N::KEPT];
        // SAFETY: each sample belongs to one shard, a shard to one thread.
        let carried = unsafe { self.carried.of::<N>(first, n) };
        let pass = Pass { n, first, batch: self.batch.len(), streams: self.streams };
        let sample = |i: usize| self.batch.input(first + i);
        if direction == Direction::Forward && phase == 0 {
            gather(n, sample, copies);
        }
        with_lengths(n, sample, |lengths| {
            let tied = TiedWeight::NONE;
            let memory = Memory { saved, scratch, kept, partial, shared, lengths, carried, tied };
            with_inputs::<N, _>(n, copies, |x| match direction {
                Direction::Forward => {
                    self.net.forward(&pass, phase, x, y, memory);
                    if phase + 1 == N::PHASES {
                        clear_outputs::<N>(n, &lengths, y);
                    }
                }
                Direction::Backward => {
                    if phase + 1 == N::PHASES {
                        tally[0] = self.losses_of(first, &lengths, y, d_y);
                    }
                    let mut d_x = d_input_slices::<N>(n, d_copies);
                    let d_x = &mut d_x[..N::Input::LENS.len()];
                    self.net.backward(&pass, phase, x, y, d_y, d_x, memory);
                }
            });
        });
        if direction == Direction::Backward && phase == 0 {
            self.scatter(first, n, d_copies);
        }
    }

    /// Hands the gradients of a shard's inputs to the caller, where it asked for them.
    fn scatter(&self, first: usize, n: usize, d_copies: &[f32]) {
        let Some(d_inputs) = &self.d_inputs else { return };
        let mut rest = d_copies;
        for (index, &len) in N::Input::LENS.iter().enumerate() {
            let (input, behind) = rest.split_at(n * len);
            // Class and token numbers have no gradient.
            let samples = if N::Input::REAL[index] { input } else { &[] };
            for (i, copy) in samples.chunks_exact(len).enumerate() {
                // SAFETY: each sample belongs to one shard, a shard to one thread.
                let sample = unsafe { d_inputs.chunk(first + i) };
                sample[0].input_mut(index).copy_from_slice(copy);
            }
            rest = behind;
        }
    }

    /// What the loss says of the shard that begins with sample `first`; gradients go to `d_y`.
    fn losses_of(
        &self,
        first: usize,
        lengths: &Lengths<'_>,
        y: &[f32],
        d_y: &mut [f32],
    ) -> Tallies {
        let len = N::Output::LEN;
        let mut tallies = Tallies::default();
        for (i, (y, d_y)) in y.chunks_exact(len).zip(d_y.chunks_exact_mut(len)).enumerate() {
            let (target, valid) = (self.batch.target(first + i), valid_steps::<N>(lengths, i));
            self.loss.tally(y, target, &valid, &self.scales, d_y, &mut tallies);
        }
        tallies
    }

    /// Puts the gradient together from what the shards left behind.
    fn gradients(&self, d_net: &mut N) {
        let all = all_shards::<N>(&self.kept, self.batch.len(), self.capacity);
        parallel::for_each_piece(
            d_net.as_floats_mut(),
            N::GRADIENT_TASKS,
            N::gradient_end,
            |task, _, piece| N::gradient(task, all, piece),
        );
    }
}

/// What all shards left behind. Called between regions only, when no shard is on its way.
fn all_shards<N: Network>(kept: &Chunks<f32>, samples: usize, capacity: usize) -> Shards<'_> {
    // SAFETY: no region is open, so nothing writes; the view is used up before the next one opens.
    let kept = unsafe { kept.all(samples.div_ceil(capacity)) };
    Shards::new(kept, samples, capacity, N::PARTIAL, N::KEPT)
}
