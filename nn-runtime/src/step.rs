//! How samples are led through a network: inference, and the training step.

use crate::batch::{Batch, BatchError, check_inputs};
use crate::heads::{MOST_HEADS, ValidSteps, clear_outputs, valid_steps};
use crate::loss::{Loss, Tallies};
use crate::memory::{Buffer, Memory, Shards, WorkMemory};
use crate::parallel;
use crate::station::Pass;
use crate::{Carried, Inputs, Lengths, Network, Station, Steps, Streams, Values, Whole};
use std::cell::RefCell;

/// The most inputs a network can have: as many as [`Inputs`] tuples.
pub(crate) const MAX_INPUTS: usize = Steps::MOST;

/// Numbers of memory that samples of one shard may fill: a few samples of a convolutional network,
/// for whom dense layers read their weights once. Each layer's part of them fits a second-level cache.
const SHARD_NUMBERS: usize = 384 * 1024;

/// The most samples in a shard.
const MAX_SHARD: usize = 32;

/// The memory that a thread keeps for its next pass.
#[derive(Default)]
struct Workspace {
    numbers: Vec<f32>,
    tallies: Vec<Tallies>,
}

thread_local! {
    static WORKSPACE: RefCell<Workspace> = RefCell::default();
}

/// Calls `f` with at least `len` numbers, the first of which begins a cache line, and `tallies` sums.
/// Memory only grows, so that a repeated call does not allocate.
fn with_workspace<R>(
    len: usize,
    tallies: usize,
    f: impl FnOnce(&mut [f32], &mut [Tallies]) -> R,
) -> R {
    const LINE: usize = 16;
    // A network that is used inside of another's pass (by a hand-written layer) finds an empty one.
    let mut space = WORKSPACE.take();
    if space.numbers.len() < len + LINE {
        space.numbers.resize(len + LINE, 0.0);
    }
    if space.tallies.len() < tallies {
        space.tallies.resize(tallies, Tallies::default());
    }
    let skip = space.numbers.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
    let result = f(&mut space.numbers[skip..skip + len], &mut space.tallies[..tallies]);
    WORKSPACE.set(space);
    result
}

/// One sample through `net`, on the calling thread.
#[inline]
pub fn infer_one<N: Network>(net: &N, x: &[&[f32]]) -> N::Output {
    infer_one_from(net, x, Lengths::Full, &mut [])
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
    run_one::<N, _>(|work, scratch| {
        let carried = Carried::new(carried, <N as Station<Whole>>::STATE);
        let memory = WorkMemory { work, scratch, lengths, carried };
        Station::<Whole>::infer(net, 1, x, y.as_floats_mut(), memory);
        clear_outputs::<N>(1, &lengths, y.as_floats_mut());
    });
    y
}

/// Calls `f` with work and scratch memory for one sample.
#[inline]
pub(crate) fn run_one<N: Network, R>(f: impl FnOnce(&mut [f32], &mut [f32]) -> R) -> R {
    let need = const { <N as Station<Whole>>::WORK + <N as Station<Whole>>::SCRATCH };
    let f = |memory: &mut [f32]| {
        let (work, scratch) = memory.split_at_mut(<N as Station<Whole>>::WORK);
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
    let memory = WorkMemory { work, scratch, lengths, carried };
    Station::<Whole>::infer(net, n, x, y, memory);
    clear_outputs::<N>(n, &lengths, y);
}

/// How many steps of each output of `input` are valid.
pub(crate) fn output_valid<N: Network>(input: &N::Input) -> ValidSteps {
    let steps: [Steps; MAX_INPUTS] = std::array::from_fn(|index| {
        if index < N::Input::LENS.len() { input.steps(index) } else { Steps::Full }
    });
    valid_steps::<N>(&Lengths::Given(&steps), 0)
}

/// Calls `f` with the lengths of `n` samples.
fn with_lengths<'a, I: Inputs, R>(
    n: usize,
    sample: impl Fn(usize) -> &'a I,
    f: impl FnOnce(Lengths<'_>) -> R,
) -> R {
    if !I::RAGGED {
        return f(Lengths::Full);
    }
    let mut counts = [[0_u32; MAX_SHARD]; MAX_INPUTS];
    let mut steps = [Steps::Full; MAX_INPUTS];
    for (index, (counts, steps)) in
        counts.iter_mut().zip(&mut steps).enumerate().take(I::LENS.len())
    {
        if matches!(sample(0).steps(index), Steps::Full) {
            continue;
        }
        for (i, count) in counts.iter_mut().enumerate().take(n) {
            *count = sample(i).steps(index).valid(0, I::SHAPES[index].dim(0)) as u32;
        }
        *steps = Steps::Given(counts);
    }
    f(Lengths::Given(&steps))
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
    let capacity = shard_capacity(sample, inputs.len());
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

/// How many samples go into a shard: a constant of the network and of the batch's size, never of the
/// number of threads. The number of shards divides evenly among a few threads, and shards are about
/// equal.
fn shard_capacity(sample: usize, batch: usize) -> usize {
    const EVENLY: usize = 4;
    let fitting = (SHARD_NUMBERS / sample.max(1)).clamp(1, MAX_SHARD);
    batch.div_ceil(batch.div_ceil(fitting).next_multiple_of(EVENLY)).max(1)
}

/// How many numbers one sample's inputs have, each input rounded up.
const fn inputs_len<N: Network>() -> usize {
    let lens = N::Input::LENS;
    let mut sum = 0;
    let mut i = 0;
    while i < lens.len() {
        sum += lens[i];
        i += 1;
    }
    sum
}

/// Copies inputs to one run of samples after the other: those that `sample` gives for 0 to `n - 1`.
fn gather<'a, I: Inputs>(n: usize, sample: impl Fn(usize) -> &'a I, copies: &mut [f32]) {
    let mut rest = copies;
    for (index, &len) in I::LENS.iter().enumerate() {
        let (input, behind) = rest.split_at_mut(n * len);
        for (i, copy) in input.chunks_exact_mut(len).enumerate() {
            copy.copy_from_slice(sample(i).input(index));
        }
        rest = behind;
    }
}

/// Calls `f` with a slice for each input of `n` gathered samples.
fn with_inputs<N: Network, R>(n: usize, copies: &[f32], f: impl FnOnce(&[&[f32]]) -> R) -> R {
    let lens = N::Input::LENS;
    let mut slices: [&[f32]; MAX_INPUTS] = [&[]; MAX_INPUTS];
    let mut rest = copies;
    for (slice, &len) in slices.iter_mut().zip(lens) {
        let (input, behind) = rest.split_at(n * len);
        *slice = input;
        rest = behind;
    }
    f(&slices[..lens.len()])
}

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
    let capacity = shard_capacity(Local::saved::<N>().end(), batch.len());
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

/// Memory cut into equal chunks, each used by one task at a time.
pub(crate) struct Chunks<T> {
    base: *mut T,
    len: usize,
    count: usize,
}

// SAFETY: it is an address; `chunk` says who may use what.
unsafe impl<T: Send> Sync for Chunks<T> {}

impl<T> Chunks<T> {
    pub(crate) fn new(memory: &mut [T], len: usize) -> Self {
        let count = memory.len().checked_div(len).unwrap_or(usize::MAX);
        Self { base: memory.as_mut_ptr(), len, count }
    }

    /// # Safety
    /// The memory must still be borrowed by the caller of `new`, and no other reference to this chunk
    /// may be alive.
    #[expect(clippy::mut_from_ref, reason = "chunks are disjoint; the caller keeps each to itself")]
    pub(crate) unsafe fn chunk(&self, index: usize) -> &mut [T] {
        assert!(index < self.count, "chunk {index} of {}", self.count);
        // SAFETY: inside the memory by the assertion, unique and alive by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.base.add(index * self.len), self.len) }
    }

    /// Chunks `first` to `first + count - 1` in one.
    ///
    /// # Safety
    /// As for [`Self::chunk`], for each of them.
    #[expect(clippy::mut_from_ref, reason = "as for `chunk`")]
    unsafe fn chunks(&self, first: usize, count: usize) -> &mut [T] {
        assert!(
            first + count <= self.count,
            "chunks {first} to {} of {}",
            first + count,
            self.count
        );
        // SAFETY: inside the memory by the assertion, unique and alive by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.base.add(first * self.len), count * self.len) }
    }

    /// # Safety
    /// The memory must still be borrowed by the caller of `new`, and nothing may write to it.
    unsafe fn all(&self, chunks: usize) -> &[T] {
        // SAFETY: inside the memory, since it has `count` chunks; the rest is the caller's promise.
        unsafe { std::slice::from_raw_parts(self.base, self.len * chunks.min(self.count)) }
    }
}

/// What the samples of a batch carry, if anything.
struct CarriedOfAll(Option<Chunks<f32>>);

impl CarriedOfAll {
    fn new<N: Network>(carried: &mut [f32]) -> Self {
        Self((!carried.is_empty()).then(|| Chunks::new(carried, N::STATE)))
    }

    /// What `n` samples from `first` on carry.
    ///
    /// # Safety
    /// As for [`Chunks::chunks`].
    unsafe fn of<N: Network>(&self, first: usize, n: usize) -> Carried<'_> {
        match &self.0 {
            // SAFETY: the caller's promise.
            Some(carried) => Carried::new(unsafe { carried.chunks(first, n) }, N::STATE),
            None => Carried::nothing(),
        }
    }
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
            let memory = Memory { saved, scratch, kept, partial, shared, lengths, carried };
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
