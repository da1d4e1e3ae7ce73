//! [`Isa`]: which vector instructions the machine has, and what kernels ask of them.
//!
//! Kernels are `#[inline(always)]` functions, generic over [`Lanes`], that a function with
//! `#[target_feature]` calls ([`Lanes::run`]): everything is compiled for those instructions, and a
//! default build runs on any machine. Closures would not be: kernels use plain loops.

use std::sync::OnceLock;

/// A set of instructions that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// What every machine of the target has: SSE2 on x86-64, NEON on aarch64.
    Baseline,
    /// AVX2 and FMA: 8 lanes.
    Avx2,
    /// The parts of AVX-512 that all servers since 2017 have: 16 lanes.
    Avx512,
}

impl Isa {
    /// The best that this machine has. The environment variable `UNROLLED_ISA` (`baseline`, `avx2`,
    /// `avx512`) limits it, for tests; results of different instructions differ in their last bits.
    ///
    /// # Panics
    /// When the variable says something else.
    #[must_use]
    pub fn best() -> Self {
        #[cfg(test)]
        if let Some(isa) = testing::CHOSEN.get() {
            return isa;
        }
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            let limit = match std::env::var("UNROLLED_ISA").as_deref() {
                Ok("baseline") => Self::Baseline,
                Ok("avx2") => Self::Avx2,
                Ok("avx512") | Err(_) => Self::Avx512,
                Ok(other) => {
                    panic!("UNROLLED_ISA is `{other}`, but can be baseline, avx2 or avx512")
                }
            };
            Self::ALL
                .into_iter()
                .rfind(|isa| *isa <= limit && isa.is_available())
                .unwrap_or(Self::Baseline)
        })
    }

    /// All of them, the widest last.
    pub const ALL: [Self; 3] = [Self::Baseline, Self::Avx2, Self::Avx512];

    /// Whether this machine has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Baseline => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }
}

#[cfg(test)]
mod testing {
    use super::Isa;
    use std::cell::Cell;

    thread_local! {
        /// What [`Isa::best`] is on this thread, if it is not left to the machine.
        pub(super) static CHOSEN: Cell<Option<Isa>> = const { Cell::new(None) };
    }

    impl Isa {
        /// Calls `f`, for which these instructions are the best, if it stays on this thread.
        pub(crate) fn with(self, f: impl FnOnce()) {
            let before = CHOSEN.replace(Some(self));
            f();
            CHOSEN.set(before);
        }
    }
}

/// Code that is compiled for several instructions.
pub(crate) trait Kernel {
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
pub(crate) trait Lanes: Sized {
    /// Numbers in a vector.
    const COUNT: usize;
    /// Whether a vector that is cut off costs no more than a whole one.
    const CHEAP_TAIL: bool;
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
    /// `a * b + c`
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// The sums of the lanes of four vectors.
    unsafe fn sums(v: [Self::Vector; 4]) -> [f32; 4];
    /// Runs a kernel that is compiled for these instructions.
    unsafe fn run(kernel: &impl Kernel);
}

/// Four lanes in plain Rust, which every compiler turns into vectors.
pub(crate) struct Baseline;

/// Whether the baseline of the target can multiply and add at once. Where it cannot, `mul_add` would
/// call a library function.
const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

// SAFETY of all: no particular instructions; pointers are the caller's promise.
impl Lanes for Baseline {
    const COUNT: usize = 4;
    const CHEAP_TAIL: bool = false;
    type Vector = [f32; 4];
    type Tail = usize;

    #[inline(always)]
    unsafe fn tail(count: usize) -> usize {
        count
    }
    #[inline(always)]
    unsafe fn zero() -> [f32; 4] {
        [0.0; 4]
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> [f32; 4] {
        [x; 4]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; 4] {
        // SAFETY: the caller's; arrays of `f32` are aligned as an `f32`.
        unsafe { from.cast::<[f32; 4]>().read() }
    }
    #[inline(always)]
    unsafe fn load_tail(from: *const f32, tail: usize) -> [f32; 4] {
        let mut v = [0.0; 4];
        for (lane, v) in v.iter_mut().enumerate() {
            if lane < tail {
                // SAFETY: the caller's.
                *v = unsafe { *from.add(lane) };
            }
        }
        v
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: [f32; 4]) {
        // SAFETY: the caller's.
        unsafe { to.cast::<[f32; 4]>().write(v) }
    }
    #[inline(always)]
    unsafe fn store_tail(to: *mut f32, v: [f32; 4], tail: usize) {
        for (lane, v) in v.into_iter().enumerate() {
            if lane < tail {
                // SAFETY: the caller's.
                unsafe { *to.add(lane) = v };
            }
        }
    }
    #[inline(always)]
    unsafe fn mul_add(a: [f32; 4], b: [f32; 4], mut c: [f32; 4]) -> [f32; 4] {
        for lane in 0..4 {
            c[lane] =
                if FUSED { a[lane].mul_add(b[lane], c[lane]) } else { a[lane] * b[lane] + c[lane] };
        }
        c
    }
    #[inline(always)]
    unsafe fn sums(v: [[f32; 4]; 4]) -> [f32; 4] {
        let mut sums = [0.0; 4];
        for i in 0..4 {
            sums[i] = (v[i][0] + v[i][2]) + (v[i][1] + v[i][3]);
        }
        sums
    }
    #[inline(never)]
    unsafe fn run(kernel: &impl Kernel) {
        // SAFETY: the caller's.
        unsafe { kernel.run::<Self>() }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Kernel, Lanes};
    use std::arch::x86_64::*;

    /// Eight lanes.
    pub(crate) struct Avx2;

    /// `-1` for each used lane, from `8 - count` on.
    static MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

    // SAFETY of all blocks: the instructions and the pointers are the caller's promise.
    #[allow(clippy::undocumented_unsafe_blocks, reason = "said once for all of them, above")]
    impl Lanes for Avx2 {
        const COUNT: usize = 8;
        const CHEAP_TAIL: bool = false;
        type Vector = __m256;
        type Tail = __m256i;

        #[inline(always)]
        unsafe fn tail(count: usize) -> __m256i {
            assert!(count <= 8, "lanes of a last vector");
            unsafe { _mm256_loadu_si256(MASKS.as_ptr().add(8 - count).cast()) }
        }
        #[inline(always)]
        unsafe fn zero() -> __m256 {
            unsafe { _mm256_setzero_ps() }
        }
        #[inline(always)]
        unsafe fn splat(x: f32) -> __m256 {
            unsafe { _mm256_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> __m256 {
            unsafe { _mm256_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn load_tail(from: *const f32, tail: __m256i) -> __m256 {
            unsafe { _mm256_maskload_ps(from, tail) }
        }
        #[inline(always)]
        unsafe fn store(to: *mut f32, v: __m256) {
            unsafe { _mm256_storeu_ps(to, v) }
        }
        #[inline(always)]
        unsafe fn store_tail(to: *mut f32, v: __m256, tail: __m256i) {
            unsafe { _mm256_maskstore_ps(to, tail, v) }
        }
        #[inline(always)]
        unsafe fn mul_add(a: __m256, b: __m256, c: __m256) -> __m256 {
            unsafe { _mm256_fmadd_ps(a, b, c) }
        }
        #[inline(always)]
        unsafe fn sums(v: [__m256; 4]) -> [f32; 4] {
            unsafe {
                let ab =
                    _mm256_add_ps(_mm256_unpacklo_ps(v[0], v[1]), _mm256_unpackhi_ps(v[0], v[1]));
                let cd =
                    _mm256_add_ps(_mm256_unpacklo_ps(v[2], v[3]), _mm256_unpackhi_ps(v[2], v[3]));
                let (ab, cd) = (_mm256_castps_pd(ab), _mm256_castps_pd(cd));
                let low = _mm256_castpd_ps(_mm256_unpacklo_pd(ab, cd));
                let high = _mm256_castpd_ps(_mm256_unpackhi_pd(ab, cd));
                let lanes = _mm256_add_ps(low, high);
                let sums =
                    _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps::<1>(lanes));
                let mut out = [0.0; 4];
                _mm_storeu_ps(out.as_mut_ptr(), sums);
                out
            }
        }
        #[inline(always)]
        unsafe fn run(kernel: &impl Kernel) {
            #[target_feature(enable = "avx2,fma")]
            unsafe fn run(kernel: &impl Kernel) {
                unsafe { kernel.run::<Avx2>() }
            }
            unsafe { run(kernel) }
        }
    }

    /// Sixteen lanes.
    pub(crate) struct Avx512;

    // SAFETY of all blocks: as above.
    #[allow(clippy::undocumented_unsafe_blocks, reason = "said once for all of them, above")]
    impl Lanes for Avx512 {
        const COUNT: usize = 16;
        const CHEAP_TAIL: bool = true;
        type Vector = __m512;
        type Tail = __mmask16;

        #[inline(always)]
        unsafe fn tail(count: usize) -> __mmask16 {
            ((1_u32 << count) - 1) as __mmask16
        }
        #[inline(always)]
        unsafe fn zero() -> __m512 {
            unsafe { _mm512_setzero_ps() }
        }
        #[inline(always)]
        unsafe fn splat(x: f32) -> __m512 {
            unsafe { _mm512_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> __m512 {
            unsafe { _mm512_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn load_tail(from: *const f32, tail: __mmask16) -> __m512 {
            unsafe { _mm512_maskz_loadu_ps(tail, from) }
        }
        #[inline(always)]
        unsafe fn store(to: *mut f32, v: __m512) {
            unsafe { _mm512_storeu_ps(to, v) }
        }
        #[inline(always)]
        unsafe fn store_tail(to: *mut f32, v: __m512, tail: __mmask16) {
            unsafe { _mm512_mask_storeu_ps(to, tail, v) }
        }
        #[inline(always)]
        unsafe fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 {
            unsafe { _mm512_fmadd_ps(a, b, c) }
        }
        #[inline(always)]
        unsafe fn sums(v: [__m512; 4]) -> [f32; 4] {
            unsafe {
                let ab =
                    _mm512_add_ps(_mm512_unpacklo_ps(v[0], v[1]), _mm512_unpackhi_ps(v[0], v[1]));
                let cd =
                    _mm512_add_ps(_mm512_unpacklo_ps(v[2], v[3]), _mm512_unpackhi_ps(v[2], v[3]));
                let (ab, cd) = (_mm512_castps_pd(ab), _mm512_castps_pd(cd));
                let low = _mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd));
                let high = _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd));
                // In each quarter: the sums of that quarter of the four vectors.
                let lanes = _mm512_add_ps(low, high);
                let odd = _mm512_shuffle_f32x4::<0b10_11_00_01>(lanes, lanes);
                let pairs = _mm512_add_ps(lanes, odd);
                let other = _mm512_shuffle_f32x4::<0b00_00_00_10>(pairs, pairs);
                let sums = _mm512_castps512_ps128(_mm512_add_ps(pairs, other));
                let mut out = [0.0; 4];
                _mm_storeu_ps(out.as_mut_ptr(), sums);
                out
            }
        }
        #[inline(always)]
        unsafe fn run(kernel: &impl Kernel) {
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
            unsafe fn run(kernel: &impl Kernel) {
                unsafe { kernel.run::<Avx512>() }
            }
            unsafe { run(kernel) }
        }
    }
}
