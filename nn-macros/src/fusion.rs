//! Which nodes inference computes together, by the [`Fusion`] of their rows.

use crate::network::{Dim, Layer, Network, Node, ValueId};
use unrolled_shape::{CACHED, Condition, Fusion, Separable, Shape};

/// Elements of the bands of a depthwise separable convolution: a quarter of a second-level cache of 1 MB.
const BAND: usize = 1 << 16;

/// A convolution and nodes after it, which inference computes together: each reads the output of the one before, which
/// is never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    /// In the order in which they run.
    pub(crate) nodes: Vec<usize>,
    /// The values that they read: the input of the convolution, and what a sum adds.
    pub(crate) inputs: Vec<ValueId>,
    /// The lines of its output that are stored at a time, if it is not the last stage.
    pub(crate) lines: Option<usize>,
}

/// What inference computes together: a single stage, or those of a depthwise separable convolution, which are computed band by
/// band of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fused {
    pub(crate) stages: Vec<Stage>,
    /// The lines of the last output that are computed at a time, if there are several stages.
    pub(crate) lines: usize,
}

impl Stage {
    /// The convolution.
    pub(crate) fn first(&self) -> usize {
        self.nodes[0]
    }

    /// The node whose output is the stage's.
    pub(crate) fn last(&self) -> usize {
        *self.nodes.last().expect("a convolution")
    }
}

impl Fused {
    /// All nodes.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = usize> {
        self.stages.iter().flat_map(|stage| stage.nodes.iter().copied())
    }

    /// The node whose output is stored.
    pub(crate) fn last(&self) -> usize {
        self.stages.last().expect("a stage").last()
    }

    /// Whether the output of node `node` is never stored as a whole.
    pub(crate) fn hides(&self, node: usize) -> bool {
        node != self.last() && self.nodes().any(|it| it == node)
    }

    /// The values that all stages read, but those of the stages themselves.
    pub(crate) fn inputs(&self) -> Vec<ValueId> {
        let (first, others) = self.stages.split_first().expect("a stage");
        let added = others.iter().flat_map(|stage| &stage.inputs[1..]);
        first.inputs.iter().chain(added).copied().collect()
    }
}

/// All of them. `only_reader` returns the only node that reads a node's output, if that is not an output of
/// the network.
pub(crate) fn fused(network: &Network, only_reader: impl Fn(usize) -> Option<usize>) -> Vec<Fused> {
    let after = |node: usize| {
        let reader = only_reader(node)?;
        // Not the reader of a view, whose pixels may be others.
        let output = network.nodes[node].output;
        network.nodes[reader].inputs.contains(&output).then_some(reader)
    };
    let from = |node: usize| {
        let Fusion::Convolution { pooled, .. } = fusion(&network.nodes[node]) else { return None };
        let into_pool = holds(network, &network.nodes[node], pooled);
        let pool = into_pool.then(|| with_pool(network, node, after)).flatten();
        pool.or_else(|| with_epilogue(network, node, after))
    };
    let mut stages: Vec<Stage> = (0..network.nodes.len()).filter_map(from).collect();
    let mut fused = Vec::new();
    while !stages.is_empty() {
        let several = separable(network, &stages, after);
        let (count, lines) = several.unwrap_or((1, 0));
        let mut stages: Vec<Stage> = stages.drain(..count).collect();
        store_lines(network, &mut stages, lines);
        fused.push(Fused { stages, lines });
    }
    fused
}

/// Whether a depthwise separable convolution whose outputs in between do not stay in cache begins with the first of `stages`:
/// the number of its stages, and the lines of the last output to be computed at a time.
fn separable(
    network: &Network,
    stages: &[Stage],
    after: impl Fn(usize) -> Option<usize>,
) -> Option<(usize, usize)> {
    let parts: Vec<_> = stages.iter().take(3).map(|stage| part(network, stage)).collect();
    let depthwise = parts.iter().position(|part| *part != Some(Separable::Pointwise))?;
    let (Some(Separable::Depthwise { .. }), Some(Some(Separable::Pointwise))) =
        (parts[depthwise], parts.get(depthwise + 1))
    else {
        return None;
    };
    let stages = stages.get(..depthwise + 2).filter(|_| depthwise < 2)?;
    let in_a_row = stages.windows(2).all(|pair| {
        // Nothing runs in between.
        let next = pair[0].last() + 1;
        pair[1].first() == next && after(pair[0].last()) == Some(next)
    });
    let (last, between) = stages.split_last()?;
    let len = |stage: &Stage| Some(output(network, stage)?.len());
    let largest = between.iter().map(len).collect::<Option<Vec<_>>>()?.into_iter().max()?;
    if !in_a_row || largest <= CACHED {
        return None;
    }
    let elements = |lines: usize| -> usize {
        let mut stages = stages.to_vec();
        store_lines(network, &mut stages, lines);
        stages
            .iter()
            .filter_map(|stage| Some(stage.lines? * (len(stage)? / output(network, stage)?.dim(0))))
            .sum()
    };
    let height = output(network, last)?.dim(0);
    Some((stages.len(), most_lines(height, |lines| elements(lines) <= BAND)))
}

/// The most lines, up to `height`, that fit, or 1: fewer than some that fit do, too. By halves, since an image can be billions of
/// lines high.
fn most_lines(height: usize, fit: impl Fn(usize) -> bool) -> usize {
    let (mut lines, mut end) = (1, height + 1);
    while end - lines > 1 {
        let middle = lines + (end - lines) / 2;
        if fit(middle) {
            lines = middle;
        } else {
            end = middle;
        }
    }
    lines
}

/// Writes the lines that each stage but the last stores, where `lines` lines of the last output are computed at a time.
fn store_lines(network: &Network, stages: &mut [Stage], mut lines: usize) {
    for i in (1..stages.len()).rev() {
        if let Some(Separable::Depthwise { stride, extent }) = part(network, &stages[i]) {
            lines = (lines - 1) * stride + extent;
        }
        // No more than there are.
        let all = output(network, &stages[i - 1]).map_or(lines, |shape| shape.dim(0));
        stages[i - 1].lines = Some(lines.min(all));
    }
}

/// The part of a stage in a depthwise separable convolution.
fn part(network: &Network, stage: &Stage) -> Option<Separable> {
    let node = &network.nodes[stage.first()];
    let Fusion::Convolution { separable, .. } = fusion(node) else { return None };
    if let Fusion::Largest(_) = fusion(&network.nodes[stage.last()]) {
        return None;
    }
    let sizes = network.sizes(node, Dim::known)?;
    separable(&sizes.inputs, &sizes.values)
}

/// The shape of a stage's output, if it is known.
fn output(network: &Network, stage: &Stage) -> Option<Shape> {
    network.values[network.nodes[stage.last()].output.0].dims.known()
}

/// A convolution with the pool after it. Bounds between them are monotone, so that inference applies them after the pool,
/// to fewer elements.
fn with_pool(
    network: &Network,
    convolution: usize,
    after: impl Fn(usize) -> Option<usize>,
) -> Option<Stage> {
    let mut nodes = vec![convolution];
    loop {
        let node = after(*nodes.last()?)?;
        nodes.push(node);
        match fusion(&network.nodes[node]) {
            Fusion::Bounds if nodes.len() == 2 => {}
            Fusion::Largest(fitting) if holds(network, &network.nodes[node], fitting) => {
                let inputs = network.nodes[convolution].inputs.clone();
                return Some(Stage { nodes, inputs, lines: None });
            }
            _ => return None,
        }
    }
}

/// A convolution with what follows of a normalisation, a sum and bounds, in this order.
fn with_epilogue(
    network: &Network,
    convolution: usize,
    after: impl Fn(usize) -> Option<usize>,
) -> Option<Stage> {
    let inputs = network.nodes[convolution].inputs.clone();
    let mut stage = Stage { nodes: vec![convolution], inputs, lines: None };
    let mut last_position = 0;
    loop {
        let before = stage.last();
        // Nothing runs in between, so that the input of the convolution is stored for no longer than without fusion.
        let next = after(before).filter(|node| *node == before + 1);
        match next.and_then(|node| position(network, before, node)) {
            Some((position, added)) if position > last_position => {
                stage.nodes.push(before + 1);
                stage.inputs.extend(added);
                last_position = position;
            }
            _ => return (stage.nodes.len() > 1).then_some(stage),
        }
    }
}

/// The position of `node`, which reads the output of `before`, among the parts of an epilogue, with what it adds.
fn position(network: &Network, before: usize, node: usize) -> Option<(usize, Option<ValueId>)> {
    match fusion(&network.nodes[node]) {
        Fusion::Normalization => Some((1, None)),
        Fusion::Sum => Some((2, Some(addend(network, before, node)?))),
        Fusion::Bounds => Some((3, None)),
        Fusion::None | Fusion::Convolution { .. } | Fusion::Largest(_) => None,
    }
}

/// What the sum `node` adds to the output of `before`, if that is one value of the same shape.
fn addend(network: &Network, before: usize, node: usize) -> Option<ValueId> {
    let before = network.nodes[before].output;
    let other = match network.nodes[node].inputs[..] {
        [first, second] if first == before => second,
        [first, second] if second == before => first,
        _ => return None,
    };
    let shape = |value: ValueId| network.values[value.0].dims.known();
    let (shape, before) = (shape(other)?, shape(before)?);
    shape.same(&before).then_some(other)
}

/// How inference computes a node together with its neighbours.
pub(crate) fn fusion(node: &Node) -> Fusion {
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
    use crate::plan::plan;
    use crate::tests::network;

    /// The nodes that are computed together in the network of these lines.
    #[track_caller]
    fn fused(header: &str, lines: &str) -> Vec<Vec<usize>> {
        let plan = plan(&network(&format!("pub struct Net{header} {{ {lines} }}")));
        plan.fused.into_iter().map(|it| it.nodes().collect()).collect()
    }

    const NONE: [[usize; 0]; 0] = [];

    #[test]
    fn a_pool_takes_a_convolution_in_with_a_relu_between() {
        let lines =
            "Conv2d(4, kernel = 3), ReLU, MaxPool2d(2), Conv2d(5, kernel = 2), MaxPool2d(2)";
        assert_eq!(fused("(14x14x1) -> 2x2x5", lines), [vec![0, 1, 2], vec![3, 4]]);
    }

    #[test]
    fn a_convolution_takes_in_what_follows() {
        let lines = "Conv2d(4, kernel = 3), BatchNorm, ReLU, Conv2d(4, kernel = 3, groups = 4), \
                     HardTanh, Conv2d(4, kernel = 1), BatchNorm, GlobalAvgPool";
        assert_eq!(fused("(14x14x1) -> 4", lines), [vec![0, 1, 2], vec![3, 4], vec![5, 6]]);
        // In this order, and each once.
        let lines =
            "Conv2d(4, kernel = 3), ReLU, BatchNorm, Conv2d(4, kernel = 3), BatchNorm, BatchNorm";
        assert_eq!(fused("(14x14x1) -> 10x10x4", lines), [vec![0, 1], vec![3, 4]]);
    }

    #[test]
    fn a_convolution_takes_in_the_sum_of_a_residual() {
        let lines = "Residual { Conv2d(4, kernel = 1), BatchNorm }, ReLU, \
                     Residual { Conv2d(4, kernel = 1) }, GlobalAvgPool";
        assert_eq!(fused("(5x5x4) -> 4", lines), [vec![0, 1, 2, 3], vec![4, 5]]);
    }

    /// The last one is the convolution of the skip connection: nothing runs between it and the sum.
    #[test]
    fn of_two_convolutions_the_last_one_takes_in_the_sum() {
        let lines =
            "Residual { Conv2d(6, kernel = 1), BatchNorm } skip { Conv2d(6, kernel = 1) }, ReLU";
        assert_eq!(fused("(5x5x4) -> 5x5x6", lines), [vec![0, 1], vec![2, 3, 4]]);
    }

    #[test]
    fn other_sums_stay_by_themselves() {
        let broadcast = "x => Conv2d(4, kernel = 1), Add { {}, table }";
        assert_eq!(fused("(x: 5x5x4, table: 4) -> 5x5x4", broadcast), NONE);
        let three = "x => Conv2d(4, kernel = 1), Add { {}, a, b }";
        assert_eq!(fused("(x: 5x5x4, a: 5x5x4, b: 5x5x4) -> 5x5x4", three), NONE);
        let itself = "it: Conv2d(4, kernel = 1), Add { {}, it }";
        assert_eq!(fused("(5x5x4) -> 5x5x4", itself), NONE);
        let generic = "x => Conv2d(N, kernel = 1), Add { {}, a }";
        assert_eq!(fused("<const N: usize>(x: 5x5x4, a: [5, 5, N]) -> [5, 5, N]", generic), NONE);
    }

    #[test]
    fn a_value_with_another_reader_is_stored() {
        let lines = "seen: Conv2d(4, kernel = 3), ReLU, MaxPool2d(2), GlobalAvgPool, \
                     Add { {}, seen => { GlobalAvgPool } }";
        assert_eq!(fused("(14x14x1) -> 4", lines), NONE);
        let lines = "Conv2d(4, kernel = 3), seen: ReLU, MaxPool2d(2), GlobalAvgPool, \
                     Add { {}, seen => { GlobalAvgPool } }";
        assert_eq!(fused("(14x14x1) -> 4", lines), [vec![0, 1]]);
        let lines = "conv: Conv2d(4, kernel = 1), norm: BatchNorm, relu: ReLU";
        assert_eq!(fused("(3x3x1) -> (norm: 3x3x4, relu: 3x3x4)", lines), [vec![0, 1]]);
    }

    #[test]
    fn a_layer_after_a_view_stays_by_itself() {
        let lines = "Conv2d(2, kernel = 1), Reshape(2x4x1), MaxPool2d(2)";
        assert_eq!(fused("(2x2x1) -> 1x2x1", lines), NONE);
        let lines = "Conv2d(2, kernel = 1), Reshape(2x4x1), ReLU, MaxPool2d(2)";
        assert_eq!(fused("(2x2x1) -> 1x2x1", lines), NONE);
        let lines = "Conv2d(2, kernel = 1), ReLU, Reshape(2x4x1), MaxPool2d(2)";
        assert_eq!(fused("(2x2x1) -> 1x2x1", lines), [[0, 1]]);
        let lines = "Conv2d(2, kernel = 1), Reshape(2x4x1), BatchNorm";
        assert_eq!(fused("(2x2x1) -> 2x4x1", lines), NONE);
    }

    #[test]
    fn other_layers_stay_by_themselves() {
        for (between, pool) in [
            ("Tanh,", "MaxPool2d(2)"),
            ("", "MaxPool2d(2, stride = 1)"),
            ("", "MaxPool2d(2, padding = 1)"),
            ("", "MaxPool2d(2, dilation = 3)"),
            ("", "AvgPool2d(2)"),
        ] {
            let lines = format!("Conv2d(4, kernel = 3), {between} {pool}, GlobalAvgPool");
            assert_eq!(fused("(14x14x1) -> 4", &lines), NONE, "{lines}");
        }
        for convolution in ["Conv2d(8, kernel = 3, groups = 4)", "Conv2d(2000, kernel = 3)"] {
            let lines = format!("{convolution}, MaxPool2d(2), GlobalAvgPool, Dense(1)");
            assert_eq!(fused("(14x14x8) -> 1", &lines), NONE, "{lines}");
        }
    }

    /// Winograd's algorithm does not compute strips; smaller images are not computed by it.
    #[test]
    fn a_pool_after_winograds_algorithm_stays_by_itself() {
        let lines = "Conv2d(64, kernel = 3, padding = 1), ReLU, MaxPool2d(2), GlobalAvgPool";
        assert_eq!(fused("(12x12x64) -> 64", lines), [[0, 1]]);
        assert_eq!(fused("(11x12x64) -> 64", lines), [[0, 1, 2]]);
    }

    /// Whether a window fits into a strip is not known while expanding.
    #[test]
    fn a_pool_of_the_users_sizes_stays_by_itself() {
        let lines = "Conv2d(FILTERS, kernel = 3), MaxPool2d(2), GlobalAvgPool";
        assert_eq!(fused("<const FILTERS: usize>(14x14x1) -> FILTERS", lines), NONE);
        let lines = "Conv2d(FILTERS, kernel = 3), BatchNorm, ReLU, GlobalAvgPool";
        assert_eq!(fused("<const FILTERS: usize>(14x14x1) -> FILTERS", lines), [[0, 1, 2]]);
    }

    /// The number of nodes of each stage with the lines that are stored, and the lines of the last output at a time.
    type Lines = (Vec<(usize, Option<usize>)>, usize);

    /// What is computed together in the network of these lines.
    #[track_caller]
    fn separable(header: &str, lines: &str) -> Vec<Lines> {
        let plan = plan(&network(&format!("pub struct Net{header} {{ {lines} }}")));
        let stages = |it: super::Fused| {
            (it.stages.iter().map(|stage| (stage.nodes.len(), stage.lines)).collect(), it.lines)
        };
        plan.fused.into_iter().map(stages).collect()
    }

    #[test]
    fn depthwise_separable_convolutions_store_some_lines() {
        let lines = "Conv2d(96, kernel = 1), ReLU6, \
                     Conv2d(96, kernel = 3, stride = 2, padding = 1, groups = 96), BatchNorm, ReLU6, \
                     Conv2d(24, kernel = 1), BatchNorm, \
                     Conv2d(24, kernel = 3, padding = 1, groups = 24), ReLU, Conv2d(8, kernel = 1), BatchNorm";
        // 5 lines of 112 pixels of 96 channels, and 2 of 56 pixels: one more would be beyond 65,536 elements.
        let expected = [
            (vec![(2, Some(5)), (3, Some(2)), (2, None)], 2),
            // The outputs in between stay in cache.
            (vec![(2, None)], 0),
            (vec![(2, None)], 0),
        ];
        assert_eq!(separable("(112x112x16) -> 56x56x8", lines), expected);
    }

    /// Each number of lines is not tried one after the other.
    #[test]
    fn an_image_of_many_lines_takes_no_time() {
        let lines =
            "Conv2d(2, kernel = 3, padding = 1, groups = 2), ReLU, Conv2d(1, kernel = 1), ReLU";
        let expected = [(vec![(2, Some(32_768)), (2, None)], 32_768)];
        assert_eq!(separable("(1000000000x1x2) -> 1000000000x1x1", lines), expected);
    }

    #[test]
    fn what_is_read_in_between_is_stored_as_a_whole() {
        let depthwise = "Conv2d(32, kernel = 3, padding = 1, groups = 32), ReLU";
        let lines = format!("{depthwise}, Conv2d(8, kernel = 1), ReLU");
        let expected = [(vec![(2, Some(20)), (2, None)], 20)];
        assert_eq!(separable("(100x100x32) -> 100x100x8", &lines), expected);
        for lines in [
            format!("it: [{depthwise}], Conv2d(32, kernel = 1), ReLU, Add {{ {{}}, it }}"),
            format!("{depthwise}, Reshape(50x200x32), Conv2d(8, kernel = 1), ReLU"),
            format!("{depthwise}, Conv2d(8, kernel = 1, stride = 2), ReLU"),
            format!("{depthwise}, Conv2d(8, kernel = 1, padding = 1), ReLU"),
            format!("{depthwise}, Conv2d(8, kernel = 1)"),
        ] {
            let lines = format!("{lines}, GlobalAvgPool, Dense(1)");
            let found = separable("(100x100x32) -> 1", &lines);
            assert!(found.iter().all(|(stages, _)| stages.len() == 1), "{lines}: {found:?}");
        }
    }
}
