//! [`CacheLine`]: memory aligned to cache lines.

/// A cache line: a vector that does not begin one is slow to be read again.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct CacheLine([f32; CacheLine::LEN]);

impl CacheLine {
    /// Numbers in a line.
    pub(crate) const LEN: usize = 16;
    /// Zeros.
    pub(crate) const ZERO: Self = Self([0.0; Self::LEN]);

    /// The numbers of lines that stand one behind the other.
    #[inline]
    pub(crate) const fn values(lines: &[Self]) -> &[f32] {
        // SAFETY: a line is `LEN` numbers and as long as its alignment, so nothing is between them.
        unsafe { core::slice::from_raw_parts(lines.as_ptr().cast(), lines.len() * Self::LEN) }
    }

    /// The same, to be written.
    #[inline]
    pub(crate) const fn values_mut(lines: &mut [Self]) -> &mut [f32] {
        // SAFETY: as above, and the borrow is unique.
        unsafe {
            core::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * Self::LEN)
        }
    }
}
