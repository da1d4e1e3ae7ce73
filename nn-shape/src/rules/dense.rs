//! `Dense`: PyTorch's `nn.Linear`.

use crate::arguments::arguments;
use crate::checks::at_most;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Features, Flow, Flows, Needs, Row, Size};
use crate::rules::helpers::{attempt, count, few_enough_weights};
use crate::shape::Shape;
use crate::tensors::{LayerAxis, TensorSink};
use crate::text::Text;

arguments! {
    /// A fully connected layer on the last axis: `y = x W + b`.
    pub struct Dense {
        /// The number of outputs.
        units: Number,
        /// Whether a bias is added.
        bias: Flag = true,
        /// An earlier line whose weight this layer uses (weight tying).
        weight: Weight or "..",
    }
}

impl Dense {
    /// `[.., IN] -> [.., units]`
    ///
    /// # Errors
    /// When `units` is 0, the sizes are too large, or the weight of the line that it names has another shape.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(count("units", "units", self.units));
        attempt!(few_enough_weights("units", &[inputs[0].last(), self.units]));
        attempt!(self.check_weight(inputs[0].last()));
        at_most(inputs[0].with_last(self.units), "gives ")
    }

    /// The number of trained parameters: a weight for each pair of input and output, unless another layer
    /// has them, and a bias for each output.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        let weights = if self.weight.is_some() { 0 } else { inputs[0].last() * self.units };
        weights + if self.bias { self.units } else { 0 }
    }

    /// The tensors of its weights in files.
    pub fn tensors(&self, inputs: &[Shape], sink: &mut TensorSink<'_>) {
        let (features, outputs) = (inputs[0].last(), LayerAxis::outputs(self.units, 1));
        // A shared weight is a tensor of the layer that owns it. Layers that share one have PyTorch's order.
        if self.weight.is_none() {
            sink.floats("weight", 0, &[outputs, LayerAxis::inputs(features, self.units)]);
        }
        if self.bias {
            let weights = if self.weight.is_some() { 0 } else { features * self.units };
            sink.floats("bias", weights, &[outputs]);
        }
    }

    /// Multiply-adds of one sample.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        inputs[0].len().saturating_mul(self.units)
    }

    /// Whether the weight that it shares is the one it needs.
    const fn check_weight(&self, features: usize) -> Result<(), ShapeError> {
        let needed = Shape::new(&[self.units, features]);
        let found = match self.weight {
            Some(found) if !found.same(&needed) => found,
            _ => return Ok(()),
        };
        let message =
            Text::of("needs a weight of ").shape(needed).text(" (units x features), but ");
        let message = message.text("shares one of ").shape(found);
        let help = if found.dim(1) == features {
            Text::of("give it ").number(found.dim(0)).text(" units")
        } else if found.dim(0) == self.units {
            Text::of("let it read ").number(found.dim(1)).text(" features")
        } else {
            Text::of("leave out `weight`, so that it has one of its own")
        };
        Err(ShapeError::argument("weight", message).help(help))
    }
}

/// The row of `Dense`.
pub static ROW: Row = Row {
    name: "Dense",
    stem: "dense",
    summary: "fully connected layer on the last axis",
    parameters: Dense::PARAMETERS,
    positional: 1,
    rule: |inputs, values| Dense::from_values(values).output(inputs),
    params: Some(|inputs, values| Dense::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| Dense::from_values(values).tensors(inputs, sink)),
    macs: Some(|inputs, values| Dense::from_values(values).macs(inputs)),
    sizes: &[Size::InputLast, Size::Argument("units"), Size::Unless("bias")],
    weight: Some([Size::Argument("units"), Size::InputLast]),
    flows: Flows { leading: Flow::Keep, last: Flow::Argument("units"), keeps_rank: true },
    needs: Needs::INPUT,
    channels: Channels::Last,
    features: Features::Any,
    role: Role::Dense,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const fn dense(units: usize) -> Dense {
        Dense { units, bias: true, weight: None }
    }

    #[test]
    fn replaces_the_last_axis() {
        const INPUT: Shape = Shape::new(&[1600]);
        const OUTPUT: Shape = crate::error::expect(dense(128).output(&[INPUT]), "fc1", "");
        assert_eq!(OUTPUT, Shape::new(&[128]));
        assert_eq!(dense(128).params(&[INPUT]), 204_928);
        assert_eq!(Dense { bias: false, ..dense(128) }.params(&[INPUT]), 204_800);
        assert_eq!(dense(128).macs(&[INPUT]), 204_800);

        let steps = Shape::new(&[7, 5, 3]);
        assert_eq!(dense(4).output(&[steps]).unwrap(), Shape::new(&[7, 5, 4]));
        assert_eq!(dense(4).params(&[steps]), 16);
        assert_eq!(dense(4).macs(&[steps]), 7 * 5 * 3 * 4);
    }

    #[test]
    fn refuses_no_units() {
        let (blame, words) = refusal(dense(0).output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("units"));
        assert_eq!(words, "layer `it` has 0 units, but needs at least 1");
    }

    #[test]
    fn a_shared_weight_is_counted_where_it_is() {
        let tied = Dense { weight: Some(Shape::new(&[65, 128])), ..dense(65) };
        let input = Shape::new(&[64, 128]);
        assert_eq!(tied.output(&[input]).unwrap(), Shape::new(&[64, 65]));
        assert_eq!(tied.params(&[input]), 65);
        assert_eq!(Dense { bias: false, ..tied }.params(&[input]), 0);
        assert_eq!(tied.macs(&[input]), 64 * 128 * 65);
    }

    #[test]
    fn refuses_a_weight_of_another_shape() {
        let about = |units, features, help: &str| {
            let tied = Dense { weight: Some(Shape::new(&[65, 128])), ..dense(units) };
            let (blame, words) = refusal(tied.output(&[Shape::new(&[64, features])]));
            assert_eq!(blame, Blame::Argument("weight"));
            let expected = std::format!(
                "layer `it` needs a weight of {units}x{features} (units x features), but shares one of \
                 65x128\n  = help: {help}"
            );
            assert_eq!(words, expected);
        };
        about(64, 128, "give it 65 units");
        about(65, 100, "let it read 128 features");
        about(64, 100, "leave out `weight`, so that it has one of its own");
    }

    #[test]
    fn refuses_absurd_sizes() {
        let (blame, words) = refusal(dense(usize::MAX).output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("units"));
        assert_eq!(
            words,
            "layer `it` has 18446744073709551615 units, but can have at most 1099511627776"
        );
        let (blame, words) = refusal(dense(1 << 30).output(&[Shape::new(&[1 << 20])]));
        assert_eq!(blame, Blame::Argument("units"));
        assert_eq!(
            words,
            "layer `it` needs 1048576*1073741824 weights, but can have at most 1099511627776"
        );
        let (blame, words) = refusal(dense(1 << 38).output(&[Shape::new(&[8, 1])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` gives 8x274877906944, but a value can hold at most 1099511627776 elements"
        );
    }
}
