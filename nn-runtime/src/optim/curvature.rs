//! [`Curvature`]: what L-BFGS knows of the second derivatives of the loss.

use super::state::{OptimizerState, StateError};
use std::collections::VecDeque;

/// The last steps and by how much each changed the gradient, from which follows the direction of the next step: the gradient
/// times the inverse of an approximate Hessian (Nocedal and Wright, 2006, algorithm 7.4).
///
/// Vectors have an element for each one of the network, zero where it is not trained. Sums are 64-bit floats.
#[derive(Clone, Debug, Default)]
pub(super) struct Curvature {
    /// The number of directions so far.
    pub(super) iterations: u64,
    /// The oldest first.
    pairs: VecDeque<Pair>,
    /// The gradient of the last direction; empty before the first one.
    last_gradient: Vec<f32>,
    /// The step that was made along it.
    last_step: Vec<f32>,
}

/// A step along which the gradient grew.
#[derive(Clone, Debug)]
struct Pair {
    /// The change of the gradient.
    change: Vec<f32>,
    step: Vec<f32>,
    /// Their product, which is positive.
    product: f64,
}

/// The least product of a step and the change of the gradient that is used; PyTorch's.
const LEAST_PRODUCT: f64 = 1e-10;

/// The names of values in states, those of PyTorch: the last gradient and step, then for each pair its change and its step.
const LAST_GRADIENT: &str = "prev_flat_grad";
const LAST_STEP: &str = "prev_stp";
const CHANGE: &str = "old_dirs";
const STEP: &str = "old_stps";

impl Curvature {
    /// The direction of the next step for this gradient, from at most `history` pairs.
    pub(super) fn direction(&mut self, gradient: &[f32], history: usize) -> Vec<f64> {
        let len = self.last_gradient.len();
        assert!(len == 0 || len == gradient.len(), "an optimiser stays with one network");
        self.iterations = self.iterations.saturating_add(1);
        if len > 0 {
            self.learn(gradient, history);
        }
        self.last_gradient = gradient.to_vec();
        self.times_inverse_hessian(gradient)
    }

    /// Remembers the step along the last direction.
    pub(super) fn set_step(&mut self, step: Vec<f32>) {
        self.last_step = step;
    }

    /// Whether no direction was asked for before.
    pub(super) fn is_first(&self) -> bool {
        self.iterations <= 1
    }

    /// Adds the last step, if the gradient grew along it.
    fn learn(&mut self, gradient: &[f32], history: usize) {
        let change = gradient.iter().zip(&self.last_gradient).map(|(now, last)| now - last);
        let change: Vec<f32> = change.collect();
        let product = dot(&change, &self.last_step);
        if product > LEAST_PRODUCT {
            while self.pairs.len() >= history {
                self.pairs.pop_front();
            }
            let step = self.last_step.clone();
            self.pairs.push_back(Pair { change, step, product });
        }
    }

    fn times_inverse_hessian(&self, gradient: &[f32]) -> Vec<f64> {
        let mut direction: Vec<f64> = gradient.iter().map(|g| -f64::from(*g)).collect();
        let mut factors = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let factor = dot(&pair.step, &direction) / pair.product;
            add_scaled(&mut direction, -factor, &pair.change);
            factors.push(factor);
        }
        if let Some(Pair { change, product, .. }) = self.pairs.back() {
            let scale = product / dot(change, change);
            direction.iter_mut().for_each(|d| *d *= scale);
        }
        for (pair, factor) in self.pairs.iter().zip(factors.into_iter().rev()) {
            let other = dot(&pair.change, &direction) / pair.product;
            add_scaled(&mut direction, factor - other, &pair.step);
        }
        direction
    }

    pub(super) fn state(&self, optimizer: &str) -> OptimizerState {
        let mut state = OptimizerState::new(optimizer, self.iterations)
            .with(LAST_GRADIENT, &self.last_gradient)
            .with(LAST_STEP, &self.last_step);
        for (i, pair) in self.pairs.iter().enumerate() {
            let (change, step) = (format!("{CHANGE}.{i}"), format!("{STEP}.{i}"));
            state = state.with(&change, &pair.change).with(&step, &pair.step);
        }
        state
    }

    pub(super) fn set_state(
        &mut self,
        optimizer: &str,
        state: OptimizerState,
    ) -> Result<(), StateError> {
        let names = value_names(state.values.len());
        let mut sorted = state;
        // Files have their own order.
        let place = |name: &str| names.iter().position(|other| other == name);
        sorted.values.sort_by_key(|(name, _)| place(name));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut state = sorted.check(optimizer, &names)?;
        if !self.last_gradient.is_empty() {
            state = state.of_len(self.last_gradient.len())?;
        }
        let iterations = state.steps;
        let mut values = state.values.into_iter().map(|(_, values)| values);
        let mut next = || values.next().unwrap_or_default();
        let (last_gradient, last_step) = (next(), next());
        let count = names.len().saturating_sub(2) / 2;
        let pairs = (0..count).map(|_| Pair::new(next(), next())).collect();
        *self = Self { iterations, pairs, last_gradient, last_step };
        Ok(())
    }
}

impl Pair {
    fn new(change: Vec<f32>, step: Vec<f32>) -> Self {
        let product = dot(&change, &step);
        Self { change, step, product }
    }
}

/// The names of `count` values, or of the least larger number of values that a state has.
fn value_names(count: usize) -> Vec<String> {
    let pairs = count.saturating_sub(2).div_ceil(2);
    let of_pair = |i| [format!("{CHANGE}.{i}"), format!("{STEP}.{i}")];
    [LAST_GRADIENT, LAST_STEP]
        .map(str::to_owned)
        .into_iter()
        .chain((0..pairs).flat_map(of_pair))
        .collect()
}

/// The number of sums of a product, so that additions need not wait for each other.
const SUMS: usize = 8;

/// The sum of the products of the elements.
pub(super) fn dot<A: Copy + Into<f64>, B: Copy + Into<f64>>(a: &[A], b: &[B]) -> f64 {
    let mut sums = [0.0; SUMS];
    for (a, b) in a.chunks(SUMS).zip(b.chunks(SUMS)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += (*a).into() * (*b).into();
        }
    }
    sums.iter().sum()
}

fn add_scaled(to: &mut [f64], factor: f64, values: &[f32]) {
    for (to, value) in to.iter_mut().zip(values) {
        *to += factor * f64::from(*value);
    }
}
