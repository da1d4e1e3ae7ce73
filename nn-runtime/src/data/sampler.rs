//! [`Sampler`]: classes drawn from a network's scores.

use crate::system::RngKey;

/// Draws class numbers, such as the next character of a text, from scores (logits): each as often as the
/// softmax of the scores says.
///
/// ```
/// use unrolled_runtime::data::Sampler;
///
/// let mut sampler = Sampler::new(7).temperature(0.5);
/// assert_eq!(sampler.draw(&[-90.0, 5.0, -90.0]), 1);
/// ```
///
/// The same seed draws the same numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampler {
    key: RngKey,
    drawn: u64,
    temperature: f32,
}

impl Sampler {
    /// At temperature 1.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { key: RngKey::new(seed), drawn: 0, temperature: 1.0 }
    }

    /// Divides scores by this first: below 1 likely classes become likelier still, above 1 all become
    /// more alike. At 0 the largest score wins, the first one if there are several.
    ///
    /// # Panics
    /// When it is negative, infinite or not a number.
    #[must_use]
    pub const fn temperature(mut self, temperature: f32) -> Self {
        assert!(
            temperature >= 0.0 && temperature.is_finite(),
            "a temperature is finite and not negative"
        );
        self.temperature = temperature;
        self
    }

    /// The next class number.
    ///
    /// # Panics
    /// When there are no scores, or one is not a number, or all are infinite.
    pub fn draw(&mut self, scores: &[f32]) -> u32 {
        let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sound = largest.is_finite() && scores.iter().all(|score| !score.is_nan());
        assert!(sound, "expected scores to draw a class from, found {scores:?}");
        let share = |score: f32| {
            // At temperature 0 those below the largest come to exp(-inf).
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
        // Rounding may leave a little behind the last class.
        drawn.min(scores.len() as u32 - 1)
    }
}

/// The place of the first score that is so, or the end.
fn first(scores: &[f32], is_so: impl FnMut(f32) -> bool) -> u32 {
    scores.iter().copied().position(is_so).unwrap_or(scores.len()) as u32
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
    fn draws_as_often_as_the_softmax_says() {
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
