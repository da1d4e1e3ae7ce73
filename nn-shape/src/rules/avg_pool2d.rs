//! `AvgPool2d`: PyTorch's `nn.AvgPool2d`, channels last.

use crate::arguments::Padding;
use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Features, Flow, Flows, Row, Steps};
use crate::rules::window::{Window, pool};
use crate::shape::Shape;
use crate::text::Text;

arguments! {
    /// The average under a window that moves over height and width.
    pub struct AvgPool2d {
        /// The size of the kernel.
        kernel: Pair,
        /// The stride; by default the size of the kernel.
        stride: Pair or "kernel",
        /// The number of zeros added on each side of the input, `(top, bottom, left, right)`, or `same`.
        padding: Padding = Padding::Explicit([0, 0]),
        /// Whether those zeros count in the average.
        count_include_pad: Flag = true,
        /// Whether the size of the output is rounded up: the last window may end after the input and its padding.
        ceil_mode: Flag = false,
    }
}

impl AvgPool2d {
    /// `[H, W, C] -> [H', W', C]` with `H' = (H + 2*padding - kernel)/stride + 1`, rounded down, or up with `ceil_mode`.
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
        let window = Window::over_images(self.kernel, stride, self.padding, [1, 1], input);
        if self.ceil_mode { window.rounded_up() } else { window }
    }
}

/// The row of `AvgPool2d`.
pub static ROW: Row = Row {
    name: "AvgPool2d",
    stem: "avg_pool2d",
    summary: "average pooling over height and width",
    parameters: AvgPool2d::PARAMETERS,
    positional: 2,
    rule: |inputs, values| AvgPool2d::from_values(values).output(inputs),
    how: Some(|inputs, values| AvgPool2d::from_values(values).how(inputs)),
    flows: Flows { leading: Flow::Compute, last: Flow::Keep, keeps_rank: true },
    steps: Steps::All,
    channels: Channels::First,
    features: Features::Same,
    role: Role::Pool,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const fn by(kernel: usize) -> AvgPool2d {
        AvgPool2d {
            kernel: [kernel; 2],
            stride: None,
            padding: Padding::Explicit([0, 0]),
            count_include_pad: true,
            ceil_mode: false,
        }
    }

    #[test]
    fn goes_as_far_as_its_kernel() {
        const INPUT: Shape = Shape::new(&[8, 9, 16]);
        const OUTPUT: Shape = crate::error::expect(by(2).output(&[INPUT]), "AvgPool2d", "");
        assert_eq!(OUTPUT, Shape::new(&[4, 4, 16]));
        assert_eq!(
            by(2).how(&[INPUT]).as_str(),
            "height (8 + 2*0 - 2)/2 + 1 = 4, width (9 + 2*0 - 2)/2 + 1 = 4, rounded down"
        );
    }

    #[test]
    fn follows_stride_and_padding() {
        let layer = AvgPool2d { stride: Some([1, 2]), padding: Padding::Explicit([1, 0]), ..by(3) };
        // (8 + 2*1 - 3)/1 + 1 high, (9 - 3)/2 + 1 wide.
        assert_eq!(layer.output(&[Shape::new(&[8, 9, 16])]).unwrap(), Shape::new(&[8, 4, 16]));
    }

    #[test]
    fn refuses_an_input_smaller_than_its_kernel() {
        let (blame, words) = refusal(by(4).output(&[Shape::new(&[6, 3, 64])]));
        assert_eq!(blame, Blame::Argument("kernel"));
        assert_eq!(
            words,
            "layer `it` has a kernel of 4, but its input is only 3 wide\n  \
             = note: (3 + 2*0 - 4)/4 + 1 is less than 1\n  \
             = help: a kernel of at most 3 fits, or write `padding = 1`"
        );
    }

    #[test]
    fn ceil_mode_rounds_up() {
        // nn.AvgPool2d(2, ceil_mode=True) and nn.AvgPool2d(2, 3, ceil_mode=True) in PyTorch.
        let layer = AvgPool2d { ceil_mode: true, ..by(2) };
        assert_eq!(layer.output(&[Shape::new(&[7, 8, 4])]).unwrap(), Shape::new(&[4, 4, 4]));
        let gaps = AvgPool2d { stride: Some([3, 3]), ..layer };
        // A window that began after the input would be left out.
        assert_eq!(gaps.output(&[Shape::new(&[7, 9, 4])]).unwrap(), Shape::new(&[3, 3, 4]));
        assert_eq!(layer.output(&[Shape::new(&[1, 1, 4])]).unwrap(), Shape::new(&[1, 1, 4]));
    }

    #[test]
    fn sides_and_same_pad_unevenly() {
        let input = Shape::new(&[7, 8, 4]);
        let same = AvgPool2d { padding: Padding::Same, ..by(2) };
        assert_eq!(same.output(&[input]).unwrap(), Shape::new(&[4, 4, 4]));
        let sides =
            AvgPool2d { padding: Padding::Sides([0, 1, 0, 1]), stride: Some([1, 1]), ..by(2) };
        assert_eq!(sides.output(&[input]).unwrap(), input);
        let (_, words) =
            refusal(AvgPool2d { padding: Padding::Sides([0, 2, 0, 0]), ..by(2) }.output(&[input]));
        assert!(words.starts_with(
            "layer `it` has a padding of 2 on one side, but a kernel of 2 allows at most 1"
        ));
    }

    #[test]
    fn refuses_a_padding_of_more_than_half_its_kernel() {
        let layer = AvgPool2d { padding: Padding::Explicit([0, 2]), ..by(2) };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[28, 28, 1])]));
        assert_eq!(blame, Blame::Argument("padding"));
        assert_eq!(
            words,
            "layer `it` has a padding of 0x2, but a kernel of 2 allows at most 1\n  \
             = help: pad at most half the kernel, as in PyTorch"
        );
    }

    #[test]
    fn refuses_a_flat_input() {
        let (blame, words) = refusal(by(2).output(&[Shape::new(&[1600])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` takes height x width x channels, but gets 1600\n  \
             = help: put it before `Flatten`, or write `Reshape(HxWxC)` with your height, width and channels before it"
        );
    }
}
