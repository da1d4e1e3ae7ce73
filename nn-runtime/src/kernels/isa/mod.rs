//! [`Isa`]: which vector instructions the machine has, and what kernels ask of them.
//!
//! Kernels are `#[inline(always)]` functions, generic over [`Lanes`], that a function with
//! `#[target_feature]` calls ([`Lanes::run`]): everything is compiled for those instructions, and a
//! default build runs on any machine. Closures would not be: kernels use plain loops.

#[cfg(not(feature = "std"))]
use crate::system::FloatMath;
#[cfg(feature = "std")]
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
    #[inline]
    #[must_use]
    pub fn best() -> Self {
        #[cfg(test)]
        if let Some(isa) = testing::CHOSEN.get() {
            return isa;
        }
        #[cfg(feature = "std")]
        {
            static BEST: OnceLock<Isa> = OnceLock::new();
            *BEST.get_or_init(Self::find_best)
        }
        // Without `std` nothing detects instructions at run time: those of the target count.
        #[cfg(not(feature = "std"))]
        Self::OF_TARGET
    }

    /// The best that the target has, whatever the machine.
    #[cfg(not(feature = "std"))]
    const OF_TARGET: Self = {
        if Self::Avx512.is_in_target() {
            Self::Avx512
        } else if Self::Avx2.is_in_target() {
            Self::Avx2
        } else {
            Self::Baseline
        }
    };

    /// Whether programs are compiled for these instructions anyway.
    #[cfg(not(all(feature = "std", target_arch = "x86_64")))]
    const fn is_in_target(self) -> bool {
        match self {
            Self::Baseline => true,
            Self::Avx2 => cfg!(target_feature = "avx2") && cfg!(target_feature = "fma"),
            Self::Avx512 => {
                cfg!(target_feature = "avx512f")
                    && cfg!(target_feature = "avx512bw")
                    && cfg!(target_feature = "avx512dq")
                    && cfg!(target_feature = "avx512vl")
            }
        }
    }

    #[cfg(feature = "std")]
    #[cold]
    fn find_best() -> Self {
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
    }

    /// Runs a kernel that is compiled for these instructions.
    ///
    /// # Safety
    /// What the kernel asks for, but for its instructions.
    ///
    /// # Panics
    /// When the machine does not have them.
    #[inline]
    pub(crate) unsafe fn run(self, kernel: &impl Kernel) {
        // Asking the machine takes longer than a small kernel; what is best was asked before.
        assert!(self == Self::best() || self.is_available(), "instructions of this machine");
        // SAFETY: the instructions are available; the rest is the caller's.
        unsafe {
            match self {
                Self::Baseline => Baseline::run(kernel),
                #[cfg(target_arch = "x86_64")]
                Self::Avx2 => Avx2::run(kernel),
                #[cfg(target_arch = "x86_64")]
                Self::Avx512 => Avx512::run(kernel),
                #[cfg(not(target_arch = "x86_64"))]
                _ => unreachable!("not available here"),
            }
        }
    }

    /// All of them, the widest last.
    pub const ALL: [Self; 3] = [Self::Baseline, Self::Avx2, Self::Avx512];

    /// Whether this machine has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        match self {
            Self::Baseline => true,
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
        }
        #[cfg(not(all(feature = "std", target_arch = "x86_64")))]
        self.is_in_target()
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
            use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
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

#[cfg(not(target_arch = "x86_64"))]
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use portable::Baseline;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512, Baseline};
