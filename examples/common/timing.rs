//! The timer of `workloads` and of the programs in `benches`.

use std::time::{Duration, Instant};

/// How long to measure: after a warm-up of two blocks, `count` blocks of the length `block`.
#[derive(Clone, Copy, Debug)]
pub struct Blocks {
    /// The number of blocks.
    pub count: usize,
    /// The length of a block. A block holds at least one call.
    pub block: Duration,
}

impl Blocks {
    /// Seconds per call of `call`: the mean of each block, in ascending order.
    ///
    /// The first is closest to the time of the code itself, because everything else that runs on the machine only adds
    /// to it. The median is the time that a user experiences.
    pub fn seconds_per_call(self, mut call: impl FnMut()) -> Vec<f64> {
        let begin = Instant::now();
        let mut calls = 0_u32;
        while calls < 3 || begin.elapsed() < 2 * self.block {
            call();
            calls += 1;
        }
        // The warm-up shows how many calls fill a block, so that the clock is not read between them.
        let per_block = self.block.as_secs_f64() * f64::from(calls) / begin.elapsed().as_secs_f64();
        let per_block = per_block.max(1.0);
        let mut blocks: Vec<f64> = (0..self.count)
            .map(|_| {
                let begin = Instant::now();
                (0..per_block as u64).for_each(|_| call());
                begin.elapsed().as_secs_f64() / per_block.floor()
            })
            .collect();
        blocks.sort_by(f64::total_cmp);
        blocks
    }
}
