//! `Concat`: PyTorch's `torch.cat(.., dim=-1)`: channels last, so the channels.

use crate::arguments::arguments;
use crate::checks::at_most;
use crate::error::ShapeError;
use crate::row::{Features, Flow, Flows, Inputs, Row};
use crate::rules::helpers::{attempt, branches, unlike_first};
use crate::shape::Shape;
use crate::text::Text;

arguments! {
    /// All branches side by side along the last axis.
    pub struct Concat {}
}

impl Concat {
    /// `[.., A], [.., B], .. -> [.., A + B + ..]`
    ///
    /// # Errors
    /// When the branches differ in another axis than the last.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(branches("joins", inputs));
        let mut last = inputs[0].last();
        let mut nth = 1;
        while nth < inputs.len() {
            // Equal in all axes but the last.
            if !inputs[nth].with_last(1).same(&inputs[0].with_last(1)) {
                let begin = Text::of("joins branches that differ in their last axis only");
                return Err(unlike_first(begin, inputs, nth).help(mend(inputs, nth)));
            }
            last = last.saturating_add(inputs[nth].last());
            nth += 1;
        }
        at_most(inputs[0].with_last(last), "gives ")
    }

    /// The sum of the last axes: `1600 + 32 = 1632`.
    #[must_use]
    pub const fn how(&self, inputs: &[Shape]) -> Text {
        let mut text = Text::new();
        let mut sum: usize = 0;
        let mut nth = 0;
        while nth < inputs.len() {
            text = if nth > 0 { text.text(" + ") } else { text }.number(inputs[nth].last());
            sum = sum.saturating_add(inputs[nth].last());
            nth += 1;
        }
        text.text(" = ").number(sum)
    }
}

/// What would make branch `nth` suit the first, in words.
const fn mend(inputs: &[Shape], nth: usize) -> Text {
    let (first, other) = (inputs[0], inputs[nth]);
    if first.rank() == other.rank() {
        let help = Text::of("let branch ").number(nth + 1).text(" give ");
        return help.shape(first.with_last(other.last()));
    }
    let larger = if first.rank() > other.rank() { 1 } else { nth + 1 };
    Text::of("write `Flatten` at the end of branch ").number(larger)
}

/// The row of `Concat`.
pub static ROW: Row = Row {
    name: "Concat",
    stem: "concat",
    summary: "concatenation of all branches along the last axis",
    inputs: Inputs::Branches,
    rule: |inputs, values| Concat::from_values(values).output(inputs),
    how: Some(|inputs, values| Concat::from_values(values).how(inputs)),
    flows: Flows { leading: Flow::Keep, last: Flow::Compute, keeps_rank: true },
    features: Features::Concat,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn adds_up_the_last_axis() {
        const INPUTS: &[Shape] = &[Shape::new(&[13, 13, 32]), Shape::new(&[13, 13, 8])];
        const OUTPUT: Shape = crate::error::expect(Concat {}.output(INPUTS), "Concat", "");
        assert_eq!(OUTPUT, Shape::new(&[13, 13, 40]));
        assert_eq!(Concat {}.how(INPUTS).as_str(), "32 + 8 = 40");
    }

    #[test]
    fn refuses_other_sizes() {
        let inputs = [Shape::new(&[13, 13, 32]), Shape::new(&[26, 26, 8])];
        let (blame, words) = refusal(Concat {}.output(&inputs));
        assert_eq!(blame, Blame::Branch(1));
        assert_eq!(
            words,
            "layer `it` joins branches that differ in their last axis only, \
             but branch 1 gives 13x13x32 and branch 2 gives 26x26x8\n  \
             = help: let branch 2 give 13x13x8"
        );
    }

    #[test]
    fn refuses_other_ranks() {
        let inputs = [Shape::new(&[13, 13, 32]), Shape::new(&[12])];
        let (blame, words) = refusal(Concat {}.output(&inputs));
        assert_eq!(blame, Blame::Branch(1));
        assert_eq!(
            words,
            "layer `it` joins branches that differ in their last axis only, \
             but branch 1 gives 13x13x32 and branch 2 gives 12\n  \
             = help: write `Flatten` at the end of branch 1"
        );
        let (_, words) = refusal(Concat {}.output(&[Shape::new(&[12]), Shape::new(&[5, 4])]));
        assert!(words.ends_with("= help: write `Flatten` at the end of branch 2"), "{words}");
    }

    #[test]
    fn refuses_one_branch() {
        let (blame, words) = refusal(Concat {}.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(words, "layer `it` joins two or more branches, but gets 1");
    }
}
