//! The progress bar of an epoch.

use crate::loss::LossSums;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::ops::Range;
use std::time::{Duration, Instant};

/// The time between updates of the loss.
const INTERVAL: Duration = Duration::from_millis(100);

pub(super) struct Bar {
    bar: ProgressBar,
    shown: Instant,
}

impl Bar {
    /// A bar of the steps up to the end of `steps`, if the standard output is a terminal. Those before its begin are done.
    pub(super) fn on_terminal(heading: String, steps: Range<usize>) -> Option<Self> {
        if !std::io::stdout().is_terminal() {
            return None;
        }
        let bar =
            ProgressBar::with_draw_target(Some(steps.end as u64), ProgressDrawTarget::stdout());
        let template = "{prefix} [{bar:30}] {pos}/{len} {msg} ({eta} left)";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(heading);
        bar.set_position(steps.start as u64);
        Some(Self { bar, shown: Instant::now() })
    }

    /// Advances by one step. `sums` are those of the epoch so far.
    pub(super) fn step(&mut self, sums: &LossSums) {
        self.bar.inc(1);
        if self.shown.elapsed() > INTERVAL {
            self.bar.set_message(format!("loss {:.4}", sums.mean_loss()));
            self.shown = Instant::now();
        }
    }

    pub(super) fn clear(self) {
        self.bar.finish_and_clear();
    }
}
