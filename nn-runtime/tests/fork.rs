//! A child process after `fork` has none of its parent's threads: the pool starts others.
#![cfg(unix)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use unrolled_runtime::parallel::{for_each, with_threads};

unsafe extern "C" {
    fn fork() -> i32;
    fn waitpid(process: i32, status: *mut i32, options: i32) -> i32;
    fn kill(process: i32, signal: i32) -> i32;
    fn _exit(code: i32) -> !;
}

const DO_NOT_WAIT: i32 = 1;
const SIGKILL: i32 = 9;

/// The number of tasks that ran.
fn region() -> usize {
    let ran = AtomicUsize::new(0);
    with_threads(2, || {
        for_each(100, |_, _| {
            ran.fetch_add(1, Ordering::Relaxed);
        });
    });
    ran.into_inner()
}

#[test]
fn a_child_process_computes_in_parallel() {
    assert_eq!(region(), 100);
    // SAFETY: the child calls the pool and `_exit`, nothing else.
    let child = unsafe { fork() };
    if child == 0 {
        let code = i32::from(region() != 100);
        // SAFETY: ends the child.
        unsafe { _exit(code) };
    }
    assert!(child > 0, "fork");
    let mut status = -1;
    for _ in 0..600 {
        // SAFETY: `status` is valid for writes.
        if unsafe { waitpid(child, &raw mut status, DO_NOT_WAIT) } == child {
            assert_eq!(status, 0, "exit status of the child");
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    // SAFETY: the child of this test, which has not been waited for.
    unsafe { kill(child, SIGKILL) };
    panic!("the child hangs in its first parallel call");
}
