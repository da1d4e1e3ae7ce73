//! [`CacheLine`]: memory aligned to cache lines.

/// A cache line of x86-64 and of most other processors: 64 bytes. Vectors that cross two lines are slow to load.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct CacheLine([f32; CacheLine::LEN]);

impl CacheLine {
    /// Elements in a line.
    pub(crate) const LEN: usize = 16;
    /// A line of zeros.
    pub(crate) const ZERO: Self = Self([0.0; Self::LEN]);

    /// The elements of consecutive lines.
    #[inline]
    pub(crate) const fn values(lines: &[Self]) -> &[f32] {
        // SAFETY: a line is `LEN` elements and its size is its alignment, so there is nothing between two lines.
        unsafe { core::slice::from_raw_parts(lines.as_ptr().cast(), lines.len() * Self::LEN) }
    }

    /// The elements of consecutive lines, mutable.
    #[inline]
    pub(crate) const fn values_mut(lines: &mut [Self]) -> &mut [f32] {
        // SAFETY: as in `values`, a slice of lines is consecutive elements without padding; any bits are valid
        // elements, and the borrow is unique.
        unsafe {
            core::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * Self::LEN)
        }
    }
}
