//! [`Lanes`]: vectors of `f32`, and [`Kernel`]: code that is compiled for several kinds of them.

/// Code that is compiled for several instructions.
#[doc(hidden)]
pub trait Kernel {
    /// Runs it; always `#[inline(always)]`.
    ///
    /// # Safety
    /// The machine must have the instructions of `L`; the rest is the kernel's own to say.
    unsafe fn run<L: Lanes>(&self);
}

/// Vectors of `f32`.
///
/// # Safety
/// All functions: the machine must have the instructions. Pointers must be valid for [`Self::COUNT`]
/// numbers, or for as many as `tail` was made for; they need not be aligned.
#[doc(hidden)]
pub trait Lanes: Copy {
    /// Numbers in a vector.
    const COUNT: usize;
    /// Whether a vector that is cut off costs no more than a whole one.
    const CHEAP_TAIL: bool;
    /// Whether multiply-adds are rounded once. (Where they are not, `f32::mul_add` would call a library function.)
    const FUSED: bool;
    /// A vector.
    type Vector: Copy;
    /// How many lanes of a last vector are used.
    type Tail: Copy;

    unsafe fn tail(count: usize) -> Self::Tail;
    unsafe fn zero() -> Self::Vector;
    unsafe fn splat(x: f32) -> Self::Vector;
    unsafe fn load(from: *const f32) -> Self::Vector;
    /// Unused lanes are zero.
    unsafe fn load_tail(from: *const f32, tail: Self::Tail) -> Self::Vector;
    unsafe fn store(to: *mut f32, v: Self::Vector);
    unsafe fn store_tail(to: *mut f32, v: Self::Vector, tail: Self::Tail);
    /// As [`Self::store_tail`], for a `count` that the compiler knows: what plain instructions wrote is sooner
    /// read again.
    #[inline(always)]
    unsafe fn store_first(to: *mut f32, v: Self::Vector, count: usize) {
        // SAFETY: the caller's; a vector is `COUNT` numbers, of which `count` are there.
        unsafe { to.copy_from_nonoverlapping((&raw const v).cast(), count.min(Self::COUNT)) }
    }
    /// `a * b + c`
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// The larger of each two numbers: NaN if one is, the first of equals.
    unsafe fn largest(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The sums of the lanes of four vectors.
    unsafe fn sums(v: [Self::Vector; 4]) -> [f32; 4];
    /// Writes the columns of a square, of as many rows as a vector has numbers, as rows. Rows lie `stride` and
    /// `to_stride` apart.
    unsafe fn transpose(from: *const f32, stride: usize, to: *mut f32, to_stride: usize);
    /// Asks for the cache line of an address, which may be anything, and waits for nothing.
    #[inline(always)]
    unsafe fn prefetch(from: *const f32) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: all processors have it; what is not there is not fetched.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(from.cast());
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = from;
    }
    /// Runs a kernel that is compiled for these instructions.
    unsafe fn run(kernel: &impl Kernel);
}

/// `a * b + c` of single numbers, rounded as vectors of `L` are. To be inlined into what is compiled for them.
#[inline(always)]
pub(crate) fn mul_add<L: Lanes>(a: f32, b: f32, c: f32) -> f32 {
    if L::FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// # Safety
/// The instructions of `L` must be there, and `N` vectors at `from`, the last cut off at an edge.
#[inline(always)]
pub(crate) unsafe fn load_row<L: Lanes, const N: usize, const EDGE: bool>(
    from: *const f32,
    tail: L::Tail,
) -> [L::Vector; N] {
    // SAFETY: the caller's.
    unsafe {
        let mut row = [L::zero(); N];
        for v in 0..N {
            let from = from.add(v * L::COUNT);
            row[v] = if EDGE && v == N - 1 { L::load_tail(from, tail) } else { L::load(from) };
        }
        row
    }
}

/// # Safety
/// As for [`load_row`].
#[inline(always)]
pub(crate) unsafe fn store_row<L: Lanes, const N: usize, const EDGE: bool>(
    to: *mut f32,
    row: &[L::Vector; N],
    tail: L::Tail,
) {
    // SAFETY: the caller's.
    unsafe {
        for v in 0..N {
            let to = to.add(v * L::COUNT);
            if EDGE && v == N - 1 {
                L::store_tail(to, row[v], tail);
            } else {
                L::store(to, row[v]);
            }
        }
    }
}
