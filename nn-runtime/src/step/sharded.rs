//! [`ShardedStep`]: forward and backward on the shards of a batch.

use super::frozen_layers::FrozenLayers;
use super::inputs::{gather, inputs_len, shard_capacity, with_inputs, with_lengths};
use super::outputs::clear_outputs;
use super::rank_sums::SubtreeGradients;
use super::workspace::{BatchStates, Chunks};
use crate::contract::{Backward, Forward, Network, Observer, Pass};
use crate::kernels::add_to;
use crate::memory::{Buffer, Frozen, ShardCut, Shards, TiedWeight, TouchedRows, TrainCtx, take};
use crate::ranks::Division;
use crate::system::{CacheLine, RngKey, parallel};
use crate::types::{Inputs, Lengths, MAX_INPUTS, Values};
use std::cell::RefCell;
use std::ops::Range;

/// The layout of a shard's local memory; sizes in elements per sample.
pub(super) struct LocalLayout;

impl LocalLayout {
    const fn inputs<N: Network>() -> Buffer {
        Buffer { offset: 0, len: inputs_len::<N>() }
    }
    const fn output<N: Network>() -> Buffer {
        Self::inputs::<N>().then_on_line(N::Output::LEN)
    }
    const fn d_output<N: Network>() -> Buffer {
        Self::output::<N>().then_on_line(N::Output::LEN)
    }
    const fn saved<N: Network>() -> Buffer {
        Self::d_output::<N>().then_on_line(N::SAVED)
    }
    /// The gradients of the inputs, if requested.
    const fn d_inputs<N: Network>() -> Buffer {
        Self::saved::<N>().then_on_line(inputs_len::<N>())
    }
    /// Elements for one sample that forward writes.
    pub(super) const fn forward<N: Network>() -> usize {
        Self::saved::<N>().end()
    }
    /// Elements for one sample, in whole cache lines.
    const fn sample<N: Network>(with_d_inputs: bool) -> usize {
        let end = if with_d_inputs { Self::d_inputs::<N>().end() } else { Self::forward::<N>() };
        end.next_multiple_of(CacheLine::LEN)
    }
    /// Elements for `capacity` samples and the scratch memory after them, in whole cache lines.
    pub(super) const fn len<N: Network>(capacity: usize, with_d_inputs: bool) -> usize {
        let len = capacity * Self::sample::<N>(with_d_inputs) + N::TRAIN_SCRATCH;
        len.next_multiple_of(CacheLine::LEN)
    }
}

/// The number of samples in the shards of a batch of `samples` in training.
pub(super) fn train_capacity<N: Network>(samples: usize) -> usize {
    // Depends on the network and on the batch's size, never on the number of threads: gradients are sums over shards,
    // so that other shards would be other bits. A multiple of 4 shards divides evenly among 2 or 4 threads.
    shard_capacity(LocalLayout::forward::<N>(), samples, N::SHARD, 4, 2)
}

/// Elements of a training step's prepared memory, in whole cache lines.
pub(super) const fn prepared_len<N: Network>() -> usize {
    N::PREPARED.next_multiple_of(CacheLine::LEN)
}

/// A batch on its way forward and backward through a network, shard by shard.
///
/// A shard's *local* memory is passed to each phase. It holds, for all samples of the shard, copies of the inputs, the
/// outputs and their gradients, and what forward saves for backward. With one phase it can be memory of the thread,
/// which stays in its cache; with more, a phase needs all shards of the one before (`BatchNorm`), so that each shard
/// has its own.
pub(super) struct ShardedStep<'f, N: Network, F> {
    /// The input of each sample.
    pub(super) input: F,
    /// The index of the first sample for random numbers: [`Pass::first`].
    pub(super) first: usize,
    pub(super) cut: ShardCut,
    /// The ranks whose shards are combined between phases.
    pub(super) division: Division<'f>,
    pub(super) key: RngKey,
    /// Whether layers compute as in training: [`Pass::training`].
    pub(super) training: bool,
    /// The layers whose weights get no gradient.
    pub(super) frozen: &'f FrozenLayers,
    /// What sees the values or gradients of nodes, if anything.
    pub(super) observer: Option<&'f Observer>,
    /// Receives the elements of the weight gradient that are written, if requested.
    pub(super) rows: Option<&'f TouchedRows>,
    /// The shard sums and the deferred values of each shard.
    pub(super) deferred: Chunks<f32>,
    pub(super) state: BatchStates,
    /// The gradients of the inputs, if requested.
    pub(super) d_inputs: Option<Chunks<N::Input>>,
}

/// A phase of one shard, and the index of the thread that runs it.
#[derive(Clone, Copy)]
pub(super) struct ShardPhase {
    pub(super) phase: usize,
    pub(super) shard: usize,
    pub(super) worker: usize,
}

/// The output of a shard: its first sample, the lengths of its sequences, and the values of all its samples.
pub(super) struct ShardOutput<'a> {
    pub(super) first: usize,
    pub(super) lengths: &'a Lengths<'a>,
    pub(super) y: &'a [f32],
}

/// The memory of one shard during a call.
struct ShardMemory<'a> {
    copies: &'a mut [f32],
    y: &'a mut [f32],
    d_y: &'a mut [f32],
    d_copies: &'a mut [f32],
}

impl<'a, N: Network, F: Fn(usize) -> &'a N::Input + Sync> ShardedStep<'_, N, F> {
    pub(super) fn shards(&self) -> usize {
        self.cut.shards()
    }

    /// The index of a shard's first sample, and the number of its samples.
    pub(super) fn samples_of(&self, shard: usize) -> (usize, usize) {
        self.cut.samples_of(shard)
    }

    /// The outputs of a shard and their gradients, in its local memory.
    pub(super) fn outputs_of<'m>(&self, shard: usize, local: &'m mut [f32]) -> [&'m mut [f32]; 2] {
        let (_, n) = self.samples_of(shard);
        take(local, n, [LocalLayout::output::<N>(), LocalLayout::d_output::<N>()])
    }

    /// Calls `run` for all shards in each forward phase, and combines them in between.
    pub(super) fn forward_phases(
        &self,
        net: &mut N,
        prepared: &mut [f32],
        run: impl Fn(&N, ShardPhase, &[f32]) + Sync,
    ) {
        for phase in 0..N::PHASES {
            self.for_each_shard(net, phase, prepared, &run);
            if phase + 1 < N::PHASES {
                net.combine_forward(phase, self.all_shards(), prepared);
            }
        }
    }

    /// Calls `run` for all shards in each backward phase, and combines them in between.
    pub(super) fn backward_phases(
        &self,
        net: &N,
        prepared: &mut [f32],
        run: impl Fn(&N, ShardPhase, &[f32]) + Sync,
    ) {
        // In reverse: what `combine_backward` adds up after a phase is read by the phase with the next lower index.
        for phase in (0..N::PHASES).rev() {
            self.for_each_shard(net, phase, prepared, &run);
            if phase > 0 {
                net.combine_backward(phase, self.all_shards(), prepared);
            }
        }
    }

    fn for_each_shard(
        &self,
        net: &N,
        phase: usize,
        prepared: &[f32],
        run: &(impl Fn(&N, ShardPhase, &[f32]) + Sync),
    ) {
        self.for_each_filled(|shard, worker| {
            run(net, ShardPhase { phase, shard, worker }, prepared);
        });
    }

    /// Calls `f(shard, worker)` for all shards with samples, on several threads.
    pub(super) fn for_each_filled(&self, f: impl Fn(usize, usize) + Sync) {
        parallel::for_each(self.shards(), |shard, worker| {
            if self.samples_of(shard).1 > 0 {
                f(shard, worker);
            }
        });
    }

    /// One forward phase of a shard. After the last one `done` receives the output.
    pub(super) fn forward(
        &self,
        net: &N,
        ShardPhase { phase, shard, .. }: ShardPhase,
        local: &mut [f32],
        prepared: &[f32],
        done: impl FnOnce(ShardOutput<'_>),
    ) {
        let (first, n) = self.samples_of(shard);
        // Later phases and the backward pass find the copies in the shard's memory.
        if phase == 0 {
            gather(n, |i| (self.input)(first + i), &mut local[..n * inputs_len::<N>()]);
        }
        self.with_memory(shard, local, prepared, |pass, memory, ctx| {
            let ShardMemory { copies, y, .. } = memory;
            let lengths = ctx.lengths;
            with_inputs::<N, _>(n, copies, |x| {
                net.forward_shard(Forward { pass, phase, x, y: &mut *y, ctx });
            });
            // The output is complete in the last forward phase.
            if phase + 1 == N::PHASES {
                clear_outputs::<N>(n, &lengths, y);
                done(ShardOutput { first, lengths: &lengths, y });
            }
        });
    }

    /// One backward phase of a shard. Before the first one `begin` writes the gradient of the output.
    pub(super) fn backward(
        &self,
        net: &N,
        ShardPhase { phase, shard, .. }: ShardPhase,
        local: &mut [f32],
        prepared: &[f32],
        begin: impl FnOnce(ShardOutput<'_>, &mut [f32]),
    ) {
        let (first, n) = self.samples_of(shard);
        self.with_memory(shard, local, prepared, |pass, memory, ctx| {
            let ShardMemory { copies, y, d_y, d_copies } = memory;
            let lengths = ctx.lengths;
            if phase + 1 == N::PHASES {
                begin(ShardOutput { first, lengths: &lengths, y }, &mut *d_y);
            }
            with_inputs::<N, _>(n, copies, |x| {
                let mut d_x = d_input_slices::<N>(n, &mut *d_copies);
                let d_x = &mut d_x[..N::Input::LENS.len()];
                net.backward_shard(Backward { pass, phase, x, y, d_y, d_x, ctx });
            });
            if phase == 0 {
                self.scatter(first, n, d_copies);
            }
        });
    }

    /// Calls `f` with the parts of a shard's memory.
    fn with_memory(
        &self,
        shard: usize,
        local: &mut [f32],
        prepared: &[f32],
        f: impl FnOnce(&Pass, ShardMemory<'_>, TrainCtx<'_>),
    ) {
        let (first, n) = self.samples_of(shard);
        // SAFETY: the owner of the step borrows the memory until all regions have ended, and a shard runs on one thread
        // at a time, so that this chunk has one user until the task ends.
        let deferred = unsafe { self.deferred.chunk(shard) };
        let sample = LocalLayout::sample::<N>(self.d_inputs.is_some());
        // By the samples of this shard: in a last one with fewer samples, buffers are closer together.
        let (local, scratch) = local.split_at_mut(n * sample);
        let end = LocalLayout::forward::<N>().next_multiple_of(CacheLine::LEN);
        let (local, d_copies) = local.split_at_mut(n * end);
        let [copies, y, d_y, saved] = take(
            local,
            n,
            [
                LocalLayout::inputs::<N>(),
                LocalLayout::output::<N>(),
                LocalLayout::d_output::<N>(),
                LocalLayout::saved::<N>(),
            ],
        );
        let (shard_sums, deferred) = deferred.split_at_mut(Shards::deferred_base(N::SHARD_SUMS));
        let shard_sums = &mut shard_sums[..N::SHARD_SUMS];
        let deferred = &mut deferred[..n * N::DEFERRED];
        // SAFETY: samples `first..first + n` belong to this shard alone, a shard runs on one thread at a time, and the
        // caller borrows the states until the step ends.
        let state = unsafe { self.state.of::<N>(first, n) };
        let Self { key, training, observer, .. } = *self;
        let (frozen, batch) = (self.frozen(), self.cut.batch());
        let first_of_step = self.first + first;
        let pass = Pass { n, first: first_of_step, batch, key, training, frozen: false, observer };
        with_lengths(
            n,
            |i| (self.input)(first + i),
            |lengths| {
                // A root network owns all weights that its layers tie.
                let tied = TiedWeight::NONE;
                let ctx = TrainCtx {
                    saved,
                    scratch,
                    deferred,
                    shard_sums,
                    prepared,
                    lengths,
                    state,
                    tied,
                    frozen,
                };
                f(&pass, ShardMemory { copies, y, d_y, d_copies }, ctx);
            },
        );
    }

    /// Copies the gradients of a shard's inputs to the caller's, if requested.
    fn scatter(&self, first: usize, n: usize, d_copies: &[f32]) {
        let Some(d_inputs) = &self.d_inputs else { return };
        let mut rest = d_copies;
        for (index, &len) in N::Input::LENS.iter().enumerate() {
            let (input, after) = rest.split_at(n * len);
            // Tokens have no gradient.
            let samples = if N::Input::REAL[index] { input } else { &[] };
            for (i, copy) in samples.chunks_exact(len).enumerate() {
                // SAFETY: sample `first + i` belongs to this shard alone, a shard runs on one thread at a time, and the
                // caller borrows the gradients until the step ends.
                let sample = unsafe { d_inputs.chunk(first + i) };
                sample[0].input_mut(index).copy_from_slice(copy);
            }
            rest = after;
        }
    }

    /// The frozen layers.
    fn frozen(&self) -> Frozen<'_> {
        self.frozen.view(self.d_inputs.is_some())
    }

    /// Reduces the shards' parts of the weight gradient. That of frozen layers is zero.
    pub(super) fn gradients(&self, d_net: &mut N) {
        self.write(self.division.own(), 0..N::GRADIENT_TASKS, d_net.as_floats_mut(), &|| {});
    }

    /// The deferred memory of all shards. Called between parallel regions only, when no shard is running.
    fn all_shards(&self) -> Shards<'_> {
        // SAFETY: the owner of the step borrows the memory until all regions have ended. Between regions no thread
        // writes to it, and callers drop the view before the next region that writes begins.
        let deferred = unsafe { self.deferred.all(self.shards()) };
        Shards::new(deferred, self.cut, self.division, N::SHARD_SUMS, N::DEFERRED)
            .with_frozen(self.frozen())
    }
}

/// Tasks are parts of the weights. The gradient of frozen layers is zero.
impl<'a, N: Network, F: Fn(usize) -> &'a N::Input + Sync> SubtreeGradients
    for ShardedStep<'_, N, F>
{
    fn tasks(&self) -> usize {
        N::GRADIENT_TASKS
    }

    fn end(&self, task: usize) -> usize {
        N::gradient_end(task)
    }

    fn is_filled(&self, subtree: &Range<usize>) -> bool {
        !self.cut.is_empty(subtree.clone())
    }

    fn write(
        &self,
        subtree: Range<usize>,
        tasks: Range<usize>,
        elements: &mut [f32],
        after_task: &(dyn Fn() + Sync),
    ) {
        let (all, frozen) = (self.all_shards(), self.frozen());
        let begin = |task: usize| task.checked_sub(1).map_or(0, N::gradient_end);
        let first = begin(tasks.start);
        // Tasks are parts of the weights, not shards: each element of the gradient is computed by one thread, which
        // adds the shards of a leaf in order, and the leaves in the order of the tree while their parts are in its cache.
        let piece = |index: usize, _, part: &mut [f32]| {
            let task = tasks.start + index;
            let rows = self.rows.map(|rows| rows.part(task));
            if frozen.contains(Buffer { offset: begin(task), len: part.len() }) {
                match rows {
                    Some(rows) => rows.lock().clear(part),
                    None => part.fill(0.0),
                }
            } else {
                // Sums of several leaves are written as a whole.
                let rows = rows.filter(|_| subtree.len() == 1);
                let write = |leaf, part: &mut [f32]| {
                    N::gradient(task, all.leaf(leaf).recording(rows), part);
                };
                let sum = LeafSum { cut: &self.cut, write };
                with_tree_scratch(subtree.len().ilog2() as usize * part.len(), |scratch| {
                    sum.write(subtree.clone(), part, scratch);
                });
            }
            after_task();
        };
        let end = |index| N::gradient_end(tasks.start + index).saturating_sub(first);
        parallel::for_each_piece(elements, tasks.len(), end, piece);
    }
}

/// The sum of `write(leaf, part)` over leaves of the reduction tree.
struct LeafSum<'a, W> {
    cut: &'a ShardCut,
    write: W,
}

impl<W: Fn(usize, &mut [f32])> LeafSum<'_, W> {
    /// Writes the sum over a subtree, some of whose leaves have samples. `scratch` has a part for each level of the subtree.
    fn write(&self, leaves: Range<usize>, part: &mut [f32], scratch: &mut [f32]) {
        let Range { start, end } = leaves;
        if end - start == 1 {
            return (self.write)(start, part);
        }
        let middle = start.midpoint(end);
        match [start..middle, middle..end].map(|half| self.cut.is_empty(half)) {
            [false, true] => self.write(start..middle, part, scratch),
            [true, _] => self.write(middle..end, part, scratch),
            [false, false] => {
                self.write(start..middle, part, scratch);
                let (right, scratch) = scratch.split_at_mut(part.len());
                self.write(middle..end, right, scratch);
                add_to(part, right);
            }
        }
    }
}

thread_local! {
    /// The memory of a thread's sums over subtrees, kept from one part of the gradient to the next.
    static TREE_SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with `len` elements. Memory only grows, so that a repeated call does not allocate.
fn with_tree_scratch(len: usize, f: impl FnOnce(&mut [f32])) {
    let mut scratch = TREE_SCRATCH.take();
    if scratch.len() < len {
        scratch.resize(len, 0.0);
    }
    f(&mut scratch[..len]);
    TREE_SCRATCH.set(scratch);
}

/// A slice for the gradient of each input, or `None` if input gradients are not requested.
fn d_input_slices<N: Network>(n: usize, d_copies: &mut [f32]) -> [Option<&mut [f32]>; MAX_INPUTS] {
    let mut slices = [const { None }; MAX_INPUTS];
    let mut rest = d_copies;
    // Not requested: the first layers then skip the gradient of their input.
    if rest.is_empty() {
        return slices;
    }
    for (slice, &len) in slices.iter_mut().zip(N::Input::LENS) {
        let (input, after) = rest.split_at_mut(n * len);
        *slice = Some(input);
        rest = after;
    }
    slices
}
