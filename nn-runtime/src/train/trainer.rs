//! [`Trainer`]: the settings of a training run.

use super::callbacks::{CallbackResult, OnEpoch, OnStep, Step};
use super::checkpoints::Checkpoints;
use super::early_stopping::EarlyStopping;
use super::evaluate::Metrics;
use super::health::Warning;
use super::history::Epoch;
use super::metrics::{MAX_METRICS, Metric};
use super::position::Position;
use super::slots::DynData;
use crate::contract::Network;
use crate::data::Dataset;
use crate::hyper::at_least_one;
use crate::optim::schedule::Schedule;
use crate::optim::{Clip, Optimizer};
use crate::ranks::Transport;
use std::fmt;
use std::path::PathBuf;

/// A learning-rate schedule, and whether it sets the rate before each step or before each epoch.
pub(super) struct Plan<'a> {
    pub(super) each_step: bool,
    pub(super) schedule: Box<dyn Schedule + Send + 'a>,
    /// The optimiser's own learning rate, known once training begins.
    pub(super) base: Option<f64>,
}

impl Plan<'_> {
    /// The learning rate of the next step or epoch, after `done` of them.
    pub(super) fn rate(&mut self, optimizer: &dyn Optimizer, done: usize) -> f64 {
        let base = *self.base.get_or_insert(optimizer.learning_rate());
        self.schedule.rate(base, done)
    }
}

/// Trains networks: shuffled mini-batches, forward, backward, update, validation after each epoch.
///
/// ```
/// # use unrolled_runtime::{InferenceExt, FilesExt, Network, TrainingExt, data::Data, loss::CrossEntropy, optim::*, train::*};
/// # use std::ops::ControlFlow;
/// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
/// #     mut net: Box<N>, train: Data<[f32; 4], u32>, valid: Data<[f32; 4], u32>,
/// # ) -> Result<(), TrainError> {
/// let history = Trainer::new(Adam::new(1e-3))
///     .batch(64).epochs(5).seed(7)
///     .validate(&valid)
///     .fit(&mut net, &train, &CrossEntropy::default())?;
/// println!("{history}");
/// # Ok(())
/// # }
/// ```
///
/// The same seed gives the same weights, bit for bit, on any number of threads. A second call of
/// [`fit`](Self::fit) continues where the first one ended: two calls of five epochs are one of ten.
///
/// `N` is the type of the network. A trainer is `Send` if its optimiser is, and the data of
/// [`validate`](Self::validate) are `Sync`; callbacks and schedules are `Send`.
pub struct Trainer<'a, O, N: Network, Target> {
    pub(super) optimizer: O,
    pub(super) validation: Option<DynData<'a, N, Target>>,
    pub(super) metrics: Metrics<'a, N, Target>,
    pub(super) on_epoch: Option<OnEpoch<'a, N>>,
    pub(super) core: TrainerCore<'a>,
}

/// What a trainer has that depends neither on the network nor on the optimiser: settings, and how far training has come.
pub(super) struct TrainerCore<'a> {
    pub(super) batch: usize,
    pub(super) accumulate: usize,
    pub(super) drop_last: bool,
    pub(super) epochs: usize,
    pub(super) seed: u64,
    pub(super) quiet: bool,
    pub(super) keep_best: bool,
    pub(super) early_stopping: Option<EarlyStopping>,
    pub(super) plan: Option<Plan<'a>>,
    pub(super) clip: Option<Clip>,
    pub(super) carry_state: bool,
    pub(super) fast_dev_run: bool,
    pub(super) prefetch_threads: usize,
    pub(super) on_step: Option<OnStep<'a>>,
    pub(super) checkpoints: Checkpoints,
    pub(super) log_dir: Option<PathBuf>,
    pub(super) position: Position,
    pub(super) world: Option<&'a dyn Transport>,
    /// The leaves of the reduction tree, if they are set.
    pub(super) leaves: Option<usize>,
    pub(super) shard_optimizer: bool,
    #[cfg(feature = "ctrl-c")]
    pub(super) stop_on_ctrl_c: bool,
    // Each kind of warning is printed once.
    pub(super) printed: Vec<Warning>,
}

/// Shows the settings and the progress; of the data only the number of samples.
impl<O: fmt::Debug, N: Network, Target> fmt::Debug for Trainer<'_, O, N, Target> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trainer")
            .field("optimizer", &self.optimizer)
            .field("batch", &self.core.batch)
            .field("accumulate", &self.core.accumulate)
            .field("drop_last", &self.core.drop_last)
            .field("epochs", &self.core.epochs)
            .field("seed", &self.core.seed)
            .field("validation", &self.validation.map(Dataset::len))
            .field("metrics", &self.metrics.iter().map(|metric| metric.name()).collect::<Vec<_>>())
            .field("keep_best", &self.core.keep_best)
            .field("early_stopping", &self.core.early_stopping)
            .field("clip", &self.core.clip)
            .field("checkpoints", &self.core.checkpoints)
            .field("log_dir", &self.core.log_dir)
            .field("carry_state", &self.core.carry_state)
            .field("fast_dev_run", &self.core.fast_dev_run)
            .field("prefetch_threads", &self.core.prefetch_threads)
            .field("ranks", &self.core.world.map(Transport::size))
            .field("reduction_leaves", &self.core.leaves)
            .field("shard_optimizer", &self.core.shard_optimizer)
            .field("epochs_done", &self.core.position.epochs)
            .field("steps_done", &self.core.position.steps)
            .finish_non_exhaustive()
    }
}

impl<'a, O: Optimizer, N: Network, Target> Trainer<'a, O, N, Target> {
    /// A trainer with batches of 32 samples, 10 epochs and seed 0.
    #[must_use]
    pub const fn new(optimizer: O) -> Self {
        Self {
            optimizer,
            validation: None,
            metrics: Vec::new(),
            on_epoch: None,
            core: TrainerCore {
                batch: 32,
                accumulate: 1,
                drop_last: false,
                epochs: 10,
                seed: 0,
                quiet: false,
                keep_best: false,
                early_stopping: None,
                plan: None,
                clip: None,
                carry_state: false,
                fast_dev_run: false,
                prefetch_threads: 1,
                on_step: None,
                checkpoints: Checkpoints::NONE,
                log_dir: None,
                position: Position::START,
                world: None,
                leaves: None,
                shard_optimizer: false,
                #[cfg(feature = "ctrl-c")]
                stop_on_ctrl_c: false,
                printed: Vec::new(),
            },
        }
    }

    /// Sets the number of samples per batch. The last batch of an epoch has the remaining ones: see
    /// [`drop_last`](Self::drop_last).
    ///
    /// # Panics
    /// If `samples` is 0.
    #[doc(alias("batch_size"))]
    #[must_use]
    #[track_caller]
    pub fn batch(mut self, samples: usize) -> Self {
        self.core.batch = at_least_one("Trainer: batch size", samples);
        self
    }

    /// Sets whether a last batch with fewer samples than the others is left out, as PyTorch's `drop_last`. The order of
    /// the samples, and so which ones are left out, is another one in each epoch. `BatchNorm` needs it where a single
    /// sample would be left over.
    #[must_use]
    pub const fn drop_last(mut self, drop: bool) -> Self {
        self.core.drop_last = drop;
        self
    }

    /// Accumulates the gradients of `batches` batches for each step, in the memory of one batch.
    ///
    /// A step is then one of a batch `batches` times as large: the gradient is that of the mean loss of all its samples, by
    /// their weights, also in the last step of an epoch, which may have fewer batches. Clipping, schedules, callbacks and
    /// random values of layers such as `Dropout` are those of the large batch. Without [`drop_last`](Self::drop_last) and
    /// [`carry_state`](Self::carry_state) the steps of both are equal up to the rounding of sums. `BatchNorm` is an
    /// exception: its statistics are those of single batches.
    ///
    /// ```
    /// # use unrolled_runtime::{Network, data::Data, loss::CrossEntropy, optim::*, train::*};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<N>, train: Data<[f32; 4], u32>,
    /// # ) -> Result<(), TrainError> {
    /// // Steps of 256 samples with the memory of 64.
    /// Trainer::new(Adam::new(1e-3))
    ///     .batch(64)
    ///     .accumulate(4)
    ///     .fit(&mut net, &train, &CrossEntropy::new())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// If `batches` is 0.
    #[doc(alias("accumulate_grad_batches", "gradient_accumulation_steps"))]
    #[must_use]
    #[track_caller]
    pub fn accumulate(mut self, batches: usize) -> Self {
        self.core.accumulate = at_least_one("Trainer: accumulated batches", batches);
        self
    }

    /// Sets the number of passes over the data of each call of [`fit`](Self::fit). With 0 the data are checked and the
    /// network stays as it is.
    #[doc(alias("max_epochs", "num_epochs"))]
    #[must_use]
    pub const fn epochs(mut self, epochs: usize) -> Self {
        self.core.epochs = epochs;
        self
    }

    /// Sets the seed of the order of the samples and of the random values of layers such as `Dropout`.
    #[doc(alias("manual_seed"))]
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.core.seed = seed;
        self
    }

    /// Evaluates the network on `data`, [`Data`](crate::data::Data) or any other [`Dataset`], after each epoch.
    #[doc(alias("validation_data", "val_data"))]
    #[must_use]
    pub fn validate<D>(mut self, data: &'a D) -> Self
    where
        D: Dataset<Input = N::Input, Target = Target>,
    {
        self.validation = Some(data);
        self
    }

    /// Adds a metric, which is computed after each epoch in inference mode: on the validation data, or without them on the
    /// training data, which takes another pass through them. Its values are in [`Epoch::metrics`].
    ///
    /// ```
    /// # use unrolled_runtime::{Network, data::Data, loss::CrossEntropy, optim::*, train::*};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 9]>>(
    /// #     mut net: Box<N>, train: Data<[f32; 4], u32>, valid: Data<[f32; 4], u32>,
    /// # ) -> Result<(), TrainError> {
    /// let history = Trainer::new(Adam::new(1e-3))
    ///     .validate(&valid)
    ///     .metric(Accuracy::top(5))
    ///     .metric(F1::macro_average())
    ///     .fit(&mut net, &train, &CrossEntropy::new())?;
    /// println!("{:?}", history.epochs[9].metrics.get("F1 (macro)"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// If there are already 8 metrics.
    #[doc(alias("metrics"))]
    #[must_use]
    #[track_caller]
    pub fn metric(mut self, metric: impl Metric<N::Output, Target> + 'a) -> Self {
        assert!(self.metrics.len() < MAX_METRICS, "Trainer: at most {MAX_METRICS} metrics");
        self.metrics.push(Box::new(metric));
        self
    }

    /// Prints nothing.
    #[doc(alias("verbose"))]
    #[must_use]
    pub const fn quiet(mut self) -> Self {
        self.core.quiet = true;
        self
    }

    /// Sets whether the network has the weights of its best epoch after [`fit`](Self::fit): the epoch with the lowest
    /// validation loss, or without validation data the lowest training loss.
    #[doc(alias("restore_best_weights"))]
    #[must_use]
    pub const fn keep_best(mut self, keep: bool) -> Self {
        self.core.keep_best = keep;
        self
    }

    /// Ends [`fit`](Self::fit) once the loss has stopped falling: see [`EarlyStopping`]. It compares the epochs of one call.
    #[must_use]
    pub const fn early_stopping(mut self, rule: EarlyStopping) -> Self {
        self.core.early_stopping = Some(rule);
        self
    }

    /// Sets the learning rate before each epoch from a function of the epoch, which counts from 1.
    ///
    /// ```
    /// # use unrolled_runtime::{InferenceExt, FilesExt, Network, TrainingExt, data::Data, loss::CrossEntropy, optim::*, train::*};
    /// # use std::ops::ControlFlow;
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<N>, train: Data<[f32; 4], u32>, valid: Data<[f32; 4], u32>,
    /// # ) -> Result<(), TrainError> {
    /// Trainer::new(SGD::new(0.1))
    ///     .learning_rate(|epoch| 0.1 * 0.9_f64.powi(epoch as i32 - 1))
    ///     .fit(&mut net, &train, &CrossEntropy::new())?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias("lr"))]
    #[must_use]
    pub fn learning_rate(self, mut schedule: impl FnMut(usize) -> f64 + Send + 'a) -> Self {
        self.schedule_epochs(move |_base: f64, done: usize| schedule(done + 1))
    }

    /// Sets the learning rate before each epoch. [`fit`](Self::fit) ends with an error if it is negative or not finite.
    ///
    /// ```
    /// # use unrolled_runtime::{InferenceExt, FilesExt, Network, TrainingExt, data::Data, loss::CrossEntropy, optim::*, train::*};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<N>, train: Data<[f32; 4], u32>,
    /// # ) -> Result<(), TrainError> {
    /// Trainer::new(SGD::new(0.1))
    ///     .schedule_epochs(schedule::StepDecay::new(5, 0.5))
    ///     .fit(&mut net, &train, &CrossEntropy::new())?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias("lr_scheduler", "schedule", "scheduler"))]
    #[must_use]
    pub fn schedule_epochs(self, schedule: impl Schedule + Send + 'a) -> Self {
        self.with_plan(false, schedule)
    }

    /// Sets the learning rate before each step. An epoch has one step for each batch, including the last one, which may be
    /// smaller; with [`accumulate`](Self::accumulate) one for several batches.
    #[doc(alias("lr_scheduler", "schedule", "scheduler"))]
    #[must_use]
    pub fn schedule_steps(self, schedule: impl Schedule + Send + 'a) -> Self {
        self.with_plan(true, schedule)
    }

    fn with_plan(mut self, each_step: bool, schedule: impl Schedule + Send + 'a) -> Self {
        self.core.plan = Some(Plan { each_step, schedule: Box::new(schedule), base: None });
        self
    }

    /// Clips the gradient of each step. [`fit`](Self::fit) panics if [`Clip::Adaptive`] excludes a layer that the network
    /// does not have.
    ///
    /// # Panics
    /// If the bound is negative or NaN, or the ratio of [`Clip::Adaptive`] is infinite.
    #[doc(alias("clip_grad_norm", "clip_grad_norm_", "gradient_clip_val"))]
    #[must_use]
    #[track_caller]
    pub fn clip(mut self, clip: Clip) -> Self {
        self.core.clip = Some(clip.checked());
        self
    }

    /// Trains on one long sequence, a text or a recording, whose consecutive chunks are the samples (see
    /// [`Data::next_steps`](crate::data::Data::next_steps)). Recurrent layers and causal convolutions begin a chunk with the state after the chunk
    /// before. The gradient stops at the beginning of a chunk (truncated backpropagation through time), the state does
    /// not.
    ///
    /// The sequence is cut into as many parallel sequences as a [`batch`](Self::batch) has samples. A step takes the next
    /// chunk of each, and each epoch begins with states of zeros. Samples are not shuffled. Validation data are chunks of a
    /// sequence as well. Attention, positions and hand-written layers begin anew with each chunk.
    ///
    /// ```
    /// # use unrolled_runtime::{InferenceExt, FilesExt, Network, TrainingExt, data::Data, loss::CrossEntropy, optim::*, train::*};
    /// # fn example<N: Network<Input = [u32; 16], Output = [[f32; 96]; 16]>>(
    /// #     mut net: Box<N>, text: &[u32],
    /// # ) -> Result<(), TrainError> {
    /// let chunks = Data::next_steps(text);
    /// Trainer::new(Adam::new(1e-3))
    ///     .batch(32)
    ///     .carry_state()
    ///     .fit(&mut net, &chunks, &CrossEntropy::new())?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias("stateful"))]
    #[must_use]
    pub const fn carry_state(mut self) -> Self {
        self.core.carry_state = true;
        self
    }

    /// Sets whether [`fit`](Self::fit) runs only one step of training and one batch of validation, without checkpoints and
    /// logs, to find mistakes in a program before a long run.
    #[must_use]
    pub const fn fast_dev_run(mut self, fast: bool) -> Self {
        self.core.fast_dev_run = fast;
        self
    }

    /// Sets the number of threads that prepare the samples of the next steps, 1 by default, of data sets that are not in
    /// memory. Each has up to two steps in memory. The number does not change any bit.
    ///
    /// # Panics
    /// If `threads` is 0.
    #[must_use]
    #[track_caller]
    pub fn prefetch_threads(mut self, threads: usize) -> Self {
        self.core.prefetch_threads = at_least_one("Trainer: prefetch threads", threads);
        self
    }

    /// Calls `f` after each step. `f` returns nothing, or a [`ControlFlow`](std::ops::ControlFlow), whose `Break` ends
    /// [`fit`](Self::fit) after this step: the record then has the complete epochs, and the next call continues the epoch.
    ///
    /// ```
    /// # use unrolled_runtime::{Network, data::Data, loss::CrossEntropy, optim::*, train::*};
    /// # use std::time::{Duration, Instant};
    /// # use std::ops::ControlFlow;
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<N>, train: Data<[f32; 4], u32>,
    /// # ) -> Result<(), TrainError> {
    /// let (begin, mut losses) = (Instant::now(), Vec::new());
    /// Trainer::new(Adam::new(1e-3))
    ///     .on_step(|step| {
    ///         losses.push(step.loss);
    ///         if begin.elapsed() > Duration::from_secs(3600) {
    ///             return ControlFlow::Break(());
    ///         }
    ///         ControlFlow::Continue(())
    ///     })
    ///     .fit(&mut net, &train, &CrossEntropy::new())?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn on_step<R: CallbackResult>(mut self, mut f: impl FnMut(&Step) -> R + Send + 'a) -> Self {
        self.core.on_step = Some(Box::new(move |step| f(step).control_flow()));
        self
    }

    /// Calls `f` after each epoch with its record and the network. `f` returns nothing, or a
    /// [`ControlFlow`](std::ops::ControlFlow), whose `Break` ends [`fit`](Self::fit).
    ///
    /// The types of both arguments are inferred. A function that calls methods of the network names its type:
    /// `|epoch, net: &Digits| ..`.
    ///
    /// ```
    /// # use unrolled_runtime::{InferenceExt, Network, data::Data, loss::CrossEntropy, optim::*, train::*};
    /// # use std::ops::ControlFlow;
    /// # fn example<Digits: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<Digits>, train: Data<[f32; 4], u32>, valid: Data<[f32; 4], u32>,
    /// # ) -> Result<(), TrainError> {
    /// Trainer::new(Adam::new(1e-3))
    ///     .validate(&valid)
    ///     .on_epoch(|epoch, net: &Digits| {
    ///         println!("largest weight {:?}", net.params().iter().max_by(|a, b| a.total_cmp(b)));
    ///         match epoch.validation {
    ///             Some(score) if score.loss < 0.05 => ControlFlow::Break(()),
    ///             _ => ControlFlow::Continue(()),
    ///         }
    ///     })
    ///     .fit(&mut net, &train, &CrossEntropy::new())?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias("callbacks", "callback", "on_epoch_end"))]
    #[must_use]
    pub fn on_epoch<R: CallbackResult>(
        mut self,
        mut f: impl FnMut(&Epoch, &N) -> R + Send + 'a,
    ) -> Self {
        self.on_epoch = Some(Box::new(move |epoch, net| f(epoch, net).control_flow()));
        self
    }
}
