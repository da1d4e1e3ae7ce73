//! [`Concat`]: PyTorch's `torch.cat(.., dim=-1)`.

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec, Streaming};
use crate::types::Weights;
use unrolled_shape::rules::concat;

/// All branches, concatenated along the last axis: `[.., A], [.., B], .. -> [.., A + B + ..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Concat;

// SAFETY: a struct without fields contains nothing but `f32`s.
unsafe impl Weights for Concat {}

impl<S: Spec<Arguments = concat::Concat>> Node<S> for Concat {
    fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
        join(y.len() / S::OUTPUT.last(), x, y);
    }
}

impl<S: Spec<Arguments = concat::Concat>> Streaming<S> for Concat {}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = concat::Concat>> TrainNode<S> for Concat {
    fn forward_shard(&self, Forward { pass, x, y, .. }: Forward<'_>) {
        join(pass.n * S::OUT / S::OUTPUT.last(), x, y);
    }

    fn backward_shard(&self, Backward { d_y, d_x, .. }: Backward<'_, '_>) {
        let mut begin = 0;
        for (shape, d_x) in S::INPUTS.iter().zip(d_x) {
            if let Some(d_x) = d_x {
                take_columns(S::OUTPUT.last(), begin, shape.last(), d_y, d_x);
            }
            begin += shape.last();
        }
    }
}

/// Writes `rows` rows, each of which consists of the rows of all branches, one after the other.
fn join(rows: usize, x: &[&[f32]], y: &mut [f32]) {
    for (row, y) in y.chunks_exact_mut(y.len() / rows).enumerate() {
        let mut rest = y;
        for x in x {
            let len = x.len() / rows;
            let (part, after) = rest.split_at_mut(len);
            part.copy_from_slice(&x[row * len..][..len]);
            rest = after;
        }
    }
}

/// Copies elements `begin..begin + len` of each row of `d_y` to `d_x`.
#[cfg(feature = "train")]
fn take_columns(row_len: usize, begin: usize, len: usize, d_y: &[f32], d_x: &mut [f32]) {
    for (d_x, d_y) in d_x.chunks_exact_mut(len).zip(d_y.chunks_exact(row_len)) {
        d_x.copy_from_slice(&d_y[begin..begin + len]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Rows: concat::Concat {}, [&[2, 3], &[2, 1], &[2, 2]] -> &[2, 6]);
    spec!(Features: concat::Concat {}, [&[3], &[5]] -> &[8]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Rows, Concat>::random().check_gradients();
        Trial::<Features, Concat>::random().check_gradients();
    }

    #[test]
    fn concatenates_rows() {
        let mut trial = Trial::<Rows, Concat>::random();
        trial.x[0][..6].copy_from_slice(&[1.0, 2.0, 3.0, 7.0, 8.0, 9.0]);
        trial.x[1][..2].copy_from_slice(&[4.0, 10.0]);
        trial.x[2][..4].copy_from_slice(&[5.0, 6.0, 11.0, 12.0]);
        let expected: Vec<f32> = (1..=12_u8).map(f32::from).collect();
        assert_eq!(trial.infer()[..12], expected);
        trial.check_inference();
    }
}
