//! [`Instructions`]: the instructions of code that is inlined into a whole network.
//!
//! In a network that takes nanoseconds, a call and a query of the machine's instructions in each layer take as long as
//! the layer's sums. Such a network is compiled into one function for each instruction set, which is chosen once per
//! call. A value of [`Compiled`] is passed through that function: it names the instructions that its kernels are
//! compiled for, and holds the token that proves that the machine has them.

use super::isa::{Baseline, Lanes};

/// The instructions that the caller is compiled for.
pub trait Instructions: Copy {
    /// Whether kernels should be inlined into the caller, as code for [`Self::Lanes`].
    const INLINE: bool;
    /// The vectors of these instructions.
    #[doc(hidden)]
    type Lanes: Lanes;
    /// The token of these instructions.
    #[doc(hidden)]
    fn lanes(self) -> Self::Lanes;
}

/// No particular instructions: each kernel queries those of the machine.
#[derive(Clone, Copy, Debug)]
pub struct AtRunTime;

impl Instructions for AtRunTime {
    const INLINE: bool = false;
    // Needed by the trait; kernels that are not inlined do not use it.
    type Lanes = Baseline;

    #[inline(always)]
    fn lanes(self) -> Baseline {
        // SAFETY: every machine of the target has the baseline's instructions.
        unsafe { Baseline::assume() }
    }
}

/// The instructions of the token `L`.
#[derive(Clone, Copy)]
pub(crate) struct Compiled<L>(L);

impl<L: Lanes> Compiled<L> {
    #[inline(always)]
    pub(crate) const fn new(lanes: L) -> Self {
        Self(lanes)
    }
}

impl<L: Lanes> Instructions for Compiled<L> {
    const INLINE: bool = true;
    type Lanes = L;

    #[inline(always)]
    fn lanes(self) -> L {
        self.0
    }
}

/// The same pointer, hidden from the compiler, so that it does not know that a vector in a register holds these
/// elements. To broadcast one of them it would shuffle that vector twice; loading it from memory broadcasts for free.
#[inline(always)]
pub(super) fn in_memory(values: *const f32) -> *const f32 {
    core::hint::black_box(values)
}
