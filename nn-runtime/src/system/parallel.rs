//! A pool of threads that wakes fast enough for parallel regions of microseconds.
//!
//! A *region* is one call of [`for_each`]: a number of tasks that run on several threads. Number and content of the
//! tasks never depend on the number of threads, and so neither do the bits of the results. A thread first takes the
//! tasks of a range of its own, the same ones in all regions of as many tasks, so that their data stay in its cache;
//! then those that other threads have not taken yet.

use super::kernel_memory::KernelMemory;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, TryLockError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// The largest number of threads: the length of the pool's static arrays. WebAssembly without atomics has only one.
pub const MAX_THREADS: usize = if HAS_THREADS { 64 } else { 1 };

/// Whether programs of this target can start threads.
pub(crate) const HAS_THREADS: bool =
    cfg!(not(all(target_family = "wasm", not(target_feature = "atomics"))));

/// The time on one thread of work that is worth waking sleeping threads: waking one takes up to 50 µs.
pub(crate) const ENOUGH: Duration = Duration::from_micros(100);

/// The same where threads poll for the next region already.
const ENOUGH_AWAKE: Duration = Duration::from_micros(25);

/// How long a worker polls for the next region before it sleeps: longer than the pauses between the regions of one
/// training step, too short to heat an idle machine.
const SPIN: Duration = Duration::from_micros(50);

thread_local! {
    static THREADS: Cell<Option<usize>> = const { Cell::new(None) };
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    static WHATEVER_THE_WORK: Cell<bool> = const { Cell::new(false) };
    static SPLITS_SAMPLES: Cell<bool> = const { Cell::new(false) };
    /// Memory of [`for_each_piece`], kept so that a repeated call does not allocate.
    static ENDS: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// The number of threads that regions of this thread use: that of [`with_threads`], else of the environment variable
/// `UNROLLED_THREADS`, else as many as the machine offers this process.
#[must_use]
pub fn threads() -> usize {
    static DEFAULT: OnceLock<usize> = OnceLock::new();
    THREADS.get().unwrap_or_else(|| *DEFAULT.get_or_init(default_threads))
}

#[cold]
fn default_threads() -> usize {
    let offered = thread::available_parallelism().map_or(1, usize::from).clamp(1, MAX_THREADS);
    let Some(value) = std::env::var_os("UNROLLED_THREADS") else { return offered };
    let parsed = value.to_str().and_then(|value| value.parse().ok());
    parsed.filter(|count| (1..=MAX_THREADS).contains(count)).unwrap_or_else(|| {
        eprintln!(
            "unrolled: UNROLLED_THREADS is {value:?}, expected a number from 1 to {MAX_THREADS}: using {offered}"
        );
        offered
    })
}

/// Runs `f` with `count` threads (1 to [`MAX_THREADS`]) for the regions of this thread.
pub fn with_threads<R>(count: usize, f: impl FnOnce() -> R) -> R {
    let _restore = ThreadCount::set(count);
    f()
}

/// Runs `f`, whose regions take about `time` on one thread: on the calling thread alone if more threads are not worth it.
pub(crate) fn for_work<R>(time: Duration, f: impl FnOnce() -> R) -> R {
    let _restore = if is_worth_threads(time) { None } else { Some(ThreadCount::set(1)) };
    f()
}

fn is_worth_threads(time: Duration) -> bool {
    // One worker for all: they wake up and fall asleep together.
    let awake = POOL.awake[0].load(Ordering::Relaxed);
    let enough = if awake { ENOUGH_AWAKE } else { ENOUGH };
    time >= enough || WHATEVER_THE_WORK.get()
}

/// Restores the number of threads that was set before.
struct ThreadCount {
    before: Option<usize>,
}

impl ThreadCount {
    fn set(count: usize) -> Self {
        Self { before: THREADS.replace(Some(count.clamp(1, MAX_THREADS))) }
    }
}

impl Drop for ThreadCount {
    fn drop(&mut self) {
        THREADS.set(self.before);
    }
}

/// Runs `f` with all threads in regions of any size: for tests of results that must not depend on the number of threads.
#[doc(hidden)]
pub fn whatever_the_work<R>(f: impl FnOnce() -> R) -> R {
    let outside = WHATEVER_THE_WORK.replace(true);
    let result = f();
    WHATEVER_THE_WORK.set(outside);
    result
}

/// Runs `f`, whose kernels may divide the work on a single sample among threads. Otherwise they run on the calling thread,
/// since batches are divided by samples.
pub(crate) fn split_samples<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            SPLITS_SAMPLES.set(self.0);
        }
    }
    let _restore = Restore(SPLITS_SAMPLES.replace(true));
    f()
}

/// Whether a kernel should divide the work on a single sample, which takes about `time` on one thread.
pub(crate) fn splits_sample(time: Duration) -> bool {
    SPLITS_SAMPLES.get() && !INSIDE.get() && threads() > 1 && is_worth_threads(time)
}

/// Calls `f(task, worker)` for each task below `tasks`, on several threads. `worker` is below [`threads`] and belongs
/// to one thread during the region. Inside another region, and while another thread uses the pool, all tasks run on the
/// calling thread.
///
/// # Panics
/// When a task panics: with the payload of the first one, after all threads have left the region.
pub fn for_each(tasks: usize, f: impl Fn(usize, usize) + Sync) {
    for_each_in_ranges(tasks, &|thread, threads| thread * tasks / threads, &f);
}

/// As [`for_each`], where a thread's own range begins with the task `begin(thread, threads)`, which grows from 0 to
/// `tasks`. With trait objects, as everything here that does not depend on a type: generic functions are compiled again in
/// each program that uses them.
fn for_each_in_ranges(
    tasks: usize,
    begin: &dyn Fn(usize, usize) -> usize,
    f: &(dyn Fn(usize, usize) + Sync),
) {
    // The calling thread takes part. More threads than tasks would wake up for nothing.
    let helpers = (threads() - 1).min(tasks.saturating_sub(1));
    // Inside of a region all workers are busy with its tasks.
    if helpers == 0 || INSIDE.get() {
        return (0..tasks).for_each(|task| f(task, 0));
    }
    match POOL.workers.try_lock() {
        Ok(mut workers) => run_region(&mut workers, helpers, begin, f),
        // A task panicked in an earlier region. All threads have left it, and nothing in the pool is half done.
        Err(TryLockError::Poisoned(poisoned)) => {
            run_region(&mut poisoned.into_inner(), helpers, begin, f)
        }
        Err(TryLockError::WouldBlock) => (0..tasks).for_each(|task| f(task, 0)),
    }
}

/// Splits `values` at `end(task)` for each task below `tasks`, and calls `f(task, worker, piece)` for each piece.
/// Threads begin at equal distances, so that regions over the same values, split in other ways, find them in the same
/// thread's cache.
///
/// # Panics
/// When the ends are not in order, or beyond the end of `values`.
pub fn for_each_piece(
    values: &mut [f32],
    tasks: usize,
    end: impl Fn(usize) -> usize,
    f: impl Fn(usize, usize, &mut [f32]) + Sync,
) {
    for_each_piece_dyn(values, tasks, &end, &f);
}

fn for_each_piece_dyn(
    values: &mut [f32],
    tasks: usize,
    end: &dyn Fn(usize) -> usize,
    f: &(dyn Fn(usize, usize, &mut [f32]) + Sync),
) {
    // `end` is called once per task: it is foreign code, and two results that differ could make two pieces overlap.
    // Taken out while in use, so that a nested call finds an empty vector and not a borrowed one.
    let mut ends = ENDS.take();
    ends.clear();
    ends.extend((0..tasks).map(end));
    let len = values.len();
    assert!(
        ends.is_sorted() && ends.last().is_none_or(|end| *end <= len),
        "pieces in order, inside the values"
    );
    let base = SharedPointer(values.as_mut_ptr());
    let first_task = |thread, threads| {
        if thread == threads {
            tasks
        } else {
            ends.partition_point(|end| *end <= thread * len / threads)
        }
    };
    for_each_in_ranges(tasks, &first_task, &|task, worker| {
        let begin = if task == 0 { 0 } else { ends[task - 1] };
        let len = ends[task] - begin;
        // SAFETY: the ends are sorted and inside `values`, so pieces are inside too and no two overlap;
        // `TaskRange::take` yields every task once; and `values` is borrowed until `for_each_in_ranges` returns, after
        // the last task.
        f(task, worker, unsafe { std::slice::from_raw_parts_mut(base.at(begin), len) });
    });
    ENDS.set(ends);
}

/// Splits several slices of the same length into pieces of `piece` elements, and calls `f(range, pieces)` with the
/// pieces of the same range.
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
    let bases = values.map(|slice| SharedPointer(slice.as_mut_ptr()));
    for_each(len.div_ceil(piece), |task, _| {
        let range = task * piece..((task + 1) * piece).min(len);
        let pieces = bases.each_ref().map(|base| {
            // SAFETY: every slice has `len` elements, so that the pieces of one slice are inside of it and do not
            // overlap; `TaskRange::take` yields every task once; all slices are borrowed until `for_each` returns,
            // after the last task.
            unsafe { std::slice::from_raw_parts_mut(base.at(range.start), range.len()) }
        });
        f(range, pieces);
    });
}

/// A pointer that tasks share; each accesses a part of its own.
struct SharedPointer(*mut f32);

// SAFETY: sharing an address is no access; `at` states what an access needs.
unsafe impl Sync for SharedPointer {}

impl SharedPointer {
    /// # Safety
    /// `offset` must be inside the allocation or at its end.
    unsafe fn at(&self, offset: usize) -> *mut f32 {
        // SAFETY: inside the same allocation, by the contract of this function.
        unsafe { self.0.add(offset) }
    }
}

/// What workers and the thread that opened the region share.
struct Pool {
    /// The workers, and the right to open a region.
    workers: Mutex<Workers>,
    /// A [`Signal`]; its change begins a region.
    signal: AtomicU64,
    /// The region's closure.
    work: Mutex<Option<Work>>,
    /// Each thread's own tasks.
    ranges: [TaskRange; MAX_THREADS],
    /// The number of workers that have finished this region.
    finished: AtomicUsize,
    /// The payload of the first task that panicked.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// Which workers do not sleep.
    awake: [AtomicBool; MAX_THREADS],
}

/// The handles of the workers, and the process that started them.
struct Workers {
    process: u32,
    threads: Vec<Thread>,
}

/// Tasks that one thread takes before it looks at the others', on cache lines of its own (two, since processors fetch
/// pairs).
#[repr(align(128))]
struct TaskRange {
    next: AtomicUsize,
    end: AtomicUsize,
}

impl TaskRange {
    const fn empty() -> Self {
        Self { next: AtomicUsize::new(0), end: AtomicUsize::new(0) }
    }

    fn fill(&self, tasks: Range<usize>) {
        self.next.store(tasks.start, Ordering::Relaxed);
        self.end.store(tasks.end, Ordering::Relaxed);
    }

    fn take(&self) -> Option<usize> {
        // Relaxed is enough: `fetch_add` yields each index once, and what tasks read and write is ordered by `signal`,
        // which opens the region, and `finished`, which ends it. `next` may pass `end` by one per thread; `fill` resets
        // it.
        let task = self.next.fetch_add(1, Ordering::Relaxed);
        (task < self.end.load(Ordering::Relaxed)).then_some(task)
    }
}

/// The index of the last region, the number of workers that may enter it, the number of those that have, and whether it is
/// closed. In one value: a worker may be late, and must not combine the index of one region with the counts of another.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Signal(u64);

impl Signal {
    /// Bits of a count of workers.
    const COUNT: u32 = MAX_THREADS.ilog2() + 1;
    const MASK: u64 = (1 << Self::COUNT) - 1;
    const CLOSED: u64 = 1 << (2 * Self::COUNT);
    const INDEX: u32 = 2 * Self::COUNT + 1;

    /// The next region.
    const fn next(self, helpers: usize) -> Self {
        Self(((self.index() + 1) << Self::INDEX) | helpers as u64)
    }

    const fn index(self) -> u64 {
        self.0 >> Self::INDEX
    }

    const fn is_closed(self) -> bool {
        self.0 & Self::CLOSED != 0
    }

    const fn helpers(self) -> usize {
        (self.0 & Self::MASK) as usize
    }

    const fn entered(self) -> usize {
        (self.0 >> Self::COUNT & Self::MASK) as usize
    }

    /// The same with one more worker inside.
    const fn with_one_more(self) -> Self {
        Self(self.0 + (1 << Self::COUNT))
    }
}

/// A borrowed closure; the region keeps it alive.
#[derive(Clone, Copy)]
struct Work {
    f: *const (dyn Fn(usize, usize) + Sync),
    threads: usize,
}

// SAFETY: the closure is `Sync`, and `run_region` returns only when no worker uses it any more.
unsafe impl Send for Work {}

static POOL: Pool = Pool {
    workers: Mutex::new(Workers { process: 0, threads: Vec::new() }),
    signal: AtomicU64::new(0),
    work: Mutex::new(None),
    ranges: [const { TaskRange::empty() }; MAX_THREADS],
    finished: AtomicUsize::new(0),
    panic: Mutex::new(None),
    awake: [const { AtomicBool::new(false) }; MAX_THREADS],
};

impl Workers {
    /// Starts workers until there are `count`, if the system allows, and returns how many of these there are.
    fn start(&mut self, count: usize, seen: Signal) -> usize {
        // After `fork` the child has the handles, but not the threads.
        if self.process != std::process::id() {
            self.process = std::process::id();
            std::mem::forget(std::mem::take(&mut self.threads));
            POOL.awake.iter().for_each(|awake| awake.store(false, Ordering::Relaxed));
        }
        // Workers are started once and never end: starting a thread takes longer than a region.
        while self.threads.len() < count {
            let index = self.threads.len();
            let worker = thread::Builder::new()
                .name(format!("unrolled-{}", index + 1))
                .spawn(move || work_forever(index, seen));
            match worker {
                Ok(handle) => self.threads.push(handle.thread().clone()),
                // Fewer threads compute the same results, only later.
                Err(_) => break,
            }
        }
        count.min(self.threads.len())
    }
}

/// Opens a region, takes part in it, closes it, and returns when every worker that has entered has left it.
fn run_region(
    workers: &mut Workers,
    helpers: usize,
    begin: &dyn Fn(usize, usize) -> usize,
    f: &(dyn Fn(usize, usize) + Sync),
) {
    // No other thread opens a region meanwhile: `workers` is locked.
    let last = Signal(POOL.signal.load(Ordering::Acquire));
    let helpers = workers.start(helpers, last);
    // SAFETY: only the lifetime changes. The pointer is used by workers that have entered this region, and this function
    // returns only after the region is closed and each of them has finished.
    let f: *const (dyn Fn(usize, usize) + Sync + 'static) = unsafe { std::mem::transmute(f) };
    let work = Work { f, threads: helpers + 1 };
    *lock(&POOL.work) = Some(work);
    for (thread, range) in POOL.ranges.iter().enumerate().take(work.threads) {
        range.fill(begin(thread, work.threads)..begin(thread + 1, work.threads));
    }
    POOL.finished.store(0, Ordering::Relaxed);
    // Sequentially consistent, like the check of a worker before it sleeps: either the worker sees the new signal, or
    // this thread sees it asleep.
    POOL.signal.store(last.next(helpers).0, Ordering::SeqCst);
    for (index, worker) in workers.threads.iter().enumerate().take(helpers) {
        if !POOL.awake[index].load(Ordering::SeqCst) {
            worker.unpark();
        }
    }
    // The thread that opens the region is worker 0.
    take_tasks(work, 0);
    // All tasks are taken. A worker that is still waking up is not waited for: it may not enter any more.
    let closed = Signal(POOL.signal.fetch_or(Signal::CLOSED, Ordering::AcqRel));
    let mut rounds = 0_u32;
    // Acquire, against the Release of each worker: what tasks have written is visible after this. The thread polls,
    // since regions take microseconds and the others end at about the same time.
    while POOL.finished.load(Ordering::Acquire) < closed.entered() {
        wait_briefly(&mut rounds);
    }
    let panic = lock(&POOL.panic).take();
    if let Some(panic) = panic {
        resume_unwind(panic);
    }
}

/// The loop of a worker: waits for a region, takes tasks, reports that it has finished.
fn work_forever(index: usize, mut seen: Signal) {
    // Kernels read it inside of tasks; reading it for the first time allocates.
    let _ = threads();
    // Allocated here: otherwise it would be whenever the worker first takes a task that needs it.
    drop(KernelMemory::take());
    loop {
        seen = wait_for_region(index, seen);
        if index < seen.helpers() && enter(seen) {
            let work = *lock(&POOL.work);
            if let Some(work) = work {
                take_tasks(work, index + 1);
            }
            POOL.finished.fetch_add(1, Ordering::Release);
        }
    }
}

/// Enters the region of `seen`, unless it is closed.
fn enter(seen: Signal) -> bool {
    // Acquire, against the store that opens the region: its closure and ranges are visible after this.
    let more = |now| {
        let now = Signal(now);
        let is_open = now.index() == seen.index() && !now.is_closed();
        is_open.then(|| now.with_one_more().0)
    };
    POOL.signal.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
}

/// Returns the signal of a region after `seen`.
fn wait_for_region(index: usize, seen: Signal) -> Signal {
    let mut rounds = 0;
    // A worker has just finished a region, and the next one of the same step follows soon.
    let begin = Instant::now();
    POOL.awake[index].store(true, Ordering::SeqCst);
    loop {
        let signal = Signal(POOL.signal.load(Ordering::SeqCst));
        if signal.index() != seen.index() {
            return signal;
        }
        if begin.elapsed() < SPIN {
            wait_briefly(&mut rounds);
            continue;
        }
        POOL.awake[index].store(false, Ordering::SeqCst);
        // `park` may return without a reason, and an `unpark` before it is not lost.
        while Signal(POOL.signal.load(Ordering::SeqCst)).index() == seen.index() {
            thread::park();
        }
        POOL.awake[index].store(true, Ordering::SeqCst);
    }
}

/// Polls, and yields now and then: there may be more threads than cores.
fn wait_briefly(rounds: &mut u32) {
    *rounds = rounds.wrapping_add(1);
    if rounds.is_multiple_of(256) {
        thread::yield_now();
    } else {
        std::hint::spin_loop();
    }
}

/// Takes tasks until none is left, those of its own range first. A panic ends the region early and is stored for the
/// thread that opened it. Does not unwind, whatever a task does: a worker that left early would be missed.
fn take_tasks(work: Work, worker: usize) {
    // SAFETY: the closure is alive, because `run_region` returns only when all workers that have entered are counted in
    // `finished`, and a worker adds itself after this function.
    let f = unsafe { &*work.f };
    let outside = INSIDE.replace(true);
    // Its own range first, then those of the next threads in turn: idle threads do not all begin with the same range.
    let ranges = &POOL.ranges[..work.threads];
    let (before, own) = ranges.split_at(worker);
    for range in own.iter().chain(before) {
        while let Some(task) = range.take() {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| f(task, worker))) {
                // No further task begins; those that run are completed.
                ranges.iter().for_each(|range| range.end.store(0, Ordering::Relaxed));
                let mut first = lock(&POOL.panic);
                if first.is_none() {
                    *first = Some(panic);
                } else {
                    // Dropping a payload runs foreign code, which could panic here.
                    std::mem::forget(panic);
                }
            }
        }
    }
    INSIDE.set(outside);
}

/// A lock that a panic elsewhere does not close: everything it guards is written as a whole.
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
    fn zipped_pieces_are_of_the_same_range() {
        let (mut a, mut b) = (vec![0.0; 103], vec![0.0; 103]);
        with_threads(7, || {
            for_each_zipped_piece([&mut a, &mut b], 10, |range, [a, b]| {
                for (i, (a, b)) in range.zip(a.iter_mut().zip(b)) {
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

    /// Ends that differ from call to call would make pieces overlap.
    #[test]
    fn each_end_is_asked_for_once() {
        let asked = Cell::new(0);
        let mut values = vec![0.0; 64];
        let end = |task: usize| {
            asked.set(asked.get() + 1);
            if asked.get() <= 4 { (task + 1) * 16 } else { 64 }
        };
        for_each_piece(&mut values, 4, end, |_, _, piece| assert_eq!(piece.len(), 16));
        assert_eq!(asked.get(), 4);
    }

    #[test]
    #[should_panic(expected = "pieces in order")]
    fn ends_that_fall_are_refused() {
        for_each_piece(&mut [0.0; 8], 2, |task| 8 - task, |_, _, _| {});
    }

    #[test]
    #[should_panic(expected = "pieces in order")]
    fn ends_beyond_the_values_are_refused() {
        for_each_piece(&mut [0.0; 8], 2, |task| 8 + task, |_, _, _| {});
    }

    /// A payload that panics when it is dropped must not end a worker.
    #[test]
    fn panics_of_panic_payloads_stay_inside() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                if !thread::panicking() {
                    panic!("dropped");
                }
            }
        }
        // Two tasks panic at once in some of these regions, unless other tests keep the pool busy.
        for _ in 0..50 {
            let caught = catch_unwind(|| {
                with_threads(2, || for_each(64, |_, _| std::panic::panic_any(Bomb)));
            });
            std::mem::forget(caught.expect_err("a task panics"));
        }
        let ran = AtomicUsize::new(0);
        with_threads(2, || {
            for_each(10, |_, _| {
                ran.fetch_add(1, Ordering::Relaxed);
            });
        });
        assert_eq!(ran.into_inner(), 10);
    }

    #[test]
    fn regions_inside_regions_run_on_the_calling_thread() {
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
