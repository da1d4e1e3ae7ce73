//! [`Dense`]: PyTorch's `nn.Linear`.

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec};
#[cfg(feature = "train")]
use crate::init::fan_in_uniform;
#[cfg(feature = "train")]
use crate::kernels::stream::store_for_others;
use crate::kernels::transpose::transpose;
use crate::kernels::{self, Instructions, Isa, Onto, Pieces};
#[cfg(feature = "train")]
use crate::memory::Shards;
use crate::memory::{WeightLayout, WeightOwner};
use crate::system::RngKey;
use crate::types::Weights;
#[cfg(feature = "std")]
use crate::types::{Axis, Tensor};
use unrolled_shape::rules::dense;

/// A fully connected layer on the last axis: `[.., IN] -> [.., UNITS]`, `y = x W + b`.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Dense<const IN: usize, const UNITS: usize, const BIAS: usize = UNITS> {
    /// One row per input, one column per output: the transpose of PyTorch's.
    pub weight: [[f32; UNITS]; IN],
    /// One for each output, or none.
    pub bias: [f32; BIAS],
}

// SAFETY: `repr(C)`, arrays of `f32` alone.
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
    fn tensors() -> Vec<Tensor> {
        let inputs = Axis { len: IN, stride: UNITS, features: S::FEATURES };
        let mut tensors = vec![Tensor::new("weight", 0, vec![Axis::plain(UNITS, 1), inputs])];
        if BIAS > 0 {
            tensors.push(Tensor::new("bias", IN * UNITS, vec![Axis::plain(UNITS, 1)]));
        }
        tensors
    }

    fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
        let weight = self.weight.as_floats();
        kernels::dense(Isa::best(), IN, UNITS, x[0], weight, &self.bias, y);
    }

    #[inline(always)]
    fn infer_inlined<I: Instructions>(&self, isa: I, Infer { x, y, .. }: Infer<'_>) {
        let weight = self.weight.as_floats();
        kernels::dense_inlined(isa, IN, UNITS, x[0], weight, &self.bias, y);
    }
}

#[cfg(feature = "train")]
impl<S, const IN: usize, const UNITS: usize, const BIAS: usize> TrainNode<S>
    for Dense<IN, UNITS, BIAS>
where
    S: Spec<Arguments = dense::Dense>,
{
    /// Its input and the gradient of its output, from which the weights' gradient is made.
    const DEFERRED: usize = S::IN + S::OUT;
    /// The weights for the way back, transposed, where each sample has so many rows that it pays also for one.
    const PREPARED: usize = if S::IN >= MANY_ROWS * IN { IN * UNITS } else { 0 };
    /// Some rows of the weights in each, and the bias.
    const GRADIENT_TASKS: usize = IN.div_ceil(task_rows(UNITS)) + 1;

    fn initialise(&mut self, key: RngKey) {
        fan_in_uniform(self.weight.as_floats_mut(), &mut self.bias, IN, key);
    }

    fn prepare(&self, prepared: &mut [f32]) {
        if !prepared.is_empty() {
            transpose(Isa::best(), UNITS, self.weight.as_floats(), prepared);
        }
    }

    fn forward(&self, Forward { pass, x, y, ctx, .. }: Forward<'_>) {
        store_for_others(&mut ctx.deferred[..pass.n * S::IN], x[0]);
        let ctx = ctx.for_inference();
        Node::<S>::infer(self, Infer { n: pass.n, x, y, ctx });
    }

    fn backward(&self, Backward { pass, d_y, d_x, ctx, .. }: Backward<'_, '_>) {
        store_for_others(&mut ctx.deferred[pass.n * S::IN..], d_y);
        let Some(d_x) = &mut d_x[0] else { return };
        if ctx.prepared.is_empty() {
            kernels::dense_d_x(Isa::best(), UNITS, d_y, self.weight.as_floats(), d_x);
        } else {
            kernels::dense(Isa::best(), UNITS, IN, d_y, ctx.prepared, &[], d_x);
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
        let mut onto = Onto::Nothing;
        for_each_rows::<S, IN>(shards, |x, d_y, pieces| {
            if is_bias {
                kernels::d_bias(isa, onto, pieces, d_y, d_weights);
            } else {
                let first = task * task_rows(UNITS);
                kernels::dense_d_weight(isa, IN, UNITS, onto, pieces, first, x, d_y, d_weights);
            }
            onto = Onto::Sum;
        });
    }
}

/// As many rows of input gradients as cost what they would with weights as they are, and transposing those.
const MANY_ROWS: usize = 16;

/// Calls `add` with the inputs, rows of `IN` numbers, and the output gradients that dense layers kept, and
/// with how these rows lie.
#[cfg(feature = "train")]
pub(super) fn for_each_rows<S: Spec, const IN: usize>(
    shards: Shards<'_>,
    mut add: impl FnMut(&[f32], &[f32], Pieces),
) {
    for_each_run(shards, |deferred, samples, pieces| {
        add(
            deferred,
            &deferred[samples * S::IN..],
            Pieces { rows: samples * (S::IN / IN), ..pieces },
        );
    });
}

/// Calls `add` with what all full shards kept, in which sums stay in registers, and with what the last
/// one did, if it is not full: first the numbers, then the samples of each shard, and how the shards lie,
/// with a row for each sample.
#[cfg(feature = "train")]
pub(super) fn for_each_run(shards: Shards<'_>, mut add: impl FnMut(&[f32], usize, Pieces)) {
    let full = shards.full();
    if full.count > 0 {
        let pieces = Pieces { count: full.count, stride: full.stride, rows: full.samples };
        add(full.deferred, full.samples, pieces);
    }
    if full.count < shards.count() {
        let samples = shards.samples(full.count);
        add(shards.deferred(full.count), samples, Pieces::one(samples));
    }
}

/// How many rows of the weights one gradient task computes: whole tiles of 6 or of 4, enough for its inputs to be
/// worth reading, few enough for all threads to have some. 0 units, which the rule refuses, count as 1.
pub(super) const fn task_rows(units: usize) -> usize {
    const NUMBERS: usize = 3 << 13;
    const TILES: usize = 12;
    let rows = NUMBERS / if units > 0 { units } else { 1 };
    if rows > TILES { rows.next_multiple_of(TILES) } else { TILES }
}

impl<S, const IN: usize, const UNITS: usize, const BIAS: usize> crate::contract::Streaming<S>
    for Dense<IN, UNITS, BIAS>
where
    S: Spec<Arguments = dense::Dense>,
{
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

    #[test]
    fn inference_gives_what_training_gives() {
        Trial::<Vector, Dense<7, 3>>::random().check_inference();
        Trial::<Large, Dense<17, 33>>::random().check_inference();
        Trial::<Steps, Dense<5, 4, 0>>::random().check_inference();
    }
}
