//! What `RNN`, `LSTM` and `GRU` share: from a [`Stack`](crate::kernels::recurrent::Stack) to a node.

#[cfg(feature = "train")]
use crate::contract::Pass;
use crate::kernels::recurrent::Stack;
use crate::layers::dropout;
use crate::system::RngKey;
#[cfg(feature = "std")]
use crate::types::{Axis, Tensor};
use unrolled_shape::Shape;
use unrolled_shape::rules::recurrent::CellWeights;

/// Makes `$Name` a node; `$cell` is the [`Cell`](crate::kernels::recurrent::Cell) of arguments
/// `$arguments`.
macro_rules! recurrent_layer {
    ($(#[$meta:meta])* $Name:ident, $Arguments:ty, |$arguments:ident| $cell:expr) => {
        $(#[$meta])*
        #[repr(C)]
        pub struct $Name<const WEIGHTS: usize> {
            /// All weights, layer by layer, and of each layer direction by direction: the matrix of the
            /// input `[inputs, gates * units]`, that of the state `[units, gates * units]`, both
            /// transposes of PyTorch's, and their biases. Files have them under PyTorch's names.
            pub weights: [f32; WEIGHTS],
        }

        // SAFETY: `repr(C)`, an array of `f32` alone.
        unsafe impl<const WEIGHTS: usize> $crate::types::Weights for $Name<WEIGHTS> {}

        impl<const WEIGHTS: usize> $Name<WEIGHTS> {
            const fn stack<S: $crate::contract::Spec<Arguments = $Arguments>>() -> $crate::kernels::recurrent::Stack {
                let $arguments = S::ARGUMENTS;
                $crate::kernels::recurrent::Stack {
                    cell: $cell,
                    sizes: $arguments.sizes(S::INPUT),
                    steps: S::INPUT.dim(0),
                    last: matches!(
                        $arguments.output,
                        unrolled_shape::rules::recurrent::Output::Last
                    ),
                    dropout: $arguments.dropout,
                }
            }
        }

        impl<S, const WEIGHTS: usize> $crate::contract::Node<S> for $Name<WEIGHTS>
        where
            S: $crate::contract::Spec<Arguments = $Arguments>,
        {
            const SHARD: usize = Self::stack::<S>().shard();
            const WORKSPACE: usize = Self::stack::<S>().work();
            const STEP_WORKSPACE: usize = Self::stack::<S>().step_work();
            const SCRATCH: usize = Self::stack::<S>().scratch();
            const STATE: usize = Self::stack::<S>().state();

            #[cfg(feature = "std")]
            fn tensors() -> Vec<$crate::types::Tensor> {
                $crate::layers::recurrent::tensors(&Self::stack::<S>(), S::FEATURES)
            }

            fn infer(&self, $crate::contract::Infer { x, y, ctx, .. }: $crate::contract::Infer<'_>) {
                let stack = const { &Self::stack::<S>() };
                let $crate::memory::InferCtx { workspace, scratch, lengths, state, .. } = ctx;
                let lengths = lengths.of::<S>(0);
                stack.infer(&self.weights, lengths, x[0], y, state, workspace, scratch);
            }
        }

        /// Each shard adds up its gradients in [`TrainCtx::partial`](crate::TrainCtx::partial).
        #[cfg(feature = "train")]
        impl<S, const WEIGHTS: usize> $crate::contract::TrainNode<S> for $Name<WEIGHTS>
        where
            S: $crate::contract::Spec<Arguments = $Arguments>,
        {
            const SAVED: usize = Self::stack::<S>().saved();
            const SHARD_SUMS: usize = WEIGHTS;
            /// The matrices turned, for backward.
            const PREPARED: usize = WEIGHTS;

            fn initialise(&mut self, key: $crate::system::RngKey) {
                let bound = 1.0 / (S::ARGUMENTS.units as f32).sqrt();
                $crate::init::uniform(&mut self.weights, bound, key);
            }

            fn prepare(&self, prepared: &mut [f32]) {
                const { &Self::stack::<S>() }.turn(&self.weights, prepared);
            }

            fn forward(&self, $crate::contract::Forward { pass, x, y, ctx, .. }: $crate::contract::Forward<'_>) {
                let stack = const { &Self::stack::<S>() };
                let $crate::memory::TrainCtx { saved, scratch, lengths, state, .. } = ctx;
                let lengths = lengths.of::<S>(0);
                let drop = $crate::layers::recurrent::dropping(stack, pass);
                stack.forward(&self.weights, lengths, x[0], y, state, saved, scratch, drop);
            }

            fn backward(&self, $crate::contract::Backward { pass, x, d_y, d_x, ctx, .. }: $crate::contract::Backward<'_, '_>) {
                let stack = const { &Self::stack::<S>() };
                let $crate::memory::TrainCtx { saved, shard_sums, prepared, lengths, .. } = ctx;
                let lengths = lengths.of::<S>(0);
                let drop = $crate::layers::recurrent::dropping(stack, pass);
                let d_x = d_x[0].as_deref_mut();
                stack.backward(prepared, lengths, x[0], d_y, d_x, shard_sums, saved, drop);
            }
        }

        impl<S, const WEIGHTS: usize> $crate::contract::Streaming<S> for $Name<WEIGHTS>
        where
            S: $crate::contract::Spec<Arguments = $Arguments>,
        {
            #[inline(always)]
            fn step<I: $crate::kernels::Instructions>(&self, isa: I, $crate::contract::Infer { x, y, ctx, .. }: $crate::contract::Infer<'_>) {
                let stack = const { &Self::stack::<S>() };
                let $crate::memory::InferCtx { workspace, scratch, mut state, .. } = ctx;
                let state = state.sample(0);
                if I::INLINE {
                    stack.step_as(isa, &self.weights, x[0], y, state, workspace, scratch);
                } else {
                    stack.step(&self.weights, x[0], y, state, workspace, scratch);
                }
            }
        }
    };
}

pub(crate) use recurrent_layer;

/// PyTorch's names: `weight_ih_l0`, `bias_hh_l1_reverse`.
#[cfg(feature = "std")]
pub(crate) fn tensors(stack: &Stack, features: &'static [Shape]) -> Vec<Tensor> {
    let sizes = stack.sizes;
    let columns = sizes.columns();
    let mut tensors = Vec::new();
    for layer in 0..sizes.layers {
        for (direction, suffix) in ["", "_reverse"].into_iter().take(sizes.directions).enumerate() {
            let CellWeights { inputs, weight_ih, weight_hh, bias_ih, bias_hh, .. } =
                sizes.cell(layer, direction);
            let mut add = |name: &str, offset, input: Option<Axis>| {
                let axes = [Some(Axis::plain(columns, 1)), input].into_iter().flatten().collect();
                tensors.push(Tensor::new(format!("{name}_l{layer}{suffix}"), offset, axes));
            };
            let features = if layer == 0 { features } else { &[] };
            add("weight_ih", weight_ih, Some(Axis { len: inputs, stride: columns, features }));
            add("weight_hh", weight_hh, Some(Axis::plain(sizes.units, columns)));
            if sizes.bias {
                add("bias_ih", bias_ih, None);
                add("bias_hh", bias_hh, None);
            }
        }
    }
    tensors
}

/// Dropout of what one layer gives to the next, the same forward and backward.
#[cfg(feature = "train")]
pub(crate) fn dropping(stack: &Stack, pass: &Pass) -> impl Fn(usize, &mut [f32]) {
    let (p, sample_len, pass) = (stack.dropout, stack.steps * stack.sizes.width(), *pass);
    move |layer, values| {
        let key = pass.key.fold_in(RngKey::hash("dropout")).fold_in(layer as u64);
        dropout::drop(p, &Pass { key, ..pass }, sample_len, values);
    }
}

#[cfg(test)]
pub(crate) mod testing {
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

    /// A trial with sequences of different lengths, one of them empty, that begin with a state.
    pub(crate) fn ragged<S: Spec, T: TrainNode<S>>() -> Trial<S, T> {
        let mut trial = trial::<S, T>();
        trial.capacity = 3;
        trial.lengths = vec![1, 3, 2, 0, 3];
        trial.state = random(trial.batch * T::STATE, 9);
        trial
    }

    /// Checks that samples of a ragged batch give the bits that they give alone, that what lies behind
    /// their ends does not matter, and that nothing comes out there.
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
            alone.x = vec![part(&all.x[0], sample, S::IN)];
            let valid = length as usize * S::IN / steps;
            alone.x[0][valid..].fill(f32::NAN);
            let Outcome { y, d_x, state, .. } = alone.train();
            assert_eq!(y, part(&together.y, sample, S::OUT), "sample {sample}");
            assert_eq!(state, part(&together.state, sample, T::STATE), "sample {sample}");
            assert_eq!(d_x[0], part(&together.d_x[0], sample, S::IN), "sample {sample}");
            assert!(d_x[0][valid..].iter().all(|d| *d == 0.0), "sample {sample}");
        }
    }

    fn part(all: &[f32], sample: usize, len: usize) -> Vec<f32> {
        all[sample * len..(sample + 1) * len].to_vec()
    }
}
