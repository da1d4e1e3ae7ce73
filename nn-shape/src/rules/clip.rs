//! `Clip`: PyTorch's `torch.clamp(x, min, max)`.

use crate::arguments::arguments;
use crate::error::{Blame, ShapeError};
use crate::row::{Needs, Row, Storage};
use crate::shape::Shape;
use crate::text::Text;

arguments! {
    /// `x` between `min` and `max`, and the nearer of them elsewhere, element by element. Either may be left out.
    pub struct Clip {
        /// The smallest output.
        min: Real or "none",
        /// The largest output; at least `min`.
        max: Real or "none",
    }
}

impl Clip {
    /// `[..] -> [..]`
    ///
    /// # Errors
    /// When both limits are left out, or `max` is below `min`.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        match (self.min, self.max) {
            (None, None) => {
                let message = Text::of("has neither `min` nor `max`, but needs one of them");
                let help = Text::of("write `min = 0.0`, say, or leave the layer out");
                Err(ShapeError::layer(message).help(help))
            }
            (Some(min), Some(max)) if max < min => {
                let message =
                    Text::of("has `max = ").real(max).text("`, but needs at least `min = ");
                let message = message.real(min).text("`");
                Err(ShapeError { blame: Blame::Argument("max"), ..ShapeError::layer(message) })
            }
            _ => Ok(inputs[0]),
        }
    }
}

/// The row of `Clip`.
pub static ROW: Row = Row {
    name: "Clip",
    stem: "clip",
    summary: "x between min and max",
    parameters: Clip::PARAMETERS,
    positional: 2,
    rule: |inputs, values| Clip::from_values(values).output(inputs),
    storage: Storage::InPlace,
    needs: Needs::OUTPUT,
    ..Row::ELEMENTWISE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::testing::refusal;

    const INPUT: Shape = Shape::new(&[3, 4]);

    #[test]
    fn one_limit_is_enough() {
        let above_0 = Clip { min: Some(0.0), max: None };
        let below_1 = Clip { min: None, max: Some(1.0) };
        assert_eq!(above_0.output(&[INPUT]).unwrap(), INPUT);
        assert_eq!(below_1.output(&[INPUT]).unwrap(), INPUT);
        assert_eq!(Clip { max: Some(0.0), ..above_0 }.output(&[INPUT]).unwrap(), INPUT);
    }

    #[test]
    fn refuses_limits_that_do_nothing_or_exclude_each_other() {
        let (blame, words) = refusal(Clip { min: None, max: None }.output(&[INPUT]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` has neither `min` nor `max`, but needs one of them\n  \
             = help: write `min = 0.0`, say, or leave the layer out"
        );
        let (blame, words) = refusal(Clip { min: Some(1.0), max: Some(0.5) }.output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("max"));
        assert_eq!(words, "layer `it` has `max = 0.5`, but needs at least `min = 1`");
    }
}
