//! Which nodes inference computes together, by the [`Fusion`] of their rows.

use crate::network::{Dim, Layer, Network, Node};
use unrolled_shape::{Condition, Fusion};

/// A node whose output goes straight into a pool, so that it is never stored as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pooled {
    /// The node.
    pub(crate) node: usize,
    /// The activation between them, if there is one. It is monotone, so that inference may apply it after the
    /// pool, to fewer elements.
    pub(crate) between: Option<usize>,
    /// The pool.
    pub(crate) pool: usize,
}

impl Pooled {
    /// Whether the output of node `node` is never stored.
    pub(crate) fn hides(&self, node: usize) -> bool {
        self.node == node || self.between == Some(node)
    }
}

/// All of them. `only_reader` returns the only node that reads a node's output, if that is not an output of
/// the network.
pub(crate) fn pooled(
    network: &Network,
    only_reader: impl Fn(usize) -> Option<usize>,
) -> Vec<Pooled> {
    let after = |node: usize| {
        let reader = only_reader(node)?;
        let it = &network.nodes[reader];
        // Not the reader of a view, whose pixels may be others.
        (it.inputs[0] == network.nodes[node].output).then_some((reader, it))
    };
    let from = |node: usize| {
        let Fusion::Pooled(condition) = fusion(&network.nodes[node]) else { return None };
        // Each of the three must be the only reader of the one before: another reader would need the whole output.
        let (mut pool, mut it) = after(node)?;
        let mut between = None;
        if let Fusion::Monotone = fusion(it) {
            between = Some(pool);
            (pool, it) = after(pool)?;
        }
        let Fusion::Largest(fitting) = fusion(it) else { return None };
        let agreed = holds(network, &network.nodes[node], condition) && holds(network, it, fitting);
        agreed.then_some(Pooled { node, between, pool })
    };
    (0..network.nodes.len()).filter_map(from).collect()
}

fn fusion(node: &Node) -> Fusion {
    match &node.layer {
        Layer::Known { row, .. } => row.fusion,
        Layer::Custom(_) => Fusion::None,
    }
}

/// Whether `condition` holds: not where a size is a constant of the user's.
fn holds(network: &Network, node: &Node, condition: Condition) -> bool {
    let sizes = network.sizes(node, Dim::known);
    sizes.is_some_and(|sizes| condition(&sizes.inputs, &sizes.values))
}

#[cfg(test)]
mod tests {
    use super::Pooled;
    use crate::plan::plan;
    use crate::tests::network;

    /// What is computed together in the network of these lines.
    #[track_caller]
    fn pooled(header: &str, lines: &str) -> Vec<Pooled> {
        plan(&network(&format!("pub struct Net{header} {{ {lines} }}"))).pooled
    }

    #[test]
    fn a_pool_takes_a_convolution_in_with_a_relu_between() {
        let lines =
            "Conv2d(4, kernel = 3), ReLU, MaxPool2d(2), Conv2d(5, kernel = 2), MaxPool2d(2)";
        let expected = [
            Pooled { node: 0, between: Some(1), pool: 2 },
            Pooled { node: 3, between: None, pool: 4 },
        ];
        assert_eq!(pooled("(14x14x1) -> 2x2x5", lines), expected);
    }

    #[test]
    fn a_value_with_another_reader_is_stored() {
        let lines = "seen: Conv2d(4, kernel = 3), ReLU, MaxPool2d(2), GlobalAvgPool, \
                     Add { {}, seen => { GlobalAvgPool } }";
        assert_eq!(pooled("(14x14x1) -> 4", lines), []);
        let lines = "Conv2d(4, kernel = 3), seen: ReLU, MaxPool2d(2), GlobalAvgPool, \
                     Add { {}, seen => { GlobalAvgPool } }";
        assert_eq!(pooled("(14x14x1) -> 4", lines), []);
    }

    #[test]
    fn a_pool_of_a_view_stays_by_itself() {
        let lines = "Conv2d(2, kernel = 1), Reshape(2x4x1), MaxPool2d(2)";
        assert_eq!(pooled("(2x2x1) -> 1x2x1", lines), []);
        let lines = "Conv2d(2, kernel = 1), Reshape(2x4x1), ReLU, MaxPool2d(2)";
        assert_eq!(pooled("(2x2x1) -> 1x2x1", lines), []);
        let lines = "Conv2d(2, kernel = 1), ReLU, Reshape(2x4x1), MaxPool2d(2)";
        assert_eq!(pooled("(2x2x1) -> 1x2x1", lines), []);
    }

    #[test]
    fn other_layers_stay_by_themselves() {
        for (between, pool) in [
            ("Tanh,", "MaxPool2d(2)"),
            ("BatchNorm,", "MaxPool2d(2)"),
            ("", "MaxPool2d(2, stride = 1)"),
            ("", "MaxPool2d(2, padding = 1)"),
            ("", "MaxPool2d(2, dilation = 3)"),
            ("", "AvgPool2d(2)"),
        ] {
            let lines = format!("Conv2d(4, kernel = 3), {between} {pool}, GlobalAvgPool");
            assert_eq!(pooled("(14x14x1) -> 4", &lines), [], "{lines}");
        }
        for convolution in ["Conv2d(8, kernel = 3, groups = 4)", "Conv2d(2000, kernel = 3)"] {
            let lines = format!("{convolution}, MaxPool2d(2), GlobalAvgPool, Dense(1)");
            assert_eq!(pooled("(14x14x8) -> 1", &lines), [], "{lines}");
        }
    }

    /// Whether a window fits into a strip is not known while expanding.
    #[test]
    fn sizes_of_the_users_stay_by_themselves() {
        let lines = "Conv2d(FILTERS, kernel = 3), MaxPool2d(2), GlobalAvgPool";
        assert_eq!(pooled("<const FILTERS: usize>(14x14x1) -> FILTERS", lines), []);
    }
}
