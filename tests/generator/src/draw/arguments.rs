//! Arguments of layers, each of a value that is likely to be legal.

use unrolled_shape::registry::Row;
use unrolled_shape::{Kind, Padding, Parameter, Shape, StepPadding, Value};

use super::{Artist, Place};
use crate::network::{Argument, Given, Size};

/// Ordinary numbers, and some at the edge of what layers take.
const REALS: [f64; 10] = [0.05, 0.1, 0.25, 0.3, 0.5, 0.75, 1.5, 2.0, 0.0, -0.5];

/// `Softplus` jumps at its threshold, the less the higher it is: lower ones have no differences.
const THRESHOLDS: [f64; 2] = [16.0, 24.0];

/// Few numbers that are normalised jump where they are alike, the steeper the smaller `eps` is: the
/// default has no differences.
const EPS: [f64; 3] = [0.1, 0.5, 1.5];

/// Factors of `Scale`: products of several small ones would leave nothing to compare.
const FACTORS: [f64; 4] = [0.5, 0.75, 1.5, -2.0];

impl Artist {
    pub(super) fn arguments(
        &mut self,
        row: &Row,
        input: Shape,
        place: &Place<'_>,
    ) -> Vec<Argument> {
        let one = |parameter: &Parameter| match parameter.default {
            Some(value) if parameter.kind == Kind::Weight => own_weight(value),
            Some(value) if parameter.kind == Kind::Input => self.argument(Given::Plain(value), 100),
            // The padding's gradient is zero by definition, not a slope.
            Some(value) if parameter.name == "padding_index" => {
                self.argument(Given::Plain(value), 100)
            }
            Some(value) if parameter.name != "eps" && self.dice.percent(60) => {
                self.argument(Given::Plain(value), if value == Value::Absent { 100 } else { 80 })
            }
            _ => {
                let value = self.value(parameter, input, place);
                self.argument(value, 0)
            }
        };
        row.parameters.iter().map(one).collect()
    }

    /// This for the first argument, defaults for all others.
    pub(super) fn arguments_with(&mut self, row: &Row, first: Size) -> Vec<Argument> {
        let one = |(nth, parameter): (usize, &Parameter)| match parameter.default {
            Some(value) if parameter.kind == Kind::Weight => own_weight(value),
            Some(value) if nth > 0 => self.argument(Given::Plain(value), 100),
            _ => self.argument(Given::Number(first), 0),
        };
        row.parameters.iter().enumerate().map(one).collect()
    }

    fn argument(&mut self, value: Given, left_out: usize) -> Argument {
        let left_out = self.dice.percent(left_out);
        Argument { value, left_out, named: self.dice.percent(25) }
    }

    fn value(&mut self, parameter: &Parameter, input: Shape, place: &Place<'_>) -> Given {
        match parameter.kind {
            Kind::Number => Given::Number(self.size(1, 4, place)),
            Kind::Pair => Given::Pair(self.pair(1, 3, place)),
            Kind::Padding if self.dice.percent(40) => Given::Plain(Value::Padding(Padding::Same)),
            Kind::StepPadding => {
                let explicit = StepPadding::Explicit(self.dice.between(0, 2));
                let all = [StepPadding::Same, StepPadding::Causal, explicit];
                Given::Plain(Value::StepPadding(self.dice.pick(&all)))
            }
            Kind::Padding => Given::Padding(self.pair(0, 2, place)),
            Kind::Flag => Given::Plain(Value::Flag(self.dice.percent(50))),
            Kind::Real if parameter.name == "threshold" => {
                Given::Plain(Value::Real(self.dice.pick(&THRESHOLDS)))
            }
            Kind::Real if parameter.default.is_none() => {
                Given::Plain(Value::Real(self.dice.pick(&FACTORS)))
            }
            Kind::Real if parameter.name == "eps" => {
                Given::Plain(Value::Real(self.dice.pick(&EPS)))
            }
            Kind::Real => Given::Plain(Value::Real(self.dice.pick(&REALS))),
            Kind::Word(words) => Given::Plain(Value::Word(self.dice.pick(words))),
            Kind::Shape => {
                let shape = self.reshaped(input);
                Given::Shape(self.sizes(&shape))
            }
            Kind::Input | Kind::Weight => Given::Plain(Value::Absent),
        }
    }

    fn pair(&mut self, first: usize, last: usize, place: &Place<'_>) -> [Size; 2] {
        let height = self.size(first, last, place);
        match self.dice.percent(60) {
            true => [height; 2],
            false => [height, self.size(first, last, place)],
        }
    }

    /// A number in this range, or a parameter of the block, whatever it is.
    pub(super) fn size(&mut self, first: usize, last: usize, place: &Place<'_>) -> Size {
        let parameters = place.environment.parameters.len();
        if parameters > 0 && self.dice.percent(60) {
            let parameter = self.dice.below(parameters);
            return match self.dice.percent(35) {
                true => Size::Above(parameter, self.dice.between(1, 2)),
                false => Size::Parameter(parameter),
            };
        }
        let number = self.dice.between(first, last);
        match self.constants && self.dice.percent(30) {
            true => self.constant(number),
            false => Size::Literal(number),
        }
    }

    /// As many numbers along other axes.
    fn reshaped(&mut self, input: Shape) -> Shape {
        let mut axes = vec![1; self.dice.between(1, 4)];
        let mut rest = input.len();
        let mut divisor = 2;
        while rest > 1 {
            if rest.is_multiple_of(divisor) {
                rest /= divisor;
                let axis = self.dice.below(axes.len());
                axes[axis] *= divisor;
            } else {
                divisor += 1;
            }
        }
        Shape::new(&axes)
    }
}

/// No line is drawn that has the weight of another one.
fn own_weight(default: Value) -> Argument {
    Argument { value: Given::Plain(default), left_out: true, named: false }
}
