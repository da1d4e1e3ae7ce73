//! `AvgPool3d`: PyTorch's `nn.AvgPool3d`, channels last.

use crate::arguments::VolumePadding;
use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Features, Flow, Flows, Row, Steps};
use crate::rules::window::{Window, pool};
use crate::shape::Shape;
use crate::text::Text;

arguments! {
    /// The average under a window that moves over depth, height and width.
    pub struct AvgPool3d {
        /// The size of the kernel.
        kernel: Triple,
        /// The stride; by default the size of the kernel.
        stride: Triple or "kernel",
        /// The number of zeros added on each side of the input, `(front, back, top, bottom, left, right)`, or `same`.
        padding: VolumePadding = VolumePadding::Explicit([0; 3]),
        /// Whether those zeros count in the average.
        count_include_pad: Flag = true,
        /// Whether the size of the output is rounded up: the last window may end after the input and its padding.
        ceil_mode: Flag = false,
    }
}

impl AvgPool3d {
    /// `[D, H, W, C] -> [D', H', W', C]` with `D' = (D + 2*padding - kernel)/stride + 1`, rounded down, or up with `ceil_mode`.
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
        let window = Window::over_volumes(self.kernel, stride, self.padding, [1; 3], input);
        if self.ceil_mode { window.rounded_up() } else { window }
    }
}

/// The row of `AvgPool3d`.
pub static ROW: Row = Row {
    name: "AvgPool3d",
    stem: "avg_pool3d",
    summary: "average pooling over depth, height and width",
    parameters: AvgPool3d::PARAMETERS,
    positional: 2,
    rule: |inputs, values| AvgPool3d::from_values(values).output(inputs),
    how: Some(|inputs, values| AvgPool3d::from_values(values).how(inputs)),
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

    const fn by(kernel: usize) -> AvgPool3d {
        AvgPool3d {
            kernel: [kernel; 3],
            stride: None,
            padding: VolumePadding::Explicit([0; 3]),
            count_include_pad: true,
            ceil_mode: false,
        }
    }

    #[test]
    fn follows_its_arguments() {
        const INPUT: Shape = Shape::new(&[7, 8, 9, 4]);
        const OUTPUT: Shape = crate::error::expect(by(2).output(&[INPUT]), "AvgPool3d", "");
        assert_eq!(OUTPUT, Shape::new(&[3, 4, 4, 4]));
        let rounded_up = AvgPool3d { ceil_mode: true, ..by(2) };
        assert_eq!(rounded_up.output(&[INPUT]).unwrap(), Shape::new(&[4, 4, 5, 4]));
        let layer = AvgPool3d {
            stride: Some([1, 2, 3]),
            padding: VolumePadding::Sides([1, 0, 1, 1, 0, 0]),
            ..by(3)
        };
        assert_eq!(layer.output(&[INPUT]).unwrap(), Shape::new(&[6, 4, 3, 4]));
    }

    #[test]
    fn refuses_an_input_smaller_than_its_kernel() {
        let (blame, words) = refusal(by(4).output(&[Shape::new(&[6, 5, 3, 64])]));
        assert_eq!(blame, Blame::Argument("kernel"));
        assert_eq!(
            words,
            "layer `it` has a kernel of 4, but its input is only 3 wide\n  \
             = note: (3 + 2*0 - 4)/4 + 1 is less than 1\n  \
             = help: a kernel of at most 3 fits, or write `padding = 1`"
        );
    }
}
