//! `Dropout`: PyTorch's `nn.Dropout`.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Row, Storage};
use crate::rules::helpers::real;
use crate::shape::Shape;
use crate::text::Text;

arguments! {
    /// In training each element becomes 0 with probability `p` and is divided by `1 - p` otherwise; in
    /// inference nothing happens.
    pub struct Dropout {
        /// The probability of becoming 0.
        p: Real = 0.5,
    }
}

impl Dropout {
    /// `[..] -> [..]`
    ///
    /// # Errors
    /// When `p` is not a probability.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let allowed = self.p >= 0.0 && self.p <= 1.0;
        match real("p", self.p, allowed, "a probability from 0 to 1") {
            // A percentage, perhaps.
            Err(error) if self.p > 1.0 && self.p <= 100.0 => {
                let help = Text::of("write `").real(self.p / 100.0).text("` for ").real(self.p);
                Err(error.help(help.text(" %")))
            }
            Err(error) => Err(error),
            Ok(()) => Ok(inputs[0]),
        }
    }
}

/// The row of `Dropout`.
pub static ROW: Row = Row {
    name: "Dropout",
    stem: "dropout",
    summary: "zeroes elements with probability p, in training",
    parameters: Dropout::PARAMETERS,
    positional: 1,
    rule: |inputs, values| Dropout::from_values(values).output(inputs),
    storage: Storage::InPlace,
    role: Role::Dropout,
    ..Row::ELEMENTWISE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn keeps_the_shape() {
        const INPUT: Shape = Shape::new(&[28, 28, 32]);
        const OUTPUT: Shape =
            crate::error::expect(Dropout { p: 0.5 }.output(&[INPUT]), "Dropout", "");
        assert_eq!(OUTPUT, INPUT);
    }

    #[test]
    fn takes_every_probability() {
        let input = Shape::new(&[10]);
        for p in [0.0, 0.25, 1.0] {
            assert_eq!(Dropout { p }.output(&[input]).unwrap(), input);
        }
    }

    #[test]
    fn refuses_a_negative_probability() {
        let (blame, words) = refusal(Dropout { p: -0.5 }.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("p"));
        assert_eq!(words, "layer `it` has `p = -0.5`, but needs a probability from 0 to 1");
    }

    #[test]
    fn refuses_a_percentage() {
        let (blame, words) = refusal(Dropout { p: 50.0 }.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("p"));
        assert_eq!(
            words,
            "layer `it` has `p = 50`, but needs a probability from 0 to 1\n  = help: write `0.5` for 50 %"
        );
    }
}
