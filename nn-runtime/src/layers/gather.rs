//! [`Gather`]: PyTorch's `torch.index_select` along the steps of each sample, with indices of its own.

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, InputError, Node, Spec};
use crate::types::Weights;
use unrolled_shape::rules::gather;

/// Steps of a sequence in the order of indices: `[T, C], [K] -> [K, C]`. Elements of the second input are indices of steps,
/// the bits of `u32`s below `T`.
///
/// The gradient of a step is the sum of those of all outputs that it is copied to.
#[derive(Clone, Debug, PartialEq)]
pub struct Gather;

// SAFETY: a struct without fields contains nothing but `f32`s.
unsafe impl Weights for Gather {}

/// Indices of one sample.
const fn count<S: Spec>() -> usize {
    S::INPUTS[1].len()
}

/// The error for an index that is no step; `at` is its place in the batch.
fn unknown_step<S: Spec>(index: f32, at: usize) -> InputError {
    InputError::Step {
        layer: S::NAME,
        index: index.to_bits(),
        place: at % const { count::<S>() },
        steps: S::INPUT.dim(0),
    }
}

/// Calls `f` with the offsets of each element of `index` in the outputs and in the inputs of the batch.
///
/// # Panics
/// When an index is no step.
fn for_each_step<S: Spec>(index: &[f32], mut f: impl FnMut(usize, usize)) {
    let (count, channels, steps) = const { (count::<S>(), S::OUTPUT.last(), S::INPUT.dim(0)) };
    for (at, step) in index.iter().enumerate() {
        let from = step.to_bits() as usize;
        if from >= steps {
            panic!("{}", unknown_step::<S>(*step, at));
        }
        f(at * channels, at / count * S::IN + from * channels);
    }
}

/// Copies the steps of all samples; `x` are the sequences and the indices.
fn gather_steps<S: Spec>(x: &[&[f32]], y: &mut [f32]) {
    let channels = const { S::OUTPUT.last() };
    for_each_step::<S>(x[1], |to, from| {
        y[to..to + channels].copy_from_slice(&x[0][from..from + channels]);
    });
}

impl<S: Spec<Arguments = gather::Gather>> Node<S> for Gather {
    fn check(x: &[&[f32]]) -> Result<(), InputError> {
        let steps = S::INPUT.dim(0);
        match x[1].iter().position(|step| step.to_bits() as usize >= steps) {
            None => Ok(()),
            Some(at) => Err(unknown_step::<S>(x[1][at], at)),
        }
    }

    fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
        gather_steps::<S>(x, y);
    }
}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = gather::Gather>> TrainNode<S> for Gather {
    /// The indices.
    const SAVED: usize = count::<S>();

    fn forward_shard(&self, Forward { x, y, ctx, .. }: Forward<'_>) {
        ctx.saved.copy_from_slice(x[1]);
        gather_steps::<S>(x, y);
    }

    fn backward_shard(&self, Backward { d_y, d_x, ctx, .. }: Backward<'_, '_>) {
        // Indices have no gradient: they are discrete.
        let Some(d_x) = d_x[0].as_deref_mut() else { return };
        let channels = const { S::OUTPUT.last() };
        // Some steps may have no index, others several.
        d_x.fill(0.0);
        for_each_step::<S>(ctx.saved, |to, from| {
            for (d_x, d_y) in d_x[from..from + channels].iter_mut().zip(&d_y[to..to + channels]) {
                *d_x += d_y;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Three: gather::Gather { index: 1 }, [&[5, 2], &[3]] -> &[3, 2]);
    spec!(Many: gather::Gather { index: 1 }, [&[2, 3], &[7]] -> &[7, 3]);

    /// Any indices; some come several times.
    fn trial<S: Spec<Arguments = gather::Gather>>() -> Trial<S, Gather> {
        assert_eq!(S::ARGUMENTS.output(S::INPUTS).unwrap(), S::OUTPUT);
        let mut trial = Trial::<S, Gather>::random();
        for (i, index) in trial.x[1].iter_mut().enumerate() {
            *index = f32::from_bits((i * i + i / 3) as u32 % S::INPUT.dim(0) as u32);
        }
        trial
    }

    fn check<S: Spec<Arguments = gather::Gather>>() {
        let mut trial = trial::<S>();
        trial.check_inference();
        let outcome = trial.train();
        let (steps, channels, count) = (S::INPUT.dim(0), S::INPUT.last(), S::OUTPUT.dim(0));
        let mut d_x = vec![0.0; trial.x[0].len()];
        for (at, index) in trial.x[1].iter().enumerate() {
            let from = at / count * steps + index.to_bits() as usize;
            for c in 0..channels {
                let y = outcome.y[at * channels + c];
                assert_eq!(y, trial.x[0][from * channels + c]);
                d_x[from * channels + c] += trial.d_y[at * channels + c];
            }
        }
        assert_eq!(outcome.d_x[0], d_x);
    }

    #[test]
    fn agrees_with_the_definition() {
        check::<Three>();
        check::<Many>();
    }

    #[test]
    fn refuses_indices_of_no_step() {
        let index: Vec<f32> = [0, 4, 1, 2, 5, 3].map(f32::from_bits).to_vec();
        // The other input is not known yet where a network checks its inputs.
        let words = <Gather as Node<Three>>::check(&[&[], &index]).unwrap_err();
        assert_eq!(
            words.to_string(),
            "layer `it` takes indices of 5 steps, which are 0 to 4, but number 1 of its index is 5"
        );
        assert!(<Gather as Node<Three>>::check(&[&[], &index[..3]]).is_ok());
    }

    #[test]
    #[should_panic(expected = "number 2 of its index is 4294967295")]
    fn an_unchecked_index_panics() {
        let mut trial = trial::<Three>();
        trial.x[1][5] = f32::from_bits(u32::MAX);
        trial.infer();
    }
}
