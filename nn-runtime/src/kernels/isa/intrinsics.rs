//! Macros for implementations of [`Lanes`](super::lanes::Lanes) by intrinsics.

/// Functions of values. Their intrinsics need nothing but the instructions; those that access memory access local
/// variables and constants.
macro_rules! values {
    ($(fn $name:ident($self:ident $(, $arg:ident: $type:ty)*) -> $out:ty { $($body:tt)* })*) => { $(
        #[inline(always)]
        fn $name($self $(, $arg: $type)*) -> $out {
            // SAFETY: the token `self` exists only where the processor has its instructions.
            unsafe { $($body)* }
        }
    )* };
}

/// Functions that read and write through pointers.
macro_rules! memory {
    ($(unsafe fn $name:ident($self:ident $(, $arg:ident: $type:ty)*) -> $out:ty { $($body:tt)* })*) => { $(
        #[inline(always)]
        unsafe fn $name($self $(, $arg: $type)*) -> $out {
            // SAFETY: the token `self` exists only where the processor has its instructions, and by the contract of
            // `Lanes` the pointers are valid for all elements of the vectors, or for those of the tail.
            unsafe { $($body)* }
        }
    )* };
}

pub(super) use {memory, values};
