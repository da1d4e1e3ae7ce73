//! `AvgPool1d`: PyTorch's `nn.AvgPool1d`, channels last.

use crate::arguments::StepPadding;
use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Features, Flow, Flows, Row, Steps};
use crate::rules::window::{Window, pool};
use crate::shape::Shape;
use crate::steps::StepMap;
use crate::text::Text;

arguments! {
    /// The average under a window that moves over steps.
    pub struct AvgPool1d {
        /// The size of the kernel.
        kernel: Number,
        /// The stride; by default the size of the kernel.
        stride: Number or "kernel",
        /// The number of zeros added on both sides, `(before, after)`, `same`, or `causal`.
        padding: StepPadding = StepPadding::Explicit(0),
        /// Whether those zeros count in the average.
        count_include_pad: Flag = true,
        /// Whether the size of the output is rounded up: the last window may end after the input and its padding.
        ceil_mode: Flag = false,
    }
}

impl AvgPool1d {
    /// `[T, C] -> [T', C]` with
    /// `T' = (T + 2*padding - kernel)/stride + 1`, rounded down, or up with `ceil_mode`.
    ///
    /// # Errors
    /// When the input has another rank or is smaller than the kernel, a number given as padding is more
    /// than half of the kernel, or an argument is 0.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        pool(&self.window(inputs[0]), self.padding.is_given(), inputs[0])
    }

    /// How the number of output steps is computed.
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
        let window = Window::over_steps(self.kernel, stride, self.padding, 1, input);
        if self.ceil_mode { window.rounded_up() } else { window }
    }

    /// The number of output steps of a sequence that is shorter than its shape, `input`.
    #[must_use]
    pub const fn step_map(&self, input: Shape) -> StepMap {
        self.window(input).step_map()
    }
}

/// The row of `AvgPool1d`.
pub static ROW: Row = Row {
    name: "AvgPool1d",
    stem: "avg_pool1d",
    summary: "average pooling over steps",
    parameters: AvgPool1d::PARAMETERS,
    positional: 2,
    rule: |inputs, values| AvgPool1d::from_values(values).output(inputs),
    how: Some(|inputs, values| AvgPool1d::from_values(values).how(inputs)),
    flows: Flows { leading: Flow::Compute, last: Flow::Keep, keeps_rank: true },
    steps: Steps::Kernel,
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

    const fn by(kernel: usize) -> AvgPool1d {
        AvgPool1d {
            kernel,
            stride: None,
            padding: StepPadding::Explicit(0),
            count_include_pad: true,
            ceil_mode: false,
        }
    }

    #[test]
    fn goes_as_far_as_its_kernel() {
        const INPUT: Shape = Shape::new(&[11, 64]);
        const OUTPUT: Shape = crate::error::expect(by(2).output(&[INPUT]), "AvgPool1d", "");
        assert_eq!(OUTPUT, Shape::new(&[5, 64]));
        assert_eq!(by(2).how(&[INPUT]).as_str(), "(11 + 2*0 - 2)/2 + 1 = 5, rounded down");
    }

    #[test]
    fn follows_stride_and_padding() {
        let layer = AvgPool1d { stride: Some(2), padding: StepPadding::Explicit(1), ..by(3) };
        assert_eq!(layer.output(&[Shape::new(&[12, 4])]).unwrap(), Shape::new(&[6, 4]));
    }

    #[test]
    fn refuses_an_input_shorter_than_its_kernel() {
        let (blame, words) = refusal(by(4).output(&[Shape::new(&[3, 64])]));
        assert_eq!(blame, Blame::Argument("kernel"));
        assert_eq!(
            words,
            "layer `it` has a kernel of 4, but its input is only 3 long\n  \
             = note: (3 + 2*0 - 4)/4 + 1 is less than 1\n  \
             = help: a kernel of at most 3 fits, or write `padding = 1`"
        );
    }

    #[test]
    fn ceil_mode_rounds_up() {
        let layer = AvgPool1d { ceil_mode: true, ..by(2) };
        assert_eq!(layer.output(&[Shape::new(&[7, 4])]).unwrap(), Shape::new(&[4, 4]));
        // Of shorter sequences, too.
        assert_eq!(
            [1, 2, 3].map(|valid| layer.step_map(Shape::new(&[7, 4])).apply(valid)),
            [1, 1, 2]
        );
    }

    #[test]
    fn refuses_a_padding_of_more_than_half_its_kernel() {
        let (blame, words) = refusal(
            AvgPool1d { padding: StepPadding::Explicit(2), ..by(3) }
                .output(&[Shape::new(&[28, 1])]),
        );
        assert_eq!(blame, Blame::Argument("padding"));
        assert_eq!(
            words,
            "layer `it` has a padding of 2, but a kernel of 3 allows at most 1\n  \
             = help: pad at most half the kernel, as in PyTorch"
        );
    }

    #[test]
    fn words_pad_any_kernel() {
        let input = Shape::new(&[7, 4]);
        let same = AvgPool1d { padding: StepPadding::Same, stride: Some(1), ..by(4) };
        assert_eq!(same.output(&[input]).unwrap(), input);
        let causal = AvgPool1d { padding: StepPadding::Causal, ..same };
        assert_eq!(causal.output(&[input]).unwrap(), input);
    }

    #[test]
    fn refuses_an_image() {
        let (blame, _) = refusal(by(2).output(&[Shape::new(&[28, 28, 1])]));
        assert_eq!(blame, Blame::Layer);
    }
}
