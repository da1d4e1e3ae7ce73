//! Training: [`Trainer`] leads a network through its data, epoch after epoch.

mod epochs;
mod error;
mod evaluate;
mod health;
mod history;
mod progress;
mod run;
mod stretches;
mod untrained;

pub use error::{DataSet, TrainError};
pub use health::{Health, Sign};
pub use history::{Epoch, History, OutputScore, Overfitting, Score};

pub(crate) use evaluate::evaluate;

use crate::contract::Network;
use crate::data::Data;
use crate::loss::Loss;
use crate::optim::schedule::Schedule;
use crate::optim::{Clip, Optimizer};
use crate::types::Inputs;
use std::ops::{ControlFlow, DerefMut};

/// What is called after each epoch.
type OnEpoch<'a> = Box<dyn FnMut(&Epoch) -> ControlFlow<()> + 'a>;

/// How the learning rate changes: from epoch to epoch, or from step to step.
struct Plan<'a> {
    each_step: bool,
    schedule: Box<dyn Schedule + 'a>,
    /// The optimiser's own learning rate.
    base: Option<f64>,
}

impl Plan<'_> {
    fn set(&mut self, optimizer: &mut impl Optimizer, done: usize) {
        let base = *self.base.get_or_insert(optimizer.learning_rate());
        optimizer.set_learning_rate(self.schedule.rate(base, done));
    }
}

/// The learning rates of epochs, which count from 1.
struct OfEpochs<F>(F);

impl<F: FnMut(usize) -> f64> Schedule for OfEpochs<F> {
    fn rate(&mut self, _base: f64, done: usize) -> f64 {
        self.0(done + 1)
    }
}

/// Trains networks: batches in a new random order each epoch, forward, backward, update.
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
/// [`fit`](Self::fit) continues where the first one ended: ten epochs are twice five.
pub struct Trainer<'a, O, Input, Target> {
    optimizer: O,
    batch: usize,
    epochs: usize,
    seed: u64,
    validation: Option<&'a Data<Input, Target>>,
    quiet: bool,
    keep_best: bool,
    plan: Option<Plan<'a>>,
    clip: Option<Clip>,
    carries: bool,
    on_epoch: Option<OnEpoch<'a>>,
    // What was done by earlier calls of `fit`.
    epochs_done: usize,
    steps_done: u64,
    told: Vec<Sign>,
}

impl<'a, O: Optimizer, Input: Inputs, Target> Trainer<'a, O, Input, Target> {
    /// Batches of 32 samples, 10 epochs, seed 0, until something else is said.
    #[must_use]
    pub const fn new(optimizer: O) -> Self {
        Self {
            optimizer,
            batch: 32,
            epochs: 10,
            seed: 0,
            validation: None,
            quiet: false,
            keep_best: false,
            plan: None,
            clip: None,
            carries: false,
            on_epoch: None,
            epochs_done: 0,
            steps_done: 0,
            told: Vec::new(),
        }
    }

    /// How many samples a step learns from. The last batch of an epoch has what is left.
    ///
    /// # Panics
    /// When it is 0.
    #[must_use]
    pub const fn batch(mut self, samples: usize) -> Self {
        assert!(samples > 0, "a batch has at least one sample");
        self.batch = samples;
        self
    }

    /// How many times [`fit`](Self::fit) goes through the data.
    #[must_use]
    pub const fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = epochs;
        self
    }

    /// From which the order of the samples and the random numbers of layers such as `Dropout` follow.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Looks after each epoch how the network does on samples that it does not learn from.
    #[must_use]
    pub const fn validate(mut self, data: &'a Data<Input, Target>) -> Self {
        self.validation = Some(data);
        self
    }

    /// Writes nothing.
    #[must_use]
    pub const fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Whether the network gets the weights of its best epoch back in the end: the one with the
    /// lowest validation loss, or training loss if there is no validation.
    #[must_use]
    pub const fn keep_best(mut self, keep: bool) -> Self {
        self.keep_best = keep;
        self
    }

    /// Sets the learning rate before each epoch; epochs count from 1.
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
    #[must_use]
    pub fn learning_rate(self, schedule: impl FnMut(usize) -> f64 + 'a) -> Self {
        self.schedule_epochs(OfEpochs(schedule))
    }

    /// Sets the learning rate before each epoch.
    ///
    /// ```
    /// # use unrolled_runtime::{InferenceExt, FilesExt, Network, TrainingExt, data::Data, loss::CrossEntropy, optim::*, train::*};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<N>, train: Data<[f32; 4], u32>,
    /// # ) -> Result<(), TrainError> {
    /// Trainer::new(SGD::new(0.1))
    ///     .schedule_epochs(schedule::Step::new(5, 0.5))
    ///     .fit(&mut net, &train, &CrossEntropy::new())?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn schedule_epochs(self, schedule: impl Schedule + 'a) -> Self {
        self.with_plan(false, schedule)
    }

    /// Sets the learning rate before each step; an epoch has as many as there are batches, the last one,
    /// which may be smaller, included.
    #[must_use]
    pub fn schedule_steps(self, schedule: impl Schedule + 'a) -> Self {
        self.with_plan(true, schedule)
    }

    fn with_plan(mut self, each_step: bool, schedule: impl Schedule + 'a) -> Self {
        self.plan = Some(Plan { each_step, schedule: Box::new(schedule), base: None });
        self
    }

    /// Keeps the gradient of each step within bounds. [`fit`](Self::fit) panics where [`Clip::Adaptive`]
    /// leaves out a layer that is not there.
    #[must_use]
    pub const fn clip(mut self, clip: Clip) -> Self {
        self.clip = Some(clip);
        self
    }

    /// Trains on one long sequence, a text or a recording, whose stretches are the samples, one behind the
    /// other (see [`Data::next_steps`]): recurrent layers and causal convolutions go on where the
    /// stretch before left them. The gradient ends where a stretch begins (truncated backpropagation
    /// through time), what the network remembers does not.
    ///
    /// The sequence is cut into as many key as a [`batch`](Self::batch) has samples, a step takes the
    /// next stretch of each, and each epoch begins all of them anew. Samples are not shuffled. Validation
    /// data are stretches of a sequence, too, and go through the network in the same way. Attention and
    /// positions begin each stretch of training anew.
    ///
    /// ```
    /// # use unrolled_runtime::{InferenceExt, FilesExt, Network, TrainingExt, data::Data, loss::CrossEntropy, optim::*, train::*};
    /// # fn example<N: Network<Input = [u32; 16], Output = [[f32; 96]; 16]>>(
    /// #     mut net: Box<N>, text: &[u32],
    /// # ) -> Result<(), TrainError> {
    /// let stretches = Data::next_steps(text);
    /// Trainer::new(Adam::new(1e-3))
    ///     .batch(32)
    ///     .carry_state()
    ///     .fit(&mut net, &stretches, &CrossEntropy::new())?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn carry_state(mut self) -> Self {
        self.carries = true;
        self
    }

    /// Calls `f` after each epoch, and stops when it says so.
    ///
    /// ```
    /// # use unrolled_runtime::{InferenceExt, FilesExt, Network, TrainingExt, data::Data, loss::CrossEntropy, optim::*, train::*};
    /// # use std::ops::ControlFlow;
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<N>, train: Data<[f32; 4], u32>, valid: Data<[f32; 4], u32>,
    /// # ) -> Result<(), TrainError> {
    /// Trainer::new(Adam::new(1e-3))
    ///     .validate(&valid)
    ///     .on_epoch(|epoch| match epoch.validation {
    ///         Some(score) if score.loss < 0.05 => ControlFlow::Break(()),
    ///         _ => ControlFlow::Continue(()),
    ///     })
    ///     .fit(&mut net, &train, &CrossEntropy::new())?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn on_epoch(mut self, f: impl FnMut(&Epoch) -> ControlFlow<()> + 'a) -> Self {
        self.on_epoch = Some(Box::new(f));
        self
    }

    /// Trains `net` (a box, or a borrowed network), and tells how it went.
    ///
    /// Writes one line per epoch to the standard output, and where that is a terminal, a bar while the
    /// epoch runs. Warns when the network begins to learn the training samples by heart; see
    /// [`History::overfitting`]; and when gradients vanish or explode, and `ReLU`s die; see [`Health`].
    ///
    /// # Errors
    /// When data are missing, do not belong together or are not finite, when the last batch has too
    /// few samples for the network's statistics over the batch, when state is to be carried where there
    /// is none, when the loss refuses a target, and when the loss, a gradient or a weight is no longer finite. The network then has
    /// the weights from before the step that failed, or the best ones if they are kept.
    pub fn fit<N, L>(
        &mut self,
        net: &mut impl DerefMut<Target = N>,
        train: &Data<Input, Target>,
        loss: &L,
    ) -> Result<History, TrainError>
    where
        N: Network<Input = Input>,
        L: Loss<N::Output, Target = Target>,
    {
        self.fit_until(self.epochs_done + self.epochs, net, train, loss)
    }

    /// One epoch of those that [`epochs`](Self::epochs) counts, for whoever looks at the network after each one, or
    /// gives it other samples each time. Epochs one by one are the same as all at once, but for
    /// [`keep_best`](Self::keep_best) and the warning of samples learnt by heart, which compare the epochs of one
    /// call.
    ///
    /// ```
    /// # use unrolled_runtime::{InferenceExt, FilesExt, Network, TrainingExt, data::Data, loss::CrossEntropy, optim::*, train::*};
    /// # fn example<N: Network<Input = [u32; 16], Output = [[f32; 96]; 16]>>(
    /// #     mut net: Box<N>, text: &[u32],
    /// # ) -> Result<(), TrainError> {
    /// let mut trainer = Trainer::new(Adam::new(1e-3)).epochs(10);
    /// for epoch in 0..10 {
    ///     // Cut somewhere else each time.
    ///     let windows = Data::next_steps(&text[5 * epoch % 16..]);
    ///     trainer.fit_epoch(&mut net, &windows, &CrossEntropy::new())?;
    ///     net.save("so_far.safetensors").expect("a file that can be written");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_epoch<N, L>(
        &mut self,
        net: &mut impl DerefMut<Target = N>,
        train: &Data<Input, Target>,
        loss: &L,
    ) -> Result<Epoch, TrainError>
    where
        N: Network<Input = Input>,
        L: Loss<N::Output, Target = Target>,
    {
        let history = self.fit_until(self.epochs_done + 1, net, train, loss)?;
        Ok(history.epochs[0])
    }
}
