//! [`Activations`]: the values between the layers of a network, or their gradients.

use crate::contract::{Graph, GraphLayer, GraphNode, Observer};
use crate::optim::{closest, quoted};
use crate::step::OBSERVED_KEY;
use crate::system::RngKey;
use crate::types::Inputs;
use thiserror::Error;
use unrolled_shape::registry::Channels;
use unrolled_shape::{MAX_RANK, Shape};

/// The values of all lines of a network for one sample, or their gradients: what
/// [`activations`](crate::TrainingExt::activations) and
/// [`activation_gradients`](crate::TrainingExt::activation_gradients) return.
#[derive(Clone, Debug, PartialEq)]
pub struct Activations {
    /// In the order in which the lines run.
    lines: Vec<Line>,
}

/// A line and its value.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    path: String,
    shape: Shape,
    values: Vec<f32>,
}

/// The value of one line, or its gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Activation<'a> {
    /// Its shape: channels last, as in the network.
    pub shape: Shape,
    /// Its elements: row after row, pixel after pixel, the channels of a pixel next to each other.
    pub values: &'a [f32],
}

/// A path that no line of a network has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no line of the network has the path `{path}`; the closest paths are {}", quoted(closest))]
#[non_exhaustive]
pub struct UnknownPath {
    /// The path.
    pub path: String,
    /// Paths of lines, the most similar first.
    pub closest: Vec<String>,
}

impl Activations {
    /// What `observer` has seen in a network with the nodes `graph`, whose inputs have the value or the gradient `inputs`.
    pub(super) fn new<I: Inputs>(graph: &Graph, observer: &Observer, inputs: &I) -> Self {
        // Tokens have neither a value that is a number nor a gradient.
        let value = |nth: usize| I::REAL[nth].then(|| inputs.input(nth).to_vec());
        let inputs = (0..I::LENS.len()).map(value).collect();
        let mut found = Self { lines: Vec::new() };
        let outermost = Place { prefix: "", key: OBSERVED_KEY, steps: Vec::new() };
        found.add(graph, outermost, inputs, observer);
        found
    }

    /// The value of the line with this path, which is that of its weights in files: `stage.0.conv`, `relu_2`. The path of a
    /// block, a repeat or a list means its last line.
    ///
    /// # Errors
    /// If no line has this path.
    pub fn get(&self, path: &str) -> Result<Activation<'_>, UnknownPath> {
        let is_inside =
            |line: &&Line| line.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        let line = self.lines.iter().find(|line| line.path == path);
        let line = line.or_else(|| self.lines.iter().rfind(is_inside));
        line.map(Line::activation).ok_or_else(|| UnknownPath {
            path: path.to_owned(),
            closest: closest(path, self.lines.iter().map(|line| line.path.as_str())),
        })
    }

    /// All lines in the order in which they run: path and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Activation<'_>)> {
        self.lines.iter().map(|line| (line.path.as_str(), line.activation()))
    }

    /// Adds the lines of `graph`, a network at `place`.
    fn add(
        &mut self,
        graph: &Graph,
        place: Place<'_>,
        inputs: Vec<Option<Vec<f32>>>,
        observer: &Observer,
    ) {
        let Place { prefix, key, mut steps } = place;
        let mut values = inputs;
        let shapes = graph.inputs.iter().copied().chain(graph.nodes.iter().map(|it| it.output));
        let shapes: Vec<Shape> = shapes.collect();
        for node in graph.nodes {
            let path = format!("{prefix}{}", node.name);
            let key = key.fold_in(RngKey::hash(node.name));
            if let GraphLayer::Custom { graph, .. } = graph.layer(node) {
                let inputs = node.inputs.iter().map(|input| values[*input].clone()).collect();
                let prefix = &format!("{path}.");
                self.add(graph, Place { prefix, key, steps: steps.clone() }, inputs, observer);
            }
            let value = observer.of(key).or_else(|| viewed(node, &values));
            values.push(value.clone());
            match channels(graph, node) {
                // Not a line of its own: the view that ends the `PerStep` is.
                Some(Channels::OneStep) => {
                    steps.push(shapes[node.inputs[0]].dim(0));
                    continue;
                }
                Some(Channels::AllSteps) => {
                    steps.pop();
                }
                _ => {}
            }
            if let Some(values) = value.filter(|_| !node.name.is_empty()) {
                let shape = in_steps(&steps, node.output);
                self.lines.push(Line { path, shape, values });
            }
        }
    }
}

/// Where a network is.
struct Place<'a> {
    /// What the paths of its lines begin with.
    prefix: &'a str,
    /// Its random key.
    key: RngKey,
    /// The steps of the `PerStep`s around it.
    steps: Vec<usize>,
}

/// Where PyTorch has the channels of the output of a layer.
fn channels(graph: &Graph, node: &GraphNode) -> Option<Channels> {
    match graph.layer(node) {
        GraphLayer::Layer { channels, .. } => Some(channels),
        GraphLayer::Custom { .. } | GraphLayer::Again { .. } => None,
    }
}

/// The shape of a value of one step, for all steps of the `PerStep`s around it: along one axis, if there are too many.
fn in_steps(steps: &[usize], step: Shape) -> Shape {
    if steps.len() + step.rank() > MAX_RANK {
        return Shape::new(&[steps.iter().product(), step.len()]);
    }
    Shape::new(&[steps, step.dims()].concat())
}

impl Line {
    fn activation(&self) -> Activation<'_> {
        Activation { shape: self.shape, values: &self.values }
    }
}

/// The elements of a view, such as `Flatten`, which is no code that could be observed: those of its input.
fn viewed(node: &GraphNode, values: &[Option<Vec<f32>>]) -> Option<Vec<f32>> {
    match node.inputs {
        [input] => values[*input].clone(),
        _ => None,
    }
}
