//! `Reduce`: PyTorch's `x.mean(axis)`, `x.sum(axis)` and `x.max(axis).values`, without the batch.

use crate::arguments::{arguments, words};
use crate::error::ShapeError;
use crate::row::{Channels, Flows, Needs, Row, Steps};
use crate::rules::helpers::{attempt, axis};
use crate::shape::{MAX_RANK, Shape};
use crate::text::Text;

words! {
    /// How `Reduce` joins elements.
    pub enum Mode {
        /// `mean`: their mean.
        Mean = "mean",
        /// `sum`: their sum.
        Sum = "sum",
        /// `max`: the largest of them.
        Max = "max",
    }
}

arguments! {
    /// The mean, sum or maximum over one axis, which it removes. Several axes are several layers.
    pub struct Reduce {
        /// How elements are joined.
        mode: Word(Mode) = Mode::Mean,
        /// The axis, counted from 0, without the batch: steps or height.
        axis: Number = 0,
    }
}

impl Reduce {
    /// `[.., A, ..] -> [.., ..]`
    ///
    /// # Errors
    /// When the input has no such axis, or no other one.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = inputs[0];
        let axis = attempt!(axis("axis", self.axis, input));
        if input.rank() == 1 {
            let message = Text::of("removes an axis, but its input ").shape(input);
            let help = Text::of("write `Dense(1)` for a weighted sum of all features");
            return Err(ShapeError::layer(message.text(" has one only")).help(help));
        }
        let mut axes = [0; MAX_RANK];
        let mut nth = 0;
        while nth + 1 < input.rank() {
            axes[nth] = input.dim(if nth < axis { nth } else { nth + 1 });
            nth += 1;
        }
        Ok(Shape::new(axes.split_at(nth).0))
    }

    /// Where PyTorch has the channels of the output.
    #[must_use]
    pub const fn channels(&self, inputs: &[Shape]) -> Channels {
        if self.axis + 1 == inputs[0].rank() {
            return Channels::Removed;
        }
        Channels::Kept { removed: self.axis }
    }
}

/// The row of `Reduce`.
pub static ROW: Row = Row {
    name: "Reduce",
    stem: "reduce",
    summary: "mean, sum or maximum over one axis",
    parameters: Reduce::PARAMETERS,
    positional: 1,
    rule: |inputs, values| Reduce::from_values(values).output(inputs),
    flows: Flows::COMPUTE,
    needs: Needs::INPUT,
    steps: Steps::All,
    channels_of: Some(|inputs, values| Reduce::from_values(values).channels(inputs)),
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn removes_an_axis() {
        const LAYER: Reduce = Reduce { mode: Mode::Sum, axis: 1 };
        const OUTPUT: Shape =
            crate::error::expect(LAYER.output(&[Shape::new(&[7, 5, 3])]), "Reduce", "");
        assert_eq!(OUTPUT, Shape::new(&[7, 3]));
        let last = Reduce { axis: 2, ..LAYER };
        assert_eq!(last.output(&[Shape::new(&[7, 5, 3])]).unwrap(), Shape::new(&[7, 5]));
    }

    #[test]
    fn leaves_channels_where_they_are_or_removes_them() {
        let image = [Shape::new(&[7, 5, 3])];
        let channels = |axis| Reduce { mode: Mode::Mean, axis }.channels(&image);
        let kept = |removed| Channels::Kept { removed };
        assert_eq!([0, 1, 2].map(channels), [kept(0), kept(1), Channels::Removed]);
    }

    #[test]
    fn refuses_the_only_axis_and_none() {
        let layer = Reduce { mode: Mode::Mean, axis: 0 };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[5])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` removes an axis, but its input 5 has one only\n  \
             = help: write `Dense(1)` for a weighted sum of all features"
        );
        let (blame, _) = refusal(Reduce { axis: 2, ..layer }.output(&[Shape::new(&[7, 5])]));
        assert_eq!(blame, Blame::Argument("axis"));
    }
}
