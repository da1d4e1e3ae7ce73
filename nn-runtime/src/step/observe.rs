//! [`observe_values`] and [`observe_gradients`]: one sample through a network in inference mode, seen by an [`Observer`].

use super::error::BatchError;
use super::frozen_layers::FrozenLayers;
use super::inputs::check_inputs;
use super::outputs::clear_outputs;
use super::sharded::{LocalLayout, ShardPhase, ShardedStep, prepared_len};
use super::workspace::{BatchStates, Chunks, with_workspace};
use crate::contract::{Network, Observer};
use crate::memory::{ShardCut, Shards};
use crate::ranks::Division;
use crate::system::RngKey;
use crate::types::Values;

/// The random key of the outermost network. Nothing is random in inference mode, but an observer knows nodes by their keys.
pub(crate) const OBSERVED_KEY: RngKey = RngKey::new(0);

/// Shows the output of each node to `observer`.
pub(crate) fn observe_values<N: Network>(
    net: &N,
    input: &N::Input,
    observer: &Observer,
) -> Result<(), BatchError> {
    observe(net, input, |sample| sample.forward(Some(observer))).map(drop)
}

/// Shows the gradient of the output of each node to `observer`, and returns that of the input, in a vector since it may be too
/// large for the stack. `gradient` receives the output, and writes the gradient of what is of interest with respect to it,
/// which is zero before.
pub(crate) fn observe_gradients<N: Network>(
    net: &N,
    input: &N::Input,
    gradient: impl FnOnce(&N::Output, &mut N::Output),
    observer: &Observer,
) -> Result<Vec<N::Input>, BatchError> {
    observe(net, input, |sample| {
        sample.forward(None);
        sample.backward(gradient, observer);
    })
}

/// A sample on its way through a network, with its memory.
struct Sample<'a, N: Network> {
    net: &'a N,
    input: &'a N::Input,
    d_input: &'a mut [N::Input],
    prepared: &'a [f32],
    local: &'a mut [f32],
    deferred: &'a mut [f32],
}

/// Calls `run` with a sample, and returns the gradient of its input, which is the input itself where none was written.
fn observe<N: Network>(
    net: &N,
    input: &N::Input,
    run: impl FnOnce(&mut Sample<'_, N>),
) -> Result<Vec<N::Input>, BatchError> {
    const { N::CHECKS }
    check_inputs::<N>([input])?;
    let mut d_input = vec![*input];
    let local_len = LocalLayout::len::<N>(1, true);
    let deferred_len = Shards::stride(1, N::SHARD_SUMS, N::DEFERRED);
    with_workspace(prepared_len::<N>() + local_len + deferred_len, |memory| {
        let (prepared, memory) = memory.split_at_mut(prepared_len::<N>());
        let (local, deferred) = memory.split_at_mut(local_len);
        let prepared = &mut prepared[..N::PREPARED];
        net.prepare(prepared);
        run(&mut Sample { net, input, d_input: &mut d_input, prepared, local, deferred });
    });
    Ok(d_input)
}

impl<N: Network> Sample<'_, N> {
    fn forward(&mut self, observer: Option<&Observer>) {
        let Self { net, input, d_input, prepared, local, deferred } = self;
        let frozen = FrozenLayers::default();
        let step = single_step::<N, _>(|_| *input, d_input, deferred, &frozen, observer);
        for phase in 0..N::PHASES {
            step.forward(net, of_phase(phase), local, prepared, |_| {});
        }
    }

    fn backward(&mut self, gradient: impl FnOnce(&N::Output, &mut N::Output), observer: &Observer) {
        let Self { net, input, d_input, prepared, local, deferred } = self;
        let frozen = FrozenLayers::default();
        let step = single_step::<N, _>(|_| *input, d_input, deferred, &frozen, Some(observer));
        let [y, d_y] = step.outputs_of(0, local);
        d_y.fill(0.0);
        gradient(N::Output::from_floats(y), N::Output::from_floats_mut(d_y));
        for phase in (0..N::PHASES).rev() {
            step.backward(net, of_phase(phase), local, prepared, |output, d_y| {
                clear_outputs::<N>(1, output.lengths, d_y);
            });
        }
    }
}

/// The one shard of a step in inference mode.
fn single_step<'f, N: Network, F>(
    input: F,
    d_input: &mut [N::Input],
    deferred: &mut [f32],
    frozen: &'f FrozenLayers,
    observer: Option<&'f Observer>,
) -> ShardedStep<'f, N, F> {
    ShardedStep {
        input,
        first: 0,
        cut: ShardCut::whole(1, 1),
        division: Division::WHOLE,
        key: OBSERVED_KEY,
        training: false,
        frozen,
        observer,
        rows: None,
        deferred: Chunks::new(deferred, Shards::stride(1, N::SHARD_SUMS, N::DEFERRED)),
        state: BatchStates::none(),
        d_inputs: Some(Chunks::new(d_input, 1)),
    }
}

const fn of_phase(phase: usize) -> ShardPhase {
    ShardPhase { phase, shard: 0, worker: 0 }
}
