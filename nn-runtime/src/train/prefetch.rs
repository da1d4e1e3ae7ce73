//! Batches that other threads prepare.

use crate::system::parallel::HAS_THREADS;
use std::ops::{ControlFlow, Range};
use std::sync::mpsc::channel;
use std::thread;

/// Batches in memory at a time, for each thread: one is in use while the next one is prepared.
const BATCHES: usize = 2;

/// Calls `f` with each of the batches `numbers`, in order, while `threads` threads (none where the target has no threads)
/// call `load` for the next ones, until one of them fails or `f` breaks. Batches are reused: `load` receives one that may
/// be full.
///
/// # Panics
/// If `load` panics.
pub(super) fn for_each_loaded<B: Default + Send, E: Send>(
    numbers: Range<usize>,
    threads: usize,
    load: impl Fn(usize, &mut B) -> Result<(), E> + Sync,
    mut f: impl FnMut(usize, &B) -> Result<ControlFlow<()>, E>,
) -> Result<ControlFlow<()>, E> {
    if !HAS_THREADS {
        return for_each_in_turn(numbers, load, f);
    }
    let load = &load;
    thread::scope(|scope| {
        let mut queues = Vec::new();
        // Each thread has a queue of its own and every `threads`th batch, so that the order is that of the numbers.
        for thread in 0..threads.min(numbers.len()) {
            let (loaded, ready) = channel();
            // Their number bounds the queue.
            let (free, reused) = channel();
            for _ in 0..BATCHES {
                let _ = free.send(B::default());
            }
            let own = numbers.clone().skip(thread).step_by(threads);
            scope.spawn(move || {
                for number in own {
                    let Ok(mut batch) = reused.recv() else { return };
                    let result = load(number, &mut batch).map(|()| batch);
                    let failed = result.is_err();
                    if loaded.send(result).is_err() || failed {
                        return;
                    }
                }
            });
            queues.push((ready, free));
        }
        for (number, nth) in numbers.zip((0..threads).cycle()) {
            let (ready, free) = &queues[nth];
            // Otherwise `load` has panicked, and so does the end of the scope.
            let Ok(batch) = ready.recv() else { break };
            let batch = batch?;
            if f(number, &batch)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            let _ = free.send(batch);
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// The same on one thread.
fn for_each_in_turn<B: Default, E>(
    numbers: Range<usize>,
    load: impl Fn(usize, &mut B) -> Result<(), E>,
    mut f: impl FnMut(usize, &B) -> Result<ControlFlow<()>, E>,
) -> Result<ControlFlow<()>, E> {
    let mut batch = B::default();
    for number in numbers {
        load(number, &mut batch)?;
        if f(number, &batch)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn batches_are_in_order_whatever_the_number_of_threads() {
        for threads in [1, 2, 3, 50] {
            let load = |number: usize, batch: &mut usize| {
                // The later ones are ready first.
                thread::sleep(Duration::from_micros(200 * (number as u64 % 3)));
                *batch = number * number;
                if number == 17 { Err(number) } else { Ok(()) }
            };
            let mut seen = Vec::new();
            let result = for_each_loaded(3..40, threads, load, |number, batch| {
                seen.push((number, *batch));
                Ok(ControlFlow::Continue(()))
            });
            assert_eq!(result, Err(17), "{threads}");
            assert_eq!(seen, (3..17).map(|i| (i, i * i)).collect::<Vec<_>>(), "{threads}");
        }
    }

    #[test]
    fn batches_are_in_order_and_few_are_ahead() {
        let (loading, mut seen) = (AtomicUsize::new(0), Vec::new());
        let load = |number: usize, batch: &mut Vec<usize>| {
            loading.store(number, Ordering::SeqCst);
            batch.clear();
            batch.push(number * number);
            Ok::<(), ()>(())
        };
        let result = for_each_loaded(3..40, 1, load, |number, batch| {
            assert!(loading.load(Ordering::SeqCst) < number + BATCHES);
            seen.extend_from_slice(batch);
            Ok(if number == 30 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        });
        assert_eq!(result, Ok(ControlFlow::Break(())));
        assert_eq!(seen, (3..=30).map(|i| i * i).collect::<Vec<_>>());
    }

    #[test]
    fn one_thread_loads_the_same_batches() {
        let load = |number: usize, batch: &mut usize| {
            *batch = number * number;
            if number == 9 { Err(number) } else { Ok(()) }
        };
        let run = |range: Range<usize>, last: usize| {
            let (mut seen, mut seen_in_turn) = (Vec::new(), Vec::new());
            let f = |seen: &mut Vec<usize>, number, batch: &usize| {
                seen.push(*batch);
                Ok(if number == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            };
            let flow = for_each_loaded(range.clone(), 2, load, |i, batch| f(&mut seen, i, batch));
            let in_turn = for_each_in_turn(range, load, |i, batch| f(&mut seen_in_turn, i, batch));
            assert_eq!((&flow, seen), (&in_turn, seen_in_turn));
            flow
        };
        assert_eq!(run(2..7, 100), Ok(ControlFlow::Continue(())));
        assert_eq!(run(2..7, 4), Ok(ControlFlow::Break(())));
        assert_eq!(run(2..20, 100), Err(9));
    }

    #[test]
    fn errors_end_the_loop() {
        let load = |number: usize, _: &mut ()| if number == 5 { Err(number) } else { Ok(()) };
        let mut last = 0;
        let result = for_each_loaded(0..9, 1, load, |number, ()| {
            last = number;
            Ok(ControlFlow::Continue(()))
        });
        assert_eq!((result, last), (Err(5), 4));
        let load = |_: usize, _: &mut ()| Ok(());
        assert_eq!(for_each_loaded(0..9, 1, load, |number, ()| Err(number)), Err(0));
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn panics_are_passed_on() {
        let load = |number: usize, _: &mut ()| {
            assert!(number < 2, "no such sample");
            Ok::<(), ()>(())
        };
        let _ = for_each_loaded(0..9, 1, load, |_, ()| Ok(ControlFlow::Continue(())));
    }
}
