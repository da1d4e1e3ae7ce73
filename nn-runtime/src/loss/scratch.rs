//! [`with_scratch`]: memory of a thread that lasts from call to call.

use std::cell::RefCell;

thread_local! {
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with arrays of these lengths, of any content. A repeated call does not allocate, unless it is
/// inside of another `f`.
pub(super) fn with_scratch<R, const N: usize>(
    lens: [usize; N],
    f: impl FnOnce([&mut [f32]; N]) -> R,
) -> R {
    // Taken out while in use: a call inside of `f` finds an empty vector.
    let mut memory = SCRATCH.take();
    let len = lens.iter().sum();
    if memory.len() < len {
        memory.resize(len, 0.0);
    }
    let mut rest = &mut memory[..];
    let arrays = lens.map(|len| rest.split_off_mut(..len).expect("as long as all arrays"));
    let result = f(arrays);
    SCRATCH.set(memory);
    result
}
