//! [`TrainingExt`]: initialisation, gradients and evaluation of any network.

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
    /// Bytes of memory that a training step uses per sample, without weights and their gradients.
    const TRAIN_BYTES: usize = step::train_len::<Self>() * size_of::<f32>();

    /// A new network with PyTorch's initialisation, created in place on the heap. The same seed gives the same weights.
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

    /// Returns the mean loss of a batch in training mode, and writes its gradient to `d_net`.
    ///
    /// The random key of layers such as `Dropout` is derived from the weights and the size of the batch, so that the same
    /// call gives the same result. The function [`loss_and_gradients`](crate::loss_and_gradients) takes the key as an
    /// argument.
    ///
    /// # Errors
    /// If the batch is empty or too small for the network's statistics, the numbers of inputs and targets differ, the
    /// network refuses an input or the loss a target.
    fn loss_and_gradients<L: Loss<Self::Output>>(
        &mut self,
        loss: &L,
        inputs: &[Self::Input],
        targets: &[L::Target],
        d_net: &mut Self,
    ) -> Result<f32, BatchError> {
        let key = key_of(self.as_floats(), inputs.len());
        step::loss_and_gradients(self, loss, inputs, targets, d_net, key)
    }

    /// The mean loss and the accuracy on a data set in inference mode, on all threads.
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

    /// The path of each layer and the Euclidean norm of its trained elements. A gradient has the type of its network, so
    /// that these are the gradient norms of its layers; [`Health`](crate::train::Health) derives warnings from them.
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

    /// The path of each layer and the range of its trained elements among all elements of the network, without running
    /// statistics.
    #[must_use]
    fn trained() -> Vec<(String, Range<usize>)> {
        trained_ranges::<Self>()
    }
}

impl<N: Network> TrainingExt for N {}

/// A random key from a few evenly spaced weights and the batch's size.
fn key_of(weights: &[f32], batch: usize) -> RngKey {
    const SAMPLED: usize = 16;
    let every = weights.len().div_ceil(SAMPLED).max(1);
    let sampled = weights.iter().step_by(every);
    sampled.fold(RngKey::new(batch as u64), |key, weight| key.fold_in(weight.to_bits().into()))
}
