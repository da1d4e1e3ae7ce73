//! The rule that transposed convolutions share.

use crate::checks::{MOST, at_most};
use crate::error::ShapeError;
use crate::rules::convolution::Convolution;
use crate::rules::helpers::{attempt, count, counts, few_enough_weights};
use crate::rules::window::{NOUN, Over, Window};
use crate::shape::Shape;
use crate::tensors::{LayerAxis, TensorSink};
use crate::text::Text;

/// A transposed convolution over the axes of its window, which is that of the convolution from its output to its input.
pub(crate) struct Transposed {
    pub(crate) out_channels: usize,
    pub(crate) groups: usize,
    pub(crate) bias: bool,
    pub(crate) window: Window,
    pub(crate) output_padding: [usize; 3],
}

impl Transposed {
    /// `[.., C] -> [..', out_channels]`
    pub(crate) const fn output(&self, input: Shape) -> Result<Shape, ShapeError> {
        let window = &self.window;
        attempt!(count("out_channels", "output channels", self.out_channels));
        attempt!(count("groups", "groups", self.groups));
        attempt!(window.over.check(input));
        attempt!(counts("kernel", "kernel", window.shown(&window.kernel)));
        attempt!(counts("stride", "stride", window.shown(&window.stride)));
        attempt!(counts("dilation", "dilation", window.shown(&window.dilation)));
        let as_volume = window.as_volume(input);
        let height = match window.over {
            Over::Steps => 1,
            Over::Images | Over::Volumes => attempt!(self.output_axis(1, as_volume)),
        };
        let width = attempt!(self.output_axis(2, as_volume));
        attempt!(self.convolution().check_groups(input.last()));
        let [_, kernel_height, kernel_width] = window.kernel;
        let factors = [input.last(), self.group_filters(), kernel_height, kernel_width];
        attempt!(few_enough_weights("out_channels", &factors));
        at_most(window.over.shape([1, height, width], self.out_channels), "gives ")
    }

    /// A kernel for each input channel and output channel of its group, a bias for each output channel.
    pub(crate) const fn params(&self, input: Shape) -> usize {
        let bias = if self.bias { self.out_channels } else { 0 };
        input.last() * self.kernel_len() + bias
    }

    /// The tensors of its weights in files. PyTorch has the channels of the input first.
    pub(crate) fn tensors(&self, input: Shape, sink: &mut TensorSink<'_>) {
        self.window.weight([input.last(), self.group_filters()], sink);
        if self.bias {
            let weights = input.last() * self.kernel_len();
            sink.floats("bias", weights, &[LayerAxis::plain(self.out_channels, 1)]);
        }
    }

    /// Multiply-adds of one sample.
    pub(crate) const fn macs(&self, input: Shape) -> usize {
        input.len().saturating_mul(self.kernel_len())
    }

    /// The number of output channels of one group.
    pub(crate) const fn group_filters(&self) -> usize {
        // 0 groups are refused by the rule: here they must not panic as well.
        self.out_channels / if self.groups > 0 { self.groups } else { 1 }
    }

    /// Weights of one input channel.
    const fn kernel_len(&self) -> usize {
        self.group_filters() * self.window.taps()
    }

    const fn convolution(&self) -> Convolution {
        let Self { out_channels, groups, bias, window, .. } = *self;
        Convolution { out_channels, groups, bias, window }
    }

    /// How the output's axes are computed, once where both are alike.
    pub(crate) const fn how(&self, input: Shape) -> Text {
        let Window { kernel, stride, padding, dilation, .. } = self.window;
        let input = self.window.as_volume(input);
        if let Over::Steps = self.window.over {
            return self.how_axis(Text::new(), 2, input);
        }
        let alike = input.dim(1) == input.dim(2)
            && kernel[1] == kernel[2]
            && stride[1] == stride[2]
            && padding[1][0] == padding[2][0]
            && self.output_padding[1] == self.output_padding[2]
            && dilation[1] == dilation[2];
        if alike {
            return self.how_axis(Text::new(), 1, input);
        }
        let text = Text::of(NOUN[1]).text(" ");
        let text = self.how_axis(text, 1, input).text(", ").text(NOUN[2]).text(" ");
        self.how_axis(text, 2, input)
    }

    /// The output's size before the padding is removed.
    const fn whole(&self, axis: usize, input: Shape) -> usize {
        let steps = (input.dim(axis).saturating_sub(1)).saturating_mul(self.window.stride[axis]);
        let all = steps.saturating_add(self.window.extent(axis));
        all.saturating_add(self.output_padding[axis])
    }

    const fn output_axis(&self, axis: usize, input: Shape) -> Result<usize, ShapeError> {
        let window = &self.window;
        let (stride, dilation) = (window.stride[axis], window.dilation[axis]);
        // The limit of PyTorch.
        let largest = if stride > dilation { stride } else { dilation };
        if self.output_padding[axis] >= largest {
            let message = Text::of("has an output padding of ");
            let message = message.axes(window.shown(&self.output_padding));
            let message =
                message.text(", but with a stride of ").axes(window.shown(&window.stride));
            let message = if dilation > stride {
                message.text(" and a dilation of ").axes(window.shown(&window.dilation))
            } else {
                message
            };
            let message = message.text(" it can be at most ").number(largest - 1);
            return Err(ShapeError::argument("output_padding", message));
        }
        let (whole, padding) = (self.whole(axis, input), window.padding[axis][0]);
        if whole > MOST {
            let message = Text::of("gives more than ").number(MOST).text(" elements");
            return Err(ShapeError::layer(message));
        }
        match whole.checked_sub(padding.saturating_mul(2)) {
            Some(size) if size > 0 => Ok(size),
            _ => {
                let both = [0, window.padding[1][0], window.padding[2][0]];
                let message = Text::of("has a padding of ").axes(window.shown(&both));
                let message = message.text(" and takes off all of its output, which is ");
                let message = message.number(whole).text(" ").text(window.adjective(axis));
                let help = Text::of("a padding of at most ").number((whole - 1) / 2).text(" fits");
                Err(ShapeError::argument("padding", message).help(help))
            }
        }
    }

    /// `(7 - 1)*2 + 3 - 2*1 + 1 = 14`
    const fn how_axis(&self, text: Text, axis: usize, input: Shape) -> Text {
        let Window { kernel, stride, padding, dilation, .. } = self.window;
        let text = text.text("(").number(input.dim(axis)).text(" - 1)*").number(stride[axis]);
        let text = text.text(" + ");
        let text = if dilation[axis] == 1 {
            text.number(kernel[axis])
        } else {
            let text = text.number(dilation[axis]).text("*(").number(kernel[axis]);
            text.text(" - 1) + 1")
        };
        let text = text.text(" - 2*").number(padding[axis][0]);
        let text = if self.output_padding[axis] > 0 {
            text.text(" + ").number(self.output_padding[axis])
        } else {
            text
        };
        match self.output_axis(axis, input) {
            Ok(size) => text.text(" = ").number(size),
            Err(_) => text,
        }
    }
}
