//! `Flatten`: PyTorch's `nn.Flatten`, channels last.

use crate::arguments::arguments;
use crate::registry::{Flows, Inputs, Needs, Row, Storage};
use crate::rules::helpers::{row, without};
use crate::{Shape, ShapeError, Text};

arguments! {
    /// The same numbers along one axis.
    pub struct Flatten {}
}

impl Flatten {
    /// `[A, B, ..] -> [A * B * ..]`
    ///
    /// # Errors
    /// Never.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Ok(Shape::new(&[inputs[0].len()]))
    }

    /// The product of all axes: `5*5*64 = 1600`.
    #[must_use]
    pub const fn how(&self, inputs: &[Shape]) -> Text {
        let dims = inputs[0].dims();
        let mut text = Text::new();
        let mut axis = 0;
        while axis < dims.len() {
            text = if axis > 0 { text.text("*") } else { text }.number(dims[axis]);
            axis += 1;
        }
        text.text(" = ").number(inputs[0].len())
    }
}

without!(Flatten: params, buffers, macs);

/// The row of `Flatten`.
pub static ROW: Row = row!(Flatten {
    stem: "flatten",
    summary: "the same numbers along one axis",
    positional: 0,
    inputs: Inputs::One,
    sizes: &[],
    computed: &[],
    flows: Flows::COMPUTE,
    storage: Storage::View,
    needs: Needs { input: false, output: false },
    crosses_batch: false,
    keeps_features: false,
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplies_all_axes() {
        const INPUT: Shape = Shape::new(&[5, 5, 64]);
        const OUTPUT: Shape = crate::expect(Flatten {}.output(&[INPUT]), "Flatten", "");
        assert_eq!(OUTPUT, Shape::new(&[1600]));
        assert_eq!(Flatten {}.how(&[INPUT]).as_str(), "5*5*64 = 1600");
        assert_eq!(Flatten {}.output(&[OUTPUT]).unwrap(), OUTPUT);
    }
}
