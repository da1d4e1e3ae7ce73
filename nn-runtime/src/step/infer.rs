//! Inference: of one sample on the calling thread, of many on all threads.

use super::inlined::{self, infer_inlined, step_inlined};
use super::inputs::{check_inputs, gather, inputs_len, shard_capacity, with_inputs, with_lengths};
use super::outputs::clear_outputs;
use super::workspace::{Chunks, StatesOfAll, with_workspace};
use crate::contract::{Infer, Network, Node, Root, State, Streaming};
use crate::kernels::{AtRunTime, Isa};
use crate::memory::{InferCtx, StateMut};
use crate::system::parallel;
use crate::types::{Inputs, Lengths, MAX_INPUTS, Steps, Values};

/// Inference on one sample, on the calling thread.
#[inline]
pub fn infer_one<N: Network>(net: &N, x: &[&[f32]]) -> N::Output {
    if const { inlined::suits::<N>() } {
        infer_inlined(Isa::best(), net, x)
    } else {
        infer_one_from(net, x, Lengths::Full, &mut [])
    }
}

/// As [`infer_one`], for sequences of these lengths that begin with `state`, unless it is empty.
#[inline]
pub fn infer_one_from<N: Network>(
    net: &N,
    x: &[&[f32]],
    lengths: Lengths<'_>,
    state: &mut [f32],
) -> N::Output {
    let mut y = N::Output::zeroed();
    with_small_workspace(workspace_len::<N>(1), |memory| {
        let state = StateMut::new(state, <N as Node<Root>>::STATE);
        let ctx = InferCtx { lengths, state, ..ctx::<N>(1, memory) };
        infer_shard(net, Infer { n: 1, x, y: y.as_floats_mut(), ctx });
    });
    y
}

/// One step of one sequence.
#[inline]
pub fn step_one<N: Network + Streaming<Root>, Y: Values>(
    net: &N,
    state: &mut State<N>,
    x: &[&[f32]],
) -> Y {
    if const { inlined::suits_step::<N>() } {
        return step_inlined(Isa::best(), net, state, x);
    }
    let mut y = Y::zeroed();
    let ctx = state.ctx();
    Streaming::<Root>::step(net, AtRunTime, Infer { n: 1, x, y: y.as_floats_mut(), ctx });
    y
}

/// Inference on one sample that begins with `state`, which moves on to the sample's end.
pub(crate) fn forward_from<N: Network>(net: &N, state: &mut State<N>, x: &N::Input) -> N::Output {
    let inputs = N::Input::LENS.len();
    let floats: [&[f32]; MAX_INPUTS] =
        std::array::from_fn(|i| if i < inputs { x.input(i) } else { &[] });
    let steps: [Steps<'_>; MAX_INPUTS] =
        std::array::from_fn(|i| if i < inputs { x.steps(i) } else { Steps::Full });
    infer_one_from(net, &floats[..inputs], Lengths::Given(&steps), state.values_mut())
}

/// Elements of memory that inference on `n` samples needs.
const fn workspace_len<N: Network>(n: usize) -> usize {
    n * <N as Node<Root>>::WORKSPACE + <N as Node<Root>>::SCRATCH
}

/// The context of inference on `n` samples in `memory`, of [`workspace_len`].
fn ctx<N: Network>(n: usize, memory: &mut [f32]) -> InferCtx<'_> {
    let (workspace, scratch) = memory.split_at_mut(n * <N as Node<Root>>::WORKSPACE);
    InferCtx::new(workspace, scratch)
}

/// Calls `f` with `len` elements: small networks, which take nanoseconds, use the stack instead of the thread's
/// workspace.
#[inline]
fn with_small_workspace<R>(len: usize, f: impl FnOnce(&mut [f32]) -> R) -> R {
    match len {
        0 => f(&mut []),
        1..=64 => f(&mut [0.0; 64]),
        65..=512 => f(&mut [0.0; 512]),
        _ => with_workspace(len, f),
    }
}

#[inline]
fn infer_shard<N: Network>(net: &N, mut call: Infer<'_>) {
    let (n, lengths) = (call.n, call.ctx.lengths);
    let (x, y, ctx) = (call.x, &mut *call.y, call.ctx.reborrow());
    Node::<Root>::infer(net, Infer { n, x, y, ctx });
    clear_outputs::<N>(n, &lengths, call.y);
}

/// Inference on all samples, on all threads.
///
/// # Panics
/// When `inputs` and `outputs` differ in length, and when a layer refuses an input: see
/// [`check_inputs`](crate::InferenceExt::check_inputs).
pub fn infer_batch<N: Network>(net: &N, inputs: &[N::Input], outputs: &mut [N::Output]) {
    assert_eq!(inputs.len(), outputs.len(), "one output for each input");
    if let Err(error) = check_inputs::<N>(inputs) {
        panic!("{error}");
    }
    infer_flat(net, inputs, floats_of(outputs), &mut []);
}

/// As [`infer_batch`], with the outputs as one slice, and from the `states` of all samples on, unless they are empty.
pub(crate) fn infer_flat<N: Network>(
    net: &N,
    inputs: &[N::Input],
    flat: &mut [f32],
    states: &mut [f32],
) {
    let states = StatesOfAll::new::<N>(states);
    let sample = const { inputs_len::<N>() + <N as Node<Root>>::WORKSPACE };
    // A sample has the same bits in any shard, so that the number of shards may depend on the threads. It is no larger
    // than they need, since each shard reads all weights.
    let (wish, threads) = (<N as Node<Root>>::SHARD, parallel::threads());
    let capacity = shard_capacity(sample, inputs.len(), wish, threads, threads);
    let out = N::Output::LEN;
    let tasks = inputs.len().div_ceil(capacity);
    let end = |task: usize| ((task + 1) * capacity).min(inputs.len()) * out;
    // The caller allocates for all workers: which of them will take part is open, so that workspaces of their own
    // would be allocated at any time.
    let local_len = (capacity * sample + <N as Node<Root>>::SCRATCH).next_multiple_of(16);
    let locals = parallel::threads().min(tasks);
    with_workspace(locals * local_len, |memory| {
        let memory = Chunks::new(memory, local_len);
        parallel::for_each_piece(flat, tasks, end, |task, worker, y| {
            let n = y.len() / out;
            let first = task * capacity;
            // SAFETY: `memory` is borrowed until all tasks are done, and a worker has one task at a time.
            let memory = unsafe { memory.chunk(worker) };
            let (copies, memory) = memory.split_at_mut(n * inputs_len::<N>());
            let sample = |i: usize| &inputs[first + i];
            gather(n, sample, copies);
            with_lengths(n, sample, |lengths| {
                // SAFETY: each sample belongs to one task, a task to one thread.
                let state = unsafe { states.of::<N>(first, n) };
                let ctx = InferCtx { lengths, state, ..ctx::<N>(n, memory) };
                with_inputs::<N, _>(n, copies, |x| infer_shard(net, Infer { n, x, y, ctx }));
            });
        });
    });
}

/// A batch of outputs as one slice.
fn floats_of<T: Values>(values: &mut [T]) -> &mut [f32] {
    let len = values.len() * T::LEN;
    // SAFETY: each value is `T::LEN` 32-bit numbers without padding, by the contract of `Values`.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), len) }
}
