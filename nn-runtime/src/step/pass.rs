//! [`TrainPass`]: forward and backward over a batch, with everything in between left to the caller.

use super::batch::enough_for;
use super::error::BatchError;
use super::frozen_layers::FrozenLayers;
use super::infer::floats_of;
use super::inputs::check_inputs;
use super::outputs::clear_outputs;
use super::sharded::{LocalLayout, ShardPhase, ShardedStep, prepared_len, train_capacity};
use super::work::train_time;
use super::workspace::{BatchStates, Chunks};
use crate::contract::{Network, Root, TrainNode};
use crate::memory::{ShardCut, Shards};
use crate::optim::{GroupsError, Optimizer};
use crate::order::NetworkInfo;
use crate::ranks::Division;
use crate::system::{RngKey, Workspace, parallel};
use crate::types::{Inputs, Values};

/// A training pass over a batch: all outputs first, then gradients from any gradients of the outputs. For losses over
/// whole batches (contrastive, adversarial), reinforcement learning, and several losses on the same outputs.
///
/// ```
/// # use unrolled_runtime::{BatchError, Network, RngKey, TrainPass, optim::*};
/// # fn example<N: Network<Input = [f32; 4], Output = [f32; 8]>>(mut net: Box<N>) -> Result<(), BatchError> {
/// let (mut optimizer, mut d_net) = (Adam::new(1e-3), N::zeros());
/// let mut pass = TrainPass::<N>::new(64);
/// let mut d_outputs = vec![[0.0; 8]; 64];
/// # let batches = [[[0.0; 4]; 64]; 2];
/// for (step, inputs) in (0..).zip(&batches) {
///     let outputs = pass.forward(&mut net, inputs, RngKey::new(7).fold_in(step))?;
///     // The gradient of half the mean square of all outputs.
///     for (d_output, output) in d_outputs.iter_mut().zip(outputs) {
///         *d_output = output.map(|y| y / 64.0);
///     }
///     pass.backward(&net, &d_outputs, &mut d_net, None)?;
///     optimizer.update(&mut net, &d_net);
/// }
/// # Ok(())
/// # }
/// ```
///
/// Layers compute as in training: `BatchNorm` normalises with the statistics of the batch and moves its running ones
/// once per forward, layers with spectral normalisation make one power iteration, and `Dropout` draws from the key. A step
/// with the gradients of a loss has the bits of [`loss_and_gradients`](crate::TrainingExt::loss_and_gradients), on any number
/// of threads.
///
/// The pass owns its memory, which is allocated at the first use. All values that forward saves are in memory at the
/// same time, unlike those of a training step with a loss.
pub struct TrainPass<N: Network> {
    /// The largest number of samples.
    batch: usize,
    frozen: FrozenLayers,
    /// What the last forward pass was; `None` before, and after one that failed.
    done: Option<Done>,
    /// What it saved: prepared memory, the local memory of all shards, their deferred values.
    memory: Workspace,
    /// The local memory that backward works in, since it overwrites what was saved.
    copies: Workspace,
    /// The inputs, if their lengths are needed.
    inputs: Vec<N::Input>,
    outputs: Vec<N::Output>,
}

/// A forward pass.
#[derive(Clone, Copy, Debug)]
struct Done {
    samples: usize,
    key: RngKey,
}

impl<N: Network> std::fmt::Debug for TrainPass<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { batch, done, .. } = self;
        f.debug_struct("TrainPass")
            .field("batch", batch)
            .field("done", done)
            .finish_non_exhaustive()
    }
}

/// The parts of a pass's memory.
struct Parts<'a> {
    capacity: usize,
    prepared: &'a mut [f32],
    local_len: usize,
    local: &'a mut [f32],
    deferred: Chunks<f32>,
}

impl<N: Network> TrainPass<N> {
    /// A pass over batches of up to `batch` samples.
    #[must_use]
    pub fn new(batch: usize) -> Self {
        Self {
            batch,
            frozen: FrozenLayers::default(),
            done: None,
            memory: Workspace::new(),
            copies: Workspace::new(),
            inputs: Vec::new(),
            outputs: Values::zeroed_vec(batch),
        }
    }

    /// The same pass without the layers that `optimizer` freezes: see
    /// [`Groups::freeze`](crate::optim::Groups::freeze). Their weight gradients are zero, and the backward pass ends at the
    /// first trained layer, unless gradients of the inputs are requested.
    ///
    /// ```
    /// # use unrolled_runtime::{Network, TrainPass, optim::*};
    /// # fn example<N: Network>() -> Result<(), GroupsError> {
    /// let mut optimizer = Groups::new(Adam::new(1e-3)).freeze("encoder");
    /// let mut pass = TrainPass::<N>::new(64).frozen_by(&mut optimizer)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the optimiser chooses weights by names that the network does not have.
    pub fn frozen_by<O>(mut self, optimizer: &mut O) -> Result<Self, GroupsError>
    where
        O: Optimizer + ?Sized,
    {
        optimizer.prepare(NetworkInfo::of::<N>().tensors)?;
        self.frozen = FrozenLayers::new(&NetworkInfo::of::<N>(), &optimizer.frozen());
        Ok(self)
    }

    /// The outputs for `inputs` in training mode. `key` seeds layers such as `Dropout`: use another one for each pass,
    /// such as `RngKey::new(seed).fold_in(step)`.
    ///
    /// # Errors
    /// If there are no inputs or more than the pass was made for, fewer than the network needs for its statistics, or
    /// the network refuses one.
    pub fn forward(
        &mut self,
        net: &mut N,
        inputs: &[N::Input],
        key: RngKey,
    ) -> Result<&[N::Output], BatchError> {
        const { N::CHECKS }
        self.done = None;
        check_batch::<N>(inputs)?;
        let samples = inputs.len();
        if samples > self.batch {
            return Err(BatchError::TooMany { most: self.batch, found: samples });
        }
        if N::Input::RAGGED {
            self.inputs.clear();
            self.inputs.extend_from_slice(inputs);
        }
        parallel::for_work(train_time::<N>(samples), || self.run_forward(net, inputs, key));
        self.done = Some(Done { samples, key });
        Ok(&self.outputs[..samples])
    }

    /// The forward pass on inputs that were checked.
    fn run_forward(&mut self, net: &mut N, inputs: &[N::Input], key: RngKey) {
        let samples = inputs.len();
        let Parts { capacity, prepared, local_len, local, deferred } =
            parts::<N>(&mut self.memory, samples);
        let local = Chunks::new(local, local_len);
        let outputs = Chunks::new(floats_of(&mut self.outputs), N::Output::LEN);
        let step = ShardedStep::<N, _> {
            input: |i| &inputs[i],
            first: 0,
            cut: ShardCut::whole(samples, capacity),
            division: Division::WHOLE,
            key,
            training: true,
            frozen: &self.frozen,
            observer: None,
            rows: None,
            deferred,
            state: BatchStates::none(),
            d_inputs: None,
        };
        net.prepare(prepared);
        step.forward_phases(net, prepared, |net, at: ShardPhase, prepared| {
            // SAFETY: the memory is borrowed until the end of this function, and a shard runs on one thread at a time.
            let local = unsafe { local.chunk(at.shard) };
            step.forward(net, at, local, prepared, |output| {
                let (first, n) = step.samples_of(at.shard);
                // SAFETY: as for the local memory; samples `first..first + n` belong to this shard alone.
                unsafe { outputs.chunks(first, n) }.copy_from_slice(output.y);
            });
        });
    }

    /// The gradients of the sum over all samples of `d_outputs` times outputs: writes (does not add) that of the
    /// weights to `d_net`, and that of the inputs to `d_inputs`, if requested. Nothing is divided by the number of
    /// samples: for the mean of a loss, `d_outputs` contain the factor. Values after the end of a sequence are ignored.
    /// Inputs of tokens have no gradient; theirs stay as they are.
    ///
    /// May be called several times after one [`forward`](Self::forward), with the same network, whose weights must not
    /// have changed.
    ///
    /// # Errors
    /// Without a forward pass before, and if `d_outputs` or `d_inputs` differ from it in length.
    pub fn backward(
        &mut self,
        net: &N,
        d_outputs: &[N::Output],
        d_net: &mut N,
        d_inputs: Option<&mut [N::Input]>,
    ) -> Result<(), BatchError> {
        let Done { samples, key } = self.done.ok_or(BatchError::NoForward)?;
        if d_outputs.len() != samples {
            return Err(BatchError::OutputGradients {
                outputs: samples,
                gradients: d_outputs.len(),
            });
        }
        if let Some(gradients) = d_inputs.as_ref().map(|d| d.len()).filter(|len| *len != samples) {
            return Err(BatchError::InputGradients { inputs: samples, gradients });
        }
        let time = train_time::<N>(samples);
        parallel::for_work(time, || self.run_backward(net, key, d_outputs, d_net, d_inputs));
        Ok(())
    }

    /// The backward pass from output gradients of as many samples as forward had.
    fn run_backward(
        &mut self,
        net: &N,
        key: RngKey,
        d_outputs: &[N::Output],
        d_net: &mut N,
        d_inputs: Option<&mut [N::Input]>,
    ) {
        let samples = d_outputs.len();
        let with_d_inputs = d_inputs.is_some();
        let Parts { capacity, prepared, local_len, local, deferred } =
            parts::<N>(&mut self.memory, samples);
        let (saved, inputs) = (Saved { local, len: local_len }, &self.inputs);
        let step = ShardedStep::<N, _> {
            input: |i| &inputs[i],
            first: 0,
            cut: ShardCut::whole(samples, capacity),
            division: Division::WHOLE,
            key,
            training: true,
            frozen: &self.frozen,
            observer: None,
            rows: None,
            deferred,
            state: BatchStates::none(),
            d_inputs: d_inputs.map(|d_inputs| Chunks::new(d_inputs, 1)),
        };
        // With one phase the copy of a shard stays in the cache of the thread.
        let one_phase = N::PHASES == 1;
        let count = if one_phase { parallel::threads().min(step.shards()) } else { step.shards() };
        let copy_len = LocalLayout::len::<N>(capacity, with_d_inputs);
        let copies = Chunks::new(self.copies.get(count * copy_len), copy_len);
        step.backward_phases(net, prepared, |net, at: ShardPhase, prepared| {
            // SAFETY: the memory is borrowed until the end of this function. A shard runs on one thread at a time, and
            // the index is that of the shard or of the thread.
            let copy = unsafe { copies.chunk(if one_phase { at.worker } else { at.shard }) };
            let (first, n) = step.samples_of(at.shard);
            if at.phase + 1 == N::PHASES {
                saved.copy::<N>(at.shard, n, copy);
            }
            step.backward(net, at, copy, prepared, |output, d_y| {
                let d_ys = d_y.chunks_exact_mut(N::Output::LEN).zip(&d_outputs[first..]);
                d_ys.for_each(|(d_y, d_output)| d_y.copy_from_slice(d_output.as_floats()));
                clear_outputs::<N>(n, output.lengths, d_y);
            });
        });
        step.gradients(d_net);
    }
}

/// Checks that a training step of `N` can run on `inputs`.
fn check_batch<N: Network>(inputs: &[N::Input]) -> Result<(), BatchError> {
    if inputs.is_empty() {
        return Err(BatchError::Empty);
    }
    enough_for(inputs.len(), <N as TrainNode<Root>>::MIN_BATCH)?;
    check_inputs::<N>(inputs)
}

/// The parts of the memory that forward has written or will write for a batch of `samples`.
fn parts<N: Network>(memory: &mut Workspace, samples: usize) -> Parts<'_> {
    let capacity = train_capacity::<N>(samples);
    let shards = samples.div_ceil(capacity);
    let local_len = LocalLayout::len::<N>(capacity, false);
    let deferred_stride = Shards::stride(capacity, N::SHARD_SUMS, N::DEFERRED);
    let len = prepared_len::<N>() + shards * (local_len + deferred_stride);
    let (prepared, rest) = memory.get(len).split_at_mut(prepared_len::<N>());
    let (local, deferred) = rest.split_at_mut(shards * local_len);
    let prepared = &mut prepared[..N::PREPARED];
    Parts { capacity, prepared, local_len, local, deferred: Chunks::new(deferred, deferred_stride) }
}

/// The local memory of all shards after forward.
struct Saved<'a> {
    local: &'a [f32],
    len: usize,
}

impl Saved<'_> {
    /// Copies that of a shard of `n` samples.
    fn copy<N: Network>(&self, shard: usize, n: usize, to: &mut [f32]) {
        let used = n * LocalLayout::forward::<N>();
        to[..used].copy_from_slice(&self.local[shard * self.len..][..used]);
    }
}
