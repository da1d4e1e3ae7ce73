//! Offsets of the memory plan: buffers that are never in use at the same time share memory.

/// A buffer's length per sample, and the first and last moment at which it is in use.
#[derive(Clone, Copy, Debug)]
pub struct Lifetime {
    /// Elements per sample.
    pub len: usize,
    /// The moment at which it is first written.
    pub from: usize,
    /// The last moment at which it is read.
    pub to: usize,
}

/// Every buffer begins at a multiple of this many elements: 64 bytes, a cache line and an AVX-512 register, so that
/// loads of whole vectors do not cross cache lines. Offsets are multiplied by the number of samples, and stay
/// multiples.
const ALIGNMENT: usize = 16;

/// An offset for each buffer, such that buffers in use at the same time do not overlap, and the total length.
///
/// First fit: each buffer, in the order given, takes the lowest offset that is free during its whole lifetime. The
/// smallest total length is not guaranteed: finding it is NP-hard (dynamic storage allocation; Garey and Johnson,
/// 1979). Expanded code computes the plan in a constant, so that it costs nothing at run time.
#[must_use]
pub const fn plan<const N: usize>(buffers: &[Lifetime; N]) -> ([usize; N], usize) {
    let (mut offsets, mut by_offset) = ([0; N], [0; N]);
    let total = plan_into(buffers, &mut offsets, &mut by_offset);
    (offsets, total)
}

/// As [`plan`], for any number of buffers: writes the offsets, returns the total length. `by_offset` is working memory.
///
/// # Panics
/// When there are not as many offsets and elements of working memory as buffers.
#[must_use]
pub const fn plan_into(
    buffers: &[Lifetime],
    offsets: &mut [usize],
    by_offset: &mut [usize],
) -> usize {
    assert!(buffers.len() == offsets.len(), "an offset for each buffer");
    assert!(buffers.len() == by_offset.len(), "an element of working memory for each buffer");
    let mut total = 0;
    let mut i = 0;
    while i < buffers.len() {
        offsets[i] = lowest_free(buffers, offsets, by_offset, i);
        // Insertion sort: the earlier buffers in the order of their offsets.
        let mut at = i;
        while at > 0 && offsets[by_offset[at - 1]] > offsets[i] {
            by_offset[at] = by_offset[at - 1];
            at -= 1;
        }
        by_offset[at] = i;
        // The rounded length, so that whatever is placed after this memory begins at a cache line too.
        let end = offsets[i] + buffer_len(buffers[i].len);
        if end > total {
            total = end;
        }
        i += 1;
    }
    total
}

/// The lowest offset at which buffer `i` overlaps none of the earlier buffers that are in use with it. These are in the
/// order of their offsets, so that one pass suffices: an offset that is raised to the end of a buffer overlaps none
/// before it.
///
/// Constants of expanded code call this, and the compiler limits the steps of their evaluation: hence plain
/// loops, with as little as possible in each.
const fn lowest_free(
    buffers: &[Lifetime],
    offsets: &[usize],
    by_offset: &[usize],
    i: usize,
) -> usize {
    let Lifetime { len, from, to } = buffers[i];
    let len = buffer_len(len);
    let mut offset = 0;
    let mut j = 0;
    while j < i {
        let (begin, other) = (offsets[by_offset[j]], &buffers[by_offset[j]]);
        if begin >= offset + len {
            break;
        }
        // Lifetimes include both ends: what is written at a moment must not overlap what is read at that moment.
        // Not `&&`, which is a branch, and each branch a step of the evaluation.
        if (other.from <= to) & (from <= other.to) {
            let end = begin + buffer_len(other.len);
            if end > offset {
                offset = end;
            }
        }
        j += 1;
    }
    offset
}

/// The elements that a buffer of `len` elements occupies.
const fn buffer_len(len: usize) -> usize {
    // Valid because `ALIGNMENT` is a power of two. A mask, since a call of `next_multiple_of` is more steps of the
    // evaluation.
    (len + (ALIGNMENT - 1)) & !(ALIGNMENT - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random (the constants are Knuth's MMIX generator).
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % bound
        }

        fn lifetime(&mut self) -> Lifetime {
            let from = self.below(30);
            Lifetime { len: self.below(200), from, to: from + self.below(10) }
        }
    }

    fn ranges_overlap(a: usize, a_len: usize, b: usize, b_len: usize) -> bool {
        a < b + b_len && b < a + a_len
    }

    #[test]
    fn buffers_alive_together_do_not_overlap() {
        const N: usize = 24;
        for seed in 0..500 {
            let mut dice = Dice(seed);
            let buffers: [Lifetime; N] = core::array::from_fn(|_| dice.lifetime());
            let (offsets, total) = plan(&buffers);
            for i in 0..N {
                assert_eq!(offsets[i] % ALIGNMENT, 0, "seed {seed}");
                assert!(offsets[i] + buffers[i].len <= total, "seed {seed}");
                for j in 0..i {
                    let (a, b) = (buffers[i], buffers[j]);
                    let together = (a.from..=a.to).any(|moment| (b.from..=b.to).contains(&moment));
                    let overlap = ranges_overlap(offsets[i], a.len, offsets[j], b.len);
                    assert!(!(together && overlap), "seed {seed}: buffers {i} and {j}");
                }
                // First fit: all lower offsets are taken by an earlier buffer.
                for lower in (0..offsets[i]).step_by(ALIGNMENT) {
                    let is_taken = (0..i).any(|j| {
                        let (a, b) = (buffers[i], buffers[j]);
                        let [a_len, b_len] = [a.len, b.len].map(buffer_len);
                        let overlap = ranges_overlap(lower, a_len, offsets[j], b_len);
                        a.from <= b.to && b.from <= a.to && overlap
                    });
                    assert!(is_taken, "seed {seed}: buffer {i} fits at {lower}");
                }
            }
        }
    }

    #[test]
    fn a_chain_needs_two_buffers() {
        const LINES: [Lifetime; 4] = [
            Lifetime { len: 100, from: 0, to: 1 },
            Lifetime { len: 64, from: 1, to: 2 },
            Lifetime { len: 32, from: 2, to: 3 },
            Lifetime { len: 16, from: 3, to: 4 },
        ];
        const PLAN: ([usize; 4], usize) = plan(&LINES);
        assert_eq!(PLAN, ([0, 112, 0, 32], 176));
    }
}
