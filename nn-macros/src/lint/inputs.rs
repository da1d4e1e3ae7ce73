//! First layers that do not fit the input.

use unrolled_shape::registry::{Inputs, Row};
use unrolled_shape::{Role, Shape};

use super::linter::{Linter, sizes};
use crate::network::{Layer, Network, Node};

/// The largest image or volume that a `Dense` can read without a warning: 64x64 pixels.
const LARGE: usize = 4096;

impl<'a> Linter<'a> {
    pub(super) fn check_input(&mut self, node: &'a Node, row: &Row) {
        match row.role {
            Role::Dense => self.check_dense(node),
            Role::Convolution => self.check_channels(node),
            _ => {}
        }
        if row.inputs == Inputs::Indices && sizes(node, "vocabulary").is_some_and(|it| it == [1]) {
            let words = format!(
                "`{}` has a vocabulary of 1: its output is the same for every input\n  = help: write how \
                 many different tokens there are",
                node.label
            );
            self.warn_argument("embedding_of_one", (node, "vocabulary"), words);
        }
    }

    /// `dense_on_large_image`
    fn check_dense(&mut self, node: &'a Node) {
        let (Some(input), Some(output)) = (self.input_shape(node), self.shape(node.output)) else {
            return;
        };
        let Some(image) = image_before(self.network, node) else { return };
        if input.rank() != 1 || input.len() <= LARGE {
            return;
        }
        let (label, values, units) = (&node.label, input.len(), output.len());
        let weights = values.saturating_mul(units);
        let (noun, layers) = match image.rank() {
            3 => ("image", "Conv2d(32, kernel = 3), ReLU, MaxPool2d(2)"),
            _ => ("volume", "Conv3d(16, kernel = 3), ReLU, MaxPool3d(2)"),
        };
        let words = format!(
            "`{label}` reads all {values} values of a {image} {noun}: it has {values} * {units} = {weights} \
             weights, and learns each position separately\n  = help: begin with convolutions and pools, \
             such as `{layers}`"
        );
        self.warn("dense_on_large_image", node, words);
    }

    /// `channels_first_input`
    fn check_channels(&mut self, node: &'a Node) {
        let value = node.inputs[0];
        let Some(input) = self.network.inputs.iter().find(|input| input.value == value) else {
            return;
        };
        let dims = &self.network.values[input.value.0].dims;
        let Some(shape) = dims.known() else { return };
        let (first, rest) = match *shape.dims() {
            [first, height, width] => (first, [height, width]),
            [first, _, height, width] => (first, [height, width]),
            _ => return,
        };
        // What these axes are if channels come first.
        let [height, width] = rest;
        let alike = height <= 2 * width && width <= 2 * height;
        if !matches!(first, 1 | 3 | 4) || height < 16 || width < 16 || !alike {
            return;
        }
        // One row or plane of many channels may be a signal or an image.
        if first == 1 && height != width {
            return;
        }
        let label = &node.label;
        let words = match *shape.dims() {
            [_, depth, ..] if shape.rank() == 4 => format!(
                "the input of `{label}` is a volume {first} deep, {depth} high and {height} wide with {width} \
                 channels\n  = help: shapes are depth x height x width x channels: write \
                 `{depth}x{height}x{width}x{first}`"
            ),
            _ => format!(
                "the input of `{label}` is an image {first} high and {height} wide with {width} channels\n  \
                 = help: shapes are height x width x channels: write `{height}x{width}x{first}`"
            ),
        };
        self.warn_header("channels_first_input", dims.span, words);
    }
}

/// The image or volume that a node reads, where no layer with weights is before it.
fn image_before(network: &Network, node: &Node) -> Option<Shape> {
    let mut value = *node.inputs.first()?;
    while let Some(before) = network.producer(value).map(|before| &network.nodes[before]) {
        let Layer::Known { row, .. } = &before.layer else { return None };
        if row.params.is_some() && row.role != Role::ChannelNorm {
            return None;
        }
        value = before.inputs[0];
    }
    network.values[value.0].dims.known().filter(|shape| matches!(shape.rank(), 3 | 4))
}
