//! [`input_gradients`]: gradients with respect to inputs, in inference mode.

use super::error::BatchError;
use super::frozen_layers::FrozenLayers;
use super::inputs::check_inputs;
use super::outputs::clear_outputs;
use super::sharded::{LocalLayout, ShardPhase, ShardedStep, prepared_len, train_capacity};
use super::work::train_time;
use super::workspace::{BatchStates, Chunks, with_workspace};
use crate::contract::Network;
use crate::memory::{ShardCut, Shards};
use crate::ranks::Division;
use crate::system::{RngKey, parallel};
use crate::types::Values;

/// See [`TrainingExt::input_gradients`](crate::TrainingExt::input_gradients).
pub(crate) fn input_gradients<N: Network>(
    net: &N,
    inputs: &[N::Input],
    mut gradient: impl FnMut(&N::Output, &mut N::Output),
    d_inputs: &mut [N::Input],
) -> Result<(), BatchError> {
    const { N::CHECKS }
    if inputs.is_empty() {
        return Err(BatchError::Empty);
    }
    if inputs.len() != d_inputs.len() {
        return Err(BatchError::InputGradients { inputs: inputs.len(), gradients: d_inputs.len() });
    }
    check_inputs::<N>(inputs)?;
    let time = train_time::<N>(inputs.len());
    parallel::for_work(time, || run_rounds(net, inputs, &mut gradient, d_inputs));
    Ok(())
}

/// The same for inputs that were checked.
fn run_rounds<N: Network>(
    net: &N,
    inputs: &[N::Input],
    gradient: &mut impl FnMut(&N::Output, &mut N::Output),
    d_inputs: &mut [N::Input],
) {
    let capacity = train_capacity::<N>(inputs.len());
    // `gradient` runs on the calling thread, sample after sample, so that it may keep count: a round of as many shards
    // as there are threads runs forward, then `gradient`, then backward.
    let locals = parallel::threads().min(inputs.len().div_ceil(capacity));
    let local_len = LocalLayout::len::<N>(capacity, true);
    let deferred_stride = Shards::stride(capacity, N::SHARD_SUMS, N::DEFERRED);
    let need = prepared_len::<N>() + locals * (local_len + deferred_stride);
    with_workspace(need, |memory| {
        let (prepared, memory) = memory.split_at_mut(prepared_len::<N>());
        let (local, deferred) = memory.split_at_mut(locals * local_len);
        let prepared = &mut prepared[..N::PREPARED];
        net.prepare(prepared);
        let round = locals * capacity;
        for (inputs, d_inputs) in inputs.chunks(round).zip(d_inputs.chunks_mut(round)) {
            let step = ShardedStep::<N, _> {
                input: |i| &inputs[i],
                first: 0,
                cut: ShardCut::whole(inputs.len(), capacity),
                division: Division::WHOLE,
                // Without effect: outside of training nothing is random.
                key: RngKey::new(0),
                training: false,
                frozen: &FrozenLayers::default(),
                observer: None,
                rows: None,
                deferred: Chunks::new(&mut *deferred, deferred_stride),
                state: BatchStates::none(),
                d_inputs: Some(Chunks::new(d_inputs, 1)),
            };
            run_round(&step, net, &Chunks::new(&mut *local, local_len), prepared, gradient);
        }
    });
}

/// Forward, the gradients of the outputs, and backward of a few shards.
fn run_round<'a, N: Network, F: Fn(usize) -> &'a N::Input + Sync>(
    step: &ShardedStep<'_, N, F>,
    net: &N,
    local: &Chunks<f32>,
    prepared: &[f32],
    gradient: &mut impl FnMut(&N::Output, &mut N::Output),
) {
    // SAFETY: `input_gradients` borrows the memory until all regions have ended, and a shard runs on one thread at a
    // time.
    let local = |shard| unsafe { local.chunk(shard) };
    // Outside of training shards do not depend on each other: each runs through all phases at once.
    parallel::for_each(step.shards(), |shard, worker| {
        for phase in 0..N::PHASES {
            step.forward(net, ShardPhase { phase, shard, worker }, local(shard), prepared, |_| {});
        }
    });
    for shard in 0..step.shards() {
        let [y, d_y] = step.outputs_of(shard, local(shard));
        d_y.fill(0.0);
        let len = N::Output::LEN;
        for (y, d_y) in y.chunks_exact(len).zip(d_y.chunks_exact_mut(len)) {
            gradient(N::Output::from_floats(y), N::Output::from_floats_mut(d_y));
        }
    }
    parallel::for_each(step.shards(), |shard, worker| {
        for phase in (0..N::PHASES).rev() {
            let at = ShardPhase { phase, shard, worker };
            step.backward(net, at, local(shard), prepared, |output, d_y| {
                clear_outputs::<N>(step.samples_of(shard).1, output.lengths, d_y);
            });
        }
    });
}
