//! [`KernelMemory`]: working memory of kernels that is too large for small stacks.

use core::mem::MaybeUninit;
#[cfg(feature = "std")]
use std::cell::Cell;

/// A block of memory that is not initialised.
#[repr(align(64))]
struct Block([MaybeUninit<f32>; KernelMemory::LEN]);

#[cfg(feature = "std")]
thread_local! {
    /// The block of this thread, while no kernel uses it.
    static BLOCK: Cell<Option<Box<Block>>> = const { Cell::new(None) };
}

/// The memory of one call of a kernel: the block of the thread with `std`, so that threads with stacks of 64 kB can call
/// it; a smaller one on the stack without.
pub(crate) struct KernelMemory {
    #[cfg(feature = "std")]
    block: Option<Box<Block>>,
    #[cfg(not(feature = "std"))]
    block: Block,
}

impl KernelMemory {
    /// The number of elements. 128 kB leave room for other data in a second-level cache. Stacks without `std` are small:
    /// 16 kB, and 4 kB on 32-bit ARM, where it is a noticeable part of the memory. Depthwise kernels need 147 vectors, for
    /// seven rows and columns.
    pub(crate) const LEN: usize = if cfg!(feature = "std") {
        1 << 15
    } else if cfg!(target_arch = "arm") {
        1 << 10
    } else {
        1 << 12
    };

    /// Takes the block of this thread. It is allocated in the first call, or while another one is in use.
    #[cfg(feature = "std")]
    pub(crate) fn take() -> Self {
        // A guard and not a function that takes a closure, which would not be compiled for the instructions of the
        // kernel.
        // SAFETY: a block consists of `MaybeUninit`, which any memory is.
        let new = || unsafe { Box::<Block>::new_uninit().assume_init() };
        Self { block: Some(BLOCK.take().unwrap_or_else(new)) }
    }

    /// Memory on the stack.
    #[cfg(not(feature = "std"))]
    pub(crate) const fn take() -> Self {
        Self { block: Block([const { MaybeUninit::uninit() }; _]) }
    }

    /// The first element, at the beginning of a cache line. All `LEN` elements are valid until `self` is dropped, and none
    /// is initialised.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut f32 {
        #[cfg(feature = "std")]
        return self.block.as_mut().expect("a block until the drop").0.as_mut_ptr().cast();
        #[cfg(not(feature = "std"))]
        return self.block.0.as_mut_ptr().cast();
    }
}

#[cfg(feature = "std")]
impl Drop for KernelMemory {
    fn drop(&mut self) {
        BLOCK.set(self.block.take());
    }
}
