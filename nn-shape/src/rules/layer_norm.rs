//! `LayerNorm`: PyTorch's `nn.LayerNorm`.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Features, Needs, Row, Size, Steps, Streaming};
use crate::rules::helpers::{attempt, count, eps};
use crate::shape::{MAX_RANK, Shape};
use crate::tensors::{LayerAxis, TensorSink};
use crate::text::Text;

arguments! {
    /// `(x - mean) / sqrt(variance + eps) * weight + bias`, where mean and variance are those of the
    /// last axis: of each step of a sequence, of each pixel, by itself. With `axes = n` they are those of the last `n`
    /// axes, as with an `nn.LayerNorm` of `n` sizes.
    pub struct LayerNorm {
        /// A small number that keeps the divisor above 0.
        eps: Real = 1e-5,
        /// Whether there is a weight for each feature.
        affine: Flag = true,
        /// Whether there is a bias for each feature, too.
        bias: Flag = true,
        /// The number of axes, counted from the last one, that are normalised together.
        axes: Number = 1,
    }
}

impl LayerNorm {
    /// `[.., C] -> [.., C]`
    ///
    /// # Errors
    /// When `eps` is not above 0, or the input has fewer axes than are normalised.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(eps(self.eps));
        attempt!(count("axes", "axes", self.axes));
        let input = inputs[0];
        if self.axes > input.rank() {
            let message = Text::of("normalises the last ").number(self.axes);
            let message = message.text(" axes, but its input ").shape(input).text(" has ");
            let help = Text::of("write `axes = ").number(input.rank());
            let help = help.text("` for all axes of a sample: samples have no batch axis");
            return Err(ShapeError::argument("axes", message.number(input.rank())).help(help));
        }
        Ok(input)
    }

    /// The number of elements that are normalised together.
    #[must_use]
    pub const fn features(&self, input: Shape) -> usize {
        input.last_axes(self.axes)
    }

    /// What it does with short sequences: a mean over all axes would be that of their steps, too.
    #[must_use]
    pub const fn steps(&self, input: Shape) -> Steps {
        if self.axes < input.rank() || input.rank() == 1 { Steps::Each } else { Steps::All }
    }

    /// The number of trained parameters: a weight and a bias for each feature.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        match (self.affine, self.bias) {
            (true, true) => 2 * self.features(inputs[0]),
            (true, false) => self.features(inputs[0]),
            (false, _) => 0,
        }
    }

    /// The tensors of its weights in files, of the shape of the axes that are normalised.
    pub fn tensors(&self, inputs: &[Shape], sink: &mut TensorSink<'_>) {
        let input = inputs[0];
        let mut axes = [LayerAxis::plain(1, 1); MAX_RANK];
        for (nth, axis) in (input.rank() - self.axes..input.rank()).enumerate() {
            axes[nth] = LayerAxis::plain(input.dim(axis), input.span(axis + 1, input.rank()));
        }
        axes[self.axes - 1] = if self.axes > 1 && self.axes == input.rank() {
            LayerAxis::channels(input.last(), 1)
        } else {
            LayerAxis::inputs(input.last(), 1)
        };
        let axes = &axes[..self.axes];
        if self.affine {
            sink.floats("weight", 0, axes);
        }
        if self.affine && self.bias {
            sink.floats("bias", self.features(input), axes);
        }
    }

    /// Multiply-adds of one sample: one scale and shift per element.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        inputs[0].len()
    }
}

/// The row of `LayerNorm`.
pub static ROW: Row = Row {
    name: "LayerNorm",
    stem: "layer_norm",
    summary: "normalisation over the features of each step or pixel, or over several axes",
    parameters: LayerNorm::PARAMETERS,
    rule: |inputs, values| LayerNorm::from_values(values).output(inputs),
    params: Some(|inputs, values| LayerNorm::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| LayerNorm::from_values(values).tensors(inputs, sink)),
    macs: Some(|inputs, values| LayerNorm::from_values(values).macs(inputs)),
    sizes: &[
        Size::InputAxesIf("axes", &["affine"]),
        Size::InputAxesIf("axes", &["affine", "bias"]),
    ],
    needs: Needs::INPUT,
    features: Features::Same,
    steps_for: Some(|inputs, values| LayerNorm::from_values(values).steps(inputs[0])),
    // The axes of a single step are not counted here: several axes may contain that of the steps.
    streaming: Streaming::CarriesIf(|values| LayerNorm::from_values(values).axes == 1),
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const DEFAULT: LayerNorm = LayerNorm { eps: 1e-5, affine: true, bias: true, axes: 1 };

    #[test]
    fn keeps_the_shape_and_counts_its_numbers() {
        const INPUT: Shape = Shape::new(&[64, 128]);
        const OUTPUT: Shape = crate::error::expect(DEFAULT.output(&[INPUT]), "LayerNorm", "");
        assert_eq!(OUTPUT, INPUT);
        assert_eq!(DEFAULT.params(&[INPUT]), 256);
        assert_eq!(LayerNorm { bias: false, ..DEFAULT }.params(&[INPUT]), 128);
        assert_eq!(LayerNorm { affine: false, ..DEFAULT }.params(&[INPUT]), 0);
        assert_eq!(DEFAULT.macs(&[INPUT]), 8192);
    }

    #[test]
    fn refuses_an_eps_of_0() {
        let layer = LayerNorm { eps: 0.0, ..DEFAULT };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("eps"));
        assert_eq!(words, "layer `it` has `eps = 0`, but needs a finite number above 0");
    }

    #[test]
    fn several_axes_are_normalised_together() {
        let image = [Shape::new(&[3, 4, 5])];
        for (axes, params) in [(1, 10), (2, 40), (3, 120)] {
            let layer = LayerNorm { axes, ..DEFAULT };
            assert_eq!(layer.output(&image).unwrap(), image[0]);
            assert_eq!(layer.params(&image), params);
            let steps = if axes == 3 { Steps::All } else { Steps::Each };
            assert_eq!(layer.steps(image[0]), steps);
        }
        assert_eq!(DEFAULT.steps(Shape::new(&[5])), Steps::Each);
    }

    #[test]
    fn weights_have_the_shape_of_their_axes() {
        let image = [Shape::new(&[3, 4, 5])];
        let weights = |axes| {
            let mut found = std::vec::Vec::new();
            let mut receive = |tensor: crate::tensors::LayerTensor<'_>| {
                found.push((tensor.offset, tensor.axes.to_vec()));
            };
            let layer = LayerNorm { axes, ..DEFAULT };
            layer.tensors(&image, &mut TensorSink::new(&mut receive));
            found
        };
        let rows = std::vec![LayerAxis::plain(4, 5), LayerAxis::inputs(5, 1)];
        assert_eq!(weights(2), [(0, rows.clone()), (20, rows)]);
        let all = [LayerAxis::plain(3, 20), LayerAxis::plain(4, 5), LayerAxis::channels(5, 1)];
        assert_eq!(weights(3), [(0, all.to_vec()), (60, all.to_vec())]);
    }

    #[test]
    fn refuses_more_axes_than_there_are_and_none() {
        let layer = LayerNorm { axes: 3, ..DEFAULT };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[64, 128])]));
        assert_eq!(blame, Blame::Argument("axes"));
        assert_eq!(
            words,
            "layer `it` normalises the last 3 axes, but its input 64x128 has 2\n  \
             = help: write `axes = 2` for all axes of a sample: samples have no batch axis"
        );
        let layer = LayerNorm { axes: 0, ..DEFAULT };
        let (_, words) = refusal(layer.output(&[Shape::new(&[64, 128])]));
        assert_eq!(words, "layer `it` has 0 axes, but needs at least 1");
    }
}
