//! Random numbers for examples that generate data or add noise to it.

use std::f32::consts::TAU;
use unrolled::RngKey;

/// A sequence of random numbers.
pub(crate) struct Noise {
    key: RngKey,
    drawn: u64,
}

impl Noise {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { key: RngKey::new(seed), drawn: 0 }
    }

    /// Uniform in `[0, 1)`.
    pub(crate) fn uniform(&mut self) -> f32 {
        self.drawn += 1;
        self.key.uniform(self.drawn)
    }

    /// Normal with mean 0 and standard deviation 1 (Box and Muller, 1958).
    #[allow(dead_code, reason = "some examples need uniform numbers only")]
    pub(crate) fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (TAU * self.uniform()).cos()
    }
}
