//! [`Sampler`]: classes sampled from a network's scores.

use crate::hyper::{Range, checked};
use crate::system::RngKey;

/// Samples class indices, such as the next character of a text, from scores (logits) with the probabilities of their
/// softmax.
///
/// ```
/// use unrolled_runtime::data::Sampler;
///
/// let mut sampler = Sampler::new(7).temperature(0.5);
/// assert_eq!(sampler.draw(&[-90.0, 5.0, -90.0]), 1);
/// ```
///
/// The same seed draws the same classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampler {
    key: RngKey,
    drawn: u64,
    temperature: f32,
}

impl Sampler {
    /// A sampler with temperature 1.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { key: RngKey::new(seed), drawn: 0, temperature: 1.0 }
    }

    /// Sets the divisor of the scores: below 1 likely classes become more likely, above 1 probabilities become more equal.
    /// At 0 the largest score is always chosen, the first one if several are equal.
    ///
    /// # Panics
    /// If `temperature` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn temperature(mut self, temperature: f32) -> Self {
        self.temperature = checked("Sampler: temperature", temperature, Range::NonNegative);
        self
    }

    /// Draws a class index.
    ///
    /// # Panics
    /// If there are no scores, one is NaN or positive infinity, or all are negative infinity.
    #[track_caller]
    pub fn draw(&mut self, scores: &[f32]) -> u32 {
        let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sound = largest.is_finite() && scores.iter().all(|score| !score.is_nan());
        assert!(sound, "Sampler: expected scores with a finite maximum, found {scores:?}");
        let share = |score: f32| {
            // Relative to the largest score, so that the exponential cannot overflow. 0 / 0 would be NaN.
            let below = f64::from(score - largest);
            if below == 0.0 { 1.0 } else { (below / f64::from(self.temperature)).exp() }
        };
        let random = f64::from(self.key.uniform(self.drawn));
        self.drawn += 1;
        if self.temperature == 0.0 {
            return first(scores, |score| score == largest);
        }
        let mut left = random * scores.iter().map(|score| share(*score)).sum::<f64>();
        let drawn = first(scores, |score| {
            left -= share(score);
            left < 0.0
        });
        // Rounding can leave a small rest after the last class.
        drawn.min(scores.len() as u32 - 1)
    }
}

/// The index of the first score that fulfils the condition, or their number.
fn first(scores: &[f32], condition: impl FnMut(f32) -> bool) -> u32 {
    scores.iter().copied().position(condition).unwrap_or(scores.len()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each of four classes is drawn, of 40,000.
    fn counts(mut sampler: Sampler) -> [i32; 4] {
        // Shares of 0.1, 0.2, 0.3 and 0.4.
        let scores = [1.0_f32, 2.0, 3.0, 4.0].map(f32::ln);
        let mut counts = [0; 4];
        for _ in 0..40_000 {
            counts[sampler.draw(&scores) as usize] += 1;
        }
        counts
    }

    #[test]
    fn frequencies_are_those_of_the_softmax() {
        // Standard deviations up to 98.
        for (count, expected) in
            counts(Sampler::new(1)).into_iter().zip([4000, 8000, 12_000, 16_000])
        {
            assert!((count - expected).abs() < 400, "{count} {expected}");
        }
        // Squares: shares of 1, 4, 9 and 16 of 30.
        let cold = counts(Sampler::new(1).temperature(0.5));
        for (count, share) in cold.into_iter().zip([1, 4, 9, 16]) {
            assert!((count - 40_000 * share / 30).abs() < 400, "{cold:?}");
        }
        assert_eq!(counts(Sampler::new(1).temperature(0.0)), [0, 0, 0, 40_000]);
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        let draw = |seed| {
            let mut sampler = Sampler::new(seed);
            [0; 50].map(|_| sampler.draw(&[0.0; 9]))
        };
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
    }

    #[test]
    fn what_cannot_happen_is_never_drawn() {
        let mut sampler = Sampler::new(5).temperature(100.0);
        for _ in 0..1000 {
            assert_eq!(sampler.draw(&[f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY]), 1);
        }
    }

    #[test]
    #[should_panic(expected = "found [0.0, NaN]")]
    fn scores_are_numbers() {
        let _ = Sampler::new(1).draw(&[0.0, f32::NAN]);
    }
}
