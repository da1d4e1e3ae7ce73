//! `MaxPool3d`: PyTorch's `nn.MaxPool3d`, channels last.

use crate::arguments::VolumePadding;
use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Features, Flow, Flows, Row, Steps};
use crate::rules::window::{Window, pool};
use crate::shape::Shape;
use crate::text::Text;

arguments! {
    /// The maximum under a window that moves over depth, height and width.
    pub struct MaxPool3d {
        /// The size of the kernel.
        kernel: Triple,
        /// The stride; by default the size of the kernel.
        stride: Triple or "kernel",
        /// The padding on each side of the input, `(front, back, top, bottom, left, right)`, or `same`. It counts as
        /// minus infinity.
        padding: VolumePadding = VolumePadding::Explicit([0; 3]),
        /// The distance between elements of the kernel.
        dilation: Triple = [1; 3],
        /// Whether the size of the output is rounded up: the last window may end after the input and its padding.
        ceil_mode: Flag = false,
    }
}

impl MaxPool3d {
    /// `[D, H, W, C] -> [D', H', W', C]` with
    /// `D' = (D + 2*padding - dilation*(kernel - 1) - 1)/stride + 1`, rounded down, or up with `ceil_mode`.
    ///
    /// # Errors
    /// When the input has another rank or is smaller than the kernel, a number given as padding is more
    /// than half of the kernel, or an argument is 0.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        pool(&self.window(inputs[0]), self.padding.is_given(), inputs[0])
    }

    /// How the output's depth, height and width are computed.
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
        let window = Window::over_volumes(self.kernel, stride, self.padding, self.dilation, input);
        if self.ceil_mode { window.rounded_up() } else { window }
    }
}

/// The row of `MaxPool3d`.
pub static ROW: Row = Row {
    name: "MaxPool3d",
    stem: "max_pool3d",
    summary: "maximum pooling over depth, height and width",
    parameters: MaxPool3d::PARAMETERS,
    positional: 2,
    rule: |inputs, values| MaxPool3d::from_values(values).output(inputs),
    how: Some(|inputs, values| MaxPool3d::from_values(values).how(inputs)),
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

    const fn by(kernel: usize) -> MaxPool3d {
        MaxPool3d {
            kernel: [kernel; 3],
            stride: None,
            padding: VolumePadding::Explicit([0; 3]),
            dilation: [1; 3],
            ceil_mode: false,
        }
    }

    #[test]
    fn follows_its_arguments() {
        const INPUT: Shape = Shape::new(&[7, 8, 9, 4]);
        const OUTPUT: Shape = crate::error::expect(by(2).output(&[INPUT]), "MaxPool3d", "");
        assert_eq!(OUTPUT, Shape::new(&[3, 4, 4, 4]));
        let rounded_up = MaxPool3d { ceil_mode: true, ..by(2) };
        assert_eq!(rounded_up.output(&[INPUT]).unwrap(), Shape::new(&[4, 4, 5, 4]));
        let layer = MaxPool3d {
            kernel: [1, 3, 3],
            stride: Some([1, 2, 2]),
            padding: VolumePadding::Explicit([0, 1, 1]),
            ..by(1)
        };
        assert_eq!(layer.output(&[INPUT]).unwrap(), Shape::new(&[7, 4, 5, 4]));
        let dilated = MaxPool3d { stride: Some([1; 3]), dilation: [1, 2, 3], ..by(3) };
        assert_eq!(dilated.output(&[INPUT]).unwrap(), Shape::new(&[5, 4, 3, 4]));
        assert_eq!(
            dilated.how(&[INPUT]).as_str(),
            "depth (7 + 2*0 - 3)/1 + 1 = 5, height (8 + 2*0 - 2*(3 - 1) - 1)/1 + 1 = 4, \
             width (9 + 2*0 - 3*(3 - 1) - 1)/1 + 1 = 3"
        );
    }

    #[test]
    fn refuses_a_padding_of_more_than_half_its_kernel() {
        let layer = MaxPool3d { padding: VolumePadding::Explicit([0, 2, 0]), ..by(3) };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[7, 8, 9, 4])]));
        assert_eq!(blame, Blame::Argument("padding"));
        assert_eq!(
            words,
            "layer `it` has a padding of 0x2x0, but a kernel of 3 allows at most 1\n  \
             = help: pad at most half the kernel, as in PyTorch"
        );
    }

    #[test]
    fn refuses_an_image() {
        let (blame, words) = refusal(by(2).output(&[Shape::new(&[28, 28, 3])]));
        assert_eq!(blame, Blame::Layer);
        assert!(
            words.starts_with(
                "layer `it` takes depth x height x width x channels, but gets 28x28x3"
            )
        );
    }
}
