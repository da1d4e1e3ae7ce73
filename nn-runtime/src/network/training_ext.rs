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
    /// `key` seeds layers such as `Dropout`; nothing else is random. Steps need different keys, such as
    /// `RngKey::new(seed).fold_in(step)`: with the same one `Dropout` drops the same elements.
    ///
    /// ```
    /// # use unrolled_runtime::{BatchError, Network, RngKey, TrainingExt, loss::CrossEntropy, optim::*};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<N>, xs: &[[f32; 4]], classes: &[u32],
    /// # ) -> Result<(), BatchError> {
    /// let (mut optimizer, mut d_net) = (Adam::new(1e-3), N::zeros());
    /// let key = RngKey::new(7);
    /// for step in 0..100 {
    ///     let loss = CrossEntropy::new();
    ///     net.loss_and_gradients(&loss, xs, classes, &mut d_net, key.fold_in(step))?;
    ///     optimizer.update(&mut net, &d_net);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the batch is empty or too small for the network's statistics, the numbers of inputs and targets differ, the
    /// network refuses an input or the loss a target.
    #[doc(alias("backward", "train_on_batch", "train_step", "grad"))]
    fn loss_and_gradients<L: Loss<Self::Output>>(
        &mut self,
        loss: &L,
        inputs: &[Self::Input],
        targets: &[L::Target],
        d_net: &mut Self,
        key: RngKey,
    ) -> Result<f32, BatchError> {
        step::loss_and_gradients(self, loss, inputs, targets, d_net, key)
    }

    /// Writes the gradient with respect to each input, in inference mode: without dropout, with the running statistics of
    /// `BatchNorm`. The network stays as it is, and the gradient of its weights is not computed. For saliency maps,
    /// adversarial examples and equations with derivatives.
    ///
    /// `gradient` receives the output of each sample, in order, and writes the gradient of what is of interest with respect to
    /// it, which is zero before. Inputs of tokens have no gradient; theirs stay as they are.
    ///
    /// ```
    /// # use unrolled_runtime::{BatchError, Network, TrainingExt};
    /// # fn example<N: Network<Input = [[[f32; 1]; 28]; 28], Output = [f32; 10]>>(
    /// #     net: Box<N>, images: &[[[[f32; 1]; 28]; 28]], classes: &[usize],
    /// # ) -> Result<(), BatchError> {
    /// // By how much the score of each image's class changes with each pixel.
    /// let mut saliency = vec![[[[0.0; 1]; 28]; 28]; images.len()];
    /// let mut classes = classes.iter();
    /// net.input_gradients(
    ///     images,
    ///     |_scores, d_scores| classes.next().into_iter().for_each(|class| d_scores[*class] = 1.0),
    ///     &mut saliency,
    /// )?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If there are no inputs, `inputs` and `d_inputs` differ in length, or the network refuses an input.
    fn input_gradients(
        &self,
        inputs: &[Self::Input],
        gradient: impl FnMut(&Self::Output, &mut Self::Output),
        d_inputs: &mut [Self::Input],
    ) -> Result<(), BatchError> {
        step::input_gradients(self, inputs, gradient, d_inputs)
    }

    /// The mean loss and the accuracy on a data set in inference mode, on all threads.
    ///
    /// # Errors
    /// As [`loss_and_gradients`](Self::loss_and_gradients).
    #[doc(alias("test", "score", "accuracy"))]
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
    /// # use unrolled_runtime::{Network, RngKey, TrainingExt, loss::CrossEntropy};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<N>, xs: &[[f32; 4]], classes: &[u32],
    /// # ) -> Result<(), unrolled_runtime::BatchError> {
    /// let mut d_net = N::zeros();
    /// net.loss_and_gradients(&CrossEntropy::new(), xs, classes, &mut d_net, RngKey::new(1))?;
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
