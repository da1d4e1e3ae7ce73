//! Networks as JSON, for programs that do not read `network!`: a list of layers, in the order of their weights, without
//! blocks, repeats, nested networks and names.

use unrolled_shape::registry::{Row, find};
use unrolled_shape::rules::per_step;
use unrolled_shape::{Padding, Shape, StepPadding, Value, VolumePadding};

use crate::network::{Branch, Construct, Environment, File, JoinKind, Line, Network, Size};

/// `{"inputs": [shape, ..], "layers": [{"kind", "inputs", "arguments", "output"}, ..]}`. Values have numbers: the inputs
/// of the network first, then the output of each layer. `"first"` is the index of the layer that has the weights of another one.
pub(crate) fn describe(file: &File, network: &Network) -> String {
    let mut description = Description { file, values: Vec::new(), layers: Vec::new() };
    let environment = of_network(network);
    for (_, shape) in &network.inputs {
        description.values.push(environment.shape(shape));
    }
    let inputs: Vec<String> = description.values.iter().map(shape_text).collect();
    let numbers: Vec<usize> = (0..inputs.len()).collect();
    description.network(network, &numbers);
    format!(
        r#"{{"inputs": [{}], "layers": [{}]}}"#,
        inputs.join(", "),
        description.layers.join(", ")
    )
}

fn of_network(network: &Network) -> Environment<'static> {
    Environment { parameters: &[], generic: network.generic.unwrap_or(0) }
}

/// Names of values, and their numbers.
type Named = Vec<(String, usize)>;

struct Description<'a> {
    file: &'a File,
    /// The shapes of all values.
    values: Vec<Shape>,
    layers: Vec<String>,
}

/// Where a line is.
#[derive(Clone, Copy)]
struct Context<'a> {
    environment: Environment<'a>,
    /// The value before the line. The first line of a network with several inputs has none, and names its inputs.
    current: Option<usize>,
}

impl Context<'_> {
    fn current(&self) -> usize {
        self.current.expect("a value before the line")
    }
}

// The network was accepted by the rules, so that nothing here can fail.
impl Description<'_> {
    fn network(&mut self, network: &Network, inputs: &[usize]) -> usize {
        let names = network.inputs.iter().zip(inputs);
        let mut named: Named =
            names.filter_map(|((name, _), &value)| Some((name.clone()?, value))).collect();
        let current = if let [input] = inputs { Some(*input) } else { None };
        let context = Context { environment: of_network(network), current };
        self.body(&network.body, context, &mut named).expect("lines")
    }

    /// The value of the last line, or the value before the lines.
    fn body(&mut self, body: &[Line], context: Context<'_>, named: &mut Named) -> Option<usize> {
        let outer = named.len();
        let mut current = context.current;
        for line in body {
            let value = self.line(line, Context { current, ..context }, named);
            named.extend(line.name.clone().map(|name| (name, value)));
            current = Some(value);
        }
        named.truncate(outer);
        current
    }

    fn line(&mut self, line: &Line, context: Context<'_>, named: &mut Named) -> usize {
        let file = self.file;
        match &line.construct {
            Construct::Layer(row, arguments) => {
                let (values, names) = context.environment.values(arguments);
                let inputs = names.into_iter().map(|name| of_name(named, name));
                let inputs: Vec<usize> = std::iter::once(context.current()).chain(inputs).collect();
                self.layer(row, &inputs, &values)
            }
            Construct::Join(kind, branches) => {
                let mut branch = |it: &Branch| self.branch(it, context, named);
                let inputs: Vec<usize> = branches.iter().map(&mut branch).collect();
                match kind {
                    JoinKind::Layer(row) => self.layer(row, &inputs, &[]),
                    JoinKind::Network(network) => self.network(&file.networks[*network], &inputs),
                }
            }
            Construct::Residual { body, skip } => {
                let mut branch = |body| self.body(body, context, named).expect("a value");
                let inputs = [branch(body), skip.as_deref().map_or(context.current(), branch)];
                self.layer(find("Add").expect("a row"), &inputs, &[])
            }
            Construct::Repeat { count, shared, body } => {
                let first = self.layers.len();
                (0..*count).fold(context.current(), |current, copy| {
                    let context = Context { current: Some(current), ..context };
                    let begin = self.layers.len();
                    let output = self.body(body, context, named).expect("a value");
                    if *shared && copy > 0 {
                        self.share(first, begin);
                    }
                    output
                })
            }
            Construct::PerStep(body) => {
                let input = context.current();
                let steps = self.values[input].dim(0);
                let current = Some(self.layer(&per_step::BEGIN, &[input], &[]));
                let inner = Context { current, ..context };
                let output = self.body(body, inner, &mut Vec::new()).expect("lines");
                self.layer(&per_step::END, &[output], &[Value::Number(steps)])
            }
            Construct::Block(block, arguments) => self.block(*block, arguments, context),
            Construct::Network(network) => {
                self.network(&file.networks[*network], &[context.current()])
            }
        }
    }

    /// The layers from `begin` on have the weights of those from `first` on.
    fn share(&mut self, first: usize, begin: usize) {
        for (nth, layer) in self.layers[begin..].iter_mut().enumerate() {
            *layer = format!(r#"{{"first": {}, {}"#, first + nth, &layer[1..]);
        }
    }

    fn branch(&mut self, branch: &Branch, context: Context<'_>, named: &mut Named) -> usize {
        let current = branch.source.as_ref().map_or(context.current, |it| Some(of_name(named, it)));
        self.body(&branch.body, Context { current, ..context }, named).expect("a value")
    }

    fn block(&mut self, block: usize, arguments: &[Size], context: Context<'_>) -> usize {
        let block = &self.file.blocks[block];
        let mut parameters = Vec::new();
        for (index, default) in block.parameters.iter().enumerate() {
            let inside = Environment { parameters: &parameters, ..context.environment };
            let value = match arguments.get(index) {
                Some(&size) => context.environment.size(size),
                None => inside.size(default.expect("a default")),
            };
            parameters.push(value);
        }
        let environment = Environment { parameters: &parameters, ..context.environment };
        let context = Context { environment, ..context };
        self.body(&block.body, context, &mut Vec::new()).expect("a value")
    }

    fn layer(&mut self, row: &Row, inputs: &[usize], values: &[Value]) -> usize {
        let shapes: Vec<Shape> = inputs.iter().map(|&input| self.values[input]).collect();
        let output = (row.rule)(&shapes, values).expect("a layer that was drawn");
        let parameters = row.parameters.iter().zip(values);
        let arguments: Vec<String> = parameters
            .filter_map(|(it, value)| Some(format!("{:?}: {}", it.name, value_text(value)?)))
            .collect();
        self.layers.push(format!(
            r#"{{"kind": {:?}, "inputs": {inputs:?}, "arguments": {{{}}}, "output": {}}}"#,
            row.name,
            arguments.join(", "),
            shape_text(&output),
        ));
        self.values.push(output);
        self.values.len() - 1
    }
}

fn of_name(named: &Named, source: &str) -> usize {
    named.iter().rev().find(|(name, _)| name == source).expect("a name in scope").1
}

fn shape_text(shape: &Shape) -> String {
    format!("{:?}", shape.dims())
}

/// `None` for an argument that is left out.
fn value_text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Number(number) => number.to_string(),
        Value::Pair(pair) | Value::Padding(Padding::Explicit(pair)) => format!("{pair:?}"),
        Value::Triple(triple) | Value::VolumePadding(VolumePadding::Explicit(triple)) => {
            format!("{triple:?}")
        }
        Value::VolumePadding(VolumePadding::Sides(sides)) => format!("{sides:?}"),
        Value::VolumePadding(VolumePadding::Same) => r#""same""#.into(),
        Value::Padding(Padding::Sides(sides)) => format!("{sides:?}"),
        Value::StepPadding(StepPadding::Sides(sides)) => format!("{sides:?}"),
        Value::Padding(Padding::Same) | Value::StepPadding(StepPadding::Same) => r#""same""#.into(),
        Value::StepPadding(StepPadding::Causal) => r#""causal""#.into(),
        Value::StepPadding(StepPadding::Explicit(both)) => both.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Real(real) => format!("{real:?}"),
        Value::Word(word) => format!("{:?}", word.text),
        Value::Shape(shape) => shape_text(shape),
        Value::Input(nth) => nth.to_string(),
        Value::Absent | Value::Weight(_) => return None,
    })
}
