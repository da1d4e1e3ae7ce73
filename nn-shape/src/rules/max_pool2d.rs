//! `MaxPool2d`: PyTorch's `nn.MaxPool2d`, channels last.

use crate::arguments::Padding;
use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::fusion::{Fusion, STRIP};
use crate::role::Role;
use crate::row::{Channels, Features, Flow, Flows, Row, Steps};
use crate::rules::window::{Window, pool};
use crate::shape::Shape;
use crate::text::Text;

arguments! {
    /// The maximum under a window that moves over height and width.
    pub struct MaxPool2d {
        /// The size of the kernel.
        kernel: Pair,
        /// The stride; by default the size of the kernel.
        stride: Pair or "kernel",
        /// The padding on each side of the input, `(top, bottom, left, right)`, or `same`. It counts as minus infinity.
        padding: Padding = Padding::Explicit([0, 0]),
        /// The distance between elements of the kernel.
        dilation: Pair = [1, 1],
        /// Whether the size of the output is rounded up: the last window may end after the input and its padding.
        ceil_mode: Flag = false,
    }
}

impl MaxPool2d {
    /// `[H, W, C] -> [H', W', C]` with
    /// `H' = (H + 2*padding - dilation*(kernel - 1) - 1)/stride + 1`, rounded down, or up with `ceil_mode`.
    ///
    /// # Errors
    /// When the input has another rank or is smaller than the kernel, a number given as padding is more
    /// than half of the kernel, or an argument is 0.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        pool(&self.window(inputs[0]), self.padding.is_given(), inputs[0])
    }

    /// How the output's height and width are computed.
    #[must_use]
    pub const fn how(&self, inputs: &[Shape]) -> Text {
        self.window(inputs[0]).how(inputs[0])
    }

    /// The window of the kernel, over an input of this shape.
    #[must_use]
    pub const fn window(&self, input: Shape) -> Window {
        let stride = match self.stride {
            Some(stride) => stride,
            None => self.kernel,
        };
        let window = Window::over_images(self.kernel, stride, self.padding, self.dilation, input);
        if self.ceil_mode { window.rounded_up() } else { window }
    }

    /// Whether windows lie side by side, and a [`STRIP`] has room for one.
    const fn is_small(&self, input: Shape) -> bool {
        let window = self.window(input);
        let [height, width] = self.kernel;
        height.saturating_mul(width).saturating_mul(input.last()) <= STRIP && window.tiles()
    }
}

/// The row of `MaxPool2d`.
pub static ROW: Row = Row {
    name: "MaxPool2d",
    stem: "max_pool2d",
    summary: "maximum pooling over height and width",
    parameters: MaxPool2d::PARAMETERS,
    positional: 2,
    rule: |inputs, values| MaxPool2d::from_values(values).output(inputs),
    how: Some(|inputs, values| MaxPool2d::from_values(values).how(inputs)),
    flows: Flows { leading: Flow::Compute, last: Flow::Keep, keeps_rank: true },
    steps: Steps::All,
    channels: Channels::First,
    fusion: Fusion::Largest(|inputs, values| MaxPool2d::from_values(values).is_small(inputs[0])),
    features: Features::Same,
    role: Role::Pool,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const fn by(kernel: usize) -> MaxPool2d {
        MaxPool2d {
            kernel: [kernel; 2],
            stride: None,
            padding: Padding::Explicit([0, 0]),
            dilation: [1, 1],
            ceil_mode: false,
        }
    }

    #[test]
    fn goes_as_far_as_its_kernel() {
        const INPUT: Shape = Shape::new(&[11, 11, 64]);
        const OUTPUT: Shape = crate::error::expect(by(2).output(&[INPUT]), "MaxPool2d", "");
        assert_eq!(OUTPUT, Shape::new(&[5, 5, 64]));
        assert_eq!(by(2).how(&[INPUT]).as_str(), "(11 + 2*0 - 2)/2 + 1 = 5, rounded down");
    }

    #[test]
    fn follows_stride_padding_and_dilation() {
        let input = Shape::new(&[112, 112, 64]);
        let layer = MaxPool2d { stride: Some([2, 2]), padding: Padding::Explicit([1, 1]), ..by(3) };
        assert_eq!(layer.output(&[input]).unwrap(), Shape::new(&[56, 56, 64]));
        // (7 - 2*2 - 1)/1 + 1 high, (9 + 2*1 - 3*1 - 1)/2 + 1 wide.
        let layer = MaxPool2d {
            kernel: [3, 2],
            stride: Some([1, 2]),
            padding: Padding::Explicit([0, 1]),
            dilation: [2, 3],
            ceil_mode: false,
        };
        assert_eq!(layer.output(&[Shape::new(&[7, 9, 4])]).unwrap(), Shape::new(&[3, 4, 4]));
    }

    #[test]
    fn refuses_an_input_smaller_than_its_kernel() {
        let (blame, words) = refusal(by(2).output(&[Shape::new(&[1, 1, 64])]));
        assert_eq!(blame, Blame::Argument("kernel"));
        assert_eq!(
            words,
            "layer `it` has a kernel of 2, but its input is only 1 high\n  \
             = note: (1 + 2*0 - 2)/2 + 1 is less than 1\n  \
             = help: leave out this layer or an earlier one that shrinks its input, or write `padding = 1`"
        );
    }

    #[test]
    fn ceil_mode_rounds_up() {
        // nn.MaxPool2d(2, ceil_mode=True) and nn.MaxPool2d(2, 3, ceil_mode=True) in PyTorch.
        let layer = MaxPool2d { ceil_mode: true, ..by(2) };
        assert_eq!(layer.output(&[Shape::new(&[7, 8, 4])]).unwrap(), Shape::new(&[4, 4, 4]));
        let gaps = MaxPool2d { stride: Some([3, 3]), ..layer };
        // A window that began after the input would be left out.
        assert_eq!(gaps.output(&[Shape::new(&[7, 9, 4])]).unwrap(), Shape::new(&[3, 3, 4]));
        assert_eq!(layer.output(&[Shape::new(&[1, 1, 4])]).unwrap(), Shape::new(&[1, 1, 4]));
    }

    #[test]
    fn sides_and_same_pad_unevenly() {
        let input = Shape::new(&[7, 8, 4]);
        let same = MaxPool2d { padding: Padding::Same, ..by(2) };
        assert_eq!(same.output(&[input]).unwrap(), Shape::new(&[4, 4, 4]));
        let dilated =
            MaxPool2d { padding: Padding::Same, stride: Some([1, 1]), dilation: [2, 3], ..by(3) };
        assert_eq!(dilated.output(&[input]).unwrap(), input);
        let sides =
            MaxPool2d { padding: Padding::Sides([0, 1, 0, 1]), stride: Some([1, 1]), ..by(2) };
        assert_eq!(sides.output(&[input]).unwrap(), input);
        let (_, words) =
            refusal(MaxPool2d { padding: Padding::Sides([0, 2, 0, 0]), ..by(2) }.output(&[input]));
        assert!(words.starts_with(
            "layer `it` has a padding of 2 on one side, but a kernel of 2 allows at most 1"
        ));
    }

    #[test]
    fn refuses_a_padding_of_more_than_half_its_kernel() {
        let layer = MaxPool2d { padding: Padding::Explicit([2, 2]), ..by(3) };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[28, 28, 1])]));
        assert_eq!(blame, Blame::Argument("padding"));
        assert_eq!(
            words,
            "layer `it` has a padding of 2, but a kernel of 3 allows at most 1\n  \
             = help: pad at most half the kernel, as in PyTorch"
        );
    }

    #[test]
    fn refuses_windows_of_padding_alone() {
        let layer = MaxPool2d { padding: Padding::Explicit([1, 1]), dilation: [3, 3], ..by(2) };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[2, 2, 1])]));
        assert_eq!(blame, Blame::Argument("dilation"));
        assert_eq!(
            words,
            "layer `it` has a dilation of 3, but its input is only 2 high\n  \
             = help: use a dilation of at most 2, so that no window covers padding only"
        );
    }

    #[test]
    fn refuses_a_stride_of_0() {
        let layer = MaxPool2d { stride: Some([0, 0]), ..by(2) };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[28, 28, 1])]));
        assert_eq!(blame, Blame::Argument("stride"));
        assert_eq!(words, "layer `it` has a stride of 0, but needs at least 1");
    }
}
