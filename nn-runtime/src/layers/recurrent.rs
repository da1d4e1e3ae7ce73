//! What `RNN`, `LSTM` and `GRU` share: from a [`Stack`](crate::kernels::recurrent::Stack) to a station.

use crate::kernels::recurrent::Stack;
use crate::layers::dropout;
use crate::{Axis, Pass, Streams, Tensor};
use nn_shape::Shape;
use nn_shape::rules::recurrent::CellWeights;

/// Makes `$Name` a station; `$cell` is the [`Cell`](crate::kernels::recurrent::Cell) of arguments
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
        unsafe impl<const WEIGHTS: usize> $crate::Weights for $Name<WEIGHTS> {}

        impl<const WEIGHTS: usize> $Name<WEIGHTS> {
            const fn stack<S: $crate::Spec<Arguments = $Arguments>>() -> $crate::kernels::recurrent::Stack {
                let $arguments = S::ARGUMENTS;
                $crate::kernels::recurrent::Stack {
                    cell: $cell,
                    sizes: $arguments.sizes(S::INPUT),
                    steps: S::INPUT.dim(0),
                    last: $arguments.gives_last(),
                    dropout: $arguments.dropout,
                }
            }
        }

        /// Each shard adds up its gradients in [`Memory::partial`](crate::Memory::partial).
        impl<S, const WEIGHTS: usize> $crate::Station<S> for $Name<WEIGHTS>
        where
            S: $crate::Spec<Arguments = $Arguments>,
        {
            const SAVED: usize = Self::stack::<S>().saved();
            const WORK: usize = Self::stack::<S>().work();
            const SCRATCH: usize = Self::stack::<S>().scratch();
            const PARTIAL: usize = WEIGHTS;

            fn initialise(&mut self, streams: $crate::Streams) {
                let bound = 1.0 / (S::ARGUMENTS.units as f32).sqrt();
                $crate::init::uniform(&mut self.weights, bound, streams);
            }

            fn tensors() -> Vec<$crate::Tensor> {
                $crate::layers::recurrent::tensors(&Self::stack::<S>(), S::FEATURES)
            }

            fn infer(
                &self,
                _n: usize,
                x: &[&[f32]],
                y: &mut [f32],
                memory: $crate::WorkMemory<'_>,
            ) {
                let stack = const { &Self::stack::<S>() };
                let (lengths, carried) = ($crate::Steps::Full, &mut []);
                let $crate::WorkMemory { work, scratch, .. } = memory;
                stack.infer(&self.weights, lengths, x[0], y, carried, work, scratch);
            }

            fn forward(
                &self,
                pass: &$crate::Pass,
                _phase: usize,
                x: &[&[f32]],
                y: &mut [f32],
                memory: $crate::Memory<'_>,
            ) {
                let stack = const { &Self::stack::<S>() };
                let (lengths, carried) = ($crate::Steps::Full, &mut []);
                let $crate::Memory { saved, scratch, .. } = memory;
                let drop = $crate::layers::recurrent::dropping(stack, pass);
                stack.forward(&self.weights, lengths, x[0], y, carried, saved, scratch, drop);
            }

            fn backward(
                &self,
                pass: &$crate::Pass,
                _phase: usize,
                x: &[&[f32]],
                _y: &[f32],
                d_y: &mut [f32],
                d_x: &mut [Option<&mut [f32]>],
                memory: $crate::Memory<'_>,
            ) {
                let stack = const { &Self::stack::<S>() };
                let lengths = $crate::Steps::Full;
                let $crate::Memory { saved, partial, .. } = memory;
                let drop = $crate::layers::recurrent::dropping(stack, pass);
                let d_x = d_x[0].as_deref_mut();
                stack.backward(&self.weights, lengths, x[0], d_y, d_x, partial, saved, drop);
            }
        }
    };
}

pub(crate) use recurrent_layer;

/// PyTorch's names: `weight_ih_l0`, `bias_hh_l1_reverse`.
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
pub(crate) fn dropping(stack: &Stack, pass: &Pass) -> impl Fn(usize, &mut [f32]) {
    let (p, sample_len, pass) = (stack.dropout, stack.steps * stack.sizes.width(), *pass);
    move |layer, values| {
        let streams = pass.streams.child(Streams::number("dropout")).child(layer as u64);
        dropout::drop(p, &Pass { streams, ..pass }, sample_len, values);
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use crate::Spec;
    use crate::layers::testing::{Trial, random};

    /// A trial with weights and inputs for which no gate is saturated.
    pub(crate) fn trial<S: Spec, T: crate::Station<S>>() -> Trial<S, T> {
        let mut trial = Trial::<S, T>::random().with_step(1e-2, 1e-3);
        for (w, random) in trial.station.as_floats_mut().iter_mut().zip(random(T::LEN, 7)) {
            *w = 0.7 * random;
        }
        trial
    }
}
