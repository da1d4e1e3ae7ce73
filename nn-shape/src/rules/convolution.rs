//! The rule that all convolutions share.

use crate::checks::at_most;
use crate::error::ShapeError;
use crate::rules::helpers::{attempt, count, divisors, few_enough_weights};
use crate::rules::window::{Over, Window, common_divisor};
use crate::shape::Shape;
use crate::tensors::{LayerAxis, TensorSink};
use crate::text::Text;

/// A convolution over the axes of its window.
pub(crate) struct Convolution {
    pub(crate) out_channels: usize,
    pub(crate) groups: usize,
    pub(crate) bias: bool,
    pub(crate) window: Window,
}

impl Convolution {
    /// `[.., C] -> [..', out_channels]`
    pub(crate) const fn output(&self, input: Shape) -> Result<Shape, ShapeError> {
        attempt!(count("out_channels", "output channels", self.out_channels));
        attempt!(count("groups", "groups", self.groups));
        let output = attempt!(self.window.output(input));
        attempt!(self.check_groups(input.last()));
        let [depth, height, width] = self.window.kernel;
        let (out, group) = (self.out_channels, self.group_channels(input));
        attempt!(match self.window.over {
            Over::Volumes =>
                few_enough_weights("out_channels", &[out, group, depth, height, width]),
            Over::Images => few_enough_weights("out_channels", &[out, group, height, width]),
            Over::Steps => few_enough_weights("out_channels", &[out, group, width]),
        });
        at_most(output.with_last(out), "gives ")
    }

    /// A kernel for each output channel and channel of its group, a bias for each output channel.
    pub(crate) const fn params(&self, input: Shape) -> usize {
        self.out_channels * (self.kernel_len(input) + if self.bias { 1 } else { 0 })
    }

    /// The tensors of its weights in files.
    pub(crate) fn tensors(&self, input: Shape, sink: &mut TensorSink<'_>) {
        self.window.weight([self.out_channels, self.group_channels(input)], sink);
        if self.bias {
            let weights = self.out_channels * self.kernel_len(input);
            sink.floats("bias", weights, &[LayerAxis::plain(self.out_channels, 1)]);
        }
    }

    /// Multiply-adds of one sample.
    pub(crate) const fn macs(&self, input: Shape) -> usize {
        match self.output(input) {
            Ok(output) => output.len().saturating_mul(self.kernel_len(input)),
            Err(_) => 0,
        }
    }

    /// The number of input channels of one group.
    pub(crate) const fn group_channels(&self, input: Shape) -> usize {
        // The rule refuses 0 groups. Types of weights use this, too: a division by zero would be a second error.
        input.last() / if self.groups > 0 { self.groups } else { 1 }
    }

    /// Weights of one output channel.
    const fn kernel_len(&self, input: Shape) -> usize {
        self.window.taps() * self.group_channels(input)
    }

    pub(crate) const fn check_groups(&self, channels: usize) -> Result<(), ShapeError> {
        let (groups, out_channels) = (self.groups, self.out_channels);
        // Numbers of groups that suit both the input and the output divide this.
        let common = common_divisor(channels, out_channels);
        let help = Text::of("write ");
        if !channels.is_multiple_of(groups) {
            let message = Text::of("splits its input's channels into ").number(groups);
            let message = message.text(" groups, but ").number(channels);
            let message = message.text(" is not divisible by ").number(groups);
            let help = divisors(help.text("`groups` as "), common).text(", which divide ");
            let help = help.number(channels).text(" input and ").number(out_channels);
            let help = help.text(" output channels");
            return Err(ShapeError::argument("groups", message).help(help));
        }
        if !out_channels.is_multiple_of(groups) {
            let message = Text::of("splits its output channels into ").number(groups);
            let message = message.text(" groups, but ").number(out_channels);
            let message = message.text(" is not divisible by ").number(groups);
            let above = out_channels.div_ceil(groups) * groups;
            let help = help.number(above).text(" output channels, or `groups` as ");
            let help = divisors(help, common);
            return Err(ShapeError::argument("out_channels", message).help(help));
        }
        Ok(())
    }
}
