//! Arguments that make a layer skip input or do nothing.

use unrolled_shape::registry::{Row, Storage};
use unrolled_shape::{Role, Shape};

use super::linter::{Linter, real, sizes};
use crate::network::{ArgumentValue, Node};

impl<'a> Linter<'a> {
    pub(super) fn check_arguments(&mut self, node: &'a Node, row: &Row) {
        match row.role {
            Role::Convolution => self.check_stride(node),
            Role::Pool => {
                self.check_stride(node);
                self.check_pool(node);
            }
            Role::Dropout => self.check_dropout(node),
            Role::ChannelNorm => self.check_momentum(node),
            _ => {}
        }
        if row.storage == Storage::View && self.keeps_shape(node) {
            let words = format!(
                "`{}` does nothing: its input has this shape already\n  = help: leave it out",
                node.label
            );
            self.warn("flatten_of_flat", node, words);
        }
    }

    /// `stride_beyond_kernel`
    fn check_stride(&mut self, node: &'a Node) {
        let (Some(kernel), Some(stride)) = (sizes(node, "kernel"), sizes(node, "stride")) else {
            return;
        };
        let dilation = sizes(node, "dilation").unwrap_or_else(|| vec![1; kernel.len()]);
        let Some(output) = self.shape(node.output) else { return };
        let skips = |axis: &usize| {
            let (kernel, stride) = (kernel[*axis], stride[*axis]);
            // A kernel of 1 samples on purpose, as in the skip connections of ResNet.
            let reach = (kernel - 1).saturating_mul(dilation[*axis]).saturating_add(1);
            kernel > 1 && stride > reach && output.dim(*axis) > 1
        };
        let Some(axis) = (0..kernel.len()).find(skips) else { return };
        let words = format!(
            "`{}` has a stride of {}, but a kernel of {}: it skips parts of its input\n  = help: use a \
             stride of at most the kernel's size",
            node.label, stride[axis], kernel[axis]
        );
        self.warn_argument("stride_beyond_kernel", (node, "stride"), words);
    }

    /// `pool_of_one`
    fn check_pool(&mut self, node: &'a Node) {
        let is_one = |name: &str| sizes(node, name).is_some_and(|it| it.iter().all(|it| *it == 1));
        let has_stride =
            node.argument("stride").is_some_and(|it| !matches!(it.value, ArgumentValue::Absent));
        if !is_one("kernel") || (has_stride && !is_one("stride")) {
            return;
        }
        let words = format!(
            "`{}` has a kernel of 1: it does nothing\n  = help: leave it out, or write a larger kernel",
            node.label
        );
        self.warn_argument("pool_of_one", (node, "kernel"), words);
    }

    /// `dropout_of_zero`
    fn check_dropout(&mut self, node: &'a Node) {
        // The argument of a block may be 0 on purpose.
        let literal = node.argument("p").is_some_and(|p| p.literal);
        if !literal || real(node, "p") != Some(0.0) {
            return;
        }
        let words = format!(
            "`{}` has a probability of 0: it does nothing\n  = help: leave it out, or write the share of \
             elements to drop, such as `0.5`",
            node.label
        );
        self.warn_argument("dropout_of_zero", (node, "p"), words);
    }

    /// `keras_momentum`
    fn check_momentum(&mut self, node: &'a Node) {
        let Some(momentum) = real(node, "momentum").filter(|momentum| *momentum > 0.5) else {
            return;
        };
        // Rounded, since 1 - 0.99 is not 0.01 in floating point.
        let meant = (1e6 * (1.0 - momentum)).round() / 1e6;
        let words = format!(
            "`{}` takes {momentum} of its running statistics from the last batch: `momentum` is the weight \
             of the new batch, as in PyTorch\n  = help: for Keras's `momentum={momentum}` write `momentum = \
             {meant}`",
            node.label
        );
        self.warn_argument("keras_momentum", (node, "momentum"), words);
    }

    /// Whether a view has the shape of its input.
    fn keeps_shape(&self, node: &Node) -> bool {
        let dims = |value: crate::network::ValueId| &self.network.values[value.0].dims;
        let (input, output) = (dims(node.inputs[0]), dims(node.output));
        let has_one_axis =
            |dims: &crate::network::Dims| dims.constant.is_none() && dims.sizes.len() == 1;
        // Without literals too: a value with one axis has as many elements before as after.
        let both: Option<(Shape, Shape)> = input.known().zip(output.known());
        (has_one_axis(input) && has_one_axis(output))
            || both.is_some_and(|(input, output)| input == output)
    }
}
