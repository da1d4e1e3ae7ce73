//! [`check_gradients`]: gradients compared with finite differences of the loss.

use crate::contract::Network;
use crate::loss::Loss;
use crate::order::NetworkInfo;
use crate::step::{Batch, BatchError, FrozenLayers, TrainStep, run_step};
use crate::system::RngKey;
use crate::types::Inputs;
use std::fmt;
use std::ops::Range;

/// The largest number of weights of each layer, and of values of each input, that are checked.
const TRIED: usize = 24;

/// The steps of the differences, relative to 1 + the magnitude of the value. Rounding of `f32` matters less with a long
/// step, the kinks of `ReLU` and of pooling less with a short one; the step with the smallest error counts.
const STEPS: [f32; 6] = [1e-2, 3e-3, 3e-2, 1e-3, 1e-1, 3e-4];

/// An error below this ends the search for a better step.
const GOOD: f64 = 1e-4;

/// A larger error counts only if the differences with two neighbouring steps agree within this fraction of it, and so do
/// the one-sided slopes extrapolated from them. At kinks, at jumps and within rounding they disagree.
const AGREEMENT: f64 = 0.25;

/// The number of times that all values are perturbed by about a rounding error, to measure its effect on the gradients.
const PERTURBATIONS: u64 = 3;

/// An error counts only if it is at least this multiple of the perturbation's effect on the gradient. After a chain of
/// `BatchNorm`s without variance, whose slopes are in the hundreds, a gradient of zero is all rounding.
const PERTURBATION: f64 = 8.0;

/// The rounding error of a slope with a step of 1, relative to the loss: that of a few layers.
const ROUNDING: f64 = 8.0 * f32::EPSILON as f64 / 2.0;

/// An error above that of correct layers on smooth functions.
const DOUBTFUL: f64 = 1e-3;

/// Errors are relative to at least this fraction of the network's largest gradient. Gradients such as those of a bias
/// before a `BatchNorm` are zero except for rounding.
const FLOOR: f64 = 1e-2;

/// The result of [`check_gradients`]: the gradient with the largest error.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GradientCheck {
    /// The largest relative error: `|analytic - numeric|` divided by the largest gradient in the same layer or input.
    pub worst: f64,
    /// The element with this error: `weight 17, in conv1`, `value 3 of sample 5, in input 0`.
    pub place: String,
    /// The gradient of the backward pass.
    pub analytic: f64,
    /// The finite difference of the loss.
    pub numeric: f64,
    /// The number of gradients that were checked.
    pub tried: usize,
    /// The number of them without a reliable finite difference, because it depends on the step or on the side: the loss
    /// has a kink or a jump there, or rounding is larger than the gradient. They do not count for `worst`.
    pub unsure: usize,
}

impl fmt::Display for GradientCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { worst, place, analytic, numeric, tried, unsure } = self;
        write!(
            f,
            "{worst:.1e} is the worst relative error of {tried} gradients: {place} has {analytic:e}, \
             finite differences yield {numeric:e}; {unsure} could not be compared"
        )
    }
}

/// Compares the gradients of `net` with respect to its weights and inputs with central differences of its loss, in training
/// mode with the same random key for every loss. Checks at most 24 weights of each layer and 24 values of each input.
///
/// For correct layers `worst` is 1e-3 or less on values of ordinary magnitude; for wrong ones it is far above 1e-2. Layers
/// that saturate, or have many kinks, may need other inputs. Gradients of layers with spectral normalisation take `u` and `v`
/// as constants, so that they agree with differences only where both are singular vectors, after some hundred forward passes.
///
/// # Errors
/// As [`loss_and_gradients`](crate::loss_and_gradients).
pub fn check_gradients<N: Network, L: Loss<N::Output>>(
    net: &N,
    loss: &L,
    inputs: &[N::Input],
    targets: &[L::Target],
) -> Result<GradientCheck, BatchError> {
    let mut probe = Probe {
        net: N::zeros(),
        d_net: N::zeros(),
        loss,
        inputs: inputs.to_vec(),
        // Overwritten by each pass; zeros would move through the stack.
        d_inputs: inputs.to_vec(),
        targets,
    };
    probe.net.as_floats_mut().copy_from_slice(net.as_floats());
    let mut found = GradientCheck {
        worst: 0.0,
        place: String::new(),
        analytic: 0.0,
        numeric: 0.0,
        tried: 0,
        unsure: 0,
    };
    probe.compare(&weights_of::<N>(), &mut found)?;
    probe.compare(&values_of::<N::Input>(inputs.len()), &mut found)?;
    Ok(found)
}

/// A value with a gradient.
#[derive(Clone, Copy)]
enum Coordinate {
    Weight(usize),
    Input { index: usize, sample: usize, value: usize },
}

impl fmt::Display for Coordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weight(weight) => write!(f, "weight {weight}"),
            Self::Input { sample, value, .. } => write!(f, "value {value} of sample {sample}"),
        }
    }
}

/// The name of a layer or input with the coordinates that are checked.
type Group = (String, Vec<Coordinate>);

/// The checked weights of each layer.
fn weights_of<N: Network>() -> Vec<Group> {
    let weights = |range: Range<usize>| {
        sample(range.len()).map(|i| Coordinate::Weight(range.start + i)).collect()
    };
    let trained = NetworkInfo::of::<N>().trained_ranges().into_iter();
    trained.map(|(name, range)| (name, weights(range))).collect()
}

/// The checked values of each input that has gradients.
fn values_of<I: Inputs>(samples: usize) -> Vec<Group> {
    let real = (0..I::LENS.len()).filter(|&index| I::REAL[index]);
    real.map(|index| {
        let len = I::LENS[index];
        let value = |i| Coordinate::Input { index, sample: i / len, value: i % len };
        (format!("input {index}"), sample(samples * len).map(value).collect())
    })
    .collect()
}

/// At most [`TRIED`] indices below `len`, evenly spaced, including the first and the last.
fn sample(len: usize) -> impl Iterator<Item = usize> {
    let count = len.min(TRIED);
    (0..count).map(move |i| if count == len { i } else { i * (len - 1) / (TRIED - 1) })
}

/// A network and a batch whose values are changed one at a time, and their gradients.
struct Probe<'a, N: Network, L: Loss<N::Output>> {
    net: Box<N>,
    d_net: Box<N>,
    loss: &'a L,
    inputs: Vec<N::Input>,
    d_inputs: Vec<N::Input>,
    targets: &'a [L::Target],
}

impl<N: Network, L: Loss<N::Output>> Probe<'_, N, L> {
    fn loss(&mut self) -> Result<f64, BatchError> {
        let Self { net, d_net, loss, inputs, d_inputs, targets } = self;
        let key = RngKey::new(0);
        let batch =
            Batch::checked(*loss, inputs, targets)?.enough_for::<N>()?.accepted_by::<N>()?;
        let (net, d_net, d_inputs) = (&mut **net, &mut **d_net, Some(&mut d_inputs[..]));
        let (loss, part, state, frozen) = (*loss, None, &mut [][..], &FrozenLayers::default());
        let rows = None;
        let step = TrainStep { net, loss, batch, part, d_net, d_inputs, state, key, frozen, rows };
        Ok(run_step(step).mean_loss())
    }

    fn value(&mut self, at: Coordinate) -> &mut f32 {
        match at {
            Coordinate::Weight(weight) => &mut self.net.as_floats_mut()[weight],
            Coordinate::Input { index, sample, value } => {
                &mut self.inputs[sample].input_mut(index)[value]
            }
        }
    }

    fn gradient(&self, at: Coordinate) -> f64 {
        f64::from(match at {
            Coordinate::Weight(weight) => self.d_net.as_floats()[weight],
            Coordinate::Input { index, sample, value } => self.d_inputs[sample].input(index)[value],
        })
    }

    /// The loss with another value at `at`.
    fn loss_with(&mut self, at: Coordinate, value: f32) -> Result<f64, BatchError> {
        let before = std::mem::replace(self.value(at), value);
        let loss = self.loss();
        *self.value(at) = before;
        loss
    }

    /// Compares the gradients of all coordinates of these groups, and records the largest error in `found`.
    fn compare(&mut self, groups: &[Group], found: &mut GradientCheck) -> Result<(), BatchError> {
        let perturbed = self.perturbed(groups)?;
        let loss = self.loss()?;
        let rounding = rounding_of_slope(loss, STEPS[0]);
        let gradients = self.gradients(groups);
        let least = FLOOR * largest(gradients.iter().flatten());
        for (nth, ((name, coordinates), gradients)) in groups.iter().zip(&gradients).enumerate() {
            let scale = largest(gradients.iter()).max(least);
            for (which, (&at, &analytic)) in coordinates.iter().zip(gradients).enumerate() {
                let slopes = self.slopes(at, loss, analytic, scale)?;
                found.tried += 1;
                let (error, numeric) = closest(&slopes, analytic, scale);
                let distance = error * scale;
                let moved = perturbed.iter().map(|all| (all[nth][which] - analytic).abs());
                let rounding = moved.fold(rounding, |most, moved| most.max(PERTURBATION * moved));
                if error > DOUBTFUL && (distance < rounding || disagree(&slopes, distance)) {
                    found.unsure += 1;
                } else if error > found.worst {
                    let place = format!("{at}, in {name},");
                    *found = GradientCheck { worst: error, place, analytic, numeric, ..*found };
                }
            }
        }
        Ok(())
    }

    /// The gradients of the last loss.
    fn gradients(&self, groups: &[Group]) -> Vec<Vec<f64>> {
        let of = |all: &[Coordinate]| all.iter().map(|&at| self.gradient(at)).collect();
        groups.iter().map(|(_, coordinates)| of(coordinates)).collect()
    }

    /// The gradients with all values perturbed, several times.
    fn perturbed(&mut self, groups: &[Group]) -> Result<Vec<Vec<Vec<f64>>>, BatchError> {
        let (weights, inputs) = (self.net.as_floats().to_vec(), self.inputs.clone());
        let mut all = Vec::new();
        for time in 0..PERTURBATIONS {
            let key = RngKey::new(time);
            for (name, range) in NetworkInfo::of::<N>().trained_ranges() {
                perturb(&mut self.net.as_floats_mut()[range], key.fold_in(RngKey::hash(&name)));
            }
            for (sample, input) in self.inputs.iter_mut().enumerate() {
                let key = key.fold_in(sample as u64);
                for index in (0..N::Input::LENS.len()).filter(|&index| N::Input::REAL[index]) {
                    perturb(input.input_mut(index), key.fold_in(index as u64));
                }
            }
            self.loss()?;
            all.push(self.gradients(groups));
            self.net.as_floats_mut().copy_from_slice(&weights);
            self.inputs.clone_from(&inputs);
        }
        Ok(all)
    }

    /// The slopes with one step after the other, until one agrees with `analytic`.
    fn slopes(
        &mut self,
        at: Coordinate,
        loss: f64,
        analytic: f64,
        scale: f64,
    ) -> Result<Vec<Slope>, BatchError> {
        let value = *self.value(at);
        let mut slopes = Vec::new();
        for step in STEPS {
            let reach = step * (1.0 + value.abs());
            let (above, below) = (value + reach, value - reach);
            let (high, low) = (self.loss_with(at, above)?, self.loss_with(at, below)?);
            // The distances after rounding, not the intended ones.
            let [above, value, below] = [above, value, below].map(f64::from);
            let central = (high - low) / (above - below);
            let apart = (high - loss) / (above - value) - (loss - low) / (value - below);
            slopes.push(Slope { step, central, apart, rounding: rounding_of_slope(loss, step) });
            if (analytic - central).abs() < GOOD * scale {
                break;
            }
        }
        Ok(slopes)
    }
}

/// The differences with one step.
#[derive(Clone, Copy)]
struct Slope {
    step: f32,
    /// The central difference.
    central: f64,
    /// The difference to the upper side minus the one to the lower side.
    apart: f64,
    /// The part of them that can be rounding.
    rounding: f64,
}

impl Slope {
    /// The jump of the slope, extrapolated from this and a longer step: without a jump, `apart` is proportional to the step.
    fn jump(&self, longer: &Self) -> f64 {
        let times = f64::from(longer.step) / f64::from(self.step);
        (times * self.apart - longer.apart) / (times - 1.0)
    }
}

/// Changes values by up to two units in the last place.
fn perturb(values: &mut [f32], key: RngKey) {
    for (i, value) in values.iter_mut().enumerate() {
        *value *= 1.0 + (key.uniform(i as u64) - 0.5) * 4.0 * f32::EPSILON;
    }
}

/// The smallest error of all slopes relative to `scale`, and the slope with it; infinite if all slopes are NaN.
fn closest(slopes: &[Slope], analytic: f64, scale: f64) -> (f64, f64) {
    let mut best = (f64::INFINITY, f64::NAN);
    for Slope { central, .. } in slopes {
        let error = (analytic - central).abs() / scale;
        if error < best.0 {
            best = (error, *central);
        }
    }
    best
}

/// The rounding error of a slope of this loss.
fn rounding_of_slope(loss: f64, step: f32) -> f64 {
    ROUNDING * loss.abs() / f64::from(step)
}

/// Whether all slopes are finite, but none agrees with that of the next longer step, and on both sides, relative to
/// `error`. Slopes with more rounding than `error` agree by chance only.
fn disagree(slopes: &[Slope], error: f64) -> bool {
    let mut by_step = slopes.to_vec();
    by_step.sort_by(|a, b| a.step.total_cmp(&b.step));
    let near = |distance: f64| distance <= AGREEMENT * error;
    let agree = |pair: &[Slope]| {
        pair[0].rounding <= error
            && near((pair[0].central - pair[1].central).abs())
            && near(pair[0].jump(&pair[1]).abs())
    };
    slopes.iter().all(|slope| slope.central.is_finite()) && !by_step.windows(2).any(agree)
}

/// The largest magnitude of a gradient.
fn largest<'a>(gradients: impl Iterator<Item = &'a f64>) -> f64 {
    gradients.fold(f64::MIN_POSITIVE, |largest, gradient| largest.max(gradient.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps with central slopes and differences of one-sided slopes, from a network with a kink at this very value.
    const AT_A_KINK: [(f32, f64, f64); 6] = [
        (1e-2, 1.6633e-3, -1.452e-4),
        (3e-3, 1.6709e-3, -2.030e-4),
        (3e-2, 1.6535e-3, -5.045e-6),
        (1e-3, 1.6474e-3, -2.310e-4),
        (1e-1, 1.6219e-3, 4.577e-4),
        (3e-4, 1.6369e-3, -6.125e-5),
    ];

    fn slopes(loss: f64) -> Vec<Slope> {
        let slope = |(step, central, apart)| Slope {
            step,
            central,
            apart,
            rounding: rounding_of_slope(loss, step),
        };
        AT_A_KINK.map(slope).to_vec()
    }

    #[test]
    fn slopes_that_agree_within_their_rounding_do_not_count() {
        assert!(disagree(&slopes(0.78), 6.2e-5));
        assert!(!disagree(&slopes(0.0), 6.2e-5), "without rounding the shortest two agree");
    }
}
