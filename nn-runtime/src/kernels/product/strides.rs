//! [`Strides3`]: three nested loops over two matrices.

/// Three nested loops over two matrices, the last one innermost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strides3 {
    /// Iterations of each loop.
    pub(crate) count: [usize; 3],
    /// Elements of `A` from one iteration of each loop to the next.
    pub(crate) a: [usize; 3],
    /// Elements of the other matrix from one iteration of each loop to the next.
    pub(crate) other: [usize; 3],
}

impl Strides3 {
    /// A single loop.
    pub(crate) const fn one_loop(count: usize, a: usize, other: usize) -> Self {
        Self { count: [1, 1, count], a: [0, 0, a], other: [0, 0, other] }
    }

    /// Iterations in all.
    pub(crate) const fn len(&self) -> usize {
        self.count[0] * self.count[1] * self.count[2]
    }

    /// The same iterations in fewer loops, where an inner loop ends at the offset at which the next iteration of the
    /// outer one begins.
    pub(super) fn merged(mut self) -> Self {
        // From the inside to the outside, so that three seamless loops become one.
        for outer in [1, 0] {
            // If the middle loop has been merged, the next loop inside of the outermost one is the innermost.
            let inner = if self.count[1] == 1 { 2 } else { outer + 1 };
            let count = self.count[inner];
            let seamless = self.a[outer] == count * self.a[inner]
                && self.other[outer] == count * self.other[inner];
            if seamless || self.count[outer] == 1 {
                self.count[inner] *= self.count[outer];
                self.count[outer] = 1;
            }
        }
        self
    }

    /// Calls `f` with parts of at most `most` iterations, in order, and with their offsets in both matrices.
    pub(super) fn for_each_part(self, most: usize, mut f: impl FnMut(Self, [usize; 2])) {
        let Self { count, a, other } = self;
        let inner = count[2].min(most);
        let middle = count[1].min(most / inner);
        for i in 0..count[0] {
            for j in (0..count[1]).step_by(middle) {
                for k in (0..count[2]).step_by(inner) {
                    let count = [1, middle.min(count[1] - j), inner.min(count[2] - k)];
                    let at = |step: [usize; 3]| i * step[0] + j * step[1] + k * step[2];
                    f(Self { count, a, other }, [at(a), at(other)]);
                }
            }
        }
    }

    /// The largest offsets in both matrices; `None` if there are no iterations, or if an offset overflows.
    pub(super) fn last(&self) -> Option<[usize; 2]> {
        let mut last = [0_usize; 2];
        for i in 0..3 {
            // Checked arithmetic: a sum that wraps around would pass the comparison with the lengths of the matrices.
            let rounds = self.count[i].checked_sub(1)?;
            last[0] = last[0].checked_add(rounds.checked_mul(self.a[i])?)?;
            last[1] = last[1].checked_add(rounds.checked_mul(self.other[i])?)?;
        }
        Some(last)
    }
}
