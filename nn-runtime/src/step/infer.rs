//! Inference: of one sample on the calling thread, of many on all.

use super::inlined::{self, infer_inlined, step_inlined};
use super::workspace::{CarriedOfAll, Chunks, with_workspace};
use super::{gather, inputs_len, shard_capacity, with_inputs, with_lengths};
use crate::batch::check_inputs;
use crate::heads::clear_outputs;
use crate::kernels::{AtRunTime, Isa};
use crate::memory::WorkMemory;
use crate::{
    Carried, Lengths, Network, State, Station, Streaming, TiedWeight, Values, Whole, parallel,
};

/// One sample through `net`, on the calling thread.
#[inline]
pub fn infer_one<N: Network>(net: &N, x: &[&[f32]]) -> N::Output {
    if const { inlined::suits::<N>() } {
        infer_inlined(Isa::best(), net, x)
    } else {
        infer_one_from(net, x, Lengths::Full, &mut [])
    }
}

/// As [`infer_one`], of sequences of these lengths, and from the state `carried` on, if it is not empty.
#[inline]
pub fn infer_one_from<N: Network>(
    net: &N,
    x: &[&[f32]],
    lengths: Lengths<'_>,
    carried: &mut [f32],
) -> N::Output {
    let mut y = N::Output::zeroed();
    run_one(<N as Station<Whole>>::WORK, <N as Station<Whole>>::SCRATCH, |work, scratch| {
        let carried = Carried::new(carried, <N as Station<Whole>>::STATE);
        let memory = WorkMemory { work, scratch, lengths, carried, tied: TiedWeight::NONE };
        Station::<Whole>::infer(net, 1, x, y.as_floats_mut(), memory);
        clear_outputs::<N>(1, &lengths, y.as_floats_mut());
    });
    y
}

/// One step of one sequence.
#[inline]
pub fn step_one<N: Network + Streaming<Whole>, Y: Values>(
    net: &N,
    state: &mut State<N>,
    x: &[&[f32]],
) -> Y {
    if const { inlined::suits_step::<N>() } {
        return step_inlined(Isa::best(), net, state, x);
    }
    let mut y = Y::zeroed();
    let [carried, work, scratch] = state.split();
    let carried = Carried::new(carried, <N as Station<Whole>>::STATE);
    let memory =
        WorkMemory { work, scratch, lengths: Lengths::Full, carried, tied: TiedWeight::NONE };
    Streaming::<Whole>::step(net, AtRunTime, x, y.as_floats_mut(), memory);
    y
}

/// Calls `f` with `work` and `scratch` numbers.
#[inline]
fn run_one<R>(work: usize, scratch: usize, f: impl FnOnce(&mut [f32], &mut [f32]) -> R) -> R {
    let need = work + scratch;
    let f = |memory: &mut [f32]| {
        let (work, scratch) = memory.split_at_mut(work);
        f(work, scratch)
    };
    // Small networks, which take nanoseconds, do without the thread's workspace.
    if need == 0 {
        f(&mut [])
    } else if need <= 64 {
        f(&mut [0.0; 64])
    } else if need <= 512 {
        f(&mut [0.0; 512])
    } else {
        with_workspace(need, 0, |memory, _| f(memory))
    }
}

#[inline]
fn infer_in<N: Network>(
    net: &N,
    n: usize,
    x: &[&[f32]],
    y: &mut [f32],
    memory: &mut [f32],
    lengths: Lengths<'_>,
    carried: Carried<'_>,
) {
    let (work, scratch) = memory.split_at_mut(n * <N as Station<Whole>>::WORK);
    let memory = WorkMemory { work, scratch, lengths, carried, tied: TiedWeight::NONE };
    Station::<Whole>::infer(net, n, x, y, memory);
    clear_outputs::<N>(n, &lengths, y);
}

/// All samples through `net`, on all threads.
///
/// # Panics
/// When `inputs` and `outputs` differ in length, and when a layer refuses an input: see
/// [`Network::check_inputs`].
pub fn infer_batch<N: Network>(net: &N, inputs: &[N::Input], outputs: &mut [N::Output]) {
    assert_eq!(inputs.len(), outputs.len(), "one output for each input");
    if let Err(error) = check_inputs::<N>(inputs) {
        panic!("{error}");
    }
    infer_flat(net, inputs, floats_of(outputs), &mut []);
}

/// As [`infer_batch`], for outputs whose numbers stand one behind the other, and from what the samples
/// have `carried` on, if it is not empty.
pub(crate) fn infer_flat<N: Network>(
    net: &N,
    inputs: &[N::Input],
    flat: &mut [f32],
    carried: &mut [f32],
) {
    let carried = CarriedOfAll::new::<N>(carried);
    let sample = const { inputs_len::<N>() + <N as Station<Whole>>::WORK };
    // A sample gives the same bits in any shard: there are no more shards than threads need, since each reads
    // all weights.
    let (wish, threads) = (<N as Station<Whole>>::SHARD, parallel::threads());
    let capacity = shard_capacity(sample, inputs.len(), wish, threads, threads);
    let out = N::Output::LEN;
    let tasks = inputs.len().div_ceil(capacity);
    let end = |task: usize| ((task + 1) * capacity).min(inputs.len()) * out;
    // The caller has memory for all workers: which of them will take part is open, so memory of their
    // own would be allocated at any time.
    let local_len = (capacity * sample + <N as Station<Whole>>::SCRATCH).next_multiple_of(16);
    let locals = parallel::threads().min(tasks);
    with_workspace(locals * local_len, 0, |memory, _| {
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
                let carried = unsafe { carried.of::<N>(first, n) };
                with_inputs::<N, _>(n, copies, |x| {
                    infer_in(net, n, x, y, memory, lengths, carried);
                });
            });
        });
    });
}

/// A batch of outputs as numbers.
fn floats_of<T: Values>(values: &mut [T]) -> &mut [f32] {
    let len = values.len() * T::LEN;
    // SAFETY: each value is `T::LEN` 32-bit numbers without padding, by the contract of `Values`.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), len) }
}
