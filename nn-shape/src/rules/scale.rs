//! `Scale`: a factor, fixed or trained, on a residual branch.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Features, Needs, Row, Size};
use crate::rules::helpers::{attempt, real};
use crate::shape::Shape;
use crate::tensors::{LayerAxis, TensorSink};
use crate::text::Text;

arguments! {
    /// `x * factor`. At the end of a residual branch with `init = 0` the network begins as if the branch
    /// were not there.
    pub struct Scale {
        /// What the factor is before training.
        init: Real,
        /// Whether it is trained.
        trained: Flag = true,
        /// Whether each channel (entry of the last axis) has a factor of its own; otherwise there is one
        /// for all.
        per_channel: Flag = false,
    }
}

impl Scale {
    /// `[.., C] -> [.., C]`
    ///
    /// # Errors
    /// When `init` is not finite, or a fixed factor is to be one for each channel.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(real("init", self.init, self.init.is_finite(), "a finite number"));
        if self.per_channel && !self.trained {
            let message = Text::of("has a factor for each channel, but none of them is trained");
            let help = Text::of("leave out `per_channel` or `trained = false`");
            return Err(ShapeError::argument("per_channel", message).help(help));
        }
        Ok(inputs[0])
    }

    /// The number of trained parameters: the factors.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        self.factors(inputs[0])
    }

    /// The tensors of its weights in files.
    pub fn tensors(&self, inputs: &[Shape], sink: &mut TensorSink<'_>) {
        match (self.trained, self.per_channel) {
            (false, _) => {}
            (true, false) => sink.floats("weight", 0, &[LayerAxis::plain(1, 1)]),
            (true, true) => sink.floats("weight", 0, &[LayerAxis::inputs(inputs[0].last(), 1)]),
        }
    }

    /// Multiply-adds of one sample: one per element.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        inputs[0].len()
    }

    /// How many factors are trained.
    #[must_use]
    pub const fn factors(&self, input: Shape) -> usize {
        match (self.trained, self.per_channel) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => input.last(),
        }
    }
}

/// The row of `Scale`.
pub static ROW: Row = Row {
    name: "Scale",
    stem: "scale",
    summary: "x times a fixed or trained factor",
    parameters: Scale::PARAMETERS,
    positional: 1,
    rule: |inputs, values| Scale::from_values(values).output(inputs),
    params: Some(|inputs, values| Scale::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| Scale::from_values(values).tensors(inputs, sink)),
    macs: Some(|inputs, values| Scale::from_values(values).macs(inputs)),
    sizes: &[Size::Computed("factors")],
    computed: &[|inputs, values| Scale::from_values(values).factors(inputs[0])],
    needs: Needs::INPUT,
    features: Features::Same,
    role: Role::Scale,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const ONE: Scale = Scale { init: 0.0, trained: true, per_channel: false };

    #[test]
    fn has_one_factor_or_one_for_each_channel_or_none() {
        const INPUT: Shape = Shape::new(&[8, 8, 16]);
        const OUTPUT: Shape = crate::error::expect(ONE.output(&[INPUT]), "Scale", "");
        assert_eq!(OUTPUT, INPUT);
        assert_eq!(ONE.params(&[INPUT]), 1);
        assert_eq!(Scale { per_channel: true, ..ONE }.params(&[INPUT]), 16);
        assert_eq!(Scale { trained: false, ..ONE }.params(&[INPUT]), 0);
    }

    #[test]
    fn refuses_fixed_factors_for_channels_and_infinity() {
        let layer = Scale { trained: false, per_channel: true, ..ONE };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("per_channel"));
        assert_eq!(
            words,
            "layer `it` has a factor for each channel, but none of them is trained\n  \
             = help: leave out `per_channel` or `trained = false`"
        );
        let (blame, _) = refusal(Scale { init: f64::NAN, ..ONE }.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("init"));
    }
}
