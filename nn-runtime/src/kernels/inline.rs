//! [`Instructions`]: what code is compiled for that is inlined into a whole network.
//!
//! Where a network takes nanoseconds, a call and a look at the machine's instructions in each layer take
//! as long as its sums. Such a network is compiled into one function for each set of instructions, and the
//! set is chosen once per call. A value of [`Compiled`] travels through that function: it says for which
//! instructions its kernels are compiled, and is the proof that the machine has them.

use super::isa::{Baseline, Lanes};
use core::marker::PhantomData;

/// The instructions that the caller is compiled for.
pub trait Instructions: Copy {
    /// Whether kernels should be inlined into the caller, as code for [`Self::Lanes`].
    const INLINE: bool;
    /// The vectors of these instructions.
    #[doc(hidden)]
    type Lanes: Lanes;
}

/// No particular ones: each kernel finds out by itself what the machine has.
#[derive(Clone, Copy)]
pub struct AtRunTime;

impl Instructions for AtRunTime {
    const INLINE: bool = false;
    type Lanes = Baseline;
}

/// Those of `L`, which the machine has.
#[derive(Clone, Copy)]
pub(crate) struct Compiled<L>(PhantomData<L>);

impl<L: Lanes> Compiled<L> {
    /// # Safety
    /// The machine must have the instructions of `L`.
    #[inline(always)]
    pub(crate) const unsafe fn new() -> Self {
        Self(PhantomData)
    }
}

impl<L: Lanes> Instructions for Compiled<L> {
    const INLINE: bool = true;
    type Lanes = L;
}

/// The same numbers, of which the compiler no longer knows that a vector in a register holds them: to spread
/// one of them over a vector it would shuffle twice, while reading it from memory does that for nothing.
#[inline(always)]
pub(super) fn in_memory(numbers: *const f32) -> *const f32 {
    core::hint::black_box(numbers)
}
