//! [`check_gradients`]: are these gradients the slope of this loss?

use crate::contract::{Network, trained_ranges};
use crate::loss::Loss;
use crate::step::{Batch, BatchError, run_step};
use crate::system::RngKey;
use crate::types::Inputs;
use std::fmt;
use std::ops::Range;

/// How many weights of each layer, and numbers of each input, are tried at most.
const TRIED: usize = 24;

/// The steps that are tried, as parts of 1 + the number's size. A long step drowns the rounding of
/// `f32`, a short one avoids the kinks of `ReLU` and of pools; the best one counts.
const STEPS: [f32; 6] = [1e-2, 3e-3, 3e-2, 1e-3, 1e-1, 3e-4];

/// An error below this ends the search for a better step.
const GOOD: f64 = 1e-4;

/// A larger error counts only where the differences with two steps that follow each other agree better than
/// this part of it, and the slopes to both sides that follow from them: kinks, jumps and rounding make them
/// disagree.
const AGREEMENT: f64 = 0.25;

/// How often all numbers are moved by a rounding or two, to see what that does to the gradients.
const SHAKES: u64 = 3;

/// An error counts only where it is so many times what shaking does to the gradient. Behind a chain of
/// `BatchNorm`s without variance, whose slopes are in the hundreds, rounding is all that is left of a zero.
const SHAKEN: f64 = 8.0;

/// What rounding makes of a slope with a step of 1, as a part of the loss: a few layers' rounding.
const ROUNDING: f64 = 8.0 * f32::EPSILON as f64 / 2.0;

/// An error that no right layer has on smooth ground.
const DOUBTFUL: f64 = 1e-3;

/// Gradients much smaller than the network's largest, such as those of a bias before a `BatchNorm`,
/// which are zero but for rounding, are compared on this part of its scale.
const FLOOR: f64 = 1e-2;

/// The largest disagreement that [`check_gradients`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientCheck {
    /// `|analytic - numeric|` as a part of the largest gradient in the same layer or input.
    pub worst: f64,
    /// What has this gradient: `weight 17, in conv1`, `number 3 of sample 5, in input 0`.
    pub place: String,
    /// What backward says.
    pub analytic: f64,
    /// What the difference of two losses says.
    pub numeric: f64,
    /// How many gradients were tried.
    pub tried: usize,
    /// Of how many of them finite differences say nothing, because they depend on the step or on the side:
    /// the loss has a kink or a jump there, or its rounding, or the gradient's, is larger than the
    /// gradient. They do not count for `worst`.
    pub unsure: usize,
}

impl fmt::Display for GradientCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { worst, place, analytic, numeric, tried, unsure } = self;
        write!(
            f,
            "{worst:.1e} is the worst relative error of {tried} gradients: {place} has {analytic:e}, \
             finite differences say {numeric:e}; {unsure} could not be compared"
        )
    }
}

/// Compares the gradients of `net`, of its weights and of its inputs, with central differences of
/// its loss, in training mode with the same random key for every loss. Tries at most 24 weights
/// of each layer and 24 numbers of each input.
///
/// For right layers `worst` is 1e-3 or less on values of ordinary size; a wrong one is far beyond
/// 1e-2. Layers that saturate, or that have kinks all over, may need other inputs.
///
/// # Errors
/// As [`loss_and_gradients`](crate::step::loss_and_gradients).
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
        d_inputs: vec![N::Input::zero(); inputs.len()],
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
    probe.compare(&numbers_of::<N::Input>(inputs.len()), &mut found)?;
    Ok(found)
}

/// A number with a gradient.
#[derive(Clone, Copy)]
enum Place {
    Weight(usize),
    Input { index: usize, sample: usize, number: usize },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weight(weight) => write!(f, "weight {weight}"),
            Self::Input { sample, number, .. } => write!(f, "number {number} of sample {sample}"),
        }
    }
}

/// Places of one layer or input, with its name.
type Group = (String, Vec<Place>);

/// Each layer's name and weights.
fn layers_of<N: Network>() -> Vec<(String, Range<usize>)> {
    let mut layers = trained_ranges(N::LAYERS);
    if N::LAYERS.is_empty() {
        layers.push(("the layer".to_owned(), 0..N::PARAMS));
    }
    layers
}

/// Weights of each layer.
fn weights_of<N: Network>() -> Vec<Group> {
    let places =
        |range: Range<usize>| sample(range.len()).map(|i| Place::Weight(range.start + i)).collect();
    layers_of::<N>().into_iter().map(|(name, range)| (name, places(range))).collect()
}

/// Numbers of each input that has gradients.
fn numbers_of<I: Inputs>(samples: usize) -> Vec<Group> {
    let real = (0..I::LENS.len()).filter(|&index| I::REAL[index]);
    real.map(|index| {
        let len = I::LENS[index];
        let place = |i| Place::Input { index, sample: i / len, number: i % len };
        (format!("input {index}"), sample(samples * len).map(place).collect())
    })
    .collect()
}

/// At most [`TRIED`] numbers below `len`, spread evenly, the first and the last among them.
fn sample(len: usize) -> impl Iterator<Item = usize> {
    let count = len.min(TRIED);
    (0..count).map(move |i| if count == len { i } else { i * (len - 1) / (TRIED - 1) })
}

/// A network and a batch whose numbers are moved one at a time, and their gradients.
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
        Ok(run_step(&mut **net, *loss, batch, d_net, Some(d_inputs), &mut [], key).mean_loss())
    }

    fn number(&mut self, place: Place) -> &mut f32 {
        match place {
            Place::Weight(weight) => &mut self.net.as_floats_mut()[weight],
            Place::Input { index, sample, number } => {
                &mut self.inputs[sample].input_mut(index)[number]
            }
        }
    }

    fn gradient(&self, place: Place) -> f64 {
        f64::from(match place {
            Place::Weight(weight) => self.d_net.as_floats()[weight],
            Place::Input { index, sample, number } => self.d_inputs[sample].input(index)[number],
        })
    }

    /// The loss with another number in this place.
    fn loss_with(&mut self, place: Place, value: f32) -> Result<f64, BatchError> {
        let before = std::mem::replace(self.number(place), value);
        let loss = self.loss();
        *self.number(place) = before;
        loss
    }

    /// Compares the gradients in all places of these groups, and keeps the worst in `found`.
    fn compare(&mut self, groups: &[Group], found: &mut GradientCheck) -> Result<(), BatchError> {
        let shaken = self.shaken(groups)?;
        let loss = self.loss()?;
        let rounding = rounding_of_slope(loss, STEPS[0]);
        let gradients = self.gradients(groups);
        let least = FLOOR * largest(gradients.iter().flatten());
        for (nth, ((name, places), gradients)) in groups.iter().zip(&gradients).enumerate() {
            let scale = largest(gradients.iter()).max(least);
            for (which, (&place, &analytic)) in places.iter().zip(gradients).enumerate() {
                let slopes = self.slopes(place, loss, analytic, scale)?;
                found.tried += 1;
                let (error, numeric) = closest(&slopes, analytic, scale);
                let distance = error * scale;
                let moved = shaken.iter().map(|shaken| (shaken[nth][which] - analytic).abs());
                let rounding = moved.fold(rounding, |most, moved| most.max(SHAKEN * moved));
                if error > DOUBTFUL && (distance < rounding || disagree(&slopes, distance)) {
                    found.unsure += 1;
                } else if error > found.worst {
                    let place = format!("{place}, in {name},");
                    *found = GradientCheck { worst: error, place, analytic, numeric, ..*found };
                }
            }
        }
        Ok(())
    }

    /// The gradients of the last loss.
    fn gradients(&self, groups: &[Group]) -> Vec<Vec<f64>> {
        let of = |places: &[Place]| places.iter().map(|&place| self.gradient(place)).collect();
        groups.iter().map(|(_, places)| of(places)).collect()
    }

    /// The gradients when all numbers are a little different, several times.
    fn shaken(&mut self, groups: &[Group]) -> Result<Vec<Vec<Vec<f64>>>, BatchError> {
        let (weights, inputs) = (self.net.as_floats().to_vec(), self.inputs.clone());
        let mut all = Vec::new();
        for time in 0..SHAKES {
            let key = RngKey::new(time);
            for (name, range) in layers_of::<N>() {
                shake(&mut self.net.as_floats_mut()[range], key.fold_in(RngKey::hash(&name)));
            }
            for (sample, input) in self.inputs.iter_mut().enumerate() {
                let key = key.fold_in(sample as u64);
                for index in (0..N::Input::LENS.len()).filter(|&index| N::Input::REAL[index]) {
                    shake(input.input_mut(index), key.fold_in(index as u64));
                }
            }
            self.loss()?;
            all.push(self.gradients(groups));
            self.net.as_floats_mut().copy_from_slice(&weights);
            self.inputs.clone_from(&inputs);
        }
        Ok(all)
    }

    /// What differences with one step after the other say, until one agrees with `analytic`.
    fn slopes(
        &mut self,
        place: Place,
        loss: f64,
        analytic: f64,
        scale: f64,
    ) -> Result<Vec<Slope>, BatchError> {
        let value = *self.number(place);
        let mut slopes = Vec::new();
        for step in STEPS {
            let reach = step * (1.0 + value.abs());
            let (above, below) = (value + reach, value - reach);
            let (high, low) = (self.loss_with(place, above)?, self.loss_with(place, below)?);
            // The distances after rounding, not the ones that were asked for.
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

/// What differences with one step say.
#[derive(Clone, Copy)]
struct Slope {
    step: f32,
    /// From one side to the other.
    central: f64,
    /// The difference above less the one below.
    apart: f64,
    /// What of them may be rounding.
    rounding: f64,
}

impl Slope {
    /// How much the slope jumps here, as this and a longer step say: without a jump, `apart` is proportional
    /// to the step.
    fn jump(&self, longer: &Self) -> f64 {
        let times = f64::from(longer.step) / f64::from(self.step);
        (times * self.apart - longer.apart) / (times - 1.0)
    }
}

/// Moves numbers by one or two roundings, up or down.
fn shake(numbers: &mut [f32], key: RngKey) {
    for (i, number) in numbers.iter_mut().enumerate() {
        *number *= 1.0 + (key.uniform(i as u64) - 0.5) * 4.0 * f32::EPSILON;
    }
}

/// The smallest error over all slopes, as a part of `scale`, and the slope that has it; infinite
/// where no slope is a number.
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

/// What rounding makes of a slope of this loss.
fn rounding_of_slope(loss: f64, step: f32) -> f64 {
    ROUNDING * loss.abs() / f64::from(step)
}

/// Whether all slopes are numbers, but none is nearly the same with the next longer step, and to both
/// sides, compared with `error`. Where rounding is larger than `error`, they are so by chance.
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

/// The size of the largest gradient.
fn largest<'a>(gradients: impl Iterator<Item = &'a f64>) -> f64 {
    gradients.fold(f64::MIN_POSITIVE, |largest, gradient| largest.max(gradient.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps, slopes and what they are apart: of a network with a kink at this very number.
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
    fn slopes_that_agree_within_their_rounding_say_nothing() {
        assert!(disagree(&slopes(0.78), 6.2e-5));
        assert!(!disagree(&slopes(0.0), 6.2e-5), "without rounding the shortest two agree");
    }
}
