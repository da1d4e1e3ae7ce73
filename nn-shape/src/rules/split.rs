//! `Split`: PyTorch's `x.chunk(parts, axis)[part]`, of parts of one size.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Flow, Flows, Row, Steps};
use crate::rules::helpers::{attempt, axis, count, divisors, with_axis};
use crate::shape::Shape;
use crate::text::Text;

arguments! {
    /// One of several parts of one size, along an axis. `torch.split` and `torch.chunk` are one `Split` for each part, of a
    /// named value: `q: x => Split(3, 0), k: x => Split(3, 1), v: x => Split(3, 2)`.
    pub struct Split {
        /// The number of parts, which divides the size of the axis.
        parts: Number,
        /// The part, counted from 0.
        part: Number = 0,
        /// The axis, counted from 0, without the batch; the last one are channels or features.
        axis: Number or "last",
    }
}

impl Split {
    /// `[.., A, ..] -> [.., A/parts, ..]`
    ///
    /// # Errors
    /// When the input has no such axis, `parts` is 0 or does not divide its size, or there is no such part.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = inputs[0];
        let axis = attempt!(axis("axis", self.axis(input), input));
        attempt!(count("parts", "parts", self.parts));
        let size = input.dim(axis);
        if !size.is_multiple_of(self.parts) {
            let message = Text::of("splits axis ").number(axis).text(" of ").shape(input);
            let message = message.text(" into ").number(self.parts).text(" parts, but ");
            let message = message.number(size).text(" is not divisible by ").number(self.parts);
            let help = divisors(Text::of("write `parts = "), size);
            let help = help.text("`, or `Slice` for parts of other sizes");
            return Err(ShapeError::argument("parts", message).help(help));
        }
        if self.part >= self.parts {
            let message = Text::of("takes part ").number(self.part).text(" of ");
            let message = message.number(self.parts).text(" parts");
            let help = Text::of("parts are counted from 0");
            return Err(ShapeError::argument("part", message).help(help));
        }
        Ok(with_axis(input, axis, size / self.parts))
    }

    /// The axis, of an input of this shape.
    #[must_use]
    pub const fn axis(&self, input: Shape) -> usize {
        match self.axis {
            Some(axis) => axis,
            None => input.rank() - 1,
        }
    }
}

/// The row of `Split`.
pub static ROW: Row = Row {
    name: "Split",
    stem: "split",
    summary: "one of several parts of an axis",
    parameters: Split::PARAMETERS,
    positional: 2,
    rule: |inputs, values| Split::from_values(values).output(inputs),
    flows: Flows { leading: Flow::Compute, last: Flow::Compute, keeps_rank: true },
    steps: Steps::All,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const INPUT: Shape = Shape::new(&[4, 6]);

    const fn of(parts: usize, part: usize, axis: Option<usize>) -> Split {
        Split { parts, part, axis }
    }

    #[test]
    fn divides_one_axis() {
        const OUTPUT: Shape = crate::error::expect(of(3, 2, None).output(&[INPUT]), "Split", "");
        assert_eq!(OUTPUT, Shape::new(&[4, 2]));
        assert_eq!(of(4, 0, Some(0)).output(&[INPUT]).unwrap(), Shape::new(&[1, 6]));
    }

    #[test]
    fn refuses_what_is_not_there() {
        let (blame, words) = refusal(of(4, 0, None).output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("parts"));
        assert_eq!(
            words,
            "layer `it` splits axis 1 of 4x6 into 4 parts, but 6 is not divisible by 4\n  \
             = help: write `parts = 1, 2, 3 or 6`, or `Slice` for parts of other sizes"
        );
        let (blame, words) = refusal(of(3, 3, None).output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("part"));
        assert_eq!(words, "layer `it` takes part 3 of 3 parts\n  = help: parts are counted from 0");
        let (blame, words) = refusal(of(0, 0, None).output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("parts"));
        assert_eq!(words, "layer `it` has 0 parts, but needs at least 1");
        let (blame, _) = refusal(of(2, 0, Some(2)).output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("axis"));
    }
}
