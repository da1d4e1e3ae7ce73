//! [`TrainingExt`]: new networks, their gradients, and how good they are.

use crate::contract::{Network, Root, TrainNode, trained_ranges};
use crate::data::Data;
use crate::loss::Loss;
use crate::optim;
use crate::step::{self, BatchError};
use crate::system::RngKey;
use crate::train::{self, Score};
use crate::types::zeros_on_line;
use std::ops::Range;

/// Initialisation, gradients and evaluation of any [`Network`].
pub trait TrainingExt: Network {
    /// Bytes of memory that a training step uses per sample, besides weights and gradients.
    const TRAIN_BYTES: usize = step::train_len::<Self>() * size_of::<f32>();

    /// A new network with PyTorch's initialisation, made in place on the heap. The same seed gives
    /// the same weights.
    #[must_use]
    fn new(seed: u64) -> Box<Self> {
        const { Self::CHECKS }
        let mut net = zeros_on_line::<Self>();
        TrainNode::<Root>::initialise(&mut *net, RngKey::new(seed));
        net
    }

    /// A new network whose seed is drawn from `rng`.
    #[must_use]
    fn from_rng<R: rand::Rng + ?Sized>(rng: &mut R) -> Box<Self> {
        Self::new(rng.next_u64())
    }

    /// The mean loss of a batch, in training mode, and its gradient, written to `d_net`.
    ///
    /// The random numbers of layers such as `Dropout` follow from the weights and the size of the
    /// batch, so that the same call gives the same result. [`loss_and_gradients`](crate::step::loss_and_gradients)
    /// takes them as an argument.
    ///
    /// # Errors
    /// When the batch is empty, when there are not as many targets as inputs, or when the loss
    /// refuses a target.
    fn loss_and_gradients<L: Loss<Self::Output>>(
        &mut self,
        loss: &L,
        inputs: &[Self::Input],
        targets: &[L::Target],
        d_net: &mut Self,
    ) -> Result<f32, BatchError> {
        let key = streams_of(self.as_floats(), inputs.len());
        step::loss_and_gradients(self, loss, inputs, targets, d_net, key)
    }

    /// The mean loss and the accuracy on a data set, in inference mode, on all threads.
    ///
    /// # Errors
    /// As [`loss_and_gradients`](Self::loss_and_gradients).
    fn evaluate<L: Loss<Self::Output>>(
        &self,
        data: &Data<Self::Input, L::Target>,
        loss: &L,
    ) -> Result<Score, BatchError> {
        train::evaluate(self, data, loss)
    }

    /// The Euclidean norm of each layer's numbers, with its path: of a gradient, which has the network's own
    /// type, how strongly each layer learns. [`Health`](crate::train::Health) says what is wrong with it.
    ///
    /// ```
    /// # use unrolled_runtime::{InferenceExt, FilesExt, Network, TrainingExt, loss::CrossEntropy};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<N>, xs: &[[f32; 4]], classes: &[u32],
    /// # ) -> Result<(), unrolled_runtime::BatchError> {
    /// let mut d_net = N::zeros();
    /// net.loss_and_gradients(&CrossEntropy::new(), xs, classes, &mut d_net)?;
    /// for (layer, norm) in d_net.gradient_norms() {
    ///     println!("{layer}: {norm:.2e}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    fn gradient_norms(&self) -> Vec<(String, f64)> {
        let layers = Self::trained().into_iter();
        layers.map(|(name, range)| (name, optim::norm(&self.as_floats()[range]))).collect()
    }

    /// Where trained numbers stand among all numbers, layer by layer, with the path of each layer:
    /// without running statistics.
    #[must_use]
    fn trained() -> Vec<(String, Range<usize>)> {
        trained_ranges(Self::LAYERS)
    }
}

impl<N: Network> TrainingExt for N {}

/// Random key that depend on a few evenly spaced weights and on the batch's size.
fn streams_of(weights: &[f32], batch: usize) -> RngKey {
    const ASKED: usize = 16;
    let every = weights.len().div_ceil(ASKED).max(1);
    let few = weights.iter().step_by(every);
    few.fold(RngKey::new(batch as u64), |key, weight| key.fold_in(weight.to_bits().into()))
}
