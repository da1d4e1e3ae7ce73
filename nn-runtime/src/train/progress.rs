//! [`Progress`]: what is seen while training runs.

use super::Epoch;
use crate::loss::Tallies;
use bar::Bar;
use std::fmt;
use std::io::Write;

#[cfg(feature = "progress")]
mod bar;
#[cfg(not(feature = "progress"))]
#[path = "progress/no_bar.rs"]
mod bar;

/// What a program with slow kernels is told.
const SLOW: &str = "kernels were compiled without optimisation and run many times slower: \
put `[profile.dev.package.unrolled-runtime] opt-level = 3` into your Cargo.toml";

/// One line per epoch on the standard output; with the feature `progress` on a terminal also a bar while the epoch
/// runs.
pub(super) struct Progress {
    quiet: bool,
    last: usize,
    bar: Option<Bar>,
}

impl Progress {
    /// Up to epoch `last`.
    pub(super) const fn new(quiet: bool, last: usize) -> Self {
        Self { quiet, last, bar: None }
    }

    /// Before the first epoch: what would make the program much faster.
    pub(super) fn begin(&self) {
        if cfg!(unoptimised) {
            self.say(&SLOW);
        }
    }

    pub(super) fn begin_epoch(&mut self, number: usize, steps: usize) {
        if !self.quiet {
            self.bar = Bar::on_terminal(self.heading(number), steps);
        }
    }

    /// After a step: `tally` is of the epoch so far.
    pub(super) fn step(&mut self, tally: &Tallies) {
        if let Some(bar) = &mut self.bar {
            bar.step(tally);
        }
    }

    pub(super) fn end_epoch(&mut self, epoch: &Epoch) {
        if let Some(bar) = self.bar.take() {
            bar.clear();
        }
        self.say(&format_args!("{}: {epoch}", self.heading(epoch.number)));
    }

    pub(super) fn warn(&self, warning: &dyn fmt::Display) {
        self.say(warning);
    }

    /// `epoch  3/10`
    fn heading(&self, number: usize) -> String {
        let width = self.last.to_string().len();
        format!("epoch {number:>width$}/{}", self.last)
    }

    fn say(&self, words: &dyn fmt::Display) {
        if !self.quiet {
            // Training goes on when nobody listens any more.
            let _ = writeln!(std::io::stdout(), "{words}");
        }
    }
}
