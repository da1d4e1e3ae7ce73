//! [`Times`]: how long the steps of a run took.

use std::time::{Duration, Instant};
use unrolled::train::Step;
use unrolled_mpi::World;

/// The steps of this rank.
pub(crate) struct Times {
    last: Option<Instant>,
    steps: Vec<Duration>,
    waits: Vec<Duration>,
    sent: Vec<u64>,
}

impl Times {
    pub(crate) const fn new() -> Self {
        Self { last: None, steps: Vec::new(), waits: Vec::new(), sent: Vec::new() }
    }

    /// Called after each step. An epoch's first step, before which the last one ended, is left out.
    pub(crate) fn add(&mut self, step: &Step) {
        let now = Instant::now();
        if let Some(last) = self.last.filter(|_| step.step > 1) {
            self.steps.push(now - last);
            self.waits.push(step.traffic.waited);
            self.sent.push(step.traffic.sent);
        }
        self.last = Some(now);
    }

    /// Prints the medians, for a network of so many weights.
    pub(crate) fn print(self, world: &World, weights: usize) {
        let Self { steps, waits, sent, .. } = self;
        let milliseconds = |time: Duration| 1e3 * time.as_secs_f64();
        println!(
            "rank {}: {} steps: {:.3} ms, of which {:.3} ms in exchanges; {} bytes sent; {weights} weights",
            world.rank(),
            steps.len(),
            milliseconds(median(steps)),
            milliseconds(median(waits)),
            median(sent)
        );
    }
}

fn median<T: Ord + Copy + Default>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}
