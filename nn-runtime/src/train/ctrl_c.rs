//! [`Trainer::stop_on_ctrl_c`]: a run that ends after its step when the user presses Ctrl-C.

use super::trainer::Trainer;
use crate::contract::Network;
use crate::optim::Optimizer;
use signal_hook::consts::SIGINT;
use signal_hook::flag;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

impl<O: Optimizer, N: Network, Target> Trainer<'_, O, N, Target> {
    /// Ends [`fit`](Self::fit) after the current step when the user presses Ctrl-C, as a callback of
    /// [`on_step`](Self::on_step) that breaks does: the record has the complete epochs. With
    /// [`checkpoint`](Self::checkpoint) the step is in `last.ckpt`, which [`resume`](Self::resume) continues.
    ///
    /// Ctrl-C a second time ends the process at once, as does Ctrl-C after the run. A handler of the program for this signal
    /// (`SIGINT`) that was there before is called first, and does not keep the process from ending.
    ///
    /// ```
    /// # use unrolled_runtime::{Network, data::Data, loss::CrossEntropy, optim::*, train::*};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<N>, train: Data<[f32; 4], u32>,
    /// # ) -> Result<(), TrainError> {
    /// Trainer::new(Adam::new(1e-3))
    ///     .checkpoint("runs/digits")
    ///     .resume(true)
    ///     .stop_on_ctrl_c()
    ///     .fit(&mut net, &train, &CrossEntropy::new())?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn stop_on_ctrl_c(mut self) -> Self {
        self.core.stop_on_ctrl_c = true;
        self
    }
}

/// A run that Ctrl-C ends, as long as it lives.
pub(super) struct CtrlC {
    signals: &'static Signals,
}

/// What the signal handler, of which a process has one, reads and writes.
struct Signals {
    /// Whether Ctrl-C was pressed since the first of the active runs began.
    pressed: Arc<AtomicBool>,
    /// Whether Ctrl-C ends the process: it was pressed, or no run is active.
    ends: Arc<AtomicBool>,
    /// The number of active runs.
    runs: Mutex<usize>,
}

impl Signals {
    /// Those of this process. `None` if the system refuses a handler: Ctrl-C then does what it did before.
    fn of_process() -> Option<&'static Self> {
        static SIGNALS: OnceLock<Option<Signals>> = OnceLock::new();
        SIGNALS.get_or_init(|| Self::register().ok()).as_ref()
    }

    fn register() -> io::Result<Self> {
        let (pressed, ends) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(true)));
        // Handlers run in this order: the first one must not see what the others write.
        #[cfg(not(windows))]
        flag::register_conditional_default(SIGINT, Arc::clone(&ends))?;
        #[cfg(windows)]
        flag::register_conditional_shutdown(SIGINT, 130, Arc::clone(&ends))?;
        flag::register(SIGINT, Arc::clone(&pressed))?;
        flag::register(SIGINT, Arc::clone(&ends))?;
        Ok(Self { pressed, ends, runs: Mutex::new(0) })
    }

    fn runs(&self) -> MutexGuard<'_, usize> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CtrlC {
    pub(super) fn begin() -> Option<Self> {
        let signals = Signals::of_process()?;
        let mut runs = signals.runs();
        if *runs == 0 {
            signals.pressed.store(false, Ordering::SeqCst);
            signals.ends.store(false, Ordering::SeqCst);
        }
        *runs += 1;
        drop(runs);
        Some(Self { signals })
    }

    pub(super) fn is_pressed(&self) -> bool {
        self.signals.pressed.load(Ordering::SeqCst)
    }
}

impl Drop for CtrlC {
    fn drop(&mut self) {
        let mut runs = self.signals.runs();
        *runs -= 1;
        if *runs == 0 {
            self.signals.ends.store(true, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signal_hook::low_level::raise;

    /// The only test that raises the signal: while no run is active it would end all tests.
    #[test]
    fn ctrl_c_is_noticed_while_a_run_is_active() {
        let run = CtrlC::begin().expect("a handler");
        assert!(!run.is_pressed());
        let another = CtrlC::begin().expect("a handler");
        drop(another);
        raise(SIGINT).expect("a signal");
        assert!(run.is_pressed() && run.signals.ends.load(Ordering::SeqCst));
        drop(run);
        let next = CtrlC::begin().expect("a handler");
        assert!(!next.is_pressed() && !next.signals.ends.load(Ordering::SeqCst));
        drop(next);
        let signals = Signals::of_process().expect("a handler");
        assert!(signals.ends.load(Ordering::SeqCst) && *signals.runs() == 0);
    }
}
