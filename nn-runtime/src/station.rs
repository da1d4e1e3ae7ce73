//! The contract between expanded code and layers: a network is an assembly line, a layer one
//! station of it.
//!
//! A *phase* is a stretch of forward or backward in which samples do not see each other, so that
//! shards of the batch pass through it in parallel. Almost every station has one. BatchNorm has two:
//! it gathers sums, the sums of all shards are combined in fixed order, and then it normalises.

use crate::kernels::Instructions;
use crate::memory::{Memory, Shards, WorkMemory};
use crate::{Streams, Tensor, Weights};
use nn_shape::rules::max_pool2d::MaxPool2d;
use nn_shape::{Shape, StepsOf};

/// What the compiler knows of one station of one network: a type of its own, without values, that
/// expanded code defines, so that a layer's code is compiled with all sizes constant.
pub trait Spec: Sized + Send + Sync + 'static {
    /// The struct of the layer's arguments, from nn-shape.
    type Arguments: Sized + 'static;
    /// The arguments.
    const ARGUMENTS: Self::Arguments;
    /// The shapes of all inputs.
    const INPUTS: &'static [Shape];
    /// The shape of the output.
    const OUTPUT: Shape;
    /// The path of the layer within its network: `stage1.0.conv2d`. Random streams and files use it.
    const NAME: &'static str;
    /// The parts that the last axis of the (first) input was flattened from, in order; empty where it
    /// was not. PyTorch flattens channels first: tensors with one entry per feature are permuted
    /// accordingly on their way into and out of files.
    const FEATURES: &'static [Shape] = &[];
    /// For each input, of which input of the network its first axis counts the steps, if of any: where
    /// that one's sequences are shorter than its shape, these are too. See [`Lengths`](crate::Lengths).
    const STEPS: &'static [Option<StepsOf>] = &[];
    /// Whether there is no network around it.
    const OUTERMOST: bool = false;

    /// The shape of the first input.
    const INPUT: Shape = Self::INPUTS[0];
    /// How many numbers one sample of the first input has.
    const IN: usize = Self::INPUT.len();
    /// How many numbers one sample of the output has.
    const OUT: usize = Self::OUTPUT.len();
    /// The number of its random stream.
    const STREAM: u64 = Streams::number(Self::NAME);
}

/// The spec of a network that is not part of another one. Networks ask their spec nothing.
pub struct Whole;

impl Spec for Whole {
    type Arguments = ();
    const ARGUMENTS: () = ();
    const INPUTS: &'static [Shape] = &[];
    const OUTPUT: Shape = Shape::new(&[]);
    const NAME: &'static str = "";
    const OUTERMOST: bool = true;
    const INPUT: Shape = Shape::new(&[]);
}

/// The samples that pass through a station in training.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// How many samples are in this shard.
    pub n: usize,
    /// The number of the shard's first sample in its batch.
    pub first: usize,
    /// How many samples the batch has.
    pub batch: usize,
    /// The random streams of this step.
    pub streams: Streams,
}

impl Pass {
    /// The same samples with the random streams of one station.
    #[must_use]
    pub fn of<S: Spec>(&self) -> Self {
        Self { streams: self.streams.child(S::STREAM), ..*self }
    }
}

/// The phases of a network in which a station runs that takes several.
#[derive(Clone, Copy, Debug)]
pub struct Phases {
    /// The first, in which the stations before it run too.
    pub first: usize,
    /// The last, in which the stations behind it run too.
    pub last: usize,
}

impl Phases {
    /// The phases of stations that take so many each, one behind the other.
    #[must_use]
    pub const fn stack<const N: usize>(counts: [usize; N]) -> [Self; N] {
        let mut phases = [Self { first: 0, last: 0 }; N];
        let mut first = 0;
        let mut i = 0;
        while i < N {
            phases[i] = Self { first, last: first + counts[i] - 1 };
            first = phases[i].last;
            i += 1;
        }
        phases
    }

    /// Whether it runs in phase `phase`.
    #[must_use]
    pub const fn contain(self, phase: usize) -> bool {
        self.first <= phase && phase <= self.last
    }

    /// Whether the combination between phases `phase` and `phase + 1` is its own.
    #[must_use]
    pub const fn contain_both(self, phase: usize) -> bool {
        self.first <= phase && phase < self.last
    }
}

/// A layer, or a whole network, at one place of a network.
///
/// Values are channels last, sample after sample: `x[0]` has `n * S::IN` numbers, `y` has
/// `n * S::OUT`. The associated constants say how much memory it wants; see [`Memory`].
pub trait Station<S: Spec>: Weights {
    /// How many phases it takes part in, forward and backward.
    const PHASES: usize = 1;
    /// The fewest samples of a training step. Statistics over the batch may need two.
    const LEAST_BATCH: usize = 1;
    /// How many samples a shard should have, if there are so many, however much memory they fill. A layer that reads
    /// all its weights again and again, and not from a near cache, wants several samples to share them.
    const SHARD: usize = 1;
    /// Numbers per sample that forward saves for backward.
    const SAVED: usize = 0;
    /// Numbers per sample that inference needs while it runs.
    const WORK: usize = 0;
    /// Numbers that [`Streaming::step`] needs while it runs.
    const STEP_WORK: usize = Self::WORK;
    /// Numbers per call that any of its functions needs while it runs.
    const SCRATCH: usize = 0;
    /// Numbers per sample that are kept until all shards are done.
    const KEPT: usize = 0;
    /// Numbers per shard that are kept until all shards are done.
    const PARTIAL: usize = 0;
    /// Numbers per step that all shards read.
    const SHARED: usize = 0;
    /// Numbers per sample that are carried from one stretch of a sequence to the next; see
    /// [`Carried`](crate::Carried).
    const STATE: usize = 0;
    /// In how many pieces its gradient is put together, each by one thread.
    const GRADIENT_TASKS: usize = Self::LEN.div_ceil(GRADIENT_PIECE);

    /// Fills the weights as PyTorch does for a new layer. They are zero before.
    fn initialise(&mut self, streams: Streams) {
        let _ = streams;
    }

    /// What its weights are called and how they are laid out in files, offsets counted from its own
    /// first number. A network adds the paths of its layers.
    #[must_use]
    fn tensors() -> Vec<Tensor> {
        Vec::new()
    }

    /// Whether it takes these inputs, asked before they pass through: token numbers must be in the
    /// vocabulary. A network asks the layers that read its own inputs.
    ///
    /// # Errors
    /// What was expected and what was found.
    fn check(x: &[&[f32]]) -> Result<(), String> {
        let _ = x;
        Ok(())
    }

    /// Inference on `n` samples, on the calling thread.
    fn infer(&self, n: usize, x: &[&[f32]], y: &mut [f32], memory: WorkMemory<'_>);

    /// As [`infer`](Self::infer), with the same bits, inlined into a function that is compiled for `isa`: a
    /// network that takes nanoseconds is one such function. A layer that is not found in such networks need
    /// not have it.
    #[inline(always)]
    fn infer_inlined<I: Instructions>(
        &self,
        isa: I,
        n: usize,
        x: &[&[f32]],
        y: &mut [f32],
        memory: WorkMemory<'_>,
    ) {
        let _ = isa;
        self.infer(n, x, y, memory);
    }

    /// Called once before each training step: fills [`Station::SHARED`] with what all shards use,
    /// such as weights in another order.
    fn prepare(&self, shared: &mut [f32]) {
        let _ = shared;
    }

    /// The training forward pass of one shard. `phase` counts from 0 to `PHASES - 1`; `y` must be
    /// complete after the last.
    fn forward(&self, pass: &Pass, phase: usize, x: &[&[f32]], y: &mut [f32], memory: Memory<'_>);

    /// Called between forward phases `phase` and `phase + 1`, once for all shards: combines their
    /// partial results in fixed order, and updates running statistics.
    fn combine_forward(&mut self, phase: usize, shards: Shards<'_>, shared: &mut [f32]) {
        let _ = (phase, shards, shared);
    }

    /// The backward pass of one shard; `phase` counts down from `PHASES - 1` to 0. Writes (does not
    /// add to) each `d_x` that is asked for, complete after phase 0. `d_y` may be overwritten. `x` and
    /// `y` are empty slices where the registry row's `needs` says that they are not needed.
    #[expect(clippy::too_many_arguments, reason = "what backward has to do with, no more")]
    fn backward(
        &self,
        pass: &Pass,
        phase: usize,
        x: &[&[f32]],
        y: &[f32],
        d_y: &mut [f32],
        d_x: &mut [Option<&mut [f32]>],
        memory: Memory<'_>,
    );

    /// Called between backward phases `phase` and `phase - 1`, once for all shards.
    fn combine_backward(&self, phase: usize, shards: Shards<'_>, shared: &mut [f32]) {
        let _ = (phase, shards, shared);
    }

    /// Where piece `task` of the gradient ends, counted in numbers of the weights.
    #[must_use]
    fn gradient_end(task: usize) -> usize {
        ((task + 1) * GRADIENT_PIECE).min(Self::LEN)
    }

    /// Writes piece `task` of the gradient (of the batch's mean loss, whose `1 / batch` is already in
    /// `d_y`) after all shards passed backward. The default adds up what the shards left at the
    /// beginning of [`Memory::partial`], in their order: `LEN` numbers each.
    fn gradient(task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
        shards.sum(task * GRADIENT_PIECE, d_weights);
    }
}

/// Numbers in one piece of a gradient that is summed over shards.
pub(crate) const GRADIENT_PIECE: usize = 1 << 14;

/// A layer, or a whole network, that can take a sequence step by step: what it gives for a step depends on
/// this step and on those before, of which it remembers [`Station::STATE`] numbers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot run step by step",
    note = "each layer must see one step at a time, or carry what it needs of those before; a bidirectional \
            layer, or one that looks at all steps at once, does not"
)]
pub trait Streaming<S: Spec>: Station<S> {
    /// Inference on one step of one sample: `x` and `y` hold the numbers of one step each. Gives the bits
    /// that the whole sequence gives. With [`Instructions::INLINE`] it is inlined, as
    /// [`Station::infer_inlined`] is.
    #[inline(always)]
    fn step<I: Instructions>(&self, isa: I, x: &[&[f32]], y: &mut [f32], memory: WorkMemory<'_>) {
        if I::INLINE {
            self.infer_inlined(isa, 1, x, y, memory);
        } else {
            self.infer(1, x, y, memory);
        }
    }
}

/// A layer whose output can go at inference straight into a pool behind it, which takes the largest under
/// windows that lie side by side: `Fusion::Pooled` in the registry.
pub trait PooledStation<S: Spec>: Station<S> {
    /// Inference on `n` samples, through the pool too: `y` has `n * P::OUT` numbers.
    fn infer_pooled<P: Spec<Arguments = MaxPool2d>>(
        &self,
        n: usize,
        x: &[&[f32]],
        y: &mut [f32],
        memory: WorkMemory<'_>,
    );
}

/// A layer that works in place and whose backward needs its output alone: `ReLU`, `Dropout`.
pub trait InPlaceStation<S: Spec>: Weights {
    /// Inference: `y` holds the input and receives the output.
    fn infer(&self, n: usize, y: &mut [f32]);

    /// The same, as [`Station::infer_inlined`].
    #[inline(always)]
    fn infer_inlined<I: Instructions>(&self, isa: I, n: usize, y: &mut [f32]) {
        let _ = isa;
        self.infer(n, y);
    }

    /// The training forward pass: `y` holds the input and receives the output.
    fn forward(&self, pass: &Pass, y: &mut [f32]);

    /// The backward pass: `d` holds the output's gradient and receives the input's.
    fn backward(&self, pass: &Pass, y: &[f32], d: &mut [f32]);
}
