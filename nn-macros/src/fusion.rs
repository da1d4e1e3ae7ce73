//! Which nodes inference computes together, by the [`Fusion`] of their rows.

use crate::network::{Dim, Layer, Network, Node};
use unrolled_shape::registry::Storage;
use unrolled_shape::{BLOCK, Condition, Fusion, Shape};

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

/// The nodes that inference computes blockwise: lists of consecutive nodes, all of which are computed for some pixels, and
/// then for the next ones, so that these stay in a first-level cache from one node to the next.
///
/// A list is worth it where the values are longer than a block, and where a block has pixels enough that what a layer
/// prepares for each call takes little time.
pub(crate) fn blockwise(network: &Network, pooled: &[Pooled]) -> Vec<Vec<usize>> {
    const FEWEST_PIXELS: usize = 8;
    let shape = |index: usize| -> Option<Shape> {
        let node = &network.nodes[index];
        let Layer::Known { row, .. } = &node.layer else { return None };
        if !row.pointwise || pooled.iter().any(|it| it.hides(index) || it.pool == index) {
            return None;
        }
        let output = network.values[node.output.0].dims.known()?;
        let inputs = network.sizes(node, Dim::known)?.inputs;
        let fits = output.len() > BLOCK && output.last() * FEWEST_PIXELS <= BLOCK;
        (fits && inputs.iter().all(|input| input.same(&output))).then_some(output)
    };
    let mut lists: Vec<(Option<Shape>, Vec<usize>)> = Vec::new();
    for (index, node) in network.nodes.iter().enumerate() {
        if node.storage() == Storage::View {
            continue;
        }
        let shape = shape(index);
        match lists.last_mut() {
            Some((Some(before), nodes)) if shape.is_some_and(|shape| shape.same(before)) => {
                nodes.push(index);
            }
            _ => lists.push((shape, vec![index])),
        }
    }
    let lists = lists.into_iter().filter(|(shape, nodes)| shape.is_some() && nodes.len() > 1);
    lists.map(|(_, nodes)| nodes).collect()
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

    /// The lists that are computed blockwise in the network of these lines.
    #[track_caller]
    fn blockwise(header: &str, lines: &str) -> Vec<Vec<usize>> {
        plan(&network(&format!("pub struct Net{header} {{ {lines} }}"))).blockwise
    }

    #[test]
    fn pointwise_lines_in_a_row_are_computed_blockwise() {
        let lines = "Conv2d(8, kernel = 1), BatchNorm, ReLU, \
                     Residual { Conv2d(8, kernel = 1), BatchNorm }, ReLU, GlobalAvgPool";
        let lists = vec![vec![1, 2], vec![4, 5, 6]];
        assert_eq!(blockwise("(20x20x8) -> 8", lines), lists);
        // Small values, and blocks of few pixels.
        assert_eq!(blockwise("(10x10x8) -> 8", lines), [[0_usize; 0]; 0]);
        let many = "Conv2d(257, kernel = 1), BatchNorm, ReLU";
        assert_eq!(blockwise("(20x20x8) -> 20x20x257", many), [[0_usize; 0]; 0]);
        let generic = "Conv2d(SIZE, kernel = 1), BatchNorm, ReLU";
        let header = "<const SIZE: usize>(20x20x8) -> 20x20xSIZE";
        assert_eq!(blockwise(header, generic), [[0_usize; 0]; 0]);
    }

    #[test]
    fn a_list_ends_at_another_shape() {
        let lines = "BatchNorm, Sigmoid, Reshape(400x8), Tanh, ReLU, Softmax, Exp, Log, \
                     Mul { {}, gate }, Abs";
        // `Mul` broadcasts.
        let lists = vec![vec![0, 1], vec![3, 4], vec![6, 7]];
        assert_eq!(blockwise("(x: 20x20x8, gate: 8) -> 400x8", lines), lists);
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
