//! [`PositionalEncoding`]: the sinusoidal positional encoding of Vaswani et al. (2017).

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec, Streaming};
use crate::kernels::Instructions;
use crate::kernels::add_to;
#[cfg(feature = "train")]
use crate::memory::StateMut;
use crate::memory::{InferCtx, count_steps};
#[cfg(not(feature = "std"))]
use crate::system::FloatMath;
use crate::types::Weights;
use unrolled_shape::rules::positional_encoding;

/// Adds `sin(t / 10000^(2i/C))` to feature `2i` of step `t`, and `cos` of the same to feature `2i + 1`:
/// `[T, C] -> [T, C]`.
///
/// Step by step, its state is the number of steps so far. Training ignores the state: each chunk starts at position 0.
#[derive(Clone, Debug, PartialEq)]
pub struct PositionalEncoding;

// SAFETY: a struct without fields contains nothing but `f32`s.
unsafe impl Weights for PositionalEncoding {}

impl<S: Spec<Arguments = positional_encoding::PositionalEncoding>> Node<S> for PositionalEncoding {
    /// The encoding of all steps.
    const SCRATCH: usize = S::IN;
    /// The number of steps so far.
    const STATE: usize = 1;

    fn infer(&self, Infer { x, y, ctx, .. }: Infer<'_>) {
        let InferCtx { scratch, lengths, mut state, .. } = ctx;
        let (all, steps) = (&mut scratch[..S::IN], lengths.of::<S>(0));
        y.copy_from_slice(x[0]);
        if state.is_empty() {
            // All samples begin at position 0.
            encode(0, S::OUTPUT.dim(1), all);
        }
        for (sample, y) in y.chunks_exact_mut(S::OUT).enumerate() {
            if !state.is_empty() {
                let valid = steps.valid(sample, S::OUTPUT.dim(0));
                let first = count_steps(&mut state.sample(sample)[0], valid);
                encode(first, S::OUTPUT.dim(1), all);
            }
            add_to(y, all);
        }
    }
}

impl<S: Spec<Arguments = positional_encoding::PositionalEncoding>> Streaming<S>
    for PositionalEncoding
{
    fn step<I: Instructions>(&self, _isa: I, Infer { x, y, ctx, .. }: Infer<'_>) {
        let InferCtx { scratch, mut state, .. } = ctx;
        let now = &mut scratch[..S::OUTPUT.dim(1)];
        encode(count_steps(&mut state.sample(0)[0], 1), S::OUTPUT.dim(1), now);
        y.copy_from_slice(x[0]);
        add_to(y, now);
    }
}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = positional_encoding::PositionalEncoding>> TrainNode<S>
    for PositionalEncoding
{
    fn forward_shard(&self, Forward { pass, x, y, ctx, .. }: Forward<'_>) {
        let ctx = InferCtx { state: StateMut::none(), ..ctx.for_inference() };
        Node::<S>::infer(self, Infer { n: pass.n, x, y, ctx });
    }

    fn backward_shard(&self, Backward { d_y, d_x, .. }: Backward<'_, '_>) {
        if let Some(d_x) = &mut d_x[0] {
            d_x.copy_from_slice(d_y);
        }
    }
}

/// Writes the encoding of consecutive positions from `first` on, with `features` values each.
// Each is computed by itself in `f64`, so that a step has the same bits wherever a chunk begins.
fn encode(first: usize, features: usize, all: &mut [f32]) {
    for feature in (0..features).step_by(2) {
        let frequency = 10_000_f64.powf(-(feature as f64) / features as f64);
        for (step, all) in all.chunks_exact_mut(features).enumerate() {
            let (sin, cos) = ((first + step) as f64 * frequency).sin_cos();
            all[feature] = sin as f32;
            if let Some(next) = all.get_mut(feature + 1) {
                *next = cos as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Text: positional_encoding::PositionalEncoding {}, [&[4, 6]] -> &[4, 6]);
    spec!(Odd: positional_encoding::PositionalEncoding {}, [&[3, 5]] -> &[3, 5]);

    #[test]
    fn gradients_agree_with_finite_differences() {
        Trial::<Text, PositionalEncoding>::random().check_gradients();
        Trial::<Odd, PositionalEncoding>::random().check_gradients();
        Trial::<Odd, PositionalEncoding>::random().check_inference();
    }

    #[test]
    fn agrees_with_the_paper() {
        for (steps, features) in [(4, 6), (3, 5), (5000, 10)] {
            let mut y = vec![f32::NAN; steps * features];
            encode(7, features, &mut y);
            for (i, y) in y.iter().enumerate() {
                let (step, feature) = (7 + i / features, i % features);
                let exponent = (feature / 2 * 2) as f64 / features as f64;
                let angle = step as f64 / 10_000_f64.powf(exponent);
                let wave = if feature % 2 == 0 { angle.sin() } else { angle.cos() };
                assert!((f64::from(*y) - wave).abs() < 1e-7, "{i}: {y} {wave}");
            }
        }
    }
}
