//! `PReLU`: PyTorch's `nn.PReLU`.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::{Activation, Role};
use crate::row::{Features, Needs, Row, Size};
use crate::rules::helpers::{attempt, real};
use crate::shape::Shape;
use crate::tensors::{LayerAxis, TensorSink};

arguments! {
    /// `x` above 0, `a * x` below, where `a` is trained.
    pub struct PReLU {
        /// Whether each channel (entry of the last axis) has an `a` of its own; otherwise there is
        /// one for all.
        per_channel: Flag = false,
        /// What `a` is before training.
        init: Real = 0.25,
    }
}

impl PReLU {
    /// `[.., C] -> [.., C]`
    ///
    /// # Errors
    /// When `init` is not finite.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(real("init", self.init, self.init.is_finite(), "a finite number"));
        Ok(inputs[0])
    }

    /// The number of trained parameters: the slopes.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        self.slopes(inputs[0])
    }

    /// The tensors of its weights in files.
    pub fn tensors(&self, inputs: &[Shape], sink: &mut TensorSink<'_>) {
        let slopes = match self.per_channel {
            true => LayerAxis::inputs(inputs[0].last(), 1),
            false => LayerAxis::plain(1, 1),
        };
        sink.floats("weight", 0, &[slopes]);
    }

    /// How many slopes there are.
    #[must_use]
    pub const fn slopes(&self, input: Shape) -> usize {
        if self.per_channel { input.last() } else { 1 }
    }
}

/// The row of `PReLU`.
pub static ROW: Row = Row {
    name: "PReLU",
    stem: "prelu",
    summary: "x above 0, a * x below, where a is trained",
    parameters: PReLU::PARAMETERS,
    rule: |inputs, values| PReLU::from_values(values).output(inputs),
    params: Some(|inputs, values| PReLU::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| PReLU::from_values(values).tensors(inputs, sink)),
    sizes: &[Size::Computed("slopes")],
    computed: &[|inputs, values| PReLU::from_values(values).slopes(inputs[0])],
    needs: Needs::INPUT,
    features: Features::Same,
    role: Role::Activation(Activation::Rectifier),
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn has_one_slope_or_one_for_each_channel() {
        const INPUT: Shape = Shape::new(&[28, 28, 32]);
        const ONE: PReLU = PReLU { per_channel: false, init: 0.25 };
        const EACH: PReLU = PReLU { per_channel: true, init: 0.25 };
        const OUTPUT: Shape = crate::error::expect(ONE.output(&[INPUT]), "PReLU", "");
        assert_eq!(OUTPUT, INPUT);
        assert_eq!(ONE.params(&[INPUT]), 1);
        assert_eq!(EACH.params(&[INPUT]), 32);
    }

    #[test]
    fn refuses_an_infinite_slope() {
        let layer = PReLU { per_channel: false, init: f64::INFINITY };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("init"));
        assert_eq!(words, "layer `it` has `init = infinity`, but needs a finite number");
    }
}
