//! Inference on one sample, and on many on all threads.

use super::inlined::{self, infer_inlined, step_inlined_as};
use super::inputs::{check_inputs, inputs_len, own_or_copies, shard_capacity, with_lengths};
use super::outputs::clear_outputs;
use super::work::infer_time;
use super::workspace::{BatchStates, Chunks, with_workspace};
use crate::contract::{ForwardOne, Infer, Network, Node, Root, Spec, State, Streaming};
use crate::kernels::{AtRunTime, Isa};
use crate::memory::{InferCtx, StateMut};
use crate::system::parallel;
use crate::types::{Inputs, Lengths, MAX_INPUTS, Steps, Values};

/// Inference on one sample. Kernels of large networks divide it among threads.
#[inline]
pub fn infer_one<N: Network>(net: &N, x: &[&[f32]]) -> N::Output {
    // A constant, so that only one of both is compiled into the program.
    if const { inlined::suits::<N>() } {
        infer_inlined(Isa::best(), net, x)
    } else {
        infer_one_from(net, x, Lengths::Full, &mut [])
    }
}

/// As [`infer_one`], for sequences of the given lengths. They begin with the recurrent state `state`, or with zeros if
/// it is empty.
#[inline]
pub fn infer_one_from<N: Network>(
    net: &N,
    x: &[&[f32]],
    lengths: Lengths<'_>,
    state: &mut [f32],
) -> N::Output {
    let mut y = N::Output::zeroed();
    infer_one_from_into(net, x, lengths, state, &mut y);
    y
}

/// As [`infer_one`], with the output written to `y`: for outputs that are large for a stack.
#[inline]
pub fn infer_one_into<N: Network>(net: &N, x: &[&[f32]], y: &mut N::Output) {
    if const { inlined::suits::<N>() } {
        infer_inlined_into(net, x, y);
    } else {
        infer_one_from_into(net, x, Lengths::Full, &mut [], y);
    }
}

/// As [`infer_one_into`], for networks that suit [`infer_inlined`]. A function of its own, so that without optimisation
/// the output by value is not in the stack frame of the caller.
#[inline]
fn infer_inlined_into<N: Network>(net: &N, x: &[&[f32]], y: &mut N::Output) {
    *y = infer_inlined(Isa::best(), net, x);
}

/// As [`infer_one_from`], with the output written to `y`.
#[inline]
pub fn infer_one_from_into<N: Network>(
    net: &N,
    x: &[&[f32]],
    lengths: Lengths<'_>,
    state: &mut [f32],
    y: &mut N::Output,
) {
    with_small_workspace(workspace_len::<N>(1), |memory| {
        let state = StateMut::new(state, <N as Node<Root>>::STATE);
        let ctx = InferCtx { lengths, state, ..ctx::<N>(1, memory) };
        let call = Infer { n: 1, x, y: y.as_floats_mut(), ctx };
        // A constant, so that small networks do not pay for the question.
        if const { infer_time::<N>(1).as_nanos() >= parallel::ENOUGH.as_nanos() } {
            parallel::split_samples(|| infer_shard(net, call));
        } else {
            infer_shard(net, call);
        }
    });
}

/// Inference on one step of one sequence.
#[inline]
pub fn step_one<N: Network + Streaming<Root>, Y: Values>(
    net: &N,
    state: &mut State<N>,
    x: &[&[f32]],
) -> Y {
    step_one_as::<N, Root, Y>(net, state, x)
}

/// The same, where `S` is [`Root`]: see [`StreamingIn`](crate::StreamingIn).
#[inline]
pub fn step_one_as<N: Network + Streaming<S>, S: Spec, Y: Values>(
    net: &N,
    state: &mut State<N>,
    x: &[&[f32]],
) -> Y {
    if const { inlined::suits_step::<N, Y>() } {
        return step_inlined_as::<N, S, Y>(Isa::best(), net, state, x);
    }
    let mut y = Y::zeroed();
    let ctx = state.ctx();
    Streaming::<S>::step(net, AtRunTime, Infer { n: 1, x, y: y.as_floats_mut(), ctx });
    y
}

/// Inference on one sample that begins with `state` and leaves its last state there.
pub(crate) fn forward_from<N: Network>(net: &N, state: &mut State<N>, x: &N::Input) -> N::Output {
    let (floats, steps) = parts(x);
    infer_one_from(net, &floats[..N::Input::LENS.len()], Lengths::Given(&steps), state.values_mut())
}

impl<N: Network> ForwardOne<N::Input, N::Output> for N {
    fn forward(&self, input: &N::Input) -> N::Output {
        let mut output = N::Output::zeroed();
        forward_into(self, input, &mut output);
        output
    }
}

/// Inference on one sample, with the output written to `y`.
pub(crate) fn forward_into<N: Network>(net: &N, x: &N::Input, y: &mut N::Output) {
    let (floats, steps) = parts(x);
    let floats = &floats[..N::Input::LENS.len()];
    if N::Input::RAGGED {
        infer_one_from_into(net, floats, Lengths::Given(&steps), &mut [], y);
    } else {
        infer_one_into(net, floats, y);
    }
}

/// The elements and the valid steps of each input of a sample.
fn parts<I: Inputs>(x: &I) -> ([&[f32]; MAX_INPUTS], [Steps<'_>; MAX_INPUTS]) {
    let inputs = I::LENS.len();
    let floats = std::array::from_fn(|i| if i < inputs { x.input(i) } else { &[] });
    let steps = std::array::from_fn(|i| if i < inputs { x.steps(i) } else { Steps::Full });
    (floats, steps)
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

/// Calls `f` with `len` elements of memory. Small networks take nanoseconds; for them the stack is faster than the
/// thread's workspace.
#[inline]
fn with_small_workspace<R>(len: usize, f: impl FnOnce(&mut [f32]) -> R) -> R {
    match len {
        0 => f(&mut []),
        // Two sizes, since zeroing the memory takes time too. `MOST_MEMORY` of `inlined` is the larger one.
        1..=64 => f(&mut [0.0; 64]),
        65..=512 => f(&mut [0.0; 512]),
        _ => with_workspace(len, f),
    }
}

#[inline]
fn infer_shard<N: Network>(net: &N, mut call: Infer<'_>) {
    // Layers that process each step alone write values after a sequence's end; the network's outputs have zeros there.
    let (n, lengths) = (call.n, call.ctx.lengths);
    let (x, y, ctx) = (call.x, &mut *call.y, call.ctx.reborrow());
    Node::<Root>::infer(net, Infer { n, x, y, ctx });
    clear_outputs::<N>(n, &lengths, call.y);
}

/// Inference on all samples, on all threads.
///
/// # Panics
/// If `inputs` and `outputs` differ in length, or a layer refuses an input: see
/// [`check_inputs`](crate::InferenceExt::check_inputs).
pub fn infer_batch<N: Network>(net: &N, inputs: &[N::Input], outputs: &mut [N::Output]) {
    assert_eq!(inputs.len(), outputs.len(), "one output for each input");
    if let Err(error) = check_inputs::<N>(inputs) {
        panic!("{error}");
    }
    // No samples cannot be divided among threads.
    if inputs.is_empty() {
        return;
    }
    infer_flat(net, inputs, floats_of(outputs), &mut []);
}

/// As [`infer_batch`], with the outputs as one slice. Samples begin with their `states`, or with zeros if those are
/// empty.
pub(crate) fn infer_flat<N: Network>(
    net: &N,
    inputs: &[N::Input],
    flat: &mut [f32],
    states: &mut [f32],
) {
    let time = infer_time::<N>(inputs.len());
    parallel::for_work(time, || infer_shards(net, inputs, flat, states));
}

fn infer_shards<N: Network>(net: &N, inputs: &[N::Input], flat: &mut [f32], states: &mut [f32]) {
    let states = BatchStates::new::<N>(states);
    let sample = const { inputs_len::<N>() + <N as Node<Root>>::WORKSPACE };
    // A sample has the same bits in any shard, so that the number of shards may depend on the threads. There are no
    // more shards than threads need, since each shard reads all weights.
    let (wanted, threads) = (<N as Node<Root>>::SHARD, parallel::threads());
    let capacity = shard_capacity(sample, inputs.len(), wanted, threads, threads);
    let out = N::Output::LEN;
    let tasks = inputs.len().div_ceil(capacity);
    // The last shard has what is left. The ends are multiples of `out`, so that pieces are whole samples.
    let end = |task: usize| ((task + 1) * capacity).min(inputs.len()) * out;
    // The calling thread allocates for all workers. Workspaces of their own would be allocated whenever a worker takes
    // part for the first time, which no warm-up can rule out.
    let local_len = (capacity * sample + <N as Node<Root>>::SCRATCH).next_multiple_of(16);
    let locals = parallel::threads().min(tasks);
    with_workspace(locals * local_len, |memory| {
        let memory = Chunks::new(memory, local_len);
        // A trait object: two calls of a closure would be two copies of the network's code.
        let infer_task: &(dyn Fn(usize, usize, &mut [f32]) + Sync) = &|task, worker, y| {
            let n = y.len() / out;
            let first = task * capacity;
            // SAFETY: `memory` is borrowed until all tasks have run, and a worker runs one task at a time, so that chunk
            // `worker` has one user.
            let memory = unsafe { memory.chunk(worker) };
            let (copies, memory) = memory.split_at_mut(n * inputs_len::<N>());
            let sample = |i: usize| &inputs[first + i];
            let x = own_or_copies(n, sample, copies);
            let x = &x[..N::Input::LENS.len()];
            with_lengths(n, sample, |lengths| {
                // SAFETY: task `task` alone has samples `first..first + n`, each task runs once, and the states are
                // borrowed until all tasks have run.
                let state = unsafe { states.of::<N>(first, n) };
                let ctx = InferCtx { lengths, state, ..ctx::<N>(n, memory) };
                infer_shard(net, Infer { n, x, y, ctx });
            });
        };
        if tasks == 1 {
            parallel::split_samples(|| infer_task(0, 0, flat));
        } else {
            parallel::for_each_piece(flat, tasks, end, infer_task);
        }
    });
}

/// A batch of outputs as one slice.
pub(super) fn floats_of<T: Values>(values: &mut [T]) -> &mut [f32] {
    let len = values.len() * T::LEN;
    // SAFETY: each value is `T::LEN` 32-bit elements without padding, valid for any bits, by the contract of `Values`;
    // the result borrows `values`.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), len) }
}
