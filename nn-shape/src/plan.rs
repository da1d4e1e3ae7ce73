//! The memory plan: which buffers may share memory, because they are never alive together.

/// A buffer's size in numbers per sample, and the first and last moment at which it is in use.
#[derive(Clone, Copy, Debug)]
pub struct Lifetime {
    /// Numbers per sample.
    pub len: usize,
    /// The moment at which it is first written.
    pub from: usize,
    /// The last moment at which it is read.
    pub to: usize,
}

/// Every buffer begins at a multiple of this many numbers (64 bytes: a cache line, an AVX-512
/// register).
const ALIGNMENT: usize = 16;

/// An offset for each buffer, such that buffers alive at the same time do not overlap, and the
/// size of the whole. Each buffer takes the lowest place that is free for all its life.
#[must_use]
pub const fn plan<const N: usize>(buffers: &[Lifetime; N]) -> ([usize; N], usize) {
    let mut offsets = [0; N];
    let mut total = 0;
    let mut i = 0;
    while i < N {
        offsets[i] = lowest_free(buffers, &offsets, i);
        let end = offsets[i] + round_up(buffers[i].len);
        if end > total {
            total = end;
        }
        i += 1;
    }
    (offsets, total)
}

/// The lowest offset at which buffer `i` overlaps none of the buffers before it that live with it.
const fn lowest_free(buffers: &[Lifetime], offsets: &[usize], i: usize) -> usize {
    let mut offset = 0;
    let mut j = 0;
    while j < i {
        let together = buffers[j].from <= buffers[i].to && buffers[i].from <= buffers[j].to;
        let end = offsets[j] + round_up(buffers[j].len);
        let overlap = offset < end && offsets[j] < offset + round_up(buffers[i].len);
        if together && overlap {
            offset = end;
            // A raised offset may meet a buffer that was passed already.
            j = 0;
        } else {
            j += 1;
        }
    }
    offset
}

const fn round_up(len: usize) -> usize {
    len.div_ceil(ALIGNMENT) * ALIGNMENT
}
