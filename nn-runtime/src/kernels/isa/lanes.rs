//! [`Lanes`]: vectors of `f32`, and [`Kernel`]: code that is compiled for several instruction sets.

#[cfg(not(feature = "std"))]
use crate::system::FloatMath;

/// Code that is compiled for several instruction sets.
#[doc(hidden)]
pub trait Kernel {
    /// Runs the kernel with the vectors of `lanes`.
    ///
    /// Implementations are `#[inline(always)]`: they become part of a function with `#[target_feature]`.
    fn run<L: Lanes>(self, lanes: L);
}

/// The vectors of an instruction set.
///
/// A value is a token without size: it exists only where the processor has the instructions. Operations on values are
/// therefore safe; those on memory are not, because they read and write through raw pointers.
///
/// # Safety
/// For all functions that take a pointer: it must be valid for [`Self::COUNT`] elements, or for the count that `tail`
/// was made of. It need not be aligned.
#[doc(hidden)]
pub trait Lanes: Copy {
    /// Elements of a vector.
    const COUNT: usize;
    /// Whether a partial vector costs no more than a whole one.
    const CHEAP_TAIL: bool;
    /// Whether multiply-adds are rounded once. (Where they are not, `f32::mul_add` would call a library function.)
    const FUSED: bool;
    /// A vector.
    type Vector: Copy;
    /// Which lanes of a partial vector are used.
    type Tail: Copy;

    /// The token, without looking whether the processor has the instructions.
    ///
    /// # Safety
    /// The processor must have the instructions.
    unsafe fn assume() -> Self;
    /// The first `count` lanes. `count` is at most [`Self::COUNT`].
    fn tail(self, count: usize) -> Self::Tail;
    /// Zero in all lanes.
    fn zero(self) -> Self::Vector;
    /// `x` in all lanes.
    fn splat(self, x: f32) -> Self::Vector;
    /// `a * b + c`
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// `a + b`
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a - b`
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a * b`
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `x` between the bounds `low` and `high`, as `f32::clamp`: NaN stays.
    fn clamp(self, x: Self::Vector, low: Self::Vector, high: Self::Vector) -> Self::Vector;
    /// The larger element of each lane: NaN if one is NaN, the first of equals.
    fn largest(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The sum over the lanes of each of four vectors.
    fn sums(self, v: [Self::Vector; 4]) -> [f32; 4];
    /// Loads a vector.
    unsafe fn load(self, from: *const f32) -> Self::Vector;
    /// Loads a partial vector; its unused lanes are zero.
    unsafe fn load_tail(self, from: *const f32, tail: Self::Tail) -> Self::Vector;
    /// Stores a vector.
    unsafe fn store(self, to: *mut f32, v: Self::Vector);
    /// Stores the used lanes of a partial vector.
    unsafe fn store_tail(self, to: *mut f32, v: Self::Vector, tail: Self::Tail);
    /// Stores the first `count` lanes, all if there are fewer.
    ///
    /// For a `count` that the compiler knows. A load that follows soon gets its data forwarded from plain stores,
    /// but not from masked ones.
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, v: Self::Vector, count: usize) {
        // SAFETY: `to` is valid for `count` elements, and a vector is `COUNT` of them.
        unsafe { to.copy_from_nonoverlapping((&raw const v).cast(), count.min(Self::COUNT)) }
    }
    /// Transposes a square with [`Self::COUNT`] rows and columns. Rows are `stride` and `to_stride` elements apart,
    /// and all of them must be valid.
    unsafe fn transpose(self, from: *const f32, stride: usize, to: *mut f32, to_stride: usize);
    /// Prefetches the cache line of an address, which need not be valid.
    #[inline(always)]
    fn prefetch(self, from: *const f32) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: every x86-64 processor has the instruction, and it does not fault on any address.
        unsafe {
            // Into all levels of the cache: a tile that is computed soon reads it.
            use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(from.cast());
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = from;
    }
    /// Runs a kernel in a function that is compiled for these instructions.
    fn run(self, kernel: impl Kernel);
}

/// `a * b + c` of scalars, rounded as vectors of `L` are. Inline it into code that is compiled for `L`.
#[inline(always)]
pub(crate) fn mul_add<L: Lanes>(a: f32, b: f32, c: f32) -> f32 {
    // A constant condition; and where instructions are not fused, `f32::mul_add` is a slow function of a library.
    if L::FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// Loads `N` consecutive vectors; with `EDGE` the last one is partial.
///
/// # Safety
/// As many elements must be readable from `from` on.
#[inline(always)]
pub(crate) unsafe fn load_row<L: Lanes, const N: usize, const EDGE: bool>(
    lanes: L,
    from: *const f32,
    tail: L::Tail,
) -> [L::Vector; N] {
    let mut row = [lanes.zero(); N];
    let mut v = 0;
    // Not an iterator: networks that are inlined as a whole contain dozens of copies, and compiled for half as long
    // again with one.
    while v < N {
        // SAFETY: vector `v` is inside of the row that is readable; only the last one may be partial.
        unsafe {
            // `EDGE`, `N` and `v` are constants once the loop is unrolled, so that no branch is left.
            let from = from.add(v * L::COUNT);
            row[v] =
                if EDGE && v == N - 1 { lanes.load_tail(from, tail) } else { lanes.load(from) };
        }
        v += 1;
    }
    row
}

/// Stores `N` consecutive vectors; with `EDGE` the last one is partial.
///
/// # Safety
/// As many elements must be writable from `to` on.
#[inline(always)]
pub(crate) unsafe fn store_row<L: Lanes, const N: usize, const EDGE: bool>(
    lanes: L,
    to: *mut f32,
    row: &[L::Vector; N],
    tail: L::Tail,
) {
    for (v, vector) in row.iter().enumerate() {
        // SAFETY: vector `v` is inside of the row that is writable; only the last one may be partial.
        unsafe {
            let to = to.add(v * L::COUNT);
            if EDGE && v == N - 1 {
                lanes.store_tail(to, *vector, tail);
            } else {
                lanes.store(to, *vector);
            }
        }
    }
}

/// `N` vectors, one from each of `N` rows that are `stride` elements apart.
///
/// # Safety
/// A vector must be readable in each row.
#[inline(always)]
pub(super) unsafe fn load_rows<L: Lanes, const N: usize>(
    lanes: L,
    from: *const f32,
    stride: usize,
) -> [L::Vector; N] {
    let mut rows = [lanes.zero(); N];
    for (i, row) in rows.iter_mut().enumerate() {
        // SAFETY: a vector is readable in row `i`.
        *row = unsafe { lanes.load(from.add(i * stride)) };
    }
    rows
}

/// Stores one vector to each of `N` rows that are `stride` elements apart.
///
/// # Safety
/// A vector must be writable in each row.
#[inline(always)]
pub(super) unsafe fn store_rows<L: Lanes, const N: usize>(
    lanes: L,
    to: *mut f32,
    stride: usize,
    rows: [L::Vector; N],
) {
    for (i, row) in rows.into_iter().enumerate() {
        // SAFETY: a vector is writable in row `i`.
        unsafe { lanes.store(to.add(i * stride), row) };
    }
}
