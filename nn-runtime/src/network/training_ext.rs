//! [`TrainingExt`]: initialisation, gradients and evaluation of any network.

use super::activations::Activations;
use crate::contract::{Network, Observer, Root, TrainNode};
use crate::data::Dataset;
use crate::loss::Loss;
use crate::optim;
use crate::order::NetworkInfo;
use crate::step::{self, BatchError};
use crate::system::RngKey;
use crate::train::{self, LossTarget, SameInput, Score};
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
    /// Before a loop of your own, [`Health::of_loss`](train::Health::of_loss) warns about a network that ends with the function
    /// that the loss applies itself, such as `Softmax` before `CrossEntropy`; [`Trainer::fit`](train::Trainer::fit) does so, too.
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

    /// As [`loss_and_gradients`](Self::loss_and_gradients), for networks with an [`Embedding`](crate::layers::Embedding) of many
    /// rows: of these, only the rows that samples have are written. See [`SparseGradient`](optim::SparseGradient).
    ///
    /// # Errors
    /// As [`loss_and_gradients`](Self::loss_and_gradients).
    fn loss_and_sparse_gradients<L: Loss<Self::Output>>(
        &mut self,
        loss: &L,
        inputs: &[Self::Input],
        targets: &[L::Target],
        d_net: &mut optim::SparseGradient<Self>,
        key: RngKey,
    ) -> Result<f32, BatchError> {
        step::loss_and_sparse_gradients(self, loss, inputs, targets, d_net, key)
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

    /// The values of all lines for one sample, in inference mode:
    ///
    /// ```
    /// # use unrolled_runtime::{Network, TrainingExt};
    /// # fn example<N: Network<Input = [[[f32; 1]; 28]; 28]>>(
    /// #     net: Box<N>, image: [[[f32; 1]; 28]; 28],
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let activations = net.activations(&image)?;
    /// let conv2 = activations.get("conv2")?;
    /// println!("{}: {:?}", conv2.shape, conv2.values);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Layers that are computed at once with others at inference are computed one by one, with the same bits. After the end of
    /// a sequence that is shorter than its shape, values are arbitrary.
    ///
    /// # Errors
    /// If the network refuses the input.
    fn activations(&self, x: &Self::Input) -> Result<Activations, BatchError> {
        let observer = Observer::default();
        step::observe_values(self, x, &observer)?;
        Ok(Activations::new(&Self::GRAPH, &observer, x))
    }

    /// The gradients with respect to the values of all lines for one sample, in inference mode. `gradient` receives the output,
    /// and writes the gradient of what is of interest with respect to it, which is zero before. Where a value has several
    /// readers its gradient is the sum of theirs; a view of it, such as `Flatten`, has the same gradient.
    ///
    /// Grad-CAM (Selvaraju et al., 2017), by how much each pixel of a convolution's output speaks for a class:
    ///
    /// ```
    /// # use unrolled_runtime::{Network, TrainingExt};
    /// # fn example<N: Network<Input = [[[f32; 1]; 28]; 28], Output = [f32; 10]>>(
    /// #     net: Box<N>, image: [[[f32; 1]; 28]; 28], class: usize,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let activations = net.activations(&image)?;
    /// let gradients = net.activation_gradients(&image, |_scores, d_scores| d_scores[class] = 1.0)?;
    /// let (maps, d_maps) = (activations.get("conv2")?, gradients.get("conv2")?);
    /// // The importance of each channel is its mean gradient, up to a factor.
    /// let channels = maps.shape.last();
    /// let importance = |c| d_maps.values.iter().skip(c).step_by(channels).sum::<f32>();
    /// let importance: Vec<f32> = (0..channels).map(importance).collect();
    /// let weighted = |pixel: &[f32]| pixel.iter().zip(&importance).map(|(x, w)| w * x).sum::<f32>();
    /// let heat: Vec<f32> = maps.values.chunks(channels).map(|pixel| weighted(pixel).max(0.0)).collect();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the network refuses the input.
    fn activation_gradients(
        &self,
        x: &Self::Input,
        gradient: impl FnOnce(&Self::Output, &mut Self::Output),
    ) -> Result<Activations, BatchError> {
        let observer = Observer::default();
        let d_input = step::observe_gradients(self, x, gradient, &observer)?;
        Ok(Activations::new(&Self::GRAPH, &observer, &d_input[0]))
    }

    /// The mean loss and the accuracy on [`Data`](crate::data::Data) or any other [`Dataset`], in inference mode, on all threads. What
    /// is random in the samples of a data set is the same in each call. [`Health::of_loss`](train::Health::of_loss) says whether
    /// the network ends with a function that the loss applies itself.
    ///
    /// # Errors
    /// If there are no samples, the numbers of inputs and targets differ, the network refuses an input or the loss a target.
    #[doc(alias("test", "score", "accuracy"))]
    fn evaluate<D, L>(&self, data: &D, loss: &L) -> Result<Score, BatchError>
    where
        D: Dataset<Input: SameInput<Self::Input>, Target: Copy + Send + Sync>,
        L: Loss<Self::Output, Target: LossTarget<D::Target>>,
    {
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
        NetworkInfo::of::<Self>().trained_ranges()
    }
}

impl<N: Network> TrainingExt for N {}
