//! Tied weights: layers that share the weight of an earlier line.

use unrolled_shape::registry::{Features, Row, Size};

use crate::network::{ArgumentValue, Dim, Layer, Network, Node};

impl Network {
    /// The nodes that share the weight of node `owner`, with their indices.
    pub(crate) fn tied_to(&self, owner: usize) -> impl Iterator<Item = (usize, &Node)> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(move |(_, it)| it.owner == Some(owner))
    }

    /// What a node with this row does with the order of features. A weight that several layers share has one order in files.
    pub(crate) fn features(&self, index: usize, row: &Row) -> Features {
        let shares = self.nodes[index].owner.is_some() || self.tied_to(index).next().is_some();
        if shares { Features::Fixed } else { row.features }
    }

    /// Fills in the shape of the weight that node `number` shares, if it shares one.
    pub(crate) fn infer_weight(&mut self, number: usize) {
        let Some(owner) = self.nodes[number].owner else { return };
        let sizes = self.weight_sizes(&self.nodes[owner]);
        let Layer::Known { arguments, .. } = &mut self.nodes[number].layer else { return };
        for argument in arguments {
            if let ArgumentValue::Weight(shape) = &mut argument.value {
                shape.sizes.clone_from(&sizes);
            }
        }
    }

    /// The sizes that files give the weight of a node.
    fn weight_sizes(&self, node: &Node) -> Vec<Dim> {
        let Layer::Known { row, .. } = &node.layer else { return Vec::new() };
        let size = |size: &Size| match size {
            Size::Argument(name) => match &node.argument(name)?.value {
                ArgumentValue::Number(size) => Some(size.clone()),
                _ => None,
            },
            // `Size::InputLast`: see `Row::weight`.
            _ => self.values[node.inputs[0].0].dims.last().cloned(),
        };
        row.weight.iter().flatten().filter_map(size).collect()
    }
}
