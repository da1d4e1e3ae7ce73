//! [`Stopwatch`]: seconds since a moment, on targets that have a clock.

use std::time::Instant;

/// The time since [`Self::start`].
pub(crate) struct Stopwatch(Option<Instant>);

impl Stopwatch {
    /// Starts a stopwatch.
    pub(crate) fn start() -> Self {
        // `Instant::now` panics on wasm32-unknown-unknown.
        const HAS_CLOCK: bool = cfg!(not(all(target_family = "wasm", target_os = "unknown")));
        Self(HAS_CLOCK.then(Instant::now))
    }

    /// Seconds since the start: `None` without a clock.
    pub(crate) fn seconds(&self) -> Option<f64> {
        Some(self.0?.elapsed().as_secs_f64())
    }
}
