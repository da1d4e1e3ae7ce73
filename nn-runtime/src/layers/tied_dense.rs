//! [`TiedDense`]: PyTorch's `nn.Linear` with the weight of another layer.

#[cfg(feature = "train")]
use super::dense::for_each_deferred_rows;
#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TiedNode, TrainNode};
use crate::contract::{Infer, Node, Spec, Streaming};
#[cfg(feature = "train")]
use crate::init::fan_in_uniform;
#[cfg(feature = "train")]
use crate::kernels::Accumulate;
use crate::kernels::{self, Isa};
#[cfg(feature = "train")]
use crate::memory::Shards;
use crate::memory::{TiedWeight, WeightLayout};
#[cfg(feature = "train")]
use crate::system::RngKey;
use crate::types::Weights;
#[cfg(feature = "std")]
use crate::types::{LayerOrder, Tensor, layer_tensors};
use unrolled_shape::rules::dense;

/// A fully connected layer on the last axis with the weight of an earlier layer, `y = x W + b`:
/// `[.., IN] -> [.., UNITS]`.
///
/// In PyTorch: `head.weight = tokens.weight`.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct TiedDense<const IN: usize, const UNITS: usize, const BIAS: usize = UNITS> {
    /// One for each output, or none.
    pub bias: [f32; BIAS],
}

// SAFETY: `repr(C)`, an array of `f32`.
unsafe impl<const IN: usize, const UNITS: usize, const BIAS: usize> Weights
    for TiedDense<IN, UNITS, BIAS>
{
}

impl<S, const IN: usize, const UNITS: usize, const BIAS: usize> Node<S>
    for TiedDense<IN, UNITS, BIAS>
where
    S: Spec<Arguments = dense::Dense>,
{
    #[cfg(feature = "std")]
    fn file_tensors(order: &LayerOrder) -> Vec<Tensor> {
        layer_tensors(order, &|sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
    }

    fn infer(&self, Infer { x, y, ctx, .. }: Infer<'_>) {
        let TiedWeight { values: weight, layout } = ctx.tied;
        let dense = match layout {
            WeightLayout::RowPerOutput => kernels::dense_transposed,
            WeightLayout::RowPerInput => kernels::dense,
        };
        let (inputs, units, x, bias) = (IN, UNITS, x[0], &self.bias);
        dense(Isa::best(), kernels::DenseArgs { inputs, units, x, weight, bias, y });
    }
}

impl<S, const IN: usize, const UNITS: usize, const BIAS: usize> Streaming<S>
    for TiedDense<IN, UNITS, BIAS>
where
    S: Spec<Arguments = dense::Dense>,
{
}

#[cfg(feature = "train")]
impl<S, const IN: usize, const UNITS: usize, const BIAS: usize> TrainNode<S>
    for TiedDense<IN, UNITS, BIAS>
where
    S: Spec<Arguments = dense::Dense>,
{
    /// The input and the gradient of the output: the gradients of the bias and of the owner's weight are computed from
    /// both after all shards.
    const DEFERRED: usize = S::IN + S::OUT;
    /// The bias.
    const GRADIENT_TASKS: usize = 1;

    fn initialise(&mut self, key: RngKey) {
        fan_in_uniform(&mut [], &mut self.bias, IN, key);
    }

    fn forward_shard(&self, Forward { pass, x, y, ctx, .. }: Forward<'_>) {
        ctx.deferred[..pass.n * S::IN].copy_from_slice(x[0]);
        let ctx = ctx.for_inference();
        Node::<S>::infer(self, Infer { n: pass.n, x, y, ctx });
    }

    fn backward_shard(&self, Backward { pass, d_y, d_x, ctx, .. }: Backward<'_, '_>) {
        ctx.deferred[pass.n * S::IN..].copy_from_slice(d_y);
        let Some(d_x) = &mut d_x[0] else { return };
        let (isa, TiedWeight { values: weight, layout }) = (Isa::best(), ctx.tied);
        match layout {
            WeightLayout::RowPerOutput => {
                let (inputs, units, x, bias, y) = (UNITS, IN, d_y, &[], d_x);
                kernels::dense(isa, kernels::DenseArgs { inputs, units, x, weight, bias, y });
            }
            WeightLayout::RowPerInput => kernels::dense_d_x(isa, UNITS, d_y, weight, d_x),
        }
    }

    fn gradient_end(_task: usize) -> usize {
        BIAS
    }

    fn gradient(_task: usize, shards: Shards<'_>, d_bias: &mut [f32]) {
        let mut onto = Accumulate::of(&shards);
        for_each_deferred_rows::<S, IN>(shards, |_, d_y, pieces| {
            kernels::d_bias(Isa::best(), onto, pieces, d_y, d_bias);
            onto = Accumulate::Add;
        });
    }
}

#[cfg(feature = "train")]
impl<S, const IN: usize, const UNITS: usize, const BIAS: usize> TiedNode<S>
    for TiedDense<IN, UNITS, BIAS>
where
    S: Spec<Arguments = dense::Dense>,
{
    fn add_gradient(layout: WeightLayout, begin: usize, shards: Shards<'_>, d_weight: &mut [f32]) {
        let isa = Isa::best();
        for_each_deferred_rows::<S, IN>(shards, |x, d_y, pieces| match layout {
            WeightLayout::RowPerOutput => {
                // The owner's rows are the outputs of this layer: inputs and output gradients exchange their parts.
                let row = begin / IN;
                kernels::dense_d_weight(
                    isa,
                    kernels::DenseDWeightArgs {
                        inputs: UNITS,
                        units: IN,
                        accumulate: Accumulate::Add,
                        blocks: pieces,
                        first: row,
                        x: d_y,
                        d_y: x,
                        d_weight: &mut *d_weight,
                    },
                );
            }
            WeightLayout::RowPerInput => {
                let row = begin / UNITS;
                kernels::dense_d_weight(
                    isa,
                    kernels::DenseDWeightArgs {
                        inputs: IN,
                        units: UNITS,
                        accumulate: Accumulate::Add,
                        blocks: pieces,
                        first: row,
                        x,
                        d_y,
                        d_weight: &mut *d_weight,
                    },
                );
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reference;
    use crate::layers::testing::{Trial, spec};
    use crate::layers::{Dense, Embedding};
    use crate::memory::WeightOwner;
    use unrolled_shape::Shape;

    const OF_STEPS: Option<Shape> = Some(Shape::new(&[9, 5]));
    const OF_LARGE: Option<Shape> = Some(Shape::new(&[37, 33]));
    spec!(Steps: dense::Dense { units: 9, bias: true, weight: OF_STEPS }, [&[3, 5]] -> &[3, 9]);
    spec!(Large: dense::Dense { units: 37, bias: false, weight: OF_LARGE }, [&[2, 33]] -> &[2, 37]);

    /// An owner whose own gradient is zero, and the layer that is tied to it.
    #[repr(C)]
    struct Both<O, T> {
        owner: O,
        tied: T,
    }

    // SAFETY: `repr(C)`, weights only.
    unsafe impl<O: Weights, T: Weights> Weights for Both<O, T> {}

    impl<S, O: WeightOwner + Weights, T: TiedNode<S>> Node<S> for Both<O, T>
    where
        S: Spec<Arguments = dense::Dense>,
    {
        fn infer(&self, Infer { n, x, y, mut ctx }: Infer<'_>) {
            self.tied.infer(Infer { n, x, y, ctx: ctx.tied_to(&self.owner) });
        }
    }

    #[cfg(feature = "train")]
    impl<S, O: WeightOwner + Weights, T: TiedNode<S>> TrainNode<S> for Both<O, T>
    where
        S: Spec<Arguments = dense::Dense>,
    {
        const DEFERRED: usize = T::DEFERRED;
        /// The first rows of the weight, the others, and the bias.
        const GRADIENT_TASKS: usize = 3;

        fn forward_shard(&self, Forward { pass, phase, x, y, mut ctx }: Forward<'_>) {
            self.tied.forward_shard(Forward { pass, phase, x, y, ctx: ctx.tied_to(&self.owner) });
        }

        fn backward_shard(
            &self,
            Backward { pass, phase, x, y, d_y, d_x, mut ctx }: Backward<'_, '_>,
        ) {
            let ctx = ctx.tied_to(&self.owner);
            self.tied.backward_shard(Backward { pass, phase, x, y, d_y, d_x, ctx });
        }

        fn gradient_end(task: usize) -> usize {
            let row = match O::LAYOUT {
                WeightLayout::RowPerOutput => S::INPUT.last(),
                WeightLayout::RowPerInput => S::OUTPUT.last(),
            };
            [2 * row, O::WEIGHT_LEN, Self::LEN][task]
        }

        fn gradient(task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
            if task == 2 {
                return T::gradient(0, shards, d_weights);
            }
            if !shards.adds() {
                d_weights.fill(0.0);
            }
            let begin = if task == 0 { 0 } else { <Self as TrainNode<S>>::gradient_end(0) };
            T::add_gradient(O::LAYOUT, begin, shards, d_weights);
        }
    }

    fn check<S, O: WeightOwner + Weights, const IN: usize, const UNITS: usize, const BIAS: usize>()
    where
        S: Spec<Arguments = dense::Dense>,
    {
        let mut trial = Trial::<S, Both<O, TiedDense<IN, UNITS, BIAS>>>::random();
        trial.check_gradients();
        trial.check_inference();
        let (weight, bias) = (trial.node.owner.weight(), &trial.node.tied.bias);
        let mut expected = vec![0.0; trial.batch * S::OUT];
        match O::LAYOUT {
            WeightLayout::RowPerOutput => {
                let (inputs, units, x, y) = (IN, UNITS, &trial.x[0][..], &mut expected[..]);
                reference::dense_transposed(kernels::DenseArgs {
                    inputs,
                    units,
                    x,
                    weight,
                    bias,
                    y,
                });
            }
            WeightLayout::RowPerInput => {
                let (inputs, units, x, y) = (IN, UNITS, &trial.x[0][..], &mut expected[..]);
                reference::dense(kernels::DenseArgs { inputs, units, x, weight, bias, y });
            }
        }
        for (found, expected) in trial.infer().iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-5, "expected {expected}, found {found}");
        }
    }

    #[test]
    fn can_be_tied_to_an_embedding() {
        check::<Steps, Embedding<9, 5>, 5, 9, 9>();
        check::<Large, Embedding<37, 33>, 33, 37, 0>();
    }

    #[test]
    fn can_be_tied_to_a_dense_layer() {
        check::<Steps, Dense<5, 9, 0>, 5, 9, 9>();
        check::<Large, Dense<33, 37, 0>, 33, 37, 0>();
    }

    #[test]
    fn owns_only_its_bias() {
        assert_eq!((TiedDense::<5, 9>::LEN, TiedDense::<5, 9, 0>::LEN), (9, 0));
        let mut layer = TiedDense::<5, 9>::zeros();
        TrainNode::<Steps>::initialise(&mut *layer, RngKey::new(3));
        assert!(layer.bias.iter().all(|b| *b != 0.0 && b.abs() <= 1.0 / 5.0_f32.sqrt()));
        let tensors = <TiedDense<5, 9> as Node<Steps>>::file_tensors(&LayerOrder::default());
        assert_eq!(tensors, [Tensor::new("bias", 0, vec![crate::types::Axis::plain(9, 1)])]);
        assert!(
            <TiedDense<33, 37, 0> as Node<Large>>::file_tensors(&LayerOrder::default()).is_empty()
        );
    }
}
