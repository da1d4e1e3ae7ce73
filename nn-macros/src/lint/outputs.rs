//! Last layers that do not fit the losses, and outputs that do not fit the stack.

use unrolled_shape::{Activation, Role};

use super::linter::{Linter, is_view};
use crate::network::{Layer, Network, Node, ValueId};

/// The largest output that `forward` returns without a warning, in bytes: the smallest stacks of threads are as large.
const LARGE: usize = 256 * 1024;

impl<'a> Linter<'a> {
    /// `softmax_at_output`, `sigmoid_at_output`, `activation_at_output`, `dropout_at_output`, `batch_norm_at_output`,
    /// `large_output_on_stack`
    pub(super) fn check_outputs(&mut self) {
        let network = self.network;
        for output in &network.outputs {
            if let Some(node) = last_layer(network, output.value) {
                self.check_last(node, output.value);
            }
        }
        let lens = network.outputs.iter().map(|output| Some(self.shape(output.value)?.len()));
        let Some(lens) = lens.collect::<Option<Vec<usize>>>() else { return };
        let bytes = lens.iter().fold(0_usize, |sum, len| sum.saturating_add(len.saturating_mul(4)));
        if bytes > LARGE {
            let words = format!(
                "`forward` returns {} kB on the stack, which may overflow\n  = help: call \
                 `forward_into(&input, &mut output)`, with an output in a `Box`",
                bytes / 1024
            );
            self.warn_header("large_output_on_stack", network.outputs[0].promised.span, words);
        }
    }

    fn check_last(&mut self, node: &'a Node, value: ValueId) {
        let Layer::Known { row, .. } = &node.layer else { return };
        let is_flat = self.network.values[value.0].dims.sizes.len() == 1;
        let label = &node.label;
        let (lint, words) = match row.role {
            Role::Softmax => (
                "softmax_at_output",
                format!(
                    "`{label}` is the last layer, but losses take scores: `CrossEntropy` applies the softmax \
                     itself\n  = help: leave `{label}` out, and apply a softmax to the output of `forward` \
                     where you need probabilities"
                ),
            ),
            Role::Activation(Activation::Sigmoid) => (
                "sigmoid_at_output",
                format!(
                    "`{label}` is the last layer, but losses take scores: `BinaryCrossEntropyWithLogits` \
                     applies the sigmoid itself\n  = help: leave `{label}` out, and apply a sigmoid to the \
                     output of `forward` where you need probabilities"
                ),
            ),
            // The values of an image or a sequence may be features for other code.
            Role::Activation(Activation::ReLU) if is_flat => (
                "activation_at_output",
                format!(
                    "`{label}` is the last layer: outputs are never below 0, and do not learn where they are \
                     0\n  = help: leave `{label}` out, or write `Softplus` for outputs above 0"
                ),
            ),
            Role::Dropout => (
                "dropout_at_output",
                format!(
                    "`{label}` is the last layer: in training it makes outputs 0\n  = help: put it before \
                     the last layer with weights"
                ),
            ),
            _ if row.is_batch_norm() => (
                "batch_norm_at_output",
                format!(
                    "`{label}` is the last layer: outputs depend on the other samples of a batch\n  = help: \
                     leave it out, or put it before the last layer with weights"
                ),
            ),
            _ => return,
        };
        self.warn(lint, node, words);
    }
}

/// The layer whose output a value is, also through views.
fn last_layer(network: &Network, mut value: ValueId) -> Option<&Node> {
    loop {
        let node = &network.nodes[network.producer(value)?];
        if !is_view(node) {
            return Some(node);
        }
        value = node.inputs[0];
    }
}
