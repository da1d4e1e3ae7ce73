//! [`Health`]: what its gradients say of how a network learns, layer by layer.

use crate::contract::{LayerInfo, Network, Node, Root};
use crate::optim::norm;
use crate::types::Tensor;
use std::fmt;
use std::ops::Range;

/// A gradient that is so much smaller than one behind it has vanished on its way back. Per weight.
const VANISHED: f64 = 1e-4;

/// A gradient that is so much larger than the weights, and than 1, changes all of them at once.
const EXPLODED: f64 = 100.0;

/// The least size of weights that gradients are compared with: some layers begin with zeros.
const SMALLEST_WEIGHTS: f64 = 0.01;

/// What the gradients of a network say of its layers, and the signs of trouble in it. Displays as a line
/// for each sign.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Health {
    /// Each layer with weights and the Euclidean norm of its gradient, the root of the mean square over
    /// the steps that were looked at.
    pub gradients: Vec<(String, f64)>,
    /// What is wrong.
    pub signs: Vec<Sign>,
}

/// A sign that a network does not learn well. Displays as a sentence that says what to try.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Sign {
    /// On its way back from the loss the gradient has become so small that early layers hardly learn.
    Vanishing {
        /// The first layer of which this is true.
        layer: String,
        /// Its gradient: the root of the mean square over its weights.
        gradient: f64,
        /// A layer behind it with a much larger gradient.
        behind: String,
        /// That one's gradient.
        larger: f64,
    },
    /// The gradient of a layer is far larger than its weights.
    Exploding {
        /// The layer of which this is most true.
        layer: String,
        /// Its gradient: the root of the mean square over its weights.
        gradient: f64,
        /// The size of its weights, likewise.
        weights: f64,
    },
    /// Half of the units of a `ReLU` or more have no gradient for any sample: they always give 0, and
    /// will not change any more.
    DeadUnits {
        /// The layer before the `ReLU`.
        layer: String,
        /// How many units have no gradient.
        dead: usize,
        /// How many it has.
        units: usize,
    },
}

impl Health {
    /// What one batch says: `d_net` is the gradient of its loss.
    ///
    /// ```
    /// # use unrolled_runtime::{InferenceExt, FilesExt, Network, TrainingExt, loss::CrossEntropy, train::Health};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<N>, xs: &[[f32; 4]], classes: &[u32],
    /// # ) -> Result<(), unrolled_runtime::BatchError> {
    /// let mut d_net = N::zeros();
    /// net.loss_and_gradients(&CrossEntropy::new(), xs, classes, &mut d_net)?;
    /// println!("{}", Health::of(&*net, &*d_net));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn of<N: Network>(net: &N, d_net: &N) -> Self {
        let mut watch = Watch::new::<N>();
        watch.units(d_net.as_floats());
        watch.norms(d_net.as_floats());
        watch.health(net.as_floats())
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.signs.iter().try_for_each(|sign| writeln!(f, "{sign}"))
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vanishing { layer, gradient, behind, larger } => write!(
                f,
                "warning: the gradient vanishes on its way back: per weight it is {gradient:.1e} in layer \
                 `{layer}`, but {larger:.1e} in `{behind}`, so that the first layers hardly learn. Try ReLU \
                 in place of Sigmoid and Tanh, BatchNorm or LayerNorm between layers, or Residual around \
                 them."
            ),
            Self::Exploding { layer, gradient, weights } => write!(
                f,
                "warning: the gradient explodes: per weight it is {gradient:.1e} in layer `{layer}`, whose \
                 weights are {weights:.1e} large. Try inputs and targets with a mean of 0 and a deviation of \
                 1, BatchNorm or LayerNorm between layers, Residual around them, a smaller learning rate, or \
                 `Clip::Norm(1.0)`."
            ),
            Self::DeadUnits { layer, dead, units } => write!(
                f,
                "warning: {dead} of {units} units of layer `{layer}` are dead: the ReLU behind them gave 0 for \
                 every sample, and they learn nothing any more. Try a smaller learning rate, LeakyReLU in \
                 place of ReLU, or BatchNorm before it."
            ),
        }
    }
}

impl Sign {
    /// Whether both are about the same kind of trouble.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Whether it says that all units of a layer are dead.
    fn is_of_all_units(&self) -> bool {
        matches!(self, Self::DeadUnits { dead, units, .. } if dead == units)
    }
}

/// Looks at the gradients of several steps.
pub(super) struct Watch {
    layers: Vec<Watched>,
    // How many steps' norms were added up.
    steps: usize,
}

/// A layer with weights.
struct Watched {
    name: String,
    range: Range<usize>,
    // The sum of the squared norms of its gradient.
    squares: f64,
    units: Option<Units>,
}

/// The units of a layer before a `ReLU`: their gradients go through their biases.
struct Units {
    // Where the biases begin.
    begin: usize,
    // Whether each had a gradient in any step.
    alive: Vec<bool>,
}

impl Watch {
    pub(super) fn new<N: Network>() -> Self {
        let tensors = <N as Node<Root>>::tensors();
        let mut layers = Vec::new();
        add_layers(N::LAYERS, "", 0, &tensors, &mut layers);
        Self { layers, steps: 0 }
    }

    /// Forgets what it saw.
    pub(super) fn clear(&mut self) {
        self.steps = 0;
        for layer in &mut self.layers {
            layer.squares = 0.0;
            if let Some(units) = &mut layer.units {
                units.alive.fill(false);
            }
        }
    }

    /// Looks for units that live. It takes little time: each step can be looked at.
    pub(super) fn units(&mut self, gradient: &[f32]) {
        for units in self.layers.iter_mut().filter_map(|layer| layer.units.as_mut()) {
            for (alive, d) in units.alive.iter_mut().zip(&gradient[units.begin..]) {
                *alive |= *d != 0.0;
            }
        }
    }

    /// Adds up the norms of a step.
    pub(super) fn norms(&mut self, gradient: &[f32]) {
        self.steps += 1;
        for layer in &mut self.layers {
            layer.squares += norm(&gradient[layer.range.clone()]).powi(2);
        }
    }

    /// What was seen of the network with these weights.
    pub(super) fn health(&self, weights: &[f32]) -> Health {
        let norm = |layer: &Watched| (layer.squares / self.steps.max(1) as f64).sqrt();
        let gradients = self.layers.iter().map(|layer| (layer.name.clone(), norm(layer))).collect();
        let per_weight: Vec<f64> = self
            .layers
            .iter()
            .map(|layer| norm(layer) / (layer.range.len() as f64).sqrt())
            .collect();
        // Without any gradient nothing is left to be learnt, or nothing was asked for.
        if per_weight.iter().all(|gradient| *gradient == 0.0) {
            return Health { gradients, signs: Vec::new() };
        }
        let dead = self.dead_units();
        // Behind a layer without any living unit no gradient is left: that is not vanishing.
        let blocked = dead.iter().any(Sign::is_of_all_units);
        let vanishing = if blocked { None } else { self.vanishing(&per_weight) };
        let exploding = self.exploding(&per_weight, weights);
        Health { gradients, signs: vanishing.into_iter().chain(exploding).chain(dead).collect() }
    }

    /// The first layer whose gradient is far smaller than one behind it.
    fn vanishing(&self, per_weight: &[f64]) -> Option<Sign> {
        for (nth, gradient) in per_weight.iter().enumerate() {
            let behind = per_weight[nth..].iter().zip(&self.layers[nth..]);
            let (larger, behind) = behind.max_by(|a, b| a.0.total_cmp(b.0))?;
            if *gradient < VANISHED * larger {
                let (layer, behind) = (self.layers[nth].name.clone(), behind.name.clone());
                return Some(Sign::Vanishing {
                    layer,
                    gradient: *gradient,
                    behind,
                    larger: *larger,
                });
            }
        }
        None
    }

    /// The layer whose gradient is largest beside its weights, if it is far too large.
    fn exploding(&self, per_weight: &[f64], weights: &[f32]) -> Option<Sign> {
        let size = |layer: &Watched| {
            norm(&weights[layer.range.clone()]) / (layer.range.len() as f64).sqrt()
        };
        let compared = per_weight.iter().zip(&self.layers).map(|(gradient, layer)| {
            let weights = size(layer);
            (gradient / weights.max(SMALLEST_WEIGHTS), *gradient, weights, layer)
        });
        let (ratio, gradient, weights, layer) = compared.max_by(|a, b| a.0.total_cmp(&b.0))?;
        let layer = layer.name.clone();
        (ratio > EXPLODED && gradient > 1.0).then_some(Sign::Exploding { layer, gradient, weights })
    }

    /// The layers of whose units half are dead, or more.
    fn dead_units(&self) -> Vec<Sign> {
        let layers = self.layers.iter().filter_map(|layer| Some((layer, layer.units.as_ref()?)));
        layers
            .filter_map(|(layer, units)| {
                let dead = units.alive.iter().filter(|alive| !**alive).count();
                let units = units.alive.len();
                let layer = layer.name.clone();
                (2 * dead >= units).then_some(Sign::DeadUnits { layer, dead, units })
            })
            .collect()
    }
}

/// The layers with weights; those behind which a `ReLU` follows with their units.
fn add_layers(
    layers: &[LayerInfo],
    path: &str,
    offset: usize,
    tensors: &[Tensor],
    all: &mut Vec<Watched>,
) {
    for layer in layers {
        let (name, begin) = (format!("{path}{}", layer.name), offset + layer.offset);
        if !layer.inner.is_empty() {
            add_layers(layer.inner, &format!("{name}."), begin, tensors, all);
        } else if layer.params > 0 {
            let range = begin..begin + layer.params;
            all.push(Watched { name, range, squares: 0.0, units: None });
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
