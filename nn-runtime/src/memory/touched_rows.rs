//! [`TouchedRows`]: which elements of a weight gradient can be other than zero.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{iter, mem};

/// Which elements of a weight gradient the last step has touched; all others are zero. Of an `Embedding` these are the rows of
/// the tokens of the batch. A step writes them, and clears those of the step before, so that its time does not depend on the
/// number of all rows.
///
/// It belongs to one gradient, in which elements that are zero stay zero from one step to the next.
#[derive(Debug)]
pub(crate) struct TouchedRows {
    /// One for each gradient task.
    parts: Vec<PartRows>,
    ranges: Vec<Range<usize>>,
    /// Whether no step has written to the gradient, which is zero.
    is_new: bool,
}

impl TouchedRows {
    /// Those of a gradient of `len` zeros. Before the first step they are all.
    pub(crate) fn new(len: usize) -> Self {
        Self { parts: Vec::new(), ranges: iter::once(0..len).collect(), is_new: true }
    }

    /// The ranges of elements that can be other than zero, in ascending order.
    pub(crate) fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// Begins a step with `tasks` gradient tasks.
    pub(crate) fn begin(&mut self, tasks: usize) {
        let all = !mem::take(&mut self.is_new);
        self.parts.resize_with(tasks, || PartRows::new(all));
        for part in &mut self.parts {
            let rows = part.rows.get_mut().unwrap_or_else(PoisonError::into_inner);
            mem::swap(&mut rows.before, &mut rows.now);
            rows.now.set_all();
        }
    }

    /// The rows of the gradient of one task.
    pub(crate) fn part(&self, task: usize) -> &PartRows {
        &self.parts[task]
    }

    /// Ends a step, whose tasks end at these elements.
    pub(crate) fn end(&mut self, end: &dyn Fn(usize) -> usize) {
        self.ranges.clear();
        let mut begin = 0;
        for (task, part) in self.parts.iter_mut().enumerate() {
            let rows = part.rows.get_mut().unwrap_or_else(PoisonError::into_inner);
            rows.now.for_each_range(end(task) - begin, &mut |range| {
                let range = begin + range.start..begin + range.end;
                match self.ranges.last_mut() {
                    Some(last) if last.end == range.start => last.end = range.end,
                    _ => self.ranges.push(range),
                }
            });
            begin = end(task);
        }
    }
}

/// The rows of the gradient of one task. The lock is for the compiler: a task runs on one thread.
#[derive(Debug)]
pub(crate) struct PartRows {
    rows: Mutex<TaskRows>,
}

impl PartRows {
    /// Those of a part of which all or no elements can be other than zero.
    fn new(all: bool) -> Self {
        let [before, now] = [Ranges::new(all), Ranges::new(all)];
        Self { rows: Mutex::new(TaskRows { before, now }) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, TaskRows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which elements of a part of a gradient can be other than zero.
#[derive(Debug)]
pub(crate) struct TaskRows {
    /// After the step before, and after this one so far.
    before: Ranges,
    now: Ranges,
}

impl TaskRows {
    /// Makes `part` zero, of which only [`touch`](Self::touch)ed ranges are written afterwards.
    pub(crate) fn clear(&mut self, part: &mut [f32]) {
        self.before.for_each_range(part.len(), &mut |range| part[range].fill(0.0));
        self.now = Ranges { all: false, list: mem::take(&mut self.now.list) };
    }

    /// A range of the part is written.
    pub(crate) fn touch(&mut self, range: Range<usize>) {
        self.now.list.push(range);
    }

    /// The whole part is written.
    pub(crate) fn touch_all(&mut self) {
        self.now.set_all();
    }
}

/// Ranges of a part of a gradient.
#[derive(Debug)]
struct Ranges {
    /// Whether they are the whole part.
    all: bool,
    /// In the order in which they were touched, and as often.
    list: Vec<Range<usize>>,
}

impl Ranges {
    const fn new(all: bool) -> Self {
        Self { all, list: Vec::new() }
    }

    fn set_all(&mut self) {
        self.all = true;
        self.list.clear();
    }

    /// Calls `f` with the ranges of a part of `len` elements, in ascending order.
    fn for_each_range(&mut self, len: usize, f: &mut dyn FnMut(Range<usize>)) {
        if self.all {
            return f(0..len);
        }
        self.list.sort_unstable_by_key(|range| range.start);
        self.list.dedup();
        self.list.iter().cloned().for_each(f);
    }
}

/// The parts of `ranges`, which are in ascending order, inside of `window`.
pub(crate) fn ranges_in(
    ranges: &[Range<usize>],
    window: Range<usize>,
) -> impl Iterator<Item = Range<usize>> + '_ {
    let first = ranges.partition_point(|range| range.end <= window.start);
    let inside = ranges[first..].iter().take_while(move |range| range.start < window.end);
    inside.map(move |range| range.start.max(window.start)..range.end.min(window.end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::slice;

    /// A gradient of two parts of 6 elements, of which the first one has rows of two elements.
    fn step(touched: &mut TouchedRows, gradient: &mut [f32], rows: &[usize]) {
        touched.begin(2);
        let (first, second) = gradient.split_at_mut(6);
        let mut part = touched.part(0).lock();
        part.clear(first);
        assert_eq!(first, [0.0; 6]);
        for row in rows {
            first[2 * row] += 1.0;
            part.touch(2 * row..2 * row + 2);
        }
        drop(part);
        second.fill(2.0);
        touched.end(&|task| [6, 12][task]);
    }

    #[test]
    fn ranges_are_those_of_the_last_step() {
        let (mut touched, mut gradient) = (TouchedRows::new(12), [0.0; 12]);
        assert_eq!(touched.ranges(), slice::from_ref(&(0..12)));
        step(&mut touched, &mut gradient, &[1, 0, 1]);
        assert_eq!(touched.ranges(), [0..4, 6..12]);
        step(&mut touched, &mut gradient, &[2]);
        assert_eq!(touched.ranges(), slice::from_ref(&(4..12)));
        assert_eq!(gradient[..6], [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        // Only what was touched is cleared.
        gradient[1] = 5.0;
        touched.begin(2);
        touched.part(0).lock().clear(&mut gradient[..6]);
        assert_eq!(gradient[..6], [0.0, 5.0, 0.0, 0.0, 0.0, 0.0]);
        // A layer that uses the weight of the other one.
        touched.part(0).lock().touch_all();
        touched.end(&|task| [6, 12][task]);
        assert_eq!(touched.ranges(), slice::from_ref(&(0..12)));
        step(&mut touched, &mut gradient, &[]);
        assert_eq!(touched.ranges(), slice::from_ref(&(6..12)));
    }

    #[test]
    fn windows_cut_ranges() {
        let ranges = [0..2, 4..8, 9..12];
        let inside = |window| ranges_in(&ranges, window).collect::<Vec<_>>();
        assert_eq!(inside(0..12), ranges);
        assert_eq!(inside(1..10), [1..2, 4..8, 9..10]);
        assert_eq!(inside(5..6), slice::from_ref(&(5..6)));
        assert!(inside(2..4).is_empty() && inside(12..20).is_empty());
    }
}
