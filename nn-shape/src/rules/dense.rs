//! `Dense`: PyTorch's `nn.Linear`.

use crate::arguments::arguments;
use crate::checks::at_most;
use crate::registry::{Flow, Flows, Inputs, Needs, Row, Size, Storage};
use crate::rules::helpers::{attempt, count, few_enough_weights, row, without};
use crate::{Shape, ShapeError};

arguments! {
    /// A fully connected layer on the last axis: `y = x W + b`.
    pub struct Dense {
        /// How many outputs.
        units: Number,
        /// Whether a bias is added.
        bias: Flag = true,
    }
}

impl Dense {
    /// `[.., IN] -> [.., units]`
    ///
    /// # Errors
    /// When `units` is 0, or the sizes are absurd.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(count("units", "units", self.units));
        attempt!(few_enough_weights("units", &[inputs[0].last(), self.units]));
        at_most(inputs[0].with_last(self.units), "gives ")
    }

    /// Trained numbers: a weight for each pair of input and output, a bias for each output.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        inputs[0].last() * self.units + if self.bias { self.units } else { 0 }
    }

    /// Multiply-adds of one sample.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        inputs[0].len().saturating_mul(self.units)
    }
}

without!(Dense: buffers, how);

/// The row of `Dense`.
pub static ROW: Row = row!(Dense {
    stem: "dense",
    summary: "fully connected layer on the last axis",
    positional: 1,
    inputs: Inputs::One,
    sizes: &[Size::InputLast, Size::Argument("units"), Size::Unless("bias")],
    computed: &[],
    flows: Flows { leading: Flow::Keep, last: Flow::Argument("units"), keeps_rank: true },
    storage: Storage::Separate,
    needs: Needs { input: true, output: false },
    crosses_batch: false,
    keeps_features: false,
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Blame;
    use crate::error::testing::refusal;

    const fn dense(units: usize) -> Dense {
        Dense { units, bias: true }
    }

    #[test]
    fn replaces_the_last_axis() {
        const INPUT: Shape = Shape::new(&[1600]);
        const OUTPUT: Shape = crate::expect(dense(128).output(&[INPUT]), "fc1", "");
        assert_eq!(OUTPUT, Shape::new(&[128]));
        assert_eq!(dense(128).params(&[INPUT]), 204_928);
        assert_eq!(Dense { units: 128, bias: false }.params(&[INPUT]), 204_800);
        assert_eq!(dense(128).macs(&[INPUT]), 204_800);

        let steps = Shape::new(&[7, 5, 3]);
        assert_eq!(dense(4).output(&[steps]).unwrap(), Shape::new(&[7, 5, 4]));
        assert_eq!(dense(4).params(&[steps]), 16);
        assert_eq!(dense(4).macs(&[steps]), 7 * 5 * 3 * 4);
    }

    #[test]
    fn refuses_no_units() {
        let (blame, words) = refusal(dense(0).output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("units"));
        assert_eq!(words, "layer `it` has 0 units, but needs at least 1");
    }

    #[test]
    fn refuses_absurd_sizes() {
        let (blame, words) = refusal(dense(usize::MAX).output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("units"));
        assert_eq!(
            words,
            "layer `it` has 18446744073709551615 units, but can have at most 1099511627776"
        );
        let (blame, words) = refusal(dense(1 << 30).output(&[Shape::new(&[1 << 20])]));
        assert_eq!(blame, Blame::Argument("units"));
        assert_eq!(
            words,
            "layer `it` needs 1048576*1073741824 weights, but can have at most 1099511627776"
        );
        let (blame, words) = refusal(dense(1 << 38).output(&[Shape::new(&[8, 1])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` gives 8x274877906944, but a value can hold at most 1099511627776 numbers"
        );
    }
}
