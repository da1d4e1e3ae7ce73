//! [`Spectral`]: what the layers with spectral normalisation share.

#[cfg(feature = "train")]
use super::normalised::TrainNormalisedWeights;
use super::normalised::{NormalisedConvolution, NormalisedWeights};
use crate::kernels::{self, DenseArgs, Isa};
#[cfg(feature = "train")]
use crate::{init, system::RngKey};
use core::marker::PhantomData;

/// The weights of one layer. As a matrix, `W` has a row for each output channel.
pub(super) struct Spectral<'a, C> {
    /// The weights before normalisation, `[KH * KW * CG, F]`: the transpose of `W`.
    pub(super) weight: &'a [f32],
    /// One for each output channel, or none.
    pub(super) bias: &'a [f32],
    /// Approximates the left singular vector of the largest singular value, `[F]`.
    pub(super) u: &'a [f32],
    /// Approximates the right one, `[CG * KH * KW]`.
    pub(super) v: &'a [f32],
    pub(super) convolution: PhantomData<C>,
}

impl<C: NormalisedConvolution> Spectral<'_, C> {
    /// Weights of one output channel.
    const ROWS: usize = C::GEOMETRY.taps() * C::GEOMETRY.group_channels();

    /// The indices in `v` of the rows of the weights.
    fn order() -> impl Iterator<Item = usize> {
        let (taps, channels) = const { (C::GEOMETRY.taps(), C::GEOMETRY.group_channels()) };
        (0..taps).flat_map(move |tap| (0..channels).map(move |channel| channel * taps + tap))
    }

    /// Copies `v` in the order of the rows of the weights.
    fn copy_to_rows(v: &[f32], rows: &mut [f32]) {
        rows.iter_mut().zip(Self::order()).for_each(|(row, index)| *row = v[index]);
    }

    /// `W v`
    fn product(weight: &[f32], rows: &[f32], y: &mut [f32]) {
        let (inputs, units) = (rows.len(), y.len());
        kernels::dense(Isa::best(), DenseArgs { inputs, units, x: rows, weight, bias: &[], y });
    }
}

/// The parts of what [`Spectral::normalise`] computes, after the weights of the convolution.
struct Computed<'m> {
    /// `v`, in the order of the rows of the weights.
    rows: &'m [f32],
    /// `u`
    u: &'m [f32],
    /// `u . W v`
    sigma: f32,
}

impl<C: NormalisedConvolution> NormalisedWeights for Spectral<'_, C> {
    type Conv = C;
    const COMPUTED: usize = Self::WEIGHTS + Self::ROWS + C::GEOMETRY.filters + 1;
    const WORK: usize = 0;

    fn bias(&self) -> &[f32] {
        self.bias
    }

    fn normalise<'m>(&self, memory: &'m mut [f32]) -> (&'m [f32], &'m mut [f32]) {
        let (computed, rest) = memory.split_at_mut(Self::COMPUTED);
        let (weight, vectors) = computed.split_at_mut(Self::WEIGHTS);
        let (rows, vectors) = vectors.split_at_mut(Self::ROWS);
        let (u, sigma) = vectors.split_at_mut(self.u.len());
        Self::copy_to_rows(self.v, rows);
        Self::product(self.weight, rows, u);
        sigma[0] = dot(self.u, u);
        u.copy_from_slice(self.u);
        weight.iter_mut().zip(self.weight).for_each(|(y, w)| *y = w / sigma[0]);
        (weight, rest)
    }
}

#[cfg(feature = "train")]
impl<C: NormalisedConvolution> Spectral<'_, C> {
    /// Power iterations of a new layer.
    const INITIAL_ITERATIONS: usize = 15;

    /// Writes `u` and `v` of a new layer with these weights.
    pub(super) fn initialise(weight: &[f32], u: &mut [f32], v: &mut [f32], key: RngKey) {
        for (vector, name) in [(&mut *u, "u"), (&mut *v, "v")] {
            init::normal(vector, key.fold_in(RngKey::hash(name)));
            to_unit_length(vector);
        }
        let mut rows = vec![0.0; v.len()];
        for _ in 0..Self::INITIAL_ITERATIONS {
            Self::iterate(weight, u, v, &mut rows);
        }
    }

    /// One power iteration: `u = W v` and `v = Wᵀ u`, divided by their norms. Works in the first elements of `memory`.
    pub(super) fn iterate(weight: &[f32], u: &mut [f32], v: &mut [f32], memory: &mut [f32]) {
        let rows = &mut memory[..Self::ROWS];
        Self::copy_to_rows(v, rows);
        Self::product(weight, rows, u);
        to_unit_length(u);
        let (inputs, units) = (u.len(), rows.len());
        let args = DenseArgs { inputs, units, x: u, weight, bias: &[], y: &mut *rows };
        kernels::dense_transposed(Isa::best(), args);
        to_unit_length(rows);
        rows.iter().zip(Self::order()).for_each(|(row, index)| v[index] = *row);
    }

    /// What [`Self::normalise`] has computed.
    fn computed(computed: &[f32]) -> Computed<'_> {
        let (rows, vectors) = computed[Self::WEIGHTS..].split_at(Self::ROWS);
        let (u, sigma) = vectors.split_at(const { C::GEOMETRY.filters });
        Computed { rows, u, sigma: sigma[0] }
    }
}

#[cfg(feature = "train")]
impl<C: NormalisedConvolution> TrainNormalisedWeights for Spectral<'_, C> {
    const BACKWARD_WORK: usize = 0;

    /// `u` and `v` are constants, and are not trained.
    fn normalise_backward(
        &self,
        computed: &[f32],
        d_weight: &mut [f32],
        d_rest: &mut [f32],
        _scratch: &mut [f32],
    ) {
        let Computed { rows, u, sigma } = Self::computed(computed);
        let d_sigma = -dot(d_weight, &computed[..Self::WEIGHTS]) / sigma;
        for (d_weight, row) in d_weight.chunks_exact_mut(u.len()).zip(rows) {
            let factor = d_sigma * row;
            d_weight.iter_mut().zip(u).for_each(|(d, u)| *d = *d / sigma + factor * u);
        }
        d_rest.fill(0.0);
    }
}

/// The sum of the products of the elements.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sum = [0.0];
    let (x, weight, y) = (a, b, &mut sum[..]);
    let args = DenseArgs { inputs: a.len(), units: 1, x, weight, bias: &[], y };
    kernels::dense_transposed(Isa::best(), args);
    sum[0]
}

/// Divides a vector by its norm, or by 1e-12 if that is larger.
#[cfg(feature = "train")]
fn to_unit_length(vector: &mut [f32]) {
    let squares = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
    let norm = squares.sqrt().max(1e-12);
    vector.iter_mut().for_each(|x| *x = (f64::from(*x) / norm) as f32);
}

/// Makes a struct with the fields `weight`, `bias`, `u` and `v` a layer with spectral normalisation. `$Conv<S>` is its
/// [`NormalisedConvolution`]. The generic parameters have their bounds in front: `[const F: usize] Layer<F>`.
macro_rules! spectral_node {
    ([$($parameters:tt)*] $Layer:ty, $Arguments:ty, $Conv:ident) => {
        // SAFETY: `repr(C)`, arrays of `f32` only.
        unsafe impl<$($parameters)*> $crate::types::Weights for $Layer {}

        const _: () = {
            use $crate::contract::{Infer, Node, Spec};
            use $crate::layers::convolution::Convolution;
            use $crate::layers::normalised::NormalisedWeights;
            #[cfg(feature = "train")]
            use $crate::layers::normalised::TrainNormalisedWeights;
            use $crate::layers::spectral::Spectral;
            use $crate::types::{WeightSlice, Weights};

            impl<$($parameters)*> $Layer {
                fn spectral<S>(&self) -> Spectral<'_, $Conv<S>> {
                    Spectral {
                        weight: self.weight.as_floats(),
                        bias: &self.bias,
                        u: &self.u,
                        v: self.v.as_floats(),
                        convolution: core::marker::PhantomData,
                    }
                }
            }

            impl<S: Spec<Arguments = $Arguments>, $($parameters)*> Node<S> for $Layer {
                const SCRATCH: usize = Spectral::<$Conv<S>>::SCRATCH;
                const STATE: usize = $Conv::<S>::STATE;

                #[cfg(feature = "std")]
                fn file_tensors(order: &$crate::types::LayerOrder) -> Vec<$crate::types::Tensor> {
                    $crate::types::layer_tensors(order, &|sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
                }

                fn infer(&self, call: Infer<'_>) {
                    self.spectral::<S>().infer::<S>(call);
                }
            }

            #[cfg(feature = "train")]
            impl<S: Spec<Arguments = $Arguments>, $($parameters)*> $crate::contract::TrainNode<S>
                for $Layer
            {
                /// Between them is the power iteration. All else is in the second one.
                const PHASES: usize = 2;
                /// The gradient of all weights.
                const SHARD_SUMS: usize = Self::LEN;
                const PREPARED: usize = Spectral::<$Conv<S>>::PREPARED;
                const TRAIN_SCRATCH: usize = Spectral::<$Conv<S>>::TRAIN_SCRATCH;
                /// The state with which a sample begins.
                const SAVED: usize = $Conv::<S>::STATE;

                fn initialise(&mut self, key: $crate::system::RngKey) {
                    let fan_in = self.v.as_floats().len();
                    let weight = self.weight.as_floats_mut();
                    $crate::init::fan_in_uniform(weight, &mut self.bias, fan_in, key);
                    let v = self.v.as_floats_mut();
                    Spectral::<$Conv<S>>::initialise(weight, &mut self.u, v, key);
                }

                /// The weights of inference. In training those after the power iteration take their place, unless the layer is
                /// frozen.
                fn prepare(&self, prepared: &mut [f32]) {
                    self.spectral::<S>().prepare(prepared);
                }

                fn forward_shard(&self, call: $crate::contract::Forward<'_>) {
                    if call.phase == 1 {
                        self.spectral::<S>().forward::<S>(call);
                    }
                }

                fn combine_forward(
                    &mut self,
                    _phase: usize,
                    _shards: $crate::memory::Shards<'_>,
                    prepared: &mut [f32],
                ) {
                    let (weight, v) = (self.weight.as_floats(), self.v.as_floats_mut());
                    Spectral::<$Conv<S>>::iterate(weight, &mut self.u, v, prepared);
                    self.spectral::<S>().prepare(prepared);
                }

                fn backward_shard(&self, call: $crate::contract::Backward<'_, '_>) {
                    if call.phase == 0 {
                        self.spectral::<S>().backward::<S>(call);
                    }
                }
            }
        };
    };
}

pub(super) use spectral_node;

#[cfg(test)]
pub(crate) mod testing {
    use crate::contract::{Spec, TrainNode};
    use crate::layers::testing::Trial;

    /// A layer after one training step, by the definition.
    pub(crate) struct Naive {
        pub(crate) u: Vec<f64>,
        /// `v`, in the order of the rows of the weights.
        pub(crate) rows: Vec<f64>,
        pub(crate) sigma: f64,
        /// The weights of the convolution.
        pub(crate) weight: Vec<f32>,
    }

    /// One power iteration from `rows`, and the weights after it.
    pub(crate) fn naive(weight: &[f32], rows: &[f64], outputs: usize) -> Naive {
        let matrix: Vec<&[f32]> = weight.chunks_exact(outputs).collect();
        let product = |output: usize, rows: &[f64]| -> f64 {
            matrix.iter().zip(rows).map(|(row, v)| f64::from(row[output]) * v).sum()
        };
        let u = unit((0..outputs).map(|output| product(output, rows)).collect());
        let transposed = |row: &&[f32]| row.iter().zip(&u).map(|(w, u)| f64::from(*w) * u).sum();
        let rows = unit(matrix.iter().map(transposed).collect());
        let sigma = u.iter().enumerate().map(|(output, u)| u * product(output, &rows)).sum();
        let weight = weight.iter().map(|w| (f64::from(*w) / sigma) as f32).collect();
        Naive { u, rows, sigma, weight }
    }

    fn unit(vector: Vec<f64>) -> Vec<f64> {
        let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        vector.into_iter().map(|x| x / norm).collect()
    }

    pub(crate) fn doubles(values: &[f32]) -> Vec<f64> {
        values.iter().map(|value| f64::from(*value)).collect()
    }

    #[track_caller]
    pub(crate) fn check_close(what: &str, found: &[f32], expected: &[f64]) {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (found, expected) in found.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 2e-6, "{what}: {found} {expected}");
        }
    }

    /// A trial in which `u` and `v` have become singular vectors. There `sigma` does not change with them to first order, so
    /// that finite differences, which include the power iteration, have the gradient that leaves it out.
    pub(crate) fn converged<S: Spec, T: TrainNode<S>>() -> Trial<S, T> {
        let mut trial = Trial::random().with_step(1e-2, 1e-3);
        (0..1000).for_each(|_| drop(trial.train()));
        trial
    }
}
