//! [`Isa`]: which vector instructions the machine has.

use super::baseline::Baseline;
use super::lanes::{Kernel, Lanes};
#[cfg(target_arch = "x86_64")]
use super::x86::{Avx2, Avx512};
#[cfg(feature = "std")]
use std::sync::OnceLock;

/// A set of instructions that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// The instructions of every machine of the target: SSE2 on x86-64, NEON on aarch64, `simd128` on wasm32 if it is
    /// compiled for it, else none but scalar ones.
    Baseline,
    /// AVX2 and FMA: 8 lanes.
    Avx2,
    /// AVX-512 F, BW, DQ and VL, which Intel's servers have since 2017 and AMD's since Zen 4: 16 lanes.
    Avx512,
}

impl Isa {
    /// The widest instructions of this machine. The environment variable `UNROLLED_ISA` (`baseline`, `avx2`, `avx512`)
    /// limits them, for tests. Another value is reported once and ignored. Results of different instruction sets differ in
    /// their last bits.
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
        // Without `std` instructions cannot be detected at run time.
        #[cfg(not(feature = "std"))]
        Self::OF_TARGET
    }

    /// The widest instructions that the target is compiled for, whatever the machine.
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

    /// Whether programs are compiled for these instructions, so that every machine of the target has them.
    #[cfg(not(all(feature = "std", target_arch = "x86_64")))]
    const fn is_in_target(self) -> bool {
        match self {
            Self::Baseline => true,
            Self::Avx2 => cfg!(target_feature = "avx2") && cfg!(target_feature = "fma"),
            // The features of the `#[target_feature]` attributes in `x86` and `dispatch`, all of which the compiler may
            // use. (Knights Landing has only the first.)
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
        let value = std::env::var_os("UNROLLED_ISA");
        let limit = match value.as_ref().map(|value| value.to_str()) {
            Some(Some("baseline")) => Self::Baseline,
            Some(Some("avx2")) => Self::Avx2,
            _ => Self::Avx512,
        };
        let best = Self::ALL
            .into_iter()
            // `ALL` and the order of the variants go from narrow to wide: the last one that fits is the widest.
            .rfind(|isa| *isa <= limit && isa.is_available())
            .unwrap_or(Self::Baseline);
        if let Some(value) = value
            && !["baseline", "avx2", "avx512"].iter().any(|allowed| value == *allowed)
        {
            eprintln!(
                "unrolled: UNROLLED_ISA is {value:?}, expected baseline, avx2 or avx512: using {best:?}"
            );
        }
        best
    }

    /// Runs a kernel that is compiled for these instructions.
    ///
    /// # Panics
    /// If the machine does not have them.
    #[inline]
    pub(crate) fn run(self, kernel: impl Kernel) {
        // `is_available` takes longer than a small kernel, and the result of `best` is cached.
        assert!(self == Self::best() || self.is_available(), "instructions of this machine");
        // SAFETY: a token requires that the machine has the instructions, which was just asserted.
        unsafe {
            match self {
                Self::Baseline => Baseline::assume().run(kernel),
                #[cfg(target_arch = "x86_64")]
                Self::Avx2 => Avx2::assume().run(kernel),
                #[cfg(target_arch = "x86_64")]
                Self::Avx512 => Avx512::assume().run(kernel),
                #[cfg(not(target_arch = "x86_64"))]
                _ => unreachable!("not available here"),
            }
        }
    }

    /// All instruction sets, the widest last.
    pub const ALL: [Self; 3] = [Self::Baseline, Self::Avx2, Self::Avx512];

    /// Whether this machine has these instructions.
    #[must_use]
    pub fn is_available(self) -> bool {
        // The macro that queries the processor is part of `std`.
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        match self {
            Self::Baseline => true,
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            // As in `is_in_target`: each feature that kernels are compiled for.
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
    use core::cell::Cell;

    thread_local! {
        /// The result of [`Isa::best`] on this thread, if a test chose one.
        pub(super) static CHOSEN: Cell<Option<Isa>> = const { Cell::new(None) };
    }

    impl Isa {
        /// Calls `f`, for which these instructions are the best on this thread.
        pub(crate) fn with(self, f: impl FnOnce()) {
            let before = CHOSEN.replace(Some(self));
            f();
            CHOSEN.set(before);
        }
    }
}
