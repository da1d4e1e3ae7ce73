//! `HardSwish`: PyTorch's `nn.Hardswish`.

use crate::arguments::arguments;
use crate::registry::{Flows, Inputs, Needs, Row, Storage};
use crate::rules::helpers::{row, without};
use crate::{Shape, ShapeError};

arguments! {
    /// `x * min(max(x + 3, 0), 6) / 6`, element by element.
    pub struct HardSwish {}
}

impl HardSwish {
    /// `[..] -> [..]`
    ///
    /// # Errors
    /// Never.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Ok(inputs[0])
    }
}

without!(HardSwish: params, buffers, macs, how);

/// The row of `HardSwish`.
pub static ROW: Row = row!(HardSwish {
    stem: "hard_swish",
    summary: "x * min(max(x + 3, 0), 6) / 6",
    positional: 0,
    inputs: Inputs::One,
    sizes: &[],
    computed: &[],
    flows: Flows::SAME,
    storage: Storage::Separate,
    needs: Needs { input: true, output: false },
    crosses_batch: false,
    keeps_features: true,
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_shape() {
        const INPUT: Shape = Shape::new(&[28, 28, 32]);
        const OUTPUT: Shape = crate::expect(HardSwish {}.output(&[INPUT]), "HardSwish", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
