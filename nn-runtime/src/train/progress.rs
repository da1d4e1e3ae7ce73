//! [`Progress`]: what is seen while training runs.

use super::Epoch;
use crate::loss::Tallies;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often the bar shows a new loss.
const INTERVAL: Duration = Duration::from_millis(100);

/// What a program with slow kernels is told.
const SLOW: &str = "kernels were compiled without optimisation and run many times slower: \
put `[profile.dev.package.nn-runtime] opt-level = 3` into your Cargo.toml";

/// One line per epoch on the standard output; on a terminal also a bar while the epoch runs.
pub(super) struct Progress {
    quiet: bool,
    last: usize,
    bar: Option<Bar>,
}

struct Bar {
    bar: ProgressBar,
    shown: Instant,
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
        if self.quiet || !std::io::stdout().is_terminal() {
            return;
        }
        let bar = ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::stdout());
        let template = "{prefix} [{bar:30}] {pos}/{len} {msg} ({eta} left)";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(self.heading(number));
        self.bar = Some(Bar { bar, shown: Instant::now() });
    }

    /// After a step: `tally` is of the epoch so far.
    pub(super) fn step(&mut self, tally: &Tallies) {
        let Some(Bar { bar, shown }) = &mut self.bar else { return };
        bar.inc(1);
        if shown.elapsed() > INTERVAL {
            bar.set_message(format!("loss {:.4}", tally.mean_loss()));
            *shown = Instant::now();
        }
    }

    pub(super) fn end_epoch(&mut self, epoch: &Epoch) {
        if let Some(Bar { bar, .. }) = self.bar.take() {
            bar.finish_and_clear();
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
