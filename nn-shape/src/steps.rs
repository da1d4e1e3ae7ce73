//! The number of valid steps of a sequence, as it passes through a network.

/// How layers change the number of steps: one kernel that moves over them, or several in sequence.
///
/// `valid` steps become `(valid + more - less)/stride + 1`, rounded down, from `least` on, and none below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepMap {
    stride: usize,
    more: usize,
    less: usize,
    least: usize,
}

impl StepMap {
    /// All steps stay.
    pub const SAME: Self = Self::kernel(1, 1, 0);

    /// A kernel that spans `extent` steps, from its first to its last, and moves by `stride` steps over a
    /// sequence to which `padding` steps are added, before and after it together. Where it does not fit, and
    /// of an empty sequence, there are no output steps.
    #[must_use]
    pub const fn kernel(extent: usize, stride: usize, padding: usize) -> Self {
        // Sizes of 0 count as 1 here, since the rules report them.
        let [extent, stride] = [at_least_1(extent), at_least_1(stride)];
        let [more, less] = without_both(padding, extent);
        Self { stride, more, less, least: at_least_1(less.saturating_sub(more)) }
    }

    /// The number of output steps for `valid` input steps.
    #[must_use]
    pub const fn apply(&self, valid: usize) -> usize {
        if valid < self.least { 0 } else { (valid + self.more - self.less) / self.stride + 1 }
    }

    /// This map, and then `next`.
    #[must_use]
    pub const fn then(&self, next: &Self) -> Self {
        // `floor((floor(a / s) + c) / t) = floor((a + s * c) / (s * t))`; here `c = 1 + next.more - next.less`.
        let more = self.more.saturating_add(self.stride.saturating_mul(next.more + 1));
        let less = self.less.saturating_add(self.stride.saturating_mul(next.less));
        // As many steps as `next` needs at least.
        let enough = (next.least - 1).saturating_mul(self.stride).saturating_add(self.less);
        let least = larger(self.least, enough.saturating_sub(self.more));
        let [more, less] = without_both(more, less);
        Self { stride: self.stride.saturating_mul(next.stride), more, less, least }
    }

    const fn same(&self, other: &Self) -> bool {
        self.stride == other.stride
            && self.more == other.more
            && self.less == other.less
            && self.least == other.least
    }
}

const fn at_least_1(size: usize) -> usize {
    larger(size, 1)
}

const fn larger(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// Both minus the smaller of them, so that one becomes 0.
const fn without_both(a: usize, b: usize) -> [usize; 2] {
    // Only the difference counts: maps that are equal then have equal fields.
    [a.saturating_sub(b), b.saturating_sub(a)]
}

/// The origin of a value's first axis, if that counts the steps of a network's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepsOf {
    /// The index of the input.
    pub input: usize,
    /// The map from the input's steps to the value's.
    pub map: StepMap,
}

impl StepsOf {
    /// The steps of input `input` itself.
    #[must_use]
    pub const fn input(input: usize) -> Self {
        Self { input, map: StepMap::SAME }
    }

    /// The steps of a layer's output, from those of its input.
    #[must_use]
    pub const fn through(steps: Option<Self>, map: StepMap) -> Option<Self> {
        match steps {
            Some(Self { input, map: before }) => Some(Self { input, map: before.then(&map) }),
            None => None,
        }
    }

    /// The steps of the output of a layer that joins several values step by step: the same as of all inputs
    /// that have steps.
    ///
    /// # Panics
    /// When an input that is `ragged` has other steps than another one: which of them would be valid?
    #[must_use]
    #[track_caller]
    pub const fn joined(values: &[Option<Self>], ragged: &[bool]) -> Option<Self> {
        let mut first: Option<Self> = None;
        let mut i = 0;
        while i < values.len() {
            match (first, values[i]) {
                (None, value) => first = value,
                (Some(a), Some(b)) => {
                    // Full sequences are as long as their shapes, which the rule of the join compares.
                    let known = a.input == b.input && a.map.same(&b.map);
                    let shorter = ragged[a.input] || ragged[b.input];
                    assert!(
                        known || !shorter,
                        "branches are joined step by step, but their sequences may differ in length"
                    );
                }
                (Some(_), None) => {}
            }
            i += 1;
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAME: StepMap = StepMap::kernel(3, 1, 2);
    const POOL: StepMap = StepMap::kernel(2, 2, 0);

    #[test]
    fn kernels_shorten_sequences() {
        assert_eq!(SAME, StepMap::SAME);
        assert_eq!([0, 1, 7].map(|valid| SAME.apply(valid)), [0, 1, 7]);
        assert_eq!([0, 1, 7].map(|valid| POOL.apply(valid)), [0, 0, 3]);
        let wide = StepMap::kernel(2, 1, 6);
        assert_eq!([0, 1, 2].map(|valid| wide.apply(valid)), [0, 6, 7]);
    }

    #[test]
    fn two_maps_are_one() {
        for [e1, s1, p1] in [[1, 1, 0], [3, 1, 0], [3, 2, 1], [5, 3, 0], [2, 1, 6], [4, 2, 7]] {
            for [e2, s2, p2] in [[1, 1, 0], [2, 2, 0], [5, 1, 4], [3, 2, 6], [4, 3, 2]] {
                let (first, second) = (StepMap::kernel(e1, s1, p1), StepMap::kernel(e2, s2, p2));
                for third in [SAME, POOL, StepMap::kernel(2, 1, 5)] {
                    let all = first.then(&second).then(&third);
                    for valid in 0..40 {
                        let each = third.apply(second.apply(first.apply(valid)));
                        assert_eq!(all.apply(valid), each, "{first:?} {second:?} {valid}");
                    }
                }
            }
        }
    }

    #[test]
    fn joined_values_have_the_same_steps() {
        let a = Some(StepsOf::input(0));
        assert_eq!(StepsOf::joined(&[None, a, StepsOf::through(a, SAME)], &[true]), a);
        let b = Some(StepsOf::input(1));
        assert_eq!(StepsOf::joined(&[a, b], &[false, false]), a);
        assert_eq!(StepsOf::joined(&[None, None], &[]), None);
    }

    #[test]
    #[should_panic(expected = "may differ in length")]
    fn joined_values_may_not_differ_in_length() {
        let a = Some(StepsOf::input(0));
        let _ = StepsOf::joined(&[a, StepsOf::through(a, POOL)], &[true]);
    }
}
