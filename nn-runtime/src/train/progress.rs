//! [`Progress`]: the output of a training run on the terminal.

use super::history::Epoch;
use crate::loss::LossSums;
use bar::Bar;
use std::fmt;
use std::io::Write;
use std::ops::Range;

#[cfg(feature = "progress")]
mod bar;
#[cfg(not(feature = "progress"))]
#[path = "progress/no_bar.rs"]
mod bar;

/// The warning for a program with kernels compiled without optimisation.
const SLOW: &str = "kernels were compiled without optimisation and run many times slower: \
add `[profile.dev.package.unrolled-runtime] opt-level = 3` to your Cargo.toml";

/// One line per epoch on the standard output and, with the feature `progress`, a bar while the epoch runs if that is a
/// terminal.
pub(super) struct Progress {
    quiet: bool,
    last: usize,
    bar: Option<Bar>,
}

impl Progress {
    /// The progress of a training run up to epoch `last`.
    pub(super) const fn new(quiet: bool, last: usize) -> Self {
        Self { quiet, last, bar: None }
    }

    /// Prints, before the first epoch, what would make the program much faster.
    pub(super) fn begin(&self) {
        if cfg!(unoptimised) {
            self.print(&SLOW);
        }
    }

    /// Begins an epoch, of which `steps` are left.
    pub(super) fn begin_epoch(&mut self, number: usize, steps: Range<usize>) {
        if !self.quiet {
            self.bar = Bar::on_terminal(self.heading(number), steps);
        }
    }

    /// Shows a step. `sums` are those of the epoch so far.
    pub(super) fn step(&mut self, sums: &LossSums) {
        if let Some(bar) = &mut self.bar {
            bar.step(sums);
        }
    }

    pub(super) fn end_epoch(&mut self, epoch: &Epoch) {
        self.clear();
        self.print(&format_args!("{}: {epoch}", self.heading(epoch.number)));
    }

    /// Removes the bar.
    pub(super) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.clear();
        }
    }

    /// `epoch  3/10`
    fn heading(&self, number: usize) -> String {
        let width = self.last.to_string().len();
        format!("epoch {number:>width$}/{}", self.last)
    }

    /// Prints a line, unless the run is quiet.
    pub(super) fn print(&self, text: &dyn fmt::Display) {
        if !self.quiet {
            // A closed pipe is no reason to stop training.
            let _ = writeln!(std::io::stdout(), "{text}");
        }
    }
}
