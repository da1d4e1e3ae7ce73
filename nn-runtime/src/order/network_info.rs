//! [`NetworkInfo`]: the constants of a network's type.

use super::flat_graph::{file_tensors, layer_ranges, tensors_of};
use crate::contract::{Graph, LayerInfo, Network, Node, Root, TrainNode};
use crate::types::{OutputInfo, Tensor};
use std::ops::Range;
use unrolled_weights::FileTensors;

/// The sizes and the layers of a network, for code that does not depend on its type. Such code is compiled once, with this
/// crate; generic code is compiled again in each program that uses it.
#[derive(Clone, Copy)]
pub(crate) struct NetworkInfo {
    /// All elements, running statistics included.
    pub(crate) len: usize,
    /// The trained ones.
    pub(crate) params: usize,
    /// Elements of the recurrent state of one sample.
    pub(crate) state: usize,
    /// The least number of samples of a training step.
    pub(crate) min_batch: usize,
    pub(crate) layers: &'static [LayerInfo],
    pub(crate) outputs: &'static [OutputInfo],
    graph: &'static Graph,
    /// The tensors in files, for [`Optimizer::prepare`](crate::optim::Optimizer::prepare).
    pub(crate) tensors: fn() -> Vec<Tensor>,
}

impl NetworkInfo {
    pub(crate) const fn of<N: Network>() -> Self {
        Self {
            len: N::LEN,
            params: N::PARAMS,
            state: <N as Node<Root>>::STATE,
            min_batch: <N as TrainNode<Root>>::MIN_BATCH,
            layers: N::LAYERS,
            outputs: N::OUTPUTS,
            graph: const { &N::GRAPH },
            tensors: || file_tensors::<N>().tensors,
        }
    }

    /// The names and layouts of all weights.
    pub(crate) fn file_tensors(&self) -> FileTensors {
        tensors_of(self.graph)
    }

    /// The ranges of the weights of all layers that have any, running statistics included, among all weights.
    pub(crate) fn layer_ranges(&self) -> Vec<Range<usize>> {
        layer_ranges(self.graph)
    }

    /// The ranges of trained weights among all weights, layer by layer, with the path of each layer: without running
    /// statistics.
    pub(crate) fn trained_ranges(&self) -> Vec<(String, Range<usize>)> {
        let mut found = Vec::new();
        add_trained_ranges(self.layers, "", 0, &mut found);
        found.extend(self.lone_layer().map(|range| ("the layer".to_owned(), range)));
        found
    }

    /// Calls `f` with each of the [`trained_ranges`](Self::trained_ranges), without allocating.
    pub(crate) fn for_each_trained_range(&self, f: &mut dyn FnMut(Range<usize>)) {
        visit_trained_ranges(self.layers, 0, f);
        self.lone_layer().into_iter().for_each(f);
    }

    /// The trained weights of a hand-written layer, which is a network without layers.
    fn lone_layer(&self) -> Option<Range<usize>> {
        (self.layers.is_empty() && self.params > 0).then_some(0..self.params)
    }
}

fn visit_trained_ranges(layers: &[LayerInfo], offset: usize, f: &mut dyn FnMut(Range<usize>)) {
    for layer in layers {
        let begin = offset + layer.offset;
        if !layer.inner.is_empty() {
            visit_trained_ranges(layer.inner, begin, f);
        } else if layer.params > 0 {
            f(begin..begin + layer.params);
        }
    }
}

fn add_trained_ranges(
    layers: &[LayerInfo],
    path: &str,
    offset: usize,
    found: &mut Vec<(String, Range<usize>)>,
) {
    for layer in layers {
        let name = format!("{path}{}", layer.name);
        let begin = offset + layer.offset;
        if !layer.inner.is_empty() {
            add_trained_ranges(layer.inner, &format!("{name}."), begin, found);
        } else if layer.params > 0 {
            found.push((name, begin..begin + layer.params));
        }
    }
}
