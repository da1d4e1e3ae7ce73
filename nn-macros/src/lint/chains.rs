//! Layers that do not go with the layer before them.

use unrolled_shape::registry::Row;
use unrolled_shape::{Activation, Role};

use super::linter::{Linter, flag, is_linear, is_view, sizes};
use crate::network::{Layer, Node, ValueId};

impl<'a> Linter<'a> {
    pub(super) fn check_chain(&mut self, node: &'a Node, row: &'static Row) {
        match row.role {
            Role::Dense | Role::Convolution => self.check_linear(node, row),
            Role::Activation(activation) => self.check_activation(node, row, activation),
            Role::ChannelNorm => self.check_norm(node, row),
            _ => {}
        }
    }

    /// `dense_after_dense`: two linear maps that one could compute.
    fn check_linear(&mut self, node: &'a Node, row: &Row) {
        // In inference `BatchNorm` is linear, and so are `Dropout` and `Scale`.
        let is_linear_too = |node: &Node, row: &Row| {
            is_view(node) || row.is_batch_norm() || matches!(row.role, Role::Dropout | Role::Scale)
        };
        let Some(first) = self.before_all(node, is_linear_too) else { return };
        // A shared weight cannot be merged with another one.
        if first.owner.is_some() || node.owner.is_some() || self.is_shared(first) {
            return;
        }
        let one = match (first.role(), row.role) {
            (Role::Dense, Role::Dense) if self.has_full_rank(first, node) => "`Dense`",
            (Role::Convolution, Role::Convolution)
                if is_plain(first) && is_plain(node) && self.has_full_rank(first, node) =>
            {
                "convolution"
            }
            (Role::Convolution, Role::Dense) if self.is_smaller_as_one(first, node) => "`Dense`",
            _ => return,
        };
        let words = format!(
            "`{}` and `{}` have no activation between them: one {one} can compute the same\n  = help: put \
             an activation such as `ReLU` between them, or leave one of them out",
            first.label, node.label
        );
        self.warn("dense_after_dense", node, words);
    }

    /// Whether a layer is applied several times.
    fn is_shared(&self, layer: &Node) -> bool {
        let nodes = &self.network.nodes;
        let is_it = |first: usize| std::ptr::eq(&nodes[first], layer);
        layer.first.is_some() || nodes.iter().any(|node| node.first.is_some_and(is_it))
    }

    /// Whether the product of two linear maps can be any linear map: no narrow middle, which is deliberate (low rank).
    fn has_full_rank(&self, first: &Node, second: &Node) -> bool {
        let last = |value: ValueId| self.network.values[value.0].dims.last()?.known();
        let [Some(input), Some(middle), Some(output)] =
            [first.inputs[0], first.output, second.output].map(last)
        else {
            return false;
        };
        // A view between them has changed the features.
        let same = last(second.inputs[0]) == Some(middle);
        // One layer has no more weights than the two.
        same && input.saturating_mul(output) <= middle.saturating_mul(input.saturating_add(output))
    }

    /// Whether one `Dense` has no more weights than a convolution and the `Dense` that reads all of its output.
    fn is_smaller_as_one(&self, first: &Node, dense: &Node) -> bool {
        let (Some(input), Some(flat), Some(output)) =
            (self.input_shape(first), self.input_shape(dense), self.shape(dense.output))
        else {
            return false;
        };
        let one = input.len().saturating_mul(output.len());
        let params = |node: &Node| node.cost.map_or(0, |cost| cost.params);
        flat.rank() == 1 && one <= params(first).saturating_add(params(dense))
    }

    /// `activation_twice`
    fn check_activation(&mut self, node: &'a Node, row: &Row, activation: Activation) {
        let is_between = |node: &Node, row: &Row| is_view(node) || row.role == Role::Dropout;
        let Some(first) = self.before_all(node, is_between) else { return };
        let Layer::Known { row: first_row, .. } = &first.layer else { return };
        let Role::Activation(before) = first_row.role else { return };
        let rectifies = |it| matches!(it, Activation::ReLU | Activation::Rectifier);
        // Others may be composed on purpose: Mish is `x * tanh(softplus(x))`.
        if !(rectifies(before) && rectifies(activation)) && first_row.name != row.name {
            return;
        }
        let words = if first.label == node.label {
            format!("`{}` follows another one", node.label)
        } else {
            format!("`{}` follows the activation `{}`", node.label, first.label)
        };
        let help = "leave one of them out, or put a layer with weights between them";
        self.warn("activation_twice", node, format!("{words}\n  = help: {help}"));
    }

    /// `bias_before_batch_norm`, `dropout_before_batch_norm`
    fn check_norm(&mut self, node: &'a Node, row: &Row) {
        if let Some(before) = self.before(node)
            && is_linear(before.role())
            && flag(before, "bias")
        {
            let words = format!(
                "the bias of `{}` has no effect: `{}` subtracts the mean of each channel\n  = help: write \
                 `bias = false`",
                before.label, node.label
            );
            self.warn("bias_before_batch_norm", before, words);
        }
        let is_between = |node: &Node, row: &Row| {
            is_view(node) || matches!(row.role, Role::Activation(_) | Role::Scale)
        };
        if row.is_batch_norm()
            && let Some(before) = self.before_all(node, is_between)
            && before.role() == Role::Dropout
        {
            let words = format!(
                "`{}` comes before `{}`: the variance that `{}` learns is larger than the one in \
                 inference, where nothing is dropped\n  = help: put `{}` after the last `{}`",
                before.label, node.label, node.label, before.label, row.name
            );
            self.warn("dropout_before_batch_norm", before, words);
        }
    }
}

/// Whether a convolution mixes all channels, by a kernel that is no factor of a larger one, such as `1x3` of `3x3`.
fn is_plain(node: &Node) -> bool {
    let is_square =
        sizes(node, "kernel").is_some_and(|kernel| kernel.iter().all(|it| *it == kernel[0]));
    is_square && sizes(node, "groups").is_some_and(|groups| groups == [1])
}
