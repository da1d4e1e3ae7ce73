//! `Slice`: PyTorch's `x.narrow(axis, start, end - start)`, or `x[start:end:step]`.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Flow, Flows, Row, Steps};
use crate::rules::helpers::{attempt, axis, counts, with_axis};
use crate::shape::Shape;
use crate::text::Text;

arguments! {
    /// A part of the input along one axis. `torch.split` is one slice for each part, of a named value.
    pub struct Slice {
        /// The first index.
        start: Number = 0,
        /// The index after the last one.
        end: Number or "size of the axis",
        /// The axis, counted from 0, without the batch: steps or height.
        axis: Number = 0,
        /// The distance between indices.
        step: Number = 1,
    }
}

impl Slice {
    /// `[.., A, ..] -> [.., (end - start)/step, ..]`, rounded up.
    ///
    /// # Errors
    /// When the input has no such axis, the slice is empty or ends after the axis, or `step` is 0.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = inputs[0];
        let axis = attempt!(axis("axis", self.axis, input));
        attempt!(counts("step", "step", &[self.step]));
        let (size, end) = (input.dim(axis), self.end(input));
        if self.start < end && end <= size {
            return Ok(with_axis(input, axis, (end - self.start).div_ceil(self.step)));
        }
        let message = Text::of("takes ").number(self.start).text("..").number(end);
        let message = message.text(" of axis ").number(axis).text(", but its input ").shape(input);
        let message = message.text(" has ").number(size).text(" there");
        let blamed = if self.start < size && self.end.is_some() { "end" } else { "start" };
        let help = Text::of("`start` is below `end`, and `end` at most ").number(size);
        Err(ShapeError::argument(blamed, message).help(help))
    }

    /// The index after the last one.
    #[must_use]
    pub const fn end(&self, input: Shape) -> usize {
        match self.end {
            Some(end) => end,
            None => input.dim(self.axis),
        }
    }
}

/// The row of `Slice`.
pub static ROW: Row = Row {
    name: "Slice",
    stem: "slice",
    summary: "part of an axis",
    parameters: Slice::PARAMETERS,
    positional: 2,
    rule: |inputs, values| Slice::from_values(values).output(inputs),
    flows: Flows { leading: Flow::Compute, last: Flow::Compute, keeps_rank: true },
    steps: Steps::All,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const INPUT: Shape = Shape::new(&[7, 5]);

    const fn of(start: usize, end: Option<usize>, axis: usize, step: usize) -> Slice {
        Slice { start, end, axis, step }
    }

    #[test]
    fn shortens_one_axis() {
        const OUTPUT: Shape =
            crate::error::expect(of(1, Some(4), 0, 1).output(&[INPUT]), "Slice", "");
        assert_eq!(OUTPUT, Shape::new(&[3, 5]));
        assert_eq!(of(2, None, 1, 2).output(&[INPUT]).unwrap(), Shape::new(&[7, 2]));
        assert_eq!(of(0, None, 0, 3).output(&[INPUT]).unwrap(), Shape::new(&[3, 5]));
    }

    #[test]
    fn refuses_what_is_not_there() {
        let (blame, words) = refusal(of(1, Some(8), 0, 1).output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("end"));
        assert_eq!(
            words,
            "layer `it` takes 1..8 of axis 0, but its input 7x5 has 7 there\n  \
             = help: `start` is below `end`, and `end` at most 7"
        );
        let (blame, _) = refusal(of(7, None, 0, 1).output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("start"));
        let (blame, words) = refusal(of(0, None, 2, 1).output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("axis"));
        assert_eq!(
            words,
            "layer `it` has `axis = 2`, but its input 7x5 has the axes 0 to 1 only\n  \
             = help: axes are counted from 0, without the batch"
        );
        let (blame, words) = refusal(of(0, None, 0, 0).output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("step"));
        assert_eq!(words, "layer `it` has a step of 0, but needs at least 1");
    }
}
