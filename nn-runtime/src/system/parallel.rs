//! A standing pool of threads that wakes fast enough for regions of microseconds.
//!
//! Work is cut into tasks whose number and content never depend on the number of threads, so results
//! are the same bits on any machine. A thread takes a run of tasks of its own first, the same ones in
//! regions of as many tasks, so that what they work on stays in its cache; then what others left.

use core::any::Any;
use core::ops::Range;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, TryLockError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// The most threads that work at once.
pub const MAX_THREADS: usize = 64;

/// How long a worker waits actively for the next region before it goes to sleep: longer than the
/// stretches between the regions of one training step, too short to heat an idle machine.
const SPIN: Duration = Duration::from_micros(50);

thread_local! {
    static THREADS: Cell<Option<usize>> = const { Cell::new(None) };
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// How many threads regions of this thread use: what [`with_threads`] says, else the environment
/// variable `UNROLLED_THREADS`, else as many as the machine offers this process.
#[must_use]
pub fn threads() -> usize {
    static DEFAULT: OnceLock<usize> = OnceLock::new();
    THREADS.get().unwrap_or_else(|| {
        *DEFAULT.get_or_init(|| {
            let wished = std::env::var("UNROLLED_THREADS").ok().and_then(|v| v.parse().ok());
            let offered = thread::available_parallelism().map_or(1, usize::from);
            wished.unwrap_or(offered).clamp(1, MAX_THREADS)
        })
    })
}

/// Runs `f` with regions of this thread using `count` threads (1 to [`MAX_THREADS`]).
pub fn with_threads<R>(count: usize, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<usize>);
    impl Drop for Restore {
        fn drop(&mut self) {
            THREADS.set(self.0);
        }
    }
    let _restore = Restore(THREADS.replace(Some(count.clamp(1, MAX_THREADS))));
    f()
}

/// Calls `f(task, worker)` for each task below `tasks`, on several threads. `worker` is below
/// [`threads`] and belongs to one thread during the region. Inside another region, and while another
/// thread uses the pool, all tasks run on the calling thread.
pub fn for_each(tasks: usize, f: impl Fn(usize, usize) + Sync) {
    for_each_in_runs(tasks, |thread, threads| thread * tasks / threads, f);
}

/// As [`for_each`], where a thread's own run begins with the task `begin(thread, threads)`, which grows
/// from 0 to `tasks`.
fn for_each_in_runs(
    tasks: usize,
    begin: impl Fn(usize, usize) -> usize,
    f: impl Fn(usize, usize) + Sync,
) {
    let helpers = (threads() - 1).min(tasks.saturating_sub(1));
    if helpers == 0 || INSIDE.get() {
        return (0..tasks).for_each(|task| f(task, 0));
    }
    match POOL.region.try_lock() {
        Ok(mut workers) => run(&mut workers, helpers, &begin, &f),
        Err(TryLockError::Poisoned(poisoned)) => {
            run(&mut poisoned.into_inner(), helpers, &begin, &f)
        }
        Err(TryLockError::WouldBlock) => (0..tasks).for_each(|task| f(task, 0)),
    }
}

/// Splits `values` at `ends` (which grow) and calls `f(task, worker, piece)` for each piece. Threads begin
/// at equal distances, so that regions on the same values, cut in other ways, find them with the same thread.
pub fn for_each_piece(
    values: &mut [f32],
    tasks: usize,
    end: impl Fn(usize) -> usize + Sync,
    f: impl Fn(usize, usize, &mut [f32]) + Sync,
) {
    let len = values.len();
    let base = Shared(values.as_mut_ptr());
    let first_task = |thread, threads| {
        if thread == threads { tasks } else { first_behind(thread * len / threads, tasks, &end) }
    };
    for_each_in_runs(tasks, first_task, |task, worker| {
        let begin = if task == 0 { 0 } else { end(task - 1) };
        let end = end(task);
        assert!(begin <= end && end <= len, "pieces in order, inside the values");
        // SAFETY: piece `task` lies between its predecessor's end and its own, inside `values`, so no
        // two tasks share a number; every task runs once; and `values` is borrowed until all are done.
        f(task, worker, unsafe { core::slice::from_raw_parts_mut(base.at(begin), end - begin) });
    });
}

/// The first task that ends behind `place`.
fn first_behind(place: usize, tasks: usize, end: impl Fn(usize) -> usize) -> usize {
    let mut candidates = 0..tasks;
    while !candidates.is_empty() {
        let middle = candidates.start.midpoint(candidates.end);
        if end(middle) <= place {
            candidates.start = middle + 1;
        } else {
            candidates.end = middle;
        }
    }
    candidates.start
}

/// Cuts several slices of the same length into pieces of `piece` numbers, and calls `f(place, pieces)`
/// with the pieces that stand at the same place.
///
/// # Panics
/// When the slices differ in length.
pub fn for_each_zipped_piece<const K: usize>(
    values: [&mut [f32]; K],
    piece: usize,
    f: impl Fn(Range<usize>, [&mut [f32]; K]) + Sync,
) {
    let len = values.first().map_or(0, |slice| slice.len());
    assert!(values.iter().all(|slice| slice.len() == len), "slices of the same length");
    let bases = values.map(|slice| Shared(slice.as_mut_ptr()));
    for_each(len.div_ceil(piece), |task, _| {
        let place = task * piece..((task + 1) * piece).min(len);
        let pieces = bases.each_ref().map(|base| {
            // SAFETY: pieces of one slice lie inside it and do not overlap, every task runs once, and
            // all slices are borrowed until the last is done.
            unsafe { core::slice::from_raw_parts_mut(base.at(place.start), place.len()) }
        });
        f(place, pieces);
    });
}

/// A pointer that tasks share; each uses a part of its own.
struct Shared(*mut f32);

// SAFETY: it is only an address; those who use it answer for what they do there.
unsafe impl Sync for Shared {}

impl Shared {
    /// # Safety
    /// `offset` must be inside or at the end of the memory.
    unsafe fn at(&self, offset: usize) -> *mut f32 {
        // SAFETY: the caller's.
        unsafe { self.0.add(offset) }
    }
}

/// What workers and the thread that opened the region see.
struct Pool {
    /// The workers' handles, and the right to open a region.
    region: Mutex<Vec<Thread>>,
    /// A [`Signal`]; its change is the signal to begin.
    signal: AtomicU64,
    /// The region's closure.
    work: Mutex<Option<Work>>,
    /// Each thread's tasks.
    runs: [Run; MAX_THREADS],
    /// How many workers have not finished this region yet.
    pending: AtomicUsize,
    /// What the first panicking task said.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// Which workers sleep.
    asleep: [AtomicBool; MAX_THREADS],
}

/// Tasks that one thread takes before it looks at the others', on cache lines of its own (two, since
/// processors fetch pairs).
#[repr(align(128))]
struct Run {
    next: AtomicUsize,
    end: AtomicUsize,
}

impl Run {
    const fn empty() -> Self {
        Self { next: AtomicUsize::new(0), end: AtomicUsize::new(0) }
    }

    fn fill(&self, tasks: Range<usize>) {
        self.next.store(tasks.start, Ordering::Relaxed);
        self.end.store(tasks.end, Ordering::Relaxed);
    }

    fn take(&self) -> Option<usize> {
        let task = self.next.fetch_add(1, Ordering::Relaxed);
        (task < self.end.load(Ordering::Relaxed)).then_some(task)
    }
}

/// Which region is the last, and how many workers take part in it. Both stand in one number: a worker that
/// has nothing to do in one region may be late for the next, and must not meet that one's count with this
/// one's number.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Signal(u64);

impl Signal {
    const HELPER_BITS: u32 = MAX_THREADS.ilog2() + 1;

    /// The next region.
    const fn next(self, helpers: usize) -> Self {
        Self((((self.0 >> Self::HELPER_BITS) + 1) << Self::HELPER_BITS) | helpers as u64)
    }

    const fn helpers(self) -> usize {
        (self.0 & ((1 << Self::HELPER_BITS) - 1)) as usize
    }
}

/// A borrowed closure whose lifetime the region guards.
#[derive(Clone, Copy)]
struct Work {
    f: *const (dyn Fn(usize, usize) + Sync),
    threads: usize,
}

// SAFETY: the closure is `Sync`, and `run` keeps it alive until no worker uses it.
unsafe impl Send for Work {}

static POOL: Pool = Pool {
    region: Mutex::new(Vec::new()),
    signal: AtomicU64::new(0),
    work: Mutex::new(None),
    runs: [const { Run::empty() }; MAX_THREADS],
    pending: AtomicUsize::new(0),
    panic: Mutex::new(None),
    asleep: [const { AtomicBool::new(false) }; MAX_THREADS],
};

/// Opens a region, works in it, and returns when every worker has left it.
fn run(
    workers: &mut Vec<Thread>,
    helpers: usize,
    begin: &dyn Fn(usize, usize) -> usize,
    f: &(dyn Fn(usize, usize) + Sync),
) {
    // Nobody else opens a region meanwhile.
    let last = Signal(POOL.signal.load(Ordering::Acquire));
    while workers.len() < helpers {
        let index = workers.len();
        let worker = thread::Builder::new()
            .name(format!("unrolled-{}", index + 1))
            .spawn(move || work_forever(index, last));
        match worker {
            Ok(handle) => workers.push(handle.thread().clone()),
            // Fewer threads give the same results, only later.
            Err(_) => break,
        }
    }
    let helpers = helpers.min(workers.len());
    // SAFETY: only the lifetime changes. The pointer is used by workers of this region alone, and this
    // function returns only after `pending` has become zero, when the last of them is done with it.
    let f: *const (dyn Fn(usize, usize) + Sync + 'static) = unsafe { core::mem::transmute(f) };
    let work = Work { f, threads: helpers + 1 };
    *lock(&POOL.work) = Some(work);
    for (thread, run) in POOL.runs.iter().enumerate().take(work.threads) {
        run.fill(begin(thread, work.threads)..begin(thread + 1, work.threads));
    }
    POOL.pending.store(helpers, Ordering::Relaxed);
    // Sequentially consistent, like the sleeper's check: either it sees the new signal, or we see it
    // asleep.
    POOL.signal.store(last.next(helpers).0, Ordering::SeqCst);
    for (index, worker) in workers.iter().enumerate().take(helpers) {
        if POOL.asleep[index].load(Ordering::SeqCst) {
            worker.unpark();
        }
    }
    take_tasks(work, 0);
    let mut rounds = 0_u32;
    while POOL.pending.load(Ordering::Acquire) > 0 {
        wait_a_little(&mut rounds);
    }
    if let Some(panic) = lock(&POOL.panic).take() {
        resume_unwind(panic);
    }
}

/// A worker's life: wait for a region, take tasks, say so.
fn work_forever(index: usize, mut seen: Signal) {
    loop {
        seen = wait_for_region(index, seen);
        if index < seen.helpers() {
            let work = *lock(&POOL.work);
            if let Some(work) = work {
                take_tasks(work, index + 1);
            }
            POOL.pending.fetch_sub(1, Ordering::Release);
        }
    }
}

/// Returns the signal of a region behind `seen`.
fn wait_for_region(index: usize, seen: Signal) -> Signal {
    let mut rounds = 0;
    let begin = Instant::now();
    loop {
        let signal = Signal(POOL.signal.load(Ordering::SeqCst));
        if signal != seen {
            return signal;
        }
        if begin.elapsed() < SPIN {
            wait_a_little(&mut rounds);
            continue;
        }
        POOL.asleep[index].store(true, Ordering::SeqCst);
        while Signal(POOL.signal.load(Ordering::SeqCst)) == seen {
            thread::park();
        }
        POOL.asleep[index].store(false, Ordering::SeqCst);
    }
}

/// Waits actively, and lets others run now and then: there may be more threads than cores.
fn wait_a_little(rounds: &mut u32) {
    *rounds = rounds.wrapping_add(1);
    if rounds.is_multiple_of(256) {
        thread::yield_now();
    } else {
        core::hint::spin_loop();
    }
}

/// Takes tasks until none is left, its own run's first. A panic ends the region early and is kept for
/// the opener.
fn take_tasks(work: Work, worker: usize) {
    // SAFETY: the region is open (see `run`), so the closure is alive.
    let f = unsafe { &*work.f };
    let outside = INSIDE.replace(true);
    let runs = &POOL.runs[..work.threads];
    let (before, own) = runs.split_at(worker);
    for run in own.iter().chain(before) {
        while let Some(task) = run.take() {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| f(task, worker))) {
                runs.iter().for_each(|run| run.end.store(0, Ordering::Relaxed));
                lock(&POOL.panic).get_or_insert(panic);
            }
        }
    }
    INSIDE.set(outside);
}

/// A lock that a panic elsewhere does not close: all it guards is written whole.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once_on_any_number_of_threads() {
        for threads in [1, 2, 7] {
            for tasks in [0, 1, 2, 5, 1000] {
                let counts: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
                with_threads(threads, || {
                    for_each(tasks, |task, worker| {
                        assert!(worker < threads);
                        counts[task].fetch_add(1, Ordering::Relaxed);
                    });
                });
                assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn many_small_regions_do_not_lose_work() {
        with_threads(3, || {
            let sum = AtomicUsize::new(0);
            for _ in 0..20_000 {
                for_each(4, |task, _| {
                    sum.fetch_add(task, Ordering::Relaxed);
                });
            }
            assert_eq!(sum.into_inner(), 20_000 * 6);
        });
    }

    /// Workers that have nothing to do in a small region may be late for the next, larger one.
    #[test]
    fn regions_of_changing_sizes_do_not_lose_workers() {
        with_threads(7, || {
            for region in 0..3_000 {
                let tasks = 2 + region % 6;
                let counts: [AtomicUsize; 7] = [const { AtomicUsize::new(0) }; 7];
                for_each(tasks, |task, _| {
                    counts[task].fetch_add(1, Ordering::Relaxed);
                });
                assert!(counts[..tasks].iter().all(|count| count.load(Ordering::Relaxed) == 1));
            }
        });
    }

    #[test]
    fn pieces_are_disjoint_and_complete() {
        let mut values = vec![0.0; 103];
        with_threads(7, || {
            for_each_piece(
                &mut values,
                11,
                |task| (task * 10 + 10).min(103),
                |task, _, piece| {
                    piece.fill(task as f32 + 1.0);
                },
            );
        });
        assert!(values.iter().enumerate().all(|(i, v)| *v == (i / 10) as f32 + 1.0));
    }

    #[test]
    fn zipped_pieces_stand_at_the_same_place() {
        let (mut a, mut b) = (vec![0.0; 103], vec![0.0; 103]);
        with_threads(7, || {
            for_each_zipped_piece([&mut a, &mut b], 10, |place, [a, b]| {
                for (i, (a, b)) in place.zip(a.iter_mut().zip(b)) {
                    (*a, *b) = (i as f32, -(i as f32));
                }
            });
        });
        let places = a.iter().zip(&b).enumerate();
        assert!(places.into_iter().all(|(i, (a, b))| *a == i as f32 && *b == -(i as f32)));
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_lives_on() {
        let caught = catch_unwind(|| {
            with_threads(2, || for_each(10, |task, _| assert!(task != 5, "task five")));
        });
        assert!(caught.is_err());
        let ran = AtomicUsize::new(0);
        with_threads(2, || {
            for_each(10, |_, _| {
                ran.fetch_add(1, Ordering::Relaxed);
            });
        });
        assert_eq!(ran.into_inner(), 10);
    }

    #[test]
    fn regions_inside_regions_run_where_they_stand() {
        let ran = AtomicUsize::new(0);
        with_threads(3, || {
            for_each(4, |_, _| {
                for_each(5, |_, worker| {
                    assert_eq!(worker, 0);
                    ran.fetch_add(1, Ordering::Relaxed);
                });
            });
        });
        assert_eq!(ran.into_inner(), 20);
    }
}
