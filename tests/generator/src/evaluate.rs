//! The nodes of a network with their shapes and counts, as the rules of nn-shape compute them.

use unrolled_shape::registry::{Row, find};
use unrolled_shape::rules::per_step;
use unrolled_shape::{Shape, Value, checks};

use crate::network::{Branch, Construct, Environment, File, JoinKind, Line, Network};

/// The largest number of elements of a value.
const MAX_ELEMENTS: usize = 150;

/// The largest number of weights of a node.
const MAX_WEIGHTS: usize = 250;

/// An entry of `LAYERS`.
pub(crate) struct Node {
    pub(crate) kind: String,
    pub(crate) output: Shape,
    pub(crate) params: usize,
    pub(crate) buffers: usize,
    pub(crate) macs: usize,
    pub(crate) inner: Vec<Node>,
    /// Whether it has the weights of an earlier node, which count there.
    pub(crate) again: bool,
}

/// The inputs and named lines that a line can refer to.
pub(crate) type Named = Vec<(String, Shape)>;

/// The nodes of a network, if the rules accept all of them and all are small.
pub(crate) fn evaluate(file: &File, network: &Network) -> Option<Vec<Node>> {
    let generic = network.generic.unwrap_or(0);
    let environment = Environment { parameters: &[], generic };
    let inputs: Vec<Shape> =
        network.inputs.iter().map(|(_, shape)| environment.shape(shape)).collect();
    let names = network.inputs.iter().zip(&inputs);
    let mut named: Named =
        names.filter_map(|((name, _), &shape)| Some((name.clone()?, shape))).collect();
    let begin = if inputs.len() == 1 { Some(inputs[0]) } else { None };
    let mut evaluation = Evaluation { file, nodes: Vec::new(), environment };
    let output = evaluation.body(&network.body, begin, &mut named)?;
    output.same(&environment.shape(&network.output)).then_some(evaluation.nodes)
}

/// The output shape of one line, if the rules accept it.
pub(crate) fn evaluate_line(
    file: &File,
    line: &Line,
    current: Option<Shape>,
    named: &Named,
    environment: Environment<'_>,
) -> Option<Shape> {
    let mut evaluation = Evaluation { file, nodes: Vec::new(), environment };
    evaluation.line(line, current, &mut named.clone())
}

struct Evaluation<'a> {
    file: &'a File,
    nodes: Vec<Node>,
    environment: Environment<'a>,
}

impl Evaluation<'_> {
    fn body(&mut self, body: &[Line], begin: Option<Shape>, named: &mut Named) -> Option<Shape> {
        let outer = named.len();
        let mut current = begin;
        for line in body {
            current = Some(self.line(line, current, named)?);
        }
        named.truncate(outer);
        current
    }

    fn line(&mut self, line: &Line, current: Option<Shape>, named: &mut Named) -> Option<Shape> {
        let output = match &line.construct {
            Construct::Layer(row, arguments) => {
                let (values, names) = self.environment.values(arguments);
                let of_name =
                    |source: &str| Some(named.iter().rev().find(|(it, _)| it == source)?.1);
                let inputs = names.into_iter().map(of_name);
                let inputs: Option<Vec<Shape>> = std::iter::once(current).chain(inputs).collect();
                self.layer(row, row.name, &inputs?, &values)?
            }
            Construct::Join(kind, branches) => self.join(*kind, branches, current, named)?,
            Construct::Residual { body, skip } => {
                self.residual(body, skip.as_deref(), current?, named)?
            }
            Construct::Repeat { count, shared, body } => {
                self.repeat(*count, *shared, body, current, named)?
            }
            Construct::PerStep(body) => self.per_step(body, current?)?,
            Construct::Block(block, arguments) => self.block(*block, arguments, current)?,
            Construct::Network(network) => self.network(*network, &[current?])?,
        };
        named.extend(line.name.clone().map(|name| (name, output)));
        Some(output)
    }

    fn repeat(
        &mut self,
        count: usize,
        shared: bool,
        body: &[Line],
        current: Option<Shape>,
        named: &mut Named,
    ) -> Option<Shape> {
        let mut output = self.body(body, current, named)?;
        for _ in 1..count {
            if shared && !output.same(&current?) {
                return None;
            }
            let begin = self.nodes.len();
            output = self.body(body, Some(output), named)?;
            for node in self.nodes[begin..].iter_mut().filter(|_| shared) {
                *node = Node {
                    kind: "same(".into(),
                    params: 0,
                    buffers: 0,
                    again: true,
                    inner: std::mem::take(&mut node.inner),
                    ..*node
                };
            }
        }
        Some(output)
    }

    fn per_step(&mut self, body: &[Line], input: Shape) -> Option<Shape> {
        let (begin, steps) = (self.nodes.len(), input.dim(0));
        let step = (per_step::BEGIN.rule)(&[input], &[]).ok()?;
        let output = self.body(body, Some(step), &mut Vec::new())?;
        for node in &mut self.nodes[begin..] {
            node.macs *= steps;
            if steps * node.output.len() > MAX_ELEMENTS {
                return None;
            }
        }
        self.layer(&per_step::END, "PerStep", &[output], &[Value::Number(steps)])
    }

    fn layer(
        &mut self,
        row: &'static Row,
        kind: &str,
        inputs: &[Shape],
        values: &[Value],
    ) -> Option<Shape> {
        let output = (row.rule)(inputs, values).ok()?;
        let node = Node {
            kind: kind.to_owned(),
            output,
            params: row.params(inputs, values),
            buffers: row.buffers(inputs, values),
            macs: row.macs(inputs, values),
            inner: Vec::new(),
            again: false,
        };
        if output.len() > MAX_ELEMENTS || node.params > MAX_WEIGHTS {
            return None;
        }
        self.nodes.push(node);
        Some(output)
    }

    fn join(
        &mut self,
        kind: JoinKind,
        branches: &[Branch],
        current: Option<Shape>,
        named: &mut Named,
    ) -> Option<Shape> {
        let mut inputs = Vec::new();
        for branch in branches {
            let begin = match &branch.source {
                None => current?,
                Some(source) => named.iter().rev().find(|(name, _)| name == source)?.1,
            };
            inputs.push(self.body(&branch.body, Some(begin), named)?);
        }
        match kind {
            JoinKind::Layer(row) => self.layer(row, row.name, &inputs, &[]),
            JoinKind::Network(network) => self.network(network, &inputs),
        }
    }

    fn residual(
        &mut self,
        body: &[Line],
        skip: Option<&[Line]>,
        input: Shape,
        named: &mut Named,
    ) -> Option<Shape> {
        let body = self.body(body, Some(input), named)?;
        let skip = match skip {
            Some(skip) => Some(self.body(skip, Some(input), named)?),
            None => None,
        };
        checks::residual(input, body, skip).ok()?;
        self.layer(find("Add")?, "Residual", &[body, skip.unwrap_or(input)], &[])
    }

    fn block(
        &mut self,
        block: usize,
        arguments: &[crate::network::Size],
        current: Option<Shape>,
    ) -> Option<Shape> {
        let (file, outer) = (self.file, self.environment);
        let block = &file.blocks[block];
        let mut parameters = Vec::new();
        for (index, default) in block.parameters.iter().enumerate() {
            let inside = Environment { parameters: &parameters, ..outer };
            let value = match arguments.get(index) {
                Some(&size) => outer.size(size),
                None => inside.size((*default)?),
            };
            parameters.push(value);
        }
        let environment = Environment { parameters: &parameters, ..outer };
        let mut inner = Evaluation { file, nodes: Vec::new(), environment };
        let output = inner.body(&block.body, current, &mut Vec::new());
        self.nodes.append(&mut inner.nodes);
        output
    }

    fn network(&mut self, network: usize, inputs: &[Shape]) -> Option<Shape> {
        let network = &self.file.networks[network];
        let generic = network.generic.unwrap_or(0);
        let environment = Environment { parameters: &[], generic };
        let expected = network.inputs.iter().map(|(_, shape)| environment.shape(shape));
        if !expected.eq(inputs.iter().copied()) {
            return None;
        }
        let inner = evaluate(self.file, network)?;
        let sum = |count: fn(&Node) -> usize| inner.iter().map(count).sum();
        let output = environment.shape(&network.output);
        self.nodes.push(Node {
            kind: network.name.clone(),
            output,
            params: sum(|it| it.params),
            buffers: sum(|it| it.buffers),
            macs: sum(|it| it.macs),
            inner,
            again: false,
        });
        Some(output)
    }
}
