//! The order of features in small networks, as lists of nodes.

use super::flat_graph::tensors_of;
use crate::contract::{Graph, GraphLayer, GraphNode, LayerWeights};
use crate::types::{Axis, FeatureOrder, LayerOrder, Tensor};
use unrolled_shape::Shape;
use unrolled_shape::registry::{Channels, Features};

/// One tensor of one element: both orders are what the tests look at.
fn both_orders(order: &LayerOrder) -> Vec<Tensor> {
    let axis = |order: &FeatureOrder| Axis { len: 0, stride: 1, order: order.clone() };
    vec![Tensor::new("", 0, vec![axis(&order.input), axis(&order.output)])]
}

const WEIGHTS: &[LayerWeights] =
    &[LayerWeights { tensors: both_orders, offset: 0, len: 1, shared: false }];

const fn layer(
    name: &'static str,
    features: Features,
    channels: Channels,
    inputs: &'static [usize],
    output: &'static [usize],
) -> GraphNode {
    let layer = GraphLayer::Layer { features, channels, weights: WEIGHTS };
    GraphNode { name, inputs, output: Shape::new(output), layer }
}

const fn dense(name: &'static str, input: &'static [usize], out: &'static [usize]) -> GraphNode {
    layer(name, Features::Any, Channels::Last, input, out)
}

const fn conv(name: &'static str, input: &'static [usize], out: &'static [usize]) -> GraphNode {
    layer(name, Features::Fixed, Channels::First, input, out)
}

const fn same(name: &'static str, input: &'static [usize], out: &'static [usize]) -> GraphNode {
    layer(name, Features::Same, Channels::AsInput, input, out)
}

const fn view(name: &'static str, input: &'static [usize], out: &'static [usize]) -> GraphNode {
    layer(name, Features::View, Channels::AsInput, input, out)
}

/// The order before and after the layer `name`, and whether there is a conflict.
fn orders(graph: &Graph, name: &str) -> ([String; 2], Option<String>) {
    let found = tensors_of(graph);
    let tensor = found.tensors.iter().find(|tensor| tensor.name == name).unwrap();
    let order = |axis: usize| tensor.axes[axis].order.to_string();
    ([order(0), order(1)], found.conflict.map(|conflict| conflict.to_string()))
}

/// Checks the order before and after the layer `name` of a network with one input.
#[track_caller]
fn check(input: &'static [Shape], nodes: &'static [GraphNode], name: &str, expected: [&str; 2]) {
    let graph = Graph { inputs: input, nodes, output: nodes.len() };
    assert_eq!(orders(&graph, name), (expected.map(str::to_owned), None));
}

const IMAGE: &[Shape] = &[Shape::new(&[2, 2, 3])];
const STEPS: &[Shape] = &[Shape::new(&[4, 3])];
const FLAT: &[Shape] = &[Shape::new(&[12])];
const FLATTENED: &str = "3 channels of 4 pixels";
const PLAIN: &str = "unchanged";

#[test]
fn images_are_flattened_channels_first() {
    const NODES: &[GraphNode] = &[view("flat", &[0], &[12]), dense("fc", &[1], &[5])];
    check(IMAGE, NODES, "fc", [FLATTENED, PLAIN]);
    // Steps of a network's input have their features last, unless a convolution reads them.
    check(STEPS, NODES, "fc", [PLAIN, PLAIN]);
    const CONV: &[GraphNode] = &[
        same("relu", &[0], &[4, 3]),
        conv("conv", &[1], &[4, 3]),
        view("flat", &[1], &[12]),
        dense("fc", &[3], &[5]),
    ];
    check(STEPS, CONV, "fc", [FLATTENED, PLAIN]);
}

#[test]
fn a_linear_layer_on_each_pixel_has_channels_last() {
    const NODES: &[GraphNode] =
        &[dense("each", &[0], &[2, 2, 3]), view("flat", &[1], &[12]), dense("fc", &[2], &[5])];
    check(IMAGE, NODES, "fc", [PLAIN, PLAIN]);
}

#[test]
fn reshaped_features_are_ordered_as_their_reader_needs_them() {
    const DECODER: &[GraphNode] = &[
        dense("fc", &[0], &[12]),
        same("relu", &[1], &[12]),
        view("reshape", &[2], &[2, 2, 3]),
        conv("conv", &[3], &[2, 2, 3]),
    ];
    check(FLAT, DECODER, "fc", [PLAIN, FLATTENED]);
    check(FLAT, DECODER, "relu", [FLATTENED, FLATTENED]);
    const STEPS_OF_DENSE: &[GraphNode] = &[
        dense("fc", &[0], &[12]),
        view("reshape", &[1], &[4, 3]),
        layer("lstm", Features::AnyInput, Channels::Last, &[2], &[4, 5]),
    ];
    check(FLAT, STEPS_OF_DENSE, "fc", [PLAIN, PLAIN]);
}

#[test]
fn sums_have_one_order() {
    const RESIDUAL: &[GraphNode] = &[
        view("flat", &[0], &[12]),
        dense("body", &[1], &[12]),
        same("add", &[1, 2], &[12]),
        dense("fc", &[3], &[5]),
    ];
    check(IMAGE, RESIDUAL, "body", [FLATTENED, FLATTENED]);
    check(IMAGE, RESIDUAL, "fc", [FLATTENED, PLAIN]);
}

#[test]
fn factors_per_channel_leave_the_channels_where_they_are() {
    const SQUEEZE: &[GraphNode] = &[
        conv("conv", &[0], &[4, 3]),
        layer("pool", Features::Same, Channels::First, &[1], &[3]),
        dense("gate", &[2], &[3]),
        same("mul", &[1, 3], &[4, 3]),
        view("flat", &[4], &[12]),
        dense("fc", &[5], &[5]),
    ];
    check(STEPS, SQUEEZE, "fc", [FLATTENED, PLAIN]);
    check(STEPS, SQUEEZE, "gate", [PLAIN, PLAIN]);
}

/// PyTorch has the steps of a `PerStep` before the channels.
#[test]
fn steps_come_before_channels() {
    const VIDEO: &[Shape] = &[Shape::new(&[2, 2, 2, 3])];
    const fn one_step(input: &'static [usize], out: &'static [usize]) -> GraphNode {
        layer("one", Features::Same, Channels::OneStep, input, out)
    }
    const fn all_steps(input: &'static [usize], out: &'static [usize]) -> GraphNode {
        layer("all", Features::Same, Channels::AllSteps, input, out)
    }
    const FRAMES: &[GraphNode] = &[
        one_step(&[0], &[2, 2, 3]),
        conv("conv", &[1], &[2, 2, 3]),
        view("flat", &[2], &[12]),
        dense("each", &[3], &[5]),
        all_steps(&[2], &[2, 2, 2, 3]),
        same("relu", &[5], &[2, 2, 2, 3]),
        view("all_flat", &[6], &[24]),
        dense("fc", &[7], &[5]),
        layer("mean", Features::Fixed, Channels::Kept { removed: 0 }, &[6], &[2, 2, 3]),
        view("mean_flat", &[9], &[12]),
        dense("of_mean", &[10], &[5]),
        // The input, whose steps and channels are known from what reads it.
        view("input_flat", &[0], &[24]),
        dense("of_input", &[12], &[5]),
    ];
    const FRAME: &str = "3 channels of 4 pixels";
    const BOTH: &str = "3 channels of 4 pixels + 3 channels of 4 pixels";
    check(VIDEO, FRAMES, "each", [FRAME, PLAIN]);
    check(VIDEO, FRAMES, "fc", [BOTH, PLAIN]);
    check(VIDEO, FRAMES, "of_mean", [FRAME, PLAIN]);
    check(VIDEO, FRAMES, "of_input", [BOTH, PLAIN]);
    // Features of each step, as a recurrent layer reads them.
    const FEATURES: &[GraphNode] = &[
        one_step(&[0], &[2, 2, 3]),
        conv("conv", &[1], &[2, 2, 3]),
        layer("pool", Features::Same, Channels::First, &[2], &[3]),
        all_steps(&[3], &[2, 3]),
        view("flat", &[4], &[6]),
        dense("fc", &[5], &[5]),
    ];
    check(VIDEO, FEATURES, "fc", [PLAIN, PLAIN]);
}

#[test]
fn channels_stay_where_they_are_when_another_axis_is_removed() {
    const fn reduce(
        channels: Channels,
        input: &'static [usize],
        out: &'static [usize],
    ) -> GraphNode {
        layer("reduce", Features::Fixed, channels, input, out)
    }
    const LAST: &[GraphNode] = &[
        dense("each", &[0], &[2, 2, 3]),
        reduce(Channels::Kept { removed: 1 }, &[1], &[2, 3]),
        view("flat", &[2], &[6]),
        dense("fc", &[3], &[5]),
    ];
    check(IMAGE, LAST, "fc", [PLAIN, PLAIN]);
    const FIRST: &[GraphNode] = &[
        conv("conv", &[0], &[2, 2, 3]),
        reduce(Channels::Kept { removed: 1 }, &[1], &[2, 3]),
        view("flat", &[2], &[6]),
        dense("fc", &[3], &[5]),
    ];
    check(IMAGE, FIRST, "fc", ["3 channels of 2 pixels", PLAIN]);
    // A layer written by hand may move the channels: of its output, only what reads it says where they are.
    const BY_HAND: &[GraphNode] = &[
        conv("conv", &[0], &[2, 2, 3]),
        layer("patches", Features::Fixed, Channels::AsInput, &[1], &[4, 3]),
        view("flat", &[2], &[12]),
        dense("fc", &[3], &[5]),
    ];
    check(IMAGE, BY_HAND, "fc", [PLAIN, PLAIN]);
    // Of an image alone, which has its channels first.
    const NO_CHANNELS: &[GraphNode] = &[
        reduce(Channels::Removed, &[0], &[2, 2]),
        view("flat", &[1], &[4]),
        dense("fc", &[2], &[5]),
        view("image", &[0], &[12]),
        dense("other", &[4], &[5]),
    ];
    check(IMAGE, NO_CHANNELS, "fc", [PLAIN, PLAIN]);
    check(IMAGE, NO_CHANNELS, "other", [FLATTENED, PLAIN]);
}

#[test]
fn concatenated_features_are_side_by_side() {
    const NODES: &[GraphNode] = &[
        view("flat", &[0], &[12]),
        dense("other", &[1], &[2]),
        layer("concat", Features::Concat, Channels::AsInput, &[1, 2], &[14]),
        dense("fc", &[3], &[5]),
    ];
    check(IMAGE, NODES, "other", [FLATTENED, PLAIN]);
    check(IMAGE, NODES, "fc", ["3 channels of 4 pixels + 2 features", PLAIN]);
}

#[test]
fn a_network_in_a_network_has_the_order_of_its_position() {
    const INNER: Graph = Graph {
        inputs: FLAT,
        nodes: &[dense("fc", &[0], &[12]), view("reshape", &[1], &[2, 2, 3])],
        output: 2,
    };
    const fn custom(name: &'static str, input: &'static [usize]) -> GraphNode {
        let layer = GraphLayer::Custom { graph: &INNER, offset: 7 };
        GraphNode { name, inputs: input, output: Shape::new(&[2, 2, 3]), layer }
    }
    const NODES: &[GraphNode] =
        &[view("flat", &[0], &[12]), custom("inner", &[1]), conv("conv", &[2], &[2, 2, 3])];
    check(IMAGE, NODES, "inner.fc", [FLATTENED, FLATTENED]);
    let graph = Graph { inputs: IMAGE, nodes: NODES, output: 3 };
    let tensors = tensors_of(&graph).tensors;
    let inner = tensors.iter().find(|tensor| tensor.name == "inner.fc").unwrap();
    assert_eq!(inner.offset, 7);
}

#[test]
fn two_orders_that_meet_are_a_conflict() {
    // A group of flattened features is not the same group in PyTorch.
    const GROUPS: &[GraphNode] = &[
        view("flat", &[0], &[12]),
        layer("norm", Features::Fixed, Channels::AsInput, &[1], &[12]),
        dense("fc", &[2], &[5]),
    ];
    let graph = Graph { inputs: IMAGE, nodes: GROUPS, output: 3 };
    let (_, conflict) = orders(&graph, "fc");
    assert_eq!(
        conflict.unwrap(),
        "PyTorch flattens channels first, so that features in two orders would meet at layer `flat`: \
         3 channels of 4 pixels, and unchanged"
    );
    // Other pixels and channels of the same elements.
    const RESHAPE: &[GraphNode] = &[
        conv("conv", &[0], &[2, 2, 3]),
        view("reshape", &[1], &[2, 3, 2]),
        conv("c2", &[2], &[2, 3, 2]),
    ];
    let graph = Graph { inputs: IMAGE, nodes: RESHAPE, output: 3 };
    assert!(orders(&graph, "c2").1.unwrap().contains("layer `reshape`"));
    // The same with channels last.
    const LAST: &[GraphNode] = &[
        dense("fc", &[0], &[2, 2, 3]),
        view("reshape", &[1], &[3, 4]),
        dense("fc2", &[2], &[3, 1]),
    ];
    let graph = Graph { inputs: IMAGE, nodes: LAST, output: 3 };
    assert_eq!(orders(&graph, "fc2").1, None);
}
