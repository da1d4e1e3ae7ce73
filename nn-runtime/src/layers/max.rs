//! [`Max`]: PyTorch's `torch.maximum(a, b)`.

#[cfg(feature = "train")]
use super::joins::gradients_of_choice;
use super::joins::{Join, join};
use unrolled_shape::rules::max;

/// The larger of two branches, element by element: `[.., C], [.., C] or [C] -> [.., C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Max;

join!(Max);

impl Join for Max {
    type Arguments = max::Max;

    #[inline(always)]
    fn value(a: f32, b: f32) -> f32 {
        if is_first(a, b) { a } else { b }
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn gradients(a: f32, b: f32, d_y: f32) -> [f32; 2] {
        gradients_of_choice([a, b], is_first(a, b), d_y)
    }
}

/// Whether the result is `a`. It is NaN if either is.
#[inline(always)]
fn is_first(a: f32, b: f32) -> bool {
    a > b || a.is_nan()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::joins::testing::check_choice;
    use crate::layers::testing::spec;

    spec!(Two: max::Max {}, [&[3, 4], &[3, 4]] -> &[3, 4]);
    spec!(Channels: max::Max {}, [&[2, 2, 3], &[3]] -> &[2, 2, 3]);

    #[test]
    fn chooses_the_larger() {
        assert_eq!(Max::value(-2.0, 1.0), 1.0);
        check_choice::<Two, Max>();
        check_choice::<Channels, Max>();
    }
}
