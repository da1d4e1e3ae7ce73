//! First layers that do not fit the input.

use unrolled_shape::registry::{Inputs, Row};
use unrolled_shape::{Role, Shape};

use super::linter::{Linter, sizes};
use crate::network::{Layer, Network, Node};

/// The largest image that a `Dense` can read without a warning: 64x64 pixels.
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
        let words = format!(
            "`{label}` reads all {values} values of a {image} image: it has {values} * {units} = {weights} \
             weights, and learns each position separately\n  = help: begin with convolutions and pools, \
             such as `Conv2d(32, kernel = 3), ReLU, MaxPool2d(2)`"
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
        let Some([height, width, channels]) = dims.known().and_then(axes) else { return };
        let is_size = |size: usize| size >= 16;
        let alike = width <= 2 * channels && channels <= 2 * width;
        if !matches!(height, 1 | 3 | 4) || !is_size(width) || !is_size(channels) || !alike {
            return;
        }
        // One row of many channels may be a signal.
        if height == 1 && width != channels {
            return;
        }
        let words = format!(
            "the input of `{}` is an image {height} high and {width} wide with {channels} channels\n  \
             = help: shapes are height x width x channels: write `{width}x{channels}x{height}`",
            node.label
        );
        self.warn_header("channels_first_input", dims.span, words);
    }
}

/// The sizes of an image.
fn axes(shape: Shape) -> Option<[usize; 3]> {
    shape.dims().try_into().ok()
}

/// The image that a node reads, where no layer with weights is before it.
fn image_before(network: &Network, node: &Node) -> Option<Shape> {
    let mut value = *node.inputs.first()?;
    while let Some(before) = network.producer(value).map(|before| &network.nodes[before]) {
        let Layer::Known { row, .. } = &before.layer else { return None };
        if row.params.is_some() && row.role != Role::ChannelNorm {
            return None;
        }
        value = before.inputs[0];
    }
    let shape = network.values[value.0].dims.known()?;
    axes(shape).map(|_| shape)
}
