//! [`Wait`]: pauses while nothing happens. [`Patience`]: how many of them.

use std::thread;
use std::time::{Duration, Instant};

/// Pauses that become longer while nothing happens, since ranks may share processors.
pub(crate) struct Wait {
    /// When something happened last.
    since: Instant,
    rounds: u32,
}

impl Wait {
    /// Rounds without a pause, and rounds that let other threads run.
    const BUSY: u32 = 200;
    const YIELDING: u32 = 2000;

    pub(crate) fn new() -> Self {
        Self { since: Instant::now(), rounds: 0 }
    }

    /// Pauses. Returns the time since something happened.
    pub(crate) fn pause(&mut self, happened: bool) -> Duration {
        if happened {
            *self = Self::new();
        }
        self.rounds = self.rounds.saturating_add(1);
        let waited = self.since.elapsed();
        match self.rounds {
            0..Self::BUSY => std::hint::spin_loop(),
            Self::BUSY..Self::YIELDING => thread::yield_now(),
            _ => {
                let (least, most) = (Duration::from_micros(50), Duration::from_millis(1));
                thread::sleep((waited / 100).clamp(least, most));
            }
        }
        waited
    }
}

/// How long a rank waits for others.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    timeout: Duration,
    /// The signs of life that were due since something happened.
    signs: u32,
}

impl Patience {
    pub(crate) const fn new(timeout: Duration) -> Self {
        Self { timeout, signs: 0 }
    }

    /// The time between signs of life.
    fn interval(&self) -> Duration {
        self.timeout / 8
    }

    /// Whether this rank has to tell the others that it is there.
    pub(crate) fn is_sign_due(&mut self, waited: Duration) -> bool {
        let before = self.signs;
        self.signs = (waited.as_secs_f64() / self.interval().as_secs_f64()) as u32;
        self.signs > before
    }

    pub(crate) fn is_exceeded(&self, waited: Duration) -> bool {
        waited > self.timeout
    }

    /// Whether this rank gives up after `waited`, if the longest silence is `silence`. Where no rank is silent, one of them
    /// will soon report which one it waits for.
    pub(crate) fn is_over(&self, waited: Duration, silence: Duration) -> bool {
        let silent = silence > self.timeout / 2;
        self.is_exceeded(waited) && (silent || waited > self.timeout + self.interval())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_life_are_due_at_intervals_and_again_after_something_happened() {
        let mut patience = Patience::new(Duration::from_secs(8));
        let due = [0.5, 1.1, 1.2, 2.0, 0.0, 1.0]
            .map(|waited| patience.is_sign_due(Duration::from_secs_f64(waited)));
        assert_eq!(due, [false, true, false, true, false, true]);
    }

    #[test]
    fn a_rank_that_sends_signs_has_a_little_longer() {
        let patience = Patience::new(Duration::from_secs(8));
        let is_over = |waited, silence| {
            patience.is_over(Duration::from_secs_f64(waited), Duration::from_secs_f64(silence))
        };
        assert!(is_over(8.1, 8.2) && is_over(9.1, 0.5));
        assert!(!is_over(8.1, 0.5) && !is_over(7.9, 8.2));
    }
}
