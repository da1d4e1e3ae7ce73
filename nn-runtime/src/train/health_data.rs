//! Warnings about the inputs and the batch size of a training run.

use super::health::{Health, Warning};
use crate::contract::{LayerInfo, Network};
use crate::loss::Loss;
use crate::types::Inputs;

/// The most samples whose elements are read.
const MOST_SAMPLES: usize = 64;

/// The largest root mean square of inputs that are near mean 0 and standard deviation 1.
const LARGE: f64 = 10.0;

/// Inputs that are all smaller than this are too small. Not by their mean: sparse inputs are mostly 0.
const SMALL: f64 = 0.05;

/// The smallest batch over which `BatchNorm` estimates mean and variance well enough (Wu and He, 2018, figure 1).
const SMALLEST_BATCH: usize = 8;

impl Health {
    /// The warnings about `net` with this loss: whether it ends with a function that the loss applies itself. A training run
    /// has them, too; functions that are called for each batch, such as
    /// [`loss_and_gradients`](crate::TrainingExt::loss_and_gradients), print nothing.
    ///
    /// ```
    /// # use unrolled_runtime::{Network, loss::CrossEntropy, train::Health};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(net: Box<N>) {
    /// print!("{}", Health::of_loss(&*net, &CrossEntropy::new()));
    /// # }
    /// ```
    #[must_use]
    pub fn of_loss<N: Network, L: Loss<N::Output>>(_net: &N, loss: &L) -> Self {
        let warnings = applied_twice::<N>(loss.applies()).into_iter().collect();
        Self { warnings, ..Self::default() }
    }
}

/// The warnings about a network that is trained on these inputs, `batch` samples at a time.
pub(super) fn data_warnings<N: Network>(inputs: &[N::Input], batch: usize) -> Vec<Warning> {
    let mut warnings = Vec::from_iter(small_batches(N::LAYERS, batch));
    if begins_with_norm(N::LAYERS) {
        return warnings;
    }
    for nth in (0..N::Input::LENS.len()).filter(|nth| N::Input::REAL[*nth]) {
        let mut elements = Elements::default();
        inputs.iter().take(MOST_SAMPLES).for_each(|input| elements.add(input.input(nth)));
        let name = N::INPUT_NAMES.get(nth).copied().unwrap_or_default();
        let features = N::Input::SHAPES[nth].rank() == 1;
        warnings.extend(elements.warning(name, features));
    }
    warnings
}

/// The warning about `BatchNorm` with batches of `batch` samples.
fn small_batches(layers: &[LayerInfo], batch: usize) -> Option<Warning> {
    let layer = find(layers, "", &|layer| is_a(layer, "BatchNorm"))?;
    (batch < SMALLEST_BATCH).then_some(Warning::SmallBatches { layer, batch })
}

/// Whether the first layer is a normalisation, which scales the inputs.
fn begins_with_norm(layers: &[LayerInfo]) -> bool {
    first(layers).is_some_and(|layer| layer.kind.contains("Norm"))
}

/// The warning about a network that ends with the function that its loss applies.
pub(super) fn applied_twice<N: Network>(function: Option<&'static str>) -> Option<Warning> {
    let (function, last) = (function?, N::LAYERS.last()?);
    // Of logarithms the softmax is the same again.
    is_a(last, function).then(|| Warning::AppliedTwice { layer: last.name.to_string(), function })
}

/// Sums over the elements of an input.
#[derive(Default)]
struct Elements {
    count: usize,
    sum: f64,
    squares: f64,
    /// The largest magnitude.
    largest: f64,
}

impl Elements {
    fn add(&mut self, elements: &[f32]) {
        self.count += elements.len();
        for element in elements.iter().map(|element| f64::from(*element)) {
            self.sum += element;
            self.squares += element * element;
            self.largest = self.largest.max(element.abs());
        }
    }

    /// The warning about an input whose elements are far from mean 0 and standard deviation 1.
    fn warning(&self, name: &str, features: bool) -> Option<Warning> {
        let (mean, square) = (self.sum / self.count as f64, self.squares / self.count as f64);
        let std = (square - mean * mean).max(0.0).sqrt();
        let is_far = square.sqrt() > LARGE || (self.largest < SMALL && self.largest > 0.0);
        let name = name.to_string();
        is_far.then_some(Warning::UnscaledInputs { name, features, mean, std })
    }
}

/// Whether a layer is of this kind.
fn is_a(layer: &LayerInfo, kind: &str) -> bool {
    layer.kind.split('(').next() == Some(kind)
}

/// The path of the first layer for which `is_wanted` holds.
fn find(
    layers: &[LayerInfo],
    path: &str,
    is_wanted: &dyn Fn(&LayerInfo) -> bool,
) -> Option<String> {
    layers.iter().find_map(|layer| {
        let name = format!("{path}{}", layer.name);
        if is_wanted(layer) {
            return Some(name);
        }
        find(layer.inner, &format!("{name}."), is_wanted)
    })
}

/// The first layer, of the innermost network.
fn first(layers: &[LayerInfo]) -> Option<&LayerInfo> {
    let layer = layers.first()?;
    first(layer.inner).or(Some(layer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_far_from_0_and_1_are_reported() {
        let is_reported = |input: &[f32]| {
            let mut elements = Elements::default();
            elements.add(input);
            elements.warning("", true).is_some()
        };
        assert!(is_reported(&[0.0, 255.0, 128.0, 3.0]));
        assert!(is_reported(&[-40.0, 3.0, 0.0, 0.0]));
        assert!(is_reported(&[0.001, 0.002, -0.003, 0.0]));
        assert!(!is_reported(&[0.0, 1.0, 0.5, 0.1]));
        assert!(!is_reported(&[-3.0, 2.0, 9.0, 0.0]));
        // Sparse inputs, and none but zeros.
        assert!(!is_reported(&[vec![0.0; 99], vec![1.0]].concat()));
        assert!(!is_reported(&[0.0, 0.0]));
    }
}
