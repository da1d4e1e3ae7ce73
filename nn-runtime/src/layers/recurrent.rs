//! What [`RNN`](super::RNN), [`LSTM`](super::LSTM) and [`GRU`](super::GRU) share.

#[cfg(feature = "train")]
use super::dropout;
#[cfg(feature = "train")]
use crate::contract::Pass;
#[cfg(feature = "train")]
use crate::kernels::recurrent::Stack;
#[cfg(feature = "train")]
use crate::system::RngKey;

/// Defines the layer `$Name`; `$cell` is the [`Cell`](crate::kernels::recurrent::Cell) for the arguments `$arguments`.
macro_rules! recurrent_layer {
    ($(#[$meta:meta])* $Name:ident, $Arguments:ty, |$arguments:ident| $cell:expr) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[repr(C)]
        pub struct $Name<const WEIGHTS: usize> {
            /// All weights, layer by layer, and within a layer direction by direction: the matrix of the input
            /// `[inputs, gates * units]`, the matrix of the state `[outputs, gates * units]`, both transposes of
            /// PyTorch's, their biases, and the transpose of an LSTM's projection. Files contain them under PyTorch's
            /// names.
            pub weights: [f32; WEIGHTS],
        }

        // SAFETY: `repr(C)`, an array of `f32` only.
        unsafe impl<const WEIGHTS: usize> $crate::types::Weights for $Name<WEIGHTS> {}

        const _: () = {
            use $crate::contract::{Infer, Node, Spec, Streaming};
            use $crate::kernels::{Instructions, recurrent::{ConstStack, Stack, StackStep}};
            use $crate::memory::InferCtx;

            /// The stack of the node `S`.
            struct StackOf<S>(core::marker::PhantomData<S>);

            impl<S: Spec<Arguments = $Arguments>> ConstStack for StackOf<S> {
                const STACK: Stack = {
                    let $arguments = S::ARGUMENTS;
                    Stack {
                        cell: $cell,
                        sizes: $arguments.sizes(S::INPUT),
                        steps: S::INPUT.dim(0),
                        last: matches!(
                            $arguments.output,
                            unrolled_shape::rules::recurrent::Output::Last
                        ),
                        dropout: $arguments.dropout,
                    }
                };
            }

            impl<S, const WEIGHTS: usize> Node<S> for $Name<WEIGHTS>
            where
                S: Spec<Arguments = $Arguments>,
            {
                const SHARD: usize = StackOf::<S>::STACK.shard();
                const WORKSPACE: usize = StackOf::<S>::STACK.workspace();
                const STEP_WORKSPACE: usize = StackOf::<S>::STACK.step_workspace();
                /// Both biases as one, and the matrix of the state in panels; training needs the same.
                const SCRATCH: usize = StackOf::<S>::STACK.scratch();
                /// The hidden states of all cells, then the cell states of an LSTM; none if values are given that they
                /// begin with.
                const STATE: usize = match S::ARGUMENTS.initial() {
                    [None, None] => StackOf::<S>::STACK.state(),
                    _ => 0,
                };

                #[cfg(feature = "std")]
                fn file_tensors(order: &$crate::types::LayerOrder) -> Vec<$crate::types::Tensor> {
                    $crate::types::layer_tensors(order, &|sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
                }

                fn infer(&self, Infer { x, y, ctx, .. }: Infer<'_>) {
                    let stack = const { &StackOf::<S>::STACK };
                    let InferCtx { workspace, scratch, lengths, state, .. } = ctx;
                    let lengths = lengths.of::<S>(0);
                    stack.infer($crate::kernels::recurrent::StackForward {
                    weights: &self.weights,
                    lengths,
                    x: x[0],
                    y,
                    initial: S::ARGUMENTS.initial().map(|nth| nth.map(|nth| x[nth])),
                    state,
                    memory: workspace,
                    scratch,
                });
                }
            }

            impl<S, const WEIGHTS: usize> Streaming<S> for $Name<WEIGHTS>
            where
                S: Spec<Arguments = $Arguments>,
            {
                #[inline(always)]
                fn step<I: Instructions>(&self, isa: I, Infer { x, y, ctx, .. }: Infer<'_>) {
                    let InferCtx { workspace, scratch, mut state, .. } = ctx;
                    let state = state.sample(0);
                    let (weights, x) = (&self.weights, x[0]);
                    let call = StackStep { weights, x, y, state, workspace, scratch };
                    if I::INLINE {
                        Stack::step_inlined::<StackOf<S>, I>(isa, call);
                    } else {
                        const { &StackOf::<S>::STACK }.step(call);
                    }
                }
            }

            #[cfg(feature = "train")]
            impl<S, const WEIGHTS: usize> $crate::contract::TrainNode<S> for $Name<WEIGHTS>
            where
                S: Spec<Arguments = $Arguments>,
            {
                /// The values of all cells at all steps.
                const SAVED: usize = StackOf::<S>::STACK.saved();
                /// The gradient of the weights.
                const SHARD_SUMS: usize = WEIGHTS;
                /// The transposed matrices, for backward.
                const PREPARED: usize = WEIGHTS;

                fn initialise(&mut self, key: $crate::system::RngKey) {
                    // As in PyTorch, biases too.
                    let bound = 1.0 / (S::ARGUMENTS.units as f32).sqrt();
                    $crate::init::uniform(&mut self.weights, bound, key);
                }

                fn prepare(&self, prepared: &mut [f32]) {
                    const { &StackOf::<S>::STACK }.transpose(&self.weights, prepared);
                }

                fn forward_shard(&self, call: $crate::contract::Forward<'_>) {
                    let $crate::contract::Forward { pass, x, y, ctx, .. } = call;
                    let stack = const { &StackOf::<S>::STACK };
                    let $crate::memory::TrainCtx { saved, scratch, lengths, state, .. } = ctx;
                    let lengths = lengths.of::<S>(0);
                    let drop = $crate::layers::recurrent::dropout_between(stack, pass);
                    let call = $crate::kernels::recurrent::StackForward {
                    weights: &self.weights,
                    lengths,
                    x: x[0],
                    y,
                    initial: S::ARGUMENTS.initial().map(|nth| nth.map(|nth| x[nth])),
                    state,
                    memory: saved,
                    scratch,
                };
                stack.forward(call, drop);
                }

                fn backward_shard(&self, call: $crate::contract::Backward<'_, '_>) {
                    let $crate::contract::Backward { pass, x, d_y, d_x, ctx, .. } = call;
                    let stack = const { &StackOf::<S>::STACK };
                    let $crate::memory::TrainCtx { saved, shard_sums, prepared, lengths, .. } = ctx;
                    let d_weights = if pass.trains_weights() { shard_sums } else { &mut [] };
                    let lengths = lengths.of::<S>(0);
                    let drop = $crate::layers::recurrent::dropout_between(stack, pass);
                    let mut d_x = d_x.iter_mut().map(Option::as_deref_mut);
                    let first = d_x.next().flatten();
                    // The further inputs are those that are given, in this order.
                    let d_initial = S::ARGUMENTS
                        .initial()
                        .map(|nth| nth.and_then(|_| d_x.next().flatten()));
                    let call = $crate::kernels::recurrent::StackBackward {
                    transposed: prepared,
                    lengths,
                    x: x[0],
                    d_y,
                    d_x: first,
                    d_initial,
                    d_weights,
                    saved,
                };
                stack.backward(call, drop);
                }
            }
        };
    };
}

pub(super) use recurrent_layer;

/// Dropout between layers: a function that drops elements of the output of layer `layer`, the same ones in the forward
/// and the backward pass.
#[cfg(feature = "train")]
pub(super) fn dropout_between(stack: &Stack, pass: &Pass) -> impl Fn(usize, &mut [f32]) {
    let (p, sample_len, pass) = (stack.dropout, stack.steps * stack.sizes.width(), *pass);
    move |layer, values| {
        // Derived anew in each pass, so that no mask is stored.
        let key = pass.key.fold_in(RngKey::hash("dropout")).fold_in(layer as u64);
        dropout::apply(p, &Pass { key, ..pass }, sample_len, values);
    }
}

#[cfg(test)]
pub(super) mod testing {
    use crate::contract::{Spec, TrainNode};
    use crate::layers::testing::{Outcome, Trial, random};

    /// A trial with weights for which no gate is saturated.
    pub(crate) fn trial<S: Spec, T: TrainNode<S>>() -> Trial<S, T> {
        let mut trial = Trial::<S, T>::random().with_step(1e-2, 1e-3);
        for (w, random) in trial.node.as_floats_mut().iter_mut().zip(random(T::LEN, 7)) {
            *w = 0.7 * random;
        }
        trial
    }

    /// A trial with sequences of different lengths, one of them empty, which begin with a state.
    pub(crate) fn ragged<S: Spec, T: TrainNode<S>>() -> Trial<S, T> {
        let mut trial = trial::<S, T>();
        trial.capacity = 3;
        trial.lengths = vec![1, 3, 2, 0, 3];
        trial.state = random(trial.batch * T::STATE, 9);
        trial
    }

    /// Checks that each sample of a ragged batch has the bits that it has alone, that the input after its end is
    /// ignored, and that the input gradient is zero there.
    #[track_caller]
    pub(crate) fn check_ragged<S: Spec, T: TrainNode<S>>() {
        let mut all = ragged::<S, T>();
        let together = all.train();
        assert_eq!(all.infer(), together.y, "inference and training");
        let steps = S::INPUT.dim(0);
        for sample in 0..all.batch {
            let mut alone = ragged::<S, T>();
            let length = all.lengths[sample];
            alone.lengths = vec![length];
            (alone.batch, alone.capacity) = (1, 1);
            alone.state = part(&all.state, sample, T::STATE);
            alone.d_y = part(&all.d_y, sample, S::OUT);
            let lens = S::INPUTS.iter().map(|shape| shape.len());
            alone.x = all.x.iter().zip(lens.clone()).map(|(x, len)| part(x, sample, len)).collect();
            let valid = length as usize * S::IN / steps;
            alone.x[0][valid..].fill(f32::NAN);
            let Outcome { y, d_x, state, .. } = alone.train();
            assert_eq!(y, part(&together.y, sample, S::OUT), "sample {sample}");
            assert_eq!(state, part(&together.state, sample, T::STATE), "sample {sample}");
            for ((d_x, together), len) in d_x.iter().zip(&together.d_x).zip(lens) {
                assert_eq!(*d_x, part(together, sample, len), "sample {sample}");
            }
            assert!(d_x[0][valid..].iter().all(|d| *d == 0.0), "sample {sample}");
        }
    }

    fn part(all: &[f32], sample: usize, len: usize) -> Vec<f32> {
        all[sample * len..(sample + 1) * len].to_vec()
    }
}
