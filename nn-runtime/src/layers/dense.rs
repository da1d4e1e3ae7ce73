//! [`Dense`]: PyTorch's `nn.Linear`.

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec, Streaming, widened_layer};
#[cfg(feature = "train")]
use crate::init::fan_in_uniform;
#[cfg(feature = "train")]
use crate::kernels::stream::store_for_others;
#[cfg(feature = "train")]
use crate::kernels::transpose::transpose;
use crate::kernels::{self, ColumnsArgs, Init, Instructions, Isa};
#[cfg(feature = "train")]
use crate::kernels::{Accumulate, RowBlocks};
#[cfg(feature = "train")]
use crate::memory::Shards;
use crate::memory::{WeightLayout, WeightOwner};
#[cfg(feature = "train")]
use crate::system::RngKey;
use crate::types::{COLUMNS, HalfMatrix, Halves, WeightSlice, Weights};
#[cfg(feature = "std")]
use crate::types::{LayerOrder, Tensor, layer_tensors};
use unrolled_shape::rules::dense;

/// A fully connected layer on the last axis, `y = x W + b`: `[.., IN] -> [.., UNITS]`.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Dense<const IN: usize, const UNITS: usize, const BIAS: usize = UNITS> {
    /// `W`: one row per input, one column per output; the transpose of PyTorch's.
    pub weight: [[f32; UNITS]; IN],
    /// One for each output, or none.
    pub bias: [f32; BIAS],
}

// SAFETY: `repr(C)`, arrays of `f32` only.
unsafe impl<const IN: usize, const UNITS: usize, const BIAS: usize> Weights
    for Dense<IN, UNITS, BIAS>
{
}

impl<const IN: usize, const UNITS: usize, const BIAS: usize> WeightOwner
    for Dense<IN, UNITS, BIAS>
{
    const WEIGHT_LEN: usize = IN * UNITS;
    const LAYOUT: WeightLayout = WeightLayout::RowPerInput;

    fn weight(&self) -> &[f32] {
        self.weight.as_floats()
    }
}

impl<S, const IN: usize, const UNITS: usize, const BIAS: usize> Node<S> for Dense<IN, UNITS, BIAS>
where
    S: Spec<Arguments = dense::Dense>,
{
    #[cfg(feature = "std")]
    fn file_tensors(order: &LayerOrder) -> Vec<Tensor> {
        layer_tensors(order, &|sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
    }

    fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
        let weight = self.weight.as_floats();
        let (inputs, units, x, bias) = (IN, UNITS, x[0], &self.bias);
        kernels::dense(Isa::best(), kernels::DenseArgs { inputs, units, x, weight, bias, y });
    }

    const WIDENED: usize = match UNITS <= COLUMNS || kernels::is_small(IN, UNITS) {
        true => Self::LEN,
        false => HalfMatrix::widened_len(IN),
    };

    // Some columns of the weight at a time: each output is a sum of its own, whose bits do not depend on the others.
    fn infer_half(halves: Halves<'_>, widened: &mut [f32], call: Infer<'_>) {
        if const { <Self as Node<S>>::WIDENED == Self::LEN } {
            return Node::<S>::infer(widened_layer::<Self>(halves, widened).0, call);
        }
        let (x, y) = (call.x[0], call.y);
        let (weight, bias) = halves.split_at(IN * UNITS);
        let matrix = HalfMatrix { weight, width: UNITS, bias };
        matrix.for_each_columns(widened, |columns, weight, bias| {
            let (inputs, units, init) = (IN, columns.len(), Init::bias(bias));
            for (x, y) in x.chunks_exact(IN).zip(y.chunks_exact_mut(UNITS)) {
                let y = &mut y[columns.clone()];
                let args = ColumnsArgs { inputs, units, stride: units, x, weight, init, y };
                kernels::dense_columns(Isa::best(), args);
            }
        });
    }

    #[inline(always)]
    fn infer_inlined<I: Instructions>(&self, isa: I, Infer { x, y, .. }: Infer<'_>) {
        let weight = self.weight.as_floats();
        let (inputs, units, x, bias) = (IN, UNITS, x[0], &self.bias);
        let args = kernels::DenseArgs { inputs, units, x, weight, bias, y };
        kernels::dense_inlined::<IN, UNITS, I>(isa, args);
    }
}

impl<S, const IN: usize, const UNITS: usize, const BIAS: usize> Streaming<S>
    for Dense<IN, UNITS, BIAS>
where
    S: Spec<Arguments = dense::Dense>,
{
}

#[cfg(feature = "train")]
impl<S, const IN: usize, const UNITS: usize, const BIAS: usize> TrainNode<S>
    for Dense<IN, UNITS, BIAS>
where
    S: Spec<Arguments = dense::Dense>,
{
    /// The input and the gradient of the output: the weight gradient is computed from both after all shards.
    const DEFERRED: usize = S::IN + S::OUT;
    /// The transposed weights, for the gradient of the input, if one sample has enough rows to make up for transposing.
    const PREPARED: usize = if S::IN >= MIN_ROWS_TO_TRANSPOSE * IN { IN * UNITS } else { 0 };
    /// Some rows of the weights in each task, and the bias in the last one.
    const GRADIENT_TASKS: usize = IN.div_ceil(task_rows(UNITS)) + 1;

    fn initialise(&mut self, key: RngKey) {
        fan_in_uniform(self.weight.as_floats_mut(), &mut self.bias, IN, key);
    }

    fn prepare(&self, prepared: &mut [f32]) {
        if !prepared.is_empty() {
            transpose(Isa::best(), UNITS, self.weight.as_floats(), prepared);
        }
    }

    fn forward_shard(&self, Forward { pass, x, y, ctx, .. }: Forward<'_>) {
        // Deferred: first the inputs of all samples, then the gradients of all outputs.
        if pass.trains_weights() {
            store_for_others(&mut ctx.deferred[..pass.n * S::IN], x[0]);
        }
        let ctx = ctx.for_inference();
        Node::<S>::infer(self, Infer { n: pass.n, x, y, ctx });
    }

    fn backward_shard(&self, Backward { pass, d_y, d_x, ctx, .. }: Backward<'_, '_>) {
        if pass.trains_weights() {
            store_for_others(&mut ctx.deferred[pass.n * S::IN..], d_y);
        }
        let Some(d_x) = &mut d_x[0] else { return };
        if ctx.prepared.is_empty() {
            kernels::dense_d_x(Isa::best(), UNITS, d_y, self.weight.as_floats(), d_x);
        } else {
            kernels::dense(
                Isa::best(),
                kernels::DenseArgs {
                    inputs: UNITS,
                    units: IN,
                    x: d_y,
                    weight: ctx.prepared,
                    bias: &[],
                    y: d_x,
                },
            );
        }
    }

    fn gradient_end(task: usize) -> usize {
        if task + 1 < <Self as TrainNode<S>>::GRADIENT_TASKS {
            ((task + 1) * task_rows(UNITS)).min(IN) * UNITS
        } else {
            IN * UNITS + BIAS
        }
    }

    fn gradient(task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
        let isa = Isa::best();
        let is_bias = task + 1 == <Self as TrainNode<S>>::GRADIENT_TASKS;
        // `d_weights` is not cleared: the first block of rows overwrites it, later ones add to it.
        let mut onto = Accumulate::of(&shards);
        for_each_deferred_rows::<S, IN>(shards, |x, d_y, pieces| {
            if is_bias {
                kernels::d_bias(isa, onto, pieces, d_y, d_weights);
            } else {
                let first = task * task_rows(UNITS);
                kernels::dense_d_weight(
                    isa,
                    kernels::DenseDWeightArgs {
                        inputs: IN,
                        units: UNITS,
                        accumulate: onto,
                        blocks: pieces,
                        first,
                        x,
                        d_y,
                        d_weight: &mut *d_weights,
                    },
                );
            }
            onto = Accumulate::Add;
        });
    }
}

/// The number of rows for which the gradient of the input costs the same with weights as they are and with transposed
/// ones, including the time to transpose them.
#[cfg(feature = "train")]
const MIN_ROWS_TO_TRANSPOSE: usize = 16;

/// Calls `add` with the inputs, in rows of `IN` elements, and the output gradients that dense layers have deferred, and
/// with the layout of these rows.
#[cfg(feature = "train")]
pub(super) fn for_each_deferred_rows<S: Spec, const IN: usize>(
    shards: Shards<'_>,
    mut add: impl FnMut(&[f32], &[f32], RowBlocks),
) {
    for_each_deferred(shards, |deferred, samples, pieces| {
        add(
            deferred,
            &deferred[samples * S::IN..],
            RowBlocks { rows: samples * (S::IN / IN), ..pieces },
        );
    });
}

/// Calls `add` with the deferred values of all full shards at once, in which sums stay in registers, and with those of
/// the last shard if it is not full. The other arguments are the number of samples in each shard, and the layout of the
/// shards with one row for each sample.
#[cfg(feature = "train")]
pub(super) fn for_each_deferred(shards: Shards<'_>, mut add: impl FnMut(&[f32], usize, RowBlocks)) {
    let full = shards.full();
    if full.count > 0 {
        let pieces = RowBlocks { count: full.count, stride: full.stride, rows: full.samples };
        add(full.deferred, full.samples, pieces);
    }
    if full.count < shards.count() {
        let samples = shards.samples(full.count);
        add(shards.deferred(full.count), samples, RowBlocks::one(samples));
    }
}

/// The number of weight rows in one gradient task.
// Whole tiles of 6 or of 4 rows, enough of them to be worth reading the inputs for, and few enough to give each thread
// some. The rule refuses 0 units; they count as 1 here, so that the compiler does not report a division by zero as
// well.
#[cfg(feature = "train")]
pub(super) const fn task_rows(units: usize) -> usize {
    const ELEMENTS: usize = 3 << 13;
    const TILES: usize = 12;
    let rows = ELEMENTS / if units > 0 { units } else { 1 };
    if rows > TILES { rows.next_multiple_of(TILES) } else { TILES }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Vector: dense::Dense { units: 3, bias: true, weight: None }, [&[7]] -> &[3]);
    spec!(Large: dense::Dense { units: 33, bias: true, weight: None }, [&[2, 17]] -> &[2, 33]);
    spec!(Steps: dense::Dense { units: 4, bias: false, weight: None }, [&[3, 2, 5]] -> &[3, 2, 4]);
    spec!(Many: dense::Dense { units: 4, bias: true, weight: None }, [&[17, 5]] -> &[17, 4]);

    #[test]
    fn gradients_agree_with_finite_differences() {
        Trial::<Vector, Dense<7, 3>>::random().check_gradients();
        Trial::<Large, Dense<17, 33>>::random().check_gradients();
        Trial::<Many, Dense<5, 4>>::random().check_gradients();
        Trial::<Steps, Dense<5, 4, 0>>::random().check_gradients();
    }

    spec!(Wide: dense::Dense { units: 37, bias: true, weight: None }, [&[3, 40]] -> &[3, 37]);
    spec!(NoBias: dense::Dense { units: 32, bias: false, weight: None }, [&[50]] -> &[32]);
    spec!(Long: dense::Dense { units: 17, bias: true, weight: None }, [&[9000]] -> &[17]);

    #[test]
    fn columns_of_halves_have_the_bits_of_rounded_weights() {
        Trial::<Vector, Dense<7, 3>>::random().check_halves();
        Trial::<Wide, Dense<40, 37>>::random().check_halves();
        Trial::<NoBias, Dense<50, 32, 0>>::random().check_halves();
        Trial::<Long, Dense<9000, 17>>::random().check_halves();
        let widened = <Dense<9000, 17> as Node<Long>>::WIDENED;
        assert!(widened < Dense::<9000, 17>::LEN, "{widened}");
    }

    #[test]
    fn inference_equals_training() {
        Trial::<Vector, Dense<7, 3>>::random().check_inference();
        Trial::<Large, Dense<17, 33>>::random().check_inference();
        Trial::<Steps, Dense<5, 4, 0>>::random().check_inference();
    }
}
