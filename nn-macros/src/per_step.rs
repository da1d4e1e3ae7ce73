//! Layers in a `PerStep`, which have a sample for each step.

use syn::ext::IdentExt;
use unrolled_shape::registry::Inputs;

use crate::network::{ArgumentValue, Dim, Dims, Layer, Network, Node, ValueId};

impl Network {
    /// The innermost `PerStep` in which a value is that of one step, by the index of the view that begins it.
    pub(crate) fn per_step(&self, value: ValueId) -> Option<usize> {
        let producer = self.producer(value)?;
        let node = &self.nodes[producer];
        if node.begins_steps() { Some(producer) } else { node.per_step }
    }

    /// What a value is called in messages: an input, or the layer that it is the output of.
    pub(crate) fn name(&self, value: ValueId) -> String {
        let input = self.inputs.iter().find(|input| input.value == value);
        match (self.producer(value), input.and_then(|input| input.name.as_ref())) {
            (Some(node), _) => self.nodes[node].label.clone(),
            (None, Some(name)) => name.unraw().to_string(),
            (None, None) => "input".to_owned(),
        }
    }

    /// The `PerStep`s around the lines of `innermost`, which comes first.
    pub(crate) fn per_steps(&self, innermost: Option<usize>) -> impl Iterator<Item = usize> {
        std::iter::successors(innermost, |begin| self.nodes[*begin].per_step)
    }

    /// The number of steps of the `PerStep` that begins with node `begin`; `None` after a mistake in its input.
    pub(crate) fn steps_of(&self, begin: usize) -> Option<Dim> {
        self.values[self.nodes[begin].inputs[0].0].dims.first()
    }

    /// The samples of a line of `innermost` for each sample of the network, where they are known while expanding.
    pub(crate) fn samples(&self, innermost: Option<usize>) -> Option<usize> {
        self.product(self.per_steps(innermost))
    }

    /// The same for each step of the network.
    pub(crate) fn samples_of_step(&self, innermost: Option<usize>) -> Option<usize> {
        let outermost = self.per_steps(innermost).last();
        let inner = self.per_steps(innermost).filter(|begin| Some(*begin) != outermost);
        self.product(inner)
    }

    /// The product of the steps of several `PerStep`s.
    fn product(&self, begins: impl Iterator<Item = usize>) -> Option<usize> {
        let mut steps = begins.map(|begin| self.steps_of(begin)?.known());
        steps.try_fold(1, |product: usize, steps| product.checked_mul(steps?))
    }

    /// Fills in the number of steps of node `number`, if it ends a `PerStep`.
    pub(crate) fn infer_steps(&mut self, number: usize) {
        let Some(begin) = self.begin_of(&self.nodes[number]) else { return };
        let Some(steps) = self.steps_of(begin) else { return };
        if let Layer::Known { arguments, .. } = &mut self.nodes[number].layer {
            arguments[0].value = ArgumentValue::Number(steps);
        }
    }

    /// The output of node `number`, whose sizes are not all literals, if it begins or ends a `PerStep` and the number of its
    /// axes is known: they pass through, also where they are const generics.
    pub(crate) fn step_dims(&self, number: usize) -> Option<Dims> {
        let node = &self.nodes[number];
        let input = &self.values[node.inputs[0].0].dims;
        let sizes = match (self.begin_of(node), &input.sizes[..]) {
            _ if input.constant.is_some() => return None,
            (Some(begin), step) => self.steps_of(begin).into_iter().chain(step.to_vec()).collect(),
            (None, [_, step @ ..]) if node.begins_steps() && !step.is_empty() => step.to_vec(),
            _ => return None,
        };
        Some(Dims { sizes, span: node.span, constant: None })
    }

    /// The inputs that the output of a node has its steps from: not the named values among the arguments of a layer that is
    /// no join.
    pub(crate) fn on_the_line<'a>(&'a self, node: &'a Node) -> &'a [ValueId] {
        match &node.layer {
            // A join reads all branches step by step. In other layers the inputs after the first are arguments.
            Layer::Known { row, .. } if row.inputs != Inputs::Branches => {
                let node = self.begin_of(node).map_or(node, |begin| &self.nodes[begin]);
                &node.inputs[..1]
            }
            _ => &node.inputs,
        }
    }

    /// The view that begins the `PerStep` that a node ends, by its index.
    fn begin_of(&self, node: &Node) -> Option<usize> {
        self.per_step(*node.inputs.first()?).filter(|_| node.ends_steps())
    }
}
