//! [`NormalisedWeights`]: what the layers whose weights are normalised share. All are convolutions: a dense layer is one of
//! images of one pixel. [`Normalised`]: those with a gain, `WSConv2d` and those with weight normalisation.

use super::causal::Chunks;
use super::convolution::Convolution;
#[cfg(feature = "train")]
use super::train_convolution::TrainConvolution;
#[cfg(feature = "train")]
use crate::contract::{Backward, Forward};
use crate::contract::{Infer, Spec};
#[cfg(feature = "train")]
use crate::kernels::group_norm::GroupNormBackward;
use crate::kernels::group_norm::{GroupNorm, GroupNormForward};
use crate::memory::InferCtx;
#[cfg(feature = "train")]
use crate::memory::TrainCtx;
#[cfg(not(feature = "std"))]
use crate::system::FloatMath;
use crate::types::{Lengths, Steps};
use core::marker::PhantomData;

/// What weights are multiplied by the gain; mean, variance and norm are those of the weights of one output channel.
pub(super) enum Normalisation {
    /// `w / ||w||` (Salimans and Kingma, 2016).
    Norm,
    /// `(w - mean) / sqrt((variance + eps) * count)`, where `count` is the number of weights (Brock, De and Smith, 2021).
    Standardised {
        /// Added to the variance.
        eps: f64,
    },
}

/// A convolution whose weights are normalised.
pub(super) trait NormalisedConvolution: Convolution {
    /// Whether its samples are sequences, which may end early.
    const OVER_STEPS: bool = false;

    /// The valid steps of the samples.
    fn steps<'l, S: Spec>(lengths: &'l Lengths<'_>) -> Steps<'l> {
        if Self::OVER_STEPS { lengths.of::<S>(0) } else { Steps::Full }
    }
}

/// A convolution whose normalised weights are multiplied by a gain.
pub(super) trait GainConvolution: NormalisedConvolution {
    /// How they are normalised.
    const NORMALISATION: Normalisation = Normalisation::Norm;
}

/// The weights of one layer, from which those of its convolution are computed.
pub(super) trait NormalisedWeights {
    /// The convolution.
    type Conv: NormalisedConvolution;
    /// Elements of the weights.
    const WEIGHTS: usize = Self::Conv::GEOMETRY.weight_len();
    /// Elements that [`Self::normalise`] computes; the first [`Self::WEIGHTS`] are the weights of the convolution.
    const COMPUTED: usize;
    /// Elements in which it works.
    const WORK: usize;
    /// Elements that inference needs per call: those, and what the normalisation or the convolution needs.
    const SCRATCH: usize = Self::COMPUTED + larger(Self::WORK, Self::Conv::SCRATCH);

    /// One for each output channel, or none.
    fn bias(&self) -> &[f32];

    /// Writes the [`Self::COMPUTED`] elements to `memory`, and works in the rest of it. Returns the weights of the convolution
    /// and this rest.
    fn normalise<'m>(&self, memory: &'m mut [f32]) -> (&'m [f32], &'m mut [f32]);

    /// Inference.
    fn infer<S: Spec>(&self, Infer { x, y, ctx, .. }: Infer<'_>) {
        let InferCtx { scratch, lengths, mut state, .. } = ctx;
        let (weight, scratch) = self.normalise(scratch);
        let (x, bias, steps) = (x[0], self.bias(), Self::Conv::steps::<S>(&lengths));
        Self::Conv::infer_chunks(Chunks { weight, bias, steps, x, y, state: &mut state, scratch });
    }
}

/// The weights of one layer.
pub(super) struct Normalised<'a, C> {
    /// The weights before normalisation, `[KH * KW * CG, F]`.
    pub(super) weight: &'a [f32],
    /// One for each output channel, or none.
    pub(super) bias: &'a [f32],
    /// One for each output channel.
    pub(super) gain: &'a [f32],
    pub(super) convolution: PhantomData<C>,
}

impl<C: GainConvolution> Normalised<'_, C> {
    /// The weights are normalised as an image is by `InstanceNorm`, with one group for each channel. Without the mean, the
    /// standard deviation is `||w|| / sqrt(count)`.
    const NORM: GroupNorm = {
        let filters = C::GEOMETRY.filters;
        let (eps, centred) = match C::NORMALISATION {
            Normalisation::Norm => (0.0, false),
            Normalisation::Standardised { eps } => (eps, true),
        };
        GroupNorm { channels: filters, groups: filters, eps, centred }
    };

    /// `1 / sqrt(count)`.
    fn inverse_sqrt_count(&self) -> f32 {
        let count = self.weight.len() / self.gain.len();
        1.0 / (count as f32).sqrt()
    }
}

impl<C: GainConvolution> NormalisedWeights for Normalised<'_, C> {
    type Conv = C;
    /// The weights of the convolution; of each output channel mean and inverse standard deviation; of each output channel
    /// `gain / sqrt(count)`.
    const COMPUTED: usize = Self::WEIGHTS + 3 * C::GEOMETRY.filters;
    const WORK: usize = Self::NORM.scratch_len();

    fn bias(&self) -> &[f32] {
        self.bias
    }

    fn normalise<'m>(&self, memory: &'m mut [f32]) -> (&'m [f32], &'m mut [f32]) {
        let (computed, rest) = memory.split_at_mut(Self::COMPUTED);
        let (y, statistics) = computed.split_at_mut(Self::WEIGHTS);
        let (saved, scale) = statistics.split_at_mut(2 * self.gain.len());
        let factor = self.inverse_sqrt_count();
        for (scale, gain) in scale.iter_mut().zip(self.gain) {
            *scale = gain * factor;
        }
        let call = GroupNormForward {
            x: self.weight,
            weight: scale,
            bias: &[],
            y: &mut *y,
            saved,
            scratch: &mut *rest,
        };
        const { Self::NORM }.forward(call);
        (y, rest)
    }
}

#[cfg(feature = "train")]
impl<C: NormalisedConvolution> TrainConvolution for C {
    // The backward pass of the normalisation needs the gradient of the whole weight, in each shard.
    const FEW_WEIGHTS: bool = true;
}

/// The training of [`NormalisedWeights`].
#[cfg(feature = "train")]
pub(super) trait TrainNormalisedWeights: NormalisedWeights {
    /// Elements in which [`Self::normalise_backward`] works.
    const BACKWARD_WORK: usize;
    /// The [`Self::COMPUTED`] elements, then the flipped and transposed weights of the convolution, in whose place the
    /// normalisation has worked.
    const PREPARED: usize = Self::COMPUTED + larger(Self::WEIGHTS, Self::WORK);
    /// What the convolution or the backward pass of the normalisation needs.
    const TRAIN_SCRATCH: usize =
        larger(<Self::Conv as TrainConvolution>::TRAIN_SCRATCH, Self::BACKWARD_WORK);

    /// The backward pass of [`Self::normalise`]: replaces the gradient of the convolution's weights, `d_weight`, by that of
    /// the weights, and writes that of what comes after the bias, `d_rest`.
    fn normalise_backward(
        &self,
        computed: &[f32],
        d_weight: &mut [f32],
        d_rest: &mut [f32],
        scratch: &mut [f32],
    );

    /// Computes the weights of the convolution, once per training step.
    fn prepare(&self, prepared: &mut [f32]) {
        let (weight, rest) = self.normalise(prepared);
        Self::Conv::prepare(weight, &mut rest[..Self::WEIGHTS]);
    }

    /// The forward pass of one shard.
    fn forward<S: Spec>(&self, call: Forward<'_>) {
        let TrainCtx { prepared, lengths, .. } = call.ctx;
        let steps = Self::Conv::steps::<S>(&lengths);
        Self::Conv::forward(&prepared[..Self::WEIGHTS], self.bias(), steps, call);
    }

    /// The backward pass of one shard. Its sums are the gradients of the weights, the bias and what comes after it.
    fn backward<S: Spec>(&self, call: Backward<'_, '_>) {
        let Backward { pass, phase, x, y, d_y, d_x, ctx } = call;
        let TrainCtx { scratch, shard_sums, prepared, lengths, .. } = ctx;
        let (d_convolution, d_rest) = shard_sums.split_at_mut(Self::WEIGHTS + Self::Conv::BIAS);
        let (computed, flipped) = prepared.split_at(Self::COMPUTED);
        let ctx = TrainCtx {
            scratch: &mut *scratch,
            shard_sums: &mut *d_convolution,
            prepared: &flipped[..Self::WEIGHTS],
            ..ctx
        };
        // Writes the gradient of the convolution's weights, in whose place that of the weights is written then.
        let convolution = Backward { pass, phase, x, y, d_y, d_x, ctx };
        Self::Conv::backward(Self::Conv::steps::<S>(&lengths), convolution);
        if pass.trains_weights() {
            let d_weight = &mut d_convolution[..Self::WEIGHTS];
            self.normalise_backward(computed, d_weight, d_rest, scratch);
        }
    }
}

#[cfg(feature = "train")]
impl<C: GainConvolution> Normalised<'_, C> {
    /// The gain of a new layer: 1, or the norm of its weights, which are then those of the convolution.
    pub(super) fn initial_gain(weight: &[f32], gain: &mut [f32]) {
        let Normalisation::Norm = C::NORMALISATION else { return gain.fill(1.0) };
        let mut squares = vec![0.0; gain.len()];
        for row in weight.chunks_exact(gain.len()) {
            squares.iter_mut().zip(row).for_each(|(sum, w)| *sum += f64::from(*w).powi(2));
        }
        gain.iter_mut().zip(squares).for_each(|(gain, sum)| *gain = sum.sqrt() as f32);
    }
}

#[cfg(feature = "train")]
impl<C: GainConvolution> TrainNormalisedWeights for Normalised<'_, C> {
    /// A copy of the gradient, an unused gradient of a bias, and what the kernel needs.
    const BACKWARD_WORK: usize = Self::WEIGHTS + C::GEOMETRY.filters + Self::WORK;

    fn normalise_backward(
        &self,
        computed: &[f32],
        d_weight: &mut [f32],
        d_gain: &mut [f32],
        scratch: &mut [f32],
    ) {
        let (saved, scale) = computed[Self::WEIGHTS..].split_at(2 * d_gain.len());
        let (d_y, rest) = scratch.split_at_mut(Self::WEIGHTS);
        let (d_bias, scratch) = rest.split_at_mut(d_gain.len());
        d_y.copy_from_slice(d_weight);
        d_gain.fill(0.0);
        const { Self::NORM }.backward(GroupNormBackward {
            x: self.weight,
            weight: scale,
            saved,
            d_y,
            d_x: Some(d_weight),
            d_weight: &mut *d_gain,
            d_bias,
            scratch,
        });
        let factor = self.inverse_sqrt_count();
        d_gain.iter_mut().for_each(|d_gain| *d_gain *= factor);
    }
}

/// The larger of two sizes.
const fn larger(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// Makes a struct with the fields `weight`, `bias` and `gain` a layer with normalised weights. `$Conv<S>` is its
/// [`NormalisedConvolution`]. The generic parameters have their bounds in front: `[const F: usize] Layer<F>`.
macro_rules! normalised_node {
    ([$($parameters:tt)*] $Layer:ty, $Arguments:ty, $Conv:ident) => {
        // SAFETY: `repr(C)`, arrays of `f32` only.
        unsafe impl<$($parameters)*> $crate::types::Weights for $Layer {}

        const _: () = {
            use $crate::contract::{Infer, Node, Spec};
            use $crate::layers::convolution::Convolution;
            use $crate::layers::normalised::{Normalised, NormalisedWeights};
            #[cfg(feature = "train")]
            use $crate::layers::normalised::TrainNormalisedWeights;
            use $crate::types::{WeightSlice, Weights};

            impl<$($parameters)*> $Layer {
                fn normalised<S>(&self) -> Normalised<'_, $Conv<S>> {
                    Normalised {
                        weight: self.weight.as_floats(),
                        bias: &self.bias,
                        gain: &self.gain,
                        convolution: core::marker::PhantomData,
                    }
                }
            }

            impl<S: Spec<Arguments = $Arguments>, $($parameters)*> Node<S> for $Layer {
                const SCRATCH: usize = Normalised::<$Conv<S>>::SCRATCH;
                const STATE: usize = $Conv::<S>::STATE;

                #[cfg(feature = "std")]
                fn file_tensors(order: &$crate::types::LayerOrder) -> Vec<$crate::types::Tensor> {
                    $crate::types::layer_tensors(order, &|sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
                }

                fn infer(&self, call: Infer<'_>) {
                    self.normalised::<S>().infer::<S>(call);
                }
            }

            #[cfg(feature = "train")]
            impl<S: Spec<Arguments = $Arguments>, $($parameters)*> $crate::contract::TrainNode<S>
                for $Layer
            {
                /// The gradient of all weights.
                const SHARD_SUMS: usize = Self::LEN;
                const PREPARED: usize = Normalised::<$Conv<S>>::PREPARED;
                const TRAIN_SCRATCH: usize = Normalised::<$Conv<S>>::TRAIN_SCRATCH;
                /// The state with which a sample begins.
                const SAVED: usize = $Conv::<S>::STATE;

                fn initialise(&mut self, key: $crate::system::RngKey) {
                    let fan_in = self.weight.as_floats().len() / self.gain.len();
                    let weight = self.weight.as_floats_mut();
                    $crate::init::fan_in_uniform(weight, &mut self.bias, fan_in, key);
                    Normalised::<$Conv<S>>::initial_gain(weight, &mut self.gain);
                }

                fn prepare(&self, prepared: &mut [f32]) {
                    self.normalised::<S>().prepare(prepared);
                }

                fn forward_shard(&self, call: $crate::contract::Forward<'_>) {
                    self.normalised::<S>().forward::<S>(call);
                }

                fn backward_shard(&self, call: $crate::contract::Backward<'_, '_>) {
                    self.normalised::<S>().backward::<S>(call);
                }
            }
        };
    };
}

pub(super) use normalised_node;

#[cfg(test)]
pub(crate) mod testing {
    use crate::contract::{Spec, TrainNode};
    use crate::system::RngKey;

    /// The norm of the weights of each of `channels` output channels, in `f64`.
    fn norms(weight: &[f32], channels: usize) -> Vec<f64> {
        let squares =
            |channel| weight.iter().skip(channel).step_by(channels).map(|w| f64::from(*w).powi(2));
        (0..channels).map(|channel| squares(channel).sum::<f64>().sqrt()).collect()
    }

    /// The definition of weight normalisation: `g * v / ||v||`.
    pub(crate) fn normalise(v: &[f32], g: &[f32]) -> Vec<f32> {
        let norms = norms(v, g.len());
        let rows = v.chunks_exact(g.len());
        let normalised = |row: &[f32], channel: usize| {
            f64::from(g[channel]) * f64::from(row[channel]) / norms[channel]
        };
        rows.flat_map(|row| (0..g.len()).map(move |channel| (row, channel)))
            .map(|(row, channel)| normalised(row, channel) as f32)
            .collect()
    }

    /// Checks that the gain of a new layer, after `gain` elements, is the norm of its weights, the first `weights` elements.
    #[track_caller]
    pub(crate) fn check_initial_norm<S: Spec, T: TrainNode<S>>(weights: usize, gain: usize) {
        let mut layer = T::zeros();
        layer.initialise(RngKey::new(3));
        let gain = &layer.as_floats()[gain..];
        for (gain, norm) in gain.iter().zip(norms(&layer.as_floats()[..weights], gain.len())) {
            assert!(norm > 0.0 && (f64::from(*gain) - norm).abs() < 1e-6 * norm, "{gain} {norm}");
        }
    }
}
