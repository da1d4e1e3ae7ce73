//! [`Triplet`]: PyTorch's `nn.TripletMarginLoss`.

use super::batch_loss::{BatchLoss, BatchLossError, group_len};
use crate::hyper::{Range, checked};
use crate::types::Values;

/// Triplet loss (Balntas et al., 2016): the mean of `max(0, d(anchor, positive) - d(anchor, negative) + margin)`, where
/// `d` is the Euclidean distance. The outputs are all anchors, all positives, and all negatives.
///
/// As in PyTorch, 1e-6 is added to the differences of values, so that equal outputs have a gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Triplet {
    margin: f32,
    swap: bool,
}

/// What is added to each difference.
const EPS: f64 = 1e-6;

impl Triplet {
    /// With a margin of 1.
    #[must_use]
    pub const fn new() -> Self {
        Self { margin: 1.0, swap: false }
    }

    /// Sets how much farther than the positive the negative must be to have no loss.
    ///
    /// # Panics
    /// If `margin` is not a finite number above 0.
    #[must_use]
    #[track_caller]
    pub fn margin(self, margin: f32) -> Self {
        Self { margin: checked("Triplet: margin", margin, Range::Positive), ..self }
    }

    /// Takes the distance of the negative from the positive where that is smaller than from the anchor.
    #[must_use]
    pub const fn swap(self) -> Self {
        Self { swap: true, ..self }
    }
}

impl Default for Triplet {
    fn default() -> Self {
        Self::new()
    }
}

impl<Output: Values> BatchLoss<Output> for Triplet {
    fn loss_and_gradient(
        &self,
        outputs: &[Output],
        d_outputs: &mut [Output],
    ) -> Result<f64, BatchLossError> {
        let n = group_len("anchors, positives and negatives", 3, outputs, d_outputs)?;
        d_outputs.iter_mut().for_each(|d| d.as_floats_mut().fill(0.0));
        let mut sum = 0.0;
        for (anchor, positive, negative) in (0..n).map(|i| (i, n + i, 2 * n + i)) {
            let near = distance(outputs, [anchor, positive]);
            let mut far = [anchor, negative];
            if self.swap && distance(outputs, [positive, negative]) < distance(outputs, far) {
                far = [positive, negative];
            }
            let loss = near - distance(outputs, far) + f64::from(self.margin);
            // Not `max`, which would drop NaN.
            if loss < 0.0 {
                continue;
            }
            sum += loss;
            add_gradient(outputs, [anchor, positive], 1.0 / n as f64, d_outputs);
            add_gradient(outputs, far, -1.0 / n as f64, d_outputs);
        }
        Ok(sum / n as f64)
    }
}

/// The differences of two outputs.
fn differences<Output: Values>(
    outputs: &[Output],
    [a, b]: [usize; 2],
) -> impl Iterator<Item = f64> + '_ {
    let pairs = outputs[a].as_floats().iter().zip(outputs[b].as_floats());
    pairs.map(|(a, b)| f64::from(*a) - f64::from(*b) + EPS)
}

fn distance<Output: Values>(outputs: &[Output], pair: [usize; 2]) -> f64 {
    differences(outputs, pair).map(|d| d * d).sum::<f64>().sqrt()
}

/// Adds the gradient of `factor` times the distance of two outputs.
fn add_gradient<Output: Values>(
    outputs: &[Output],
    pair: [usize; 2],
    factor: f64,
    d_outputs: &mut [Output],
) {
    let distance = distance(outputs, pair);
    let factor = if distance == 0.0 { 0.0 } else { factor / distance };
    for (i, difference) in differences(outputs, pair).enumerate() {
        let d = (factor * difference) as f32;
        d_outputs[pair[0]].as_floats_mut()[i] += d;
        d_outputs[pair[1]].as_floats_mut()[i] -= d;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_batch_loss;
    use super::*;

    const OUTPUTS: [[f32; 3]; 6] = [
        [0.5, -1.25, 2.0],
        [1.0, 0.0, -0.5],
        [0.25, -1.0, 1.5],
        [-0.5, 1.0, 0.75],
        [1.25, -0.5, 1.0],
        [3.0, 2.0, -1.0],
    ];

    // Expected values: scripts/losses.py, PyTorch in float64.
    #[test]
    fn agrees_with_pytorch() {
        check_batch_loss(&Triplet::new(), &OUTPUTS, 0.23804813586020468);
        check_batch_loss(&Triplet::new().margin(3.0).swap(), &OUTPUTS, 2.3545449237697955);
    }

    #[test]
    fn equal_outputs_have_the_loss_of_the_margin() {
        let mut d = [[f32::NAN; 2]; 3];
        let loss = Triplet::new().loss_and_gradient(&[[1.0, 2.0]; 3], &mut d);
        assert_eq!((loss, d[0]), (Ok(1.0), [0.0; 2]));
        assert!(d.as_flattened().iter().all(|d| d.is_finite()), "{d:?}");
        let loss = Triplet::new().loss_and_gradient(&[[f32::NAN, 0.0]; 3], &mut d).unwrap();
        assert!(loss.is_nan());
    }

    #[test]
    fn outputs_that_are_not_triplets_are_refused() {
        let refused = |n: usize, gradients: usize| {
            let (outputs, mut d) = (vec![[0.0_f32; 2]; n], vec![[0.0; 2]; gradients]);
            Triplet::new().loss_and_gradient(&outputs, &mut d).unwrap_err().to_string()
        };
        assert_eq!(
            refused(4, 4),
            "expected as many anchors, positives and negatives, one group after the other: at least 3 outputs, and \
             a multiple of 3; found 4"
        );
        assert!(refused(0, 0).ends_with("found 0"));
        assert_eq!(
            refused(3, 2),
            "expected one gradient for each output, found 3 outputs and 2 gradients"
        );
    }
}
