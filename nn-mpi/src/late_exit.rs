//! [`exit_after`]: time for all ranks to print their errors.

use std::ffi::c_int;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

// In the C library, which the standard library uses.
unsafe extern "C" {
    fn atexit(function: extern "C" fn()) -> c_int;
}

static MILLISECONDS: AtomicU64 = AtomicU64::new(0);

/// Makes the process wait when it ends, after `main`. `mpirun` ends all ranks when the first one ends with an error: the
/// others can print theirs before.
pub(crate) fn exit_after(delay: Duration) {
    let milliseconds = delay.as_millis() as u64;
    if MILLISECONDS.swap(milliseconds, Ordering::Relaxed) == 0 {
        // SAFETY: the function takes and returns nothing, and does not unwind. Without it the process ends earlier.
        let _ = unsafe { atexit(sleep) };
    }
}

extern "C" fn sleep() {
    thread::sleep(Duration::from_millis(MILLISECONDS.load(Ordering::Relaxed)));
}
