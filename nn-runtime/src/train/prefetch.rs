//! Batches that other threads prepare.

use super::error::TrainError;
use crate::system::parallel::HAS_THREADS;
use std::ops::{ControlFlow, Range};
use std::sync::mpsc::channel;
use std::thread;

/// Whether a loop over batches goes on.
pub(super) type Flow = Result<ControlFlow<()>, TrainError>;

/// Batches in memory at a time, for each thread: one is in use while the next one is prepared.
const BATCHES: usize = 2;

/// The number of slots for batches in memory, with so many threads.
pub(super) const fn slots(threads: usize) -> usize {
    if HAS_THREADS { threads.saturating_mul(BATCHES) } else { 1 }
}

/// Calls `f(number, slot)` for each of the batches `numbers`, in order, while `threads` threads (none where the target has no
/// threads) call `load(number, slot)` for the next ones, until one of them fails or `f` breaks. A slot, below
/// [`slots`]`(threads)`, has one batch at a time: from when it is loaded until `f` returns.
///
/// # Panics
/// If `load` panics.
pub(super) fn for_each_loaded(
    numbers: Range<usize>,
    threads: usize,
    load: &(dyn Fn(usize, usize) -> Result<(), TrainError> + Sync),
    f: &mut dyn FnMut(usize, usize) -> Flow,
) -> Flow {
    if !HAS_THREADS {
        return for_each_in_turn(numbers, load, f);
    }
    thread::scope(|scope| {
        let mut queues = Vec::new();
        // Each thread has a queue of its own and every `threads`th batch, so that the order is that of the numbers.
        for thread in 0..threads.min(numbers.len()) {
            let (loaded, ready) = channel();
            // The slots of a thread bound its queue.
            let (free, reused) = channel();
            for slot in 0..BATCHES {
                let _ = free.send(thread * BATCHES + slot);
            }
            let own = numbers.clone().skip(thread).step_by(threads);
            scope.spawn(move || {
                for number in own {
                    let Ok(slot) = reused.recv() else { return };
                    let result = load(number, slot).map(|()| slot);
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
            let Ok(slot) = ready.recv() else { break };
            let slot = slot?;
            if f(number, slot)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            let _ = free.send(slot);
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// The same on one thread.
fn for_each_in_turn(
    numbers: Range<usize>,
    load: &dyn Fn(usize, usize) -> Result<(), TrainError>,
    f: &mut dyn FnMut(usize, usize) -> Flow,
) -> Flow {
    for number in numbers {
        load(number, 0)?;
        if f(number, 0)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    /// An error that names a batch.
    const fn failed(number: usize) -> TrainError {
        TrainError::Stopped { epoch: number }
    }

    /// Slots for batches, each of which is the square of its number.
    struct Squares(Vec<Mutex<usize>>);

    impl Squares {
        fn new(threads: usize) -> Self {
            Self((0..slots(threads)).map(|_| Mutex::new(0)).collect())
        }

        fn load(&self, number: usize, slot: usize) {
            *self.0[slot].lock().expect("no panic") = number * number;
        }

        fn get(&self, slot: usize) -> usize {
            *self.0[slot].lock().expect("no panic")
        }
    }

    #[test]
    fn batches_are_in_order_whatever_the_number_of_threads() {
        for threads in [1, 2, 3, 50] {
            let squares = Squares::new(threads);
            let load = |number: usize, slot: usize| {
                // The later ones are ready first.
                thread::sleep(Duration::from_micros(200 * (number as u64 % 3)));
                squares.load(number, slot);
                if number == 17 { Err(failed(number)) } else { Ok(()) }
            };
            let mut seen = Vec::new();
            let result = for_each_loaded(3..40, threads, &load, &mut |number, slot| {
                seen.push((number, squares.get(slot)));
                Ok(ControlFlow::Continue(()))
            });
            assert_eq!(result, Err(failed(17)), "{threads}");
            assert_eq!(seen, (3..17).map(|i| (i, i * i)).collect::<Vec<_>>(), "{threads}");
        }
    }

    #[test]
    fn batches_are_in_order_and_few_are_ahead() {
        let (loading, mut seen) = (AtomicUsize::new(0), Vec::new());
        let squares = Squares::new(1);
        let load = |number: usize, slot: usize| {
            loading.store(number, Ordering::SeqCst);
            squares.load(number, slot);
            Ok(())
        };
        let result = for_each_loaded(3..40, 1, &load, &mut |number, slot| {
            assert!(loading.load(Ordering::SeqCst) < number + BATCHES);
            seen.push(squares.get(slot));
            Ok(if number == 30 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        });
        assert_eq!(result, Ok(ControlFlow::Break(())));
        assert_eq!(seen, (3..=30).map(|i| i * i).collect::<Vec<_>>());
    }

    #[test]
    fn one_thread_loads_the_same_batches() {
        let squares = Squares::new(2);
        let load = |number: usize, slot: usize| {
            squares.load(number, slot);
            if number == 9 { Err(failed(number)) } else { Ok(()) }
        };
        let run = |range: Range<usize>, last: usize| {
            let (mut seen, mut seen_in_turn) = (Vec::new(), Vec::new());
            let f = |seen: &mut Vec<usize>, number, slot: usize| {
                seen.push(squares.get(slot));
                Ok(if number == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            };
            let flow =
                for_each_loaded(range.clone(), 2, &load, &mut |i, slot| f(&mut seen, i, slot));
            let in_turn =
                for_each_in_turn(range, &load, &mut |i, slot| f(&mut seen_in_turn, i, slot));
            assert_eq!((&flow, seen), (&in_turn, seen_in_turn));
            flow
        };
        assert_eq!(run(2..7, 100), Ok(ControlFlow::Continue(())));
        assert_eq!(run(2..7, 4), Ok(ControlFlow::Break(())));
        assert_eq!(run(2..20, 100), Err(failed(9)));
    }

    #[test]
    fn errors_end_the_loop() {
        let load = |number: usize, _| if number == 5 { Err(failed(number)) } else { Ok(()) };
        let mut last = 0;
        let result = for_each_loaded(0..9, 1, &load, &mut |number, _| {
            last = number;
            Ok(ControlFlow::Continue(()))
        });
        assert_eq!((result, last), (Err(failed(5)), 4));
        let load = |_, _| Ok(());
        let result = for_each_loaded(0..9, 1, &load, &mut |number, _| Err(failed(number)));
        assert_eq!(result, Err(failed(0)));
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn panics_are_passed_on() {
        let load = |number: usize, _| {
            assert!(number < 2, "no such sample");
            Ok(())
        };
        let _ = for_each_loaded(0..9, 1, &load, &mut |_, _| Ok(ControlFlow::Continue(())));
    }
}
