//! Whatever shapes and arguments people write, rules answer and never panic: the macro and
//! constants rely on it.

use unrolled_shape::registry::{Inputs, ROWS, Row};
use unrolled_shape::{Kind, Padding, Shape, StepPadding, Value, VolumePadding, checks, explain};

/// Numbers that look random (the constants are Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        let product = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = product.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    /// Mostly small, sometimes 0, sometimes absurd.
    fn size(&mut self) -> usize {
        match self.below(20) {
            0 => 0,
            1 => [usize::MAX, usize::MAX / 2, 1 << 40, 1 << 33, u32::MAX as usize][self.below(5)],
            _ => 1 + self.below(12),
        }
    }

    fn shape(&mut self) -> Shape {
        let rank = match self.below(8) {
            0..3 => 3,
            3 | 4 => 2,
            5 | 6 => 4,
            _ => 1 + self.below(6),
        };
        let axes: Vec<usize> = (0..rank).map(|_| self.size()).collect();
        Shape::new(&axes)
    }

    fn pair(&mut self) -> [usize; 2] {
        [self.size(), self.size()]
    }

    fn triple(&mut self) -> [usize; 3] {
        [self.size(), self.size(), self.size()]
    }

    fn value(&mut self, kind: Kind) -> Value {
        match kind {
            Kind::Number => Value::Number(self.size()),
            Kind::Pair => Value::Pair(self.pair()),
            Kind::Triple => Value::Triple(self.triple()),
            Kind::Padding if self.below(3) == 0 => Value::Padding(Padding::Same),
            Kind::Padding => Value::Padding(Padding::Explicit(self.pair())),
            Kind::VolumePadding => Value::VolumePadding(match self.below(3) {
                0 => VolumePadding::Same,
                1 => VolumePadding::Sides([(); 6].map(|()| self.size())),
                _ => VolumePadding::Explicit(self.triple()),
            }),
            Kind::StepPadding => Value::StepPadding(match self.below(3) {
                0 => StepPadding::Same,
                1 => StepPadding::Causal,
                _ => StepPadding::Explicit(self.size()),
            }),
            Kind::Flag => Value::Flag(self.below(2) == 0),
            Kind::Real => {
                Value::Real([-1.0, 0.0, 0.5, 1e300, f64::NAN, f64::INFINITY][self.below(6)])
            }
            Kind::Word(words) => Value::Word(words[self.below(words.len())]),
            Kind::Shape => Value::Shape(self.shape()),
            Kind::Input => Value::Absent,
            Kind::Weight if self.below(2) == 0 => Value::Absent,
            Kind::Weight => Value::Weight(Shape::new(&self.pair())),
        }
    }

    fn values(&mut self, row: &Row) -> Vec<Value> {
        let value = |parameter: &unrolled_shape::Parameter| match parameter.default {
            Some(default) if self.below(2) == 0 => default,
            None if parameter.kind == Kind::Input => Value::Input(1),
            _ => self.value(parameter.kind),
        };
        row.parameters.iter().map(value).collect()
    }

    fn inputs(&mut self, row: &Row) -> Vec<Shape> {
        let first = self.shape();
        let more = if row.inputs == Inputs::Branches { self.below(3) } else { 0 };
        let mut inputs = vec![first];
        if row.inputs == Inputs::OneAndIndices {
            inputs.push(if self.below(2) == 0 { Shape::new(&[self.size()]) } else { self.shape() });
        }
        for _ in 0..more {
            inputs.push(if self.below(2) == 0 { first } else { self.shape() });
        }
        inputs
    }
}

#[test]
fn rules_never_panic() {
    for row in ROWS {
        let mut agreed = 0;
        for seed in 0..8_000 {
            let mut dice = Dice(seed);
            let inputs = dice.inputs(row);
            let values = dice.values(row);
            match (row.rule)(&inputs, &values) {
                Err(error) => assert!(!explain("it", &error, "").is_empty()),
                Ok(output) => {
                    // Nothing else leaves a header or a layer.
                    if inputs.iter().any(|&input| checks::header_input(input).is_err()) {
                        continue;
                    }
                    agreed += 1;
                    assert!(checks::layer_output(output).is_ok(), "{}, seed {seed}", row.name);
                    let _ = row.params(&inputs, &values);
                    let _ = row.buffers(&inputs, &values);
                    let _ = row.macs(&inputs, &values);
                    let _ = row.how(&inputs, &values);
                    for computed in row.computed {
                        let _ = computed(&inputs, &values);
                    }
                }
            }
        }
        // Reshape agrees only by luck; see its own tests.
        assert!(agreed > 100 || row.name == "Reshape", "{}: {agreed}", row.name);
    }
}
