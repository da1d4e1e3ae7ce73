//! Arguments of layers, with values that are likely to be valid.

use unrolled_shape::registry::Row;
use unrolled_shape::{Kind, Padding, Parameter, Shape, StepPadding, Value, VolumePadding};

use super::{Context, Generator};
use crate::network::{Argument, ArgumentValue, Size};

/// Ordinary values, and some at the edge of what layers accept.
const REALS: [f64; 10] = [0.05, 0.1, 0.25, 0.3, 0.5, 0.75, 1.5, 2.0, 0.0, -0.5];

/// `Softplus` and `Threshold` jump at their threshold, that of `Softplus` the less the higher it is: finite differences
/// need thresholds that few values reach.
const THRESHOLDS: [f64; 2] = [16.0, 24.0];

/// Normalising a few nearly equal values has a slope that grows as `eps` shrinks: finite differences need a larger
/// `eps` than the default.
const EPS: [f64; 3] = [0.1, 0.5, 1.5];

/// Factors of `Scale`. Products of several small ones would leave gradients too small to compare.
const FACTORS: [f64; 4] = [0.5, 0.75, 1.5, -2.0];

impl Generator {
    pub(super) fn arguments(
        &mut self,
        row: &Row,
        input: Shape,
        context: &Context<'_>,
    ) -> Vec<Argument> {
        let one = |parameter: &Parameter| match parameter.default {
            Some(value) if parameter.kind == Kind::Weight => own_weight(value),
            Some(value) if parameter.kind == Kind::Input => {
                self.argument(ArgumentValue::Plain(value), 100)
            }
            // The gradient of the padding row is zero by definition, whatever the finite difference is.
            Some(value) if parameter.name == "padding_index" => {
                self.argument(ArgumentValue::Plain(value), 100)
            }
            Some(value) if parameter.name != "eps" && self.rng.percent(60) => self.argument(
                ArgumentValue::Plain(value),
                if value == Value::Absent { 100 } else { 80 },
            ),
            _ => {
                let value = self.value(parameter, input, context);
                self.argument(value, 0)
            }
        };
        row.parameters.iter().map(one).collect()
    }

    /// `first` for the first argument, defaults for the others.
    pub(super) fn arguments_with(&mut self, row: &Row, first: Size) -> Vec<Argument> {
        let one = |(index, parameter): (usize, &Parameter)| match parameter.default {
            Some(value) if parameter.kind == Kind::Weight => own_weight(value),
            Some(value) if index > 0 => self.argument(ArgumentValue::Plain(value), 100),
            _ => self.argument(ArgumentValue::Number(first), 0),
        };
        row.parameters.iter().enumerate().map(one).collect()
    }

    fn argument(&mut self, value: ArgumentValue, omitted: usize) -> Argument {
        let omitted = self.rng.percent(omitted);
        Argument { value, omitted, named: self.rng.percent(25) }
    }

    fn value(
        &mut self,
        parameter: &Parameter,
        input: Shape,
        context: &Context<'_>,
    ) -> ArgumentValue {
        match parameter.kind {
            Kind::Number => ArgumentValue::Number(self.size(1, 4, context)),
            Kind::Pair => ArgumentValue::Pair(self.pair(1, 3, context)),
            Kind::Triple => ArgumentValue::Triple(self.triple(1, 3, context)),
            Kind::VolumePadding if self.rng.percent(40) => {
                let sides = VolumePadding::Sides([(); 6].map(|()| self.rng.between(0, 2)));
                let padding = self.rng.pick(&[VolumePadding::Same, sides]);
                ArgumentValue::Plain(Value::VolumePadding(padding))
            }
            Kind::VolumePadding => ArgumentValue::VolumePadding(self.triple(0, 2, context)),
            Kind::Padding if self.rng.percent(40) => {
                let sides = Padding::Sides([(); 4].map(|()| self.rng.between(0, 2)));
                let padding = self.rng.pick(&[Padding::Same, sides]);
                ArgumentValue::Plain(Value::Padding(padding))
            }
            Kind::StepPadding => {
                let explicit = StepPadding::Explicit(self.rng.between(0, 2));
                let sides = StepPadding::Sides([(); 2].map(|()| self.rng.between(0, 2)));
                let all = [StepPadding::Same, StepPadding::Causal, explicit, sides];
                ArgumentValue::Plain(Value::StepPadding(self.rng.pick(&all)))
            }
            Kind::Padding => ArgumentValue::Padding(self.pair(0, 2, context)),
            Kind::Flag => ArgumentValue::Plain(Value::Flag(self.rng.percent(50))),
            Kind::Real if parameter.name == "threshold" => {
                ArgumentValue::Plain(Value::Real(self.rng.pick(&THRESHOLDS)))
            }
            Kind::Real if parameter.default.is_none() => {
                ArgumentValue::Plain(Value::Real(self.rng.pick(&FACTORS)))
            }
            Kind::Real if parameter.name == "eps" => {
                ArgumentValue::Plain(Value::Real(self.rng.pick(&EPS)))
            }
            Kind::Real => ArgumentValue::Plain(Value::Real(self.rng.pick(&REALS))),
            Kind::Word(words) => ArgumentValue::Plain(Value::Word(self.rng.pick(words))),
            Kind::Shape => {
                let shape = self.reshaped(input);
                ArgumentValue::Shape(self.sizes(&shape))
            }
            Kind::Input | Kind::Weight => ArgumentValue::Plain(Value::Absent),
        }
    }

    fn pair(&mut self, first: usize, last: usize, context: &Context<'_>) -> [Size; 2] {
        let height = self.size(first, last, context);
        match self.rng.percent(60) {
            true => [height; 2],
            false => [height, self.size(first, last, context)],
        }
    }

    fn triple(&mut self, first: usize, last: usize, context: &Context<'_>) -> [Size; 3] {
        let depth = self.size(first, last, context);
        match self.rng.percent(60) {
            true => [depth; 3],
            false => [depth, self.size(first, last, context), self.size(first, last, context)],
        }
    }

    /// A number in this range, or a parameter of the block with any value.
    pub(super) fn size(&mut self, first: usize, last: usize, context: &Context<'_>) -> Size {
        let parameters = context.environment.parameters.len();
        if parameters > 0 && self.rng.percent(60) {
            let parameter = self.rng.below(parameters);
            return match self.rng.percent(35) {
                true => Size::ParameterPlus(parameter, self.rng.between(1, 2)),
                false => Size::Parameter(parameter),
            };
        }
        let number = self.rng.between(first, last);
        match self.constants && self.rng.percent(30) {
            true => self.constant(number),
            false => Size::Literal(number),
        }
    }

    /// A random shape with the same number of elements.
    fn reshaped(&mut self, input: Shape) -> Shape {
        let mut axes = vec![1; self.rng.between(1, 4)];
        let mut rest = input.len();
        let mut divisor = 2;
        while rest > 1 {
            if rest.is_multiple_of(divisor) {
                rest /= divisor;
                let axis = self.rng.below(axes.len());
                axes[axis] *= divisor;
            } else {
                divisor += 1;
            }
        }
        Shape::new(&axes)
    }
}

/// The argument of a layer with a weight of its own: tied weights are not drawn.
fn own_weight(default: Value) -> Argument {
    Argument { value: ArgumentValue::Plain(default), omitted: true, named: false }
}
