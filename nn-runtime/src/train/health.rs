//! [`Health`]: the gradients of a network, layer by layer, and warnings derived from them and from the data.

use crate::contract::{LayerInfo, Network};
use crate::memory::{Buffer, Frozen};
use crate::optim::{norm, norm_of};
use crate::order::NetworkInfo;
use crate::types::Tensor;
use std::fmt;
use std::ops::Range;
use std::slice;

/// A gradient has vanished if it is smaller than this fraction of the gradient of a later layer. Per weight.
const VANISHED: f64 = 1e-4;

/// A gradient has exploded if it is larger than this multiple of the weights, and larger than 1. Per weight.
const EXPLODED: f64 = 100.0;

/// The least magnitude of weights that gradients are compared with: some layers are initialised with zeros.
const SMALLEST_WEIGHTS: f64 = 0.01;

/// The gradients of a network's layers, and warnings derived from them. That of a training run has warnings about its inputs,
/// its batches and its loss, too. Displays as one line per warning.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// Each layer with weights, and the Euclidean norm of its gradient: the root mean square over the monitored steps.
    pub gradients: Vec<(String, f64)>,
    /// What is wrong.
    pub warnings: Vec<Warning>,
}

/// A reason why a network learns badly. Displays as the finding and what to try.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// The gradient of early layers is so much smaller than that of later ones that they hardly learn.
    Vanishing {
        /// The first such layer.
        layer: String,
        /// Its gradient: the root of the mean square over its weights.
        gradient: f64,
        /// A later layer with a much larger gradient.
        later: String,
        /// The gradient of that layer.
        larger: f64,
    },
    /// The gradient of a layer is far larger than its weights.
    Exploding {
        /// The layer with the largest ratio.
        layer: String,
        /// Its gradient: the root of the mean square over its weights.
        gradient: f64,
        /// The root mean square of its weights.
        weights: f64,
    },
    /// At least half of the units of a `ReLU` have no gradient for any sample: they always output 0 and no longer change.
    DeadUnits {
        /// The layer before the `ReLU`.
        layer: String,
        /// The number of units without gradient.
        dead: usize,
        /// The number of its units.
        units: usize,
    },
    /// The elements of an input are far from mean 0 and standard deviation 1.
    UnscaledInputs {
        /// The name of the input; empty where a network has one input without a name.
        name: String,
        /// Whether each of its elements is a feature of its own.
        features: bool,
        /// The mean of its elements.
        mean: f64,
        /// Their standard deviation.
        std: f64,
    },
    /// The network ends with a function that the loss applies itself.
    AppliedTwice {
        /// The last layer.
        layer: String,
        /// The function: `Softmax` or `Sigmoid`.
        function: &'static str,
    },
    /// `BatchNorm` estimates mean and variance over few samples.
    SmallBatches {
        /// The first `BatchNorm`.
        layer: String,
        /// The number of samples of a batch.
        batch: usize,
    },
}

impl Health {
    /// The health of `net` by one gradient of its loss, `d_net`.
    ///
    /// ```
    /// # use unrolled_runtime::{Network, RngKey, TrainingExt, loss::CrossEntropy, train::Health};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<N>, xs: &[[f32; 4]], classes: &[u32],
    /// # ) -> Result<(), unrolled_runtime::BatchError> {
    /// let mut d_net = N::zeros();
    /// net.loss_and_gradients(&CrossEntropy::new(), xs, classes, &mut d_net, RngKey::new(1))?;
    /// println!("{}", Health::of(&*net, &*d_net));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn of<N: Network>(net: &N, d_net: &N) -> Self {
        let mut monitor = GradientMonitor::new(&NetworkInfo::of::<N>());
        monitor.units(d_net.as_floats(), 0..N::LEN);
        monitor.norms(d_net.as_floats(), slice::from_ref(&(0..N::LEN)));
        monitor.health(net.as_floats())
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.warnings.iter().try_for_each(|warning| writeln!(f, "{warning}"))
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vanishing { layer, gradient, later, larger } => write!(
                f,
                "warning: the gradient vanishes in the backward pass: per weight it is {gradient:.1e} in layer \
                 `{layer}`, but {larger:.1e} in `{later}`, so that the first layers hardly learn. Try ReLU instead of \
                 Sigmoid and Tanh, BatchNorm or LayerNorm between layers, or Residual around them."
            ),
            Self::Exploding { layer, gradient, weights } => write!(
                f,
                "warning: the gradient explodes: per weight it is {gradient:.1e} in layer `{layer}`, where weights \
                 are about {weights:.1e}. Try inputs and targets with a mean of 0 and a standard deviation of 1, \
                 BatchNorm or LayerNorm between layers, Residual around them, a smaller learning rate, or \
                 `Clip::Norm(1.0)`."
            ),
            Self::DeadUnits { layer, dead, units } => write!(
                f,
                "warning: {dead} of {units} units of layer `{layer}` are dead: the ReLU after them is 0 for every \
                 sample, and their gradient is 0. Try a smaller learning rate, LeakyReLU instead of ReLU, or \
                 BatchNorm before it."
            ),
            Self::UnscaledInputs { name, features, mean, std } => {
                let name = if name.is_empty() { String::new() } else { format!(" `{name}`") };
                let method = if *features { "per_feature" } else { "over_all" };
                write!(
                    f,
                    "warning: the inputs{name} have a mean of {mean:.3} and a standard deviation of {std:.3}, but \
                     networks learn best near 0 and 1. Write `let standardizer = \
                     Standardizer::{method}(&train.inputs)?; standardizer.apply_all(&mut train.inputs);`, and apply \
                     it to the inputs of validation and inference, too."
                )
            }
            Self::AppliedTwice { layer, function } => write!(
                f,
                "warning: the loss applies {function} itself, but the network ends with `{layer}`, so that it learns \
                 slowly. Leave `{layer}` out, and apply {function} to outputs where you need probabilities."
            ),
            Self::SmallBatches { layer, batch } => write!(
                f,
                "warning: `{layer}` estimates mean and variance over batches of {batch}, which are too few samples. \
                 Write `.batch(32)`, or GroupNorm or LayerNorm instead of BatchNorm."
            ),
        }
    }
}

impl Warning {
    /// Whether both are of the same kind.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Whether all units of a layer are dead.
    fn is_of_all_units(&self) -> bool {
        matches!(self, Self::DeadUnits { dead, units, .. } if dead == units)
    }
}

/// Sums over the gradients of several steps.
#[derive(Debug)]
pub(super) struct GradientMonitor {
    layers: Vec<MonitoredLayer>,
    // The number of steps whose norms were added up.
    steps: usize,
}

/// A layer with weights.
#[derive(Debug)]
struct MonitoredLayer {
    name: String,
    range: Range<usize>,
    // The sum of the squared norms of its gradient.
    squares: f64,
    units: Option<Units>,
}

/// The units of a layer before a `ReLU`. The gradient of a unit's bias is 0 for all samples if and only if its `ReLU` is.
#[derive(Debug)]
struct Units {
    // The offset of the biases.
    begin: usize,
    // Whether each unit had a gradient in any step.
    alive: Vec<bool>,
}

impl GradientMonitor {
    pub(super) fn new(net: &NetworkInfo) -> Self {
        let tensors = net.file_tensors().tensors;
        let mut layers = Vec::new();
        add_layers(net.layers, "", 0, &tensors, &mut layers);
        Self { layers, steps: 0 }
    }

    /// Leaves out layers that get no gradient.
    pub(super) fn exclude(&mut self, frozen: &Frozen<'_>) {
        let weights = |range: &Range<usize>| Buffer { offset: range.start, len: range.len() };
        self.layers.retain(|layer| !frozen.contains(weights(&layer.range)));
    }

    /// Sets all sums to zero.
    pub(super) fn clear(&mut self) {
        self.steps = 0;
        for layer in &mut self.layers {
            layer.squares = 0.0;
            if let Some(units) = &mut layer.units {
                units.alive.fill(false);
            }
        }
    }

    /// Records the units with a gradient among the elements `known`. This is cheap enough for each step.
    pub(super) fn units(&mut self, gradient: &[f32], known: Range<usize>) {
        for units in self.layers.iter_mut().filter_map(|layer| layer.units.as_mut()) {
            let begin = units.begin.max(known.start);
            let end = (units.begin + units.alive.len()).min(known.end).max(begin);
            let Some(alive) = units.alive.get_mut(begin - units.begin..end - units.begin) else {
                continue;
            };
            for (alive, d) in alive.iter_mut().zip(&gradient[begin..end]) {
                *alive |= *d != 0.0;
            }
        }
    }

    /// Whether each unit of all layers had a gradient in any step: 1 or 0.
    pub(super) fn alive(&self) -> Vec<u8> {
        let units = self.layers.iter().filter_map(|layer| layer.units.as_ref());
        units.flat_map(|units| units.alive.iter().map(|alive| u8::from(*alive))).collect()
    }

    /// Replaces what [`alive`](Self::alive) returns.
    pub(super) fn set_alive(&mut self, units: &[u8]) {
        let known = self.layers.iter_mut().filter_map(|layer| layer.units.as_mut());
        let known = known.flat_map(|units| &mut units.alive);
        known.zip(units).for_each(|(alive, unit)| *alive = *unit != 0);
    }

    /// Adds up the norms of a step, whose gradient is zero outside of the ranges `touched`.
    pub(super) fn norms(&mut self, gradient: &[f32], touched: &[Range<usize>]) {
        self.steps += 1;
        for layer in &mut self.layers {
            layer.squares += norm_of(gradient, layer.range.clone(), touched).powi(2);
        }
    }

    /// The health of the network with these weights.
    pub(super) fn health(&self, weights: &[f32]) -> Health {
        let norm = |layer: &MonitoredLayer| (layer.squares / self.steps.max(1) as f64).sqrt();
        let gradients = self.layers.iter().map(|layer| (layer.name.clone(), norm(layer))).collect();
        let per_weight: Vec<f64> = self
            .layers
            .iter()
            .map(|layer| norm(layer) / (layer.range.len() as f64).sqrt())
            .collect();
        // No gradient at all: the loss is at a minimum, or no step was monitored.
        if per_weight.iter().all(|gradient| *gradient == 0.0) {
            return Health { gradients, warnings: Vec::new() };
        }
        let dead = self.dead_units();
        // A layer with only dead units stops the gradient: that is not vanishing.
        let blocked = dead.iter().any(Warning::is_of_all_units);
        let vanishing = if blocked { None } else { self.vanishing(&per_weight) };
        let exploding = self.exploding(&per_weight, weights);
        let warnings = vanishing.into_iter().chain(exploding).chain(dead).collect();
        Health { gradients, warnings }
    }

    /// The first layer whose gradient is far smaller than that of a later one.
    fn vanishing(&self, per_weight: &[f64]) -> Option<Warning> {
        for (nth, gradient) in per_weight.iter().enumerate() {
            let rest = per_weight[nth..].iter().zip(&self.layers[nth..]);
            let (larger, later) = rest.max_by(|a, b| a.0.total_cmp(b.0))?;
            if *gradient < VANISHED * larger {
                let (layer, later) = (self.layers[nth].name.clone(), later.name.clone());
                return Some(Warning::Vanishing {
                    layer,
                    gradient: *gradient,
                    later,
                    larger: *larger,
                });
            }
        }
        None
    }

    /// The layer whose gradient is largest in proportion to its weights, if it is far too large.
    fn exploding(&self, per_weight: &[f64], weights: &[f32]) -> Option<Warning> {
        let size = |layer: &MonitoredLayer| {
            norm(&weights[layer.range.clone()]) / (layer.range.len() as f64).sqrt()
        };
        let compared = per_weight.iter().zip(&self.layers).map(|(gradient, layer)| {
            let weights = size(layer);
            (gradient / weights.max(SMALLEST_WEIGHTS), *gradient, weights, layer)
        });
        let (ratio, gradient, weights, layer) = compared.max_by(|a, b| a.0.total_cmp(&b.0))?;
        let layer = layer.name.clone();
        (ratio > EXPLODED && gradient > 1.0).then_some(Warning::Exploding {
            layer,
            gradient,
            weights,
        })
    }

    /// The layers with at least half of their units dead.
    fn dead_units(&self) -> Vec<Warning> {
        let layers = self.layers.iter().filter_map(|layer| Some((layer, layer.units.as_ref()?)));
        layers
            .filter_map(|(layer, units)| {
                let dead = units.alive.iter().filter(|alive| !**alive).count();
                let units = units.alive.len();
                let layer = layer.name.clone();
                (2 * dead >= units).then_some(Warning::DeadUnits { layer, dead, units })
            })
            .collect()
    }
}

/// Appends the layers with weights to `all`; those before a `ReLU` with their units.
fn add_layers(
    layers: &[LayerInfo],
    path: &str,
    offset: usize,
    tensors: &[Tensor],
    all: &mut Vec<MonitoredLayer>,
) {
    for layer in layers {
        let (name, begin) = (format!("{path}{}", layer.name), offset + layer.offset);
        if !layer.inner.is_empty() {
            add_layers(layer.inner, &format!("{name}."), begin, tensors, all);
        } else if layer.params > 0 {
            let range = begin..begin + layer.params;
            all.push(MonitoredLayer { name, range, squares: 0.0, units: None });
        } else if let ("ReLU", Some(before)) = (layer.kind, all.last_mut()) {
            before.units = units_of(&before.name, tensors);
        }
    }
}

/// The units of the layer called `name`, if each has a bias.
fn units_of(name: &str, tensors: &[Tensor]) -> Option<Units> {
    let bias = tensors.iter().find(|tensor| tensor.name == format!("{name}.bias"))?;
    match &bias.axes[..] {
        [axis] if axis.stride == 1 => {
            Some(Units { begin: bias.offset, alive: vec![false; axis.len] })
        }
        _ => None,
    }
}
