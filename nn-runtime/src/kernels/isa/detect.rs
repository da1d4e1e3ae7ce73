//! [`Isa`]: which vector instructions the machine has, and what kernels ask of them.
//!
//! Kernels are `#[inline(always)]` functions, generic over [`Lanes`], that a function with
//! `#[target_feature]` calls ([`Lanes::run`]): everything is compiled for those instructions, and a
//! default build runs on any machine. Closures would not be: kernels use plain loops.

use super::lanes::{Kernel, Lanes};
#[cfg(not(target_arch = "x86_64"))]
use super::portable::Baseline;
#[cfg(target_arch = "x86_64")]
use super::x86::{Avx2, Avx512, Baseline};
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
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(Self::find_best)
    }

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
