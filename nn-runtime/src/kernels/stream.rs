//! [`store_past_caches`]: stores of values that other cores will read.

use crate::system::parallel;

/// Copies `values` to `target` past the caches, where the processor can.
///
/// A line that several cores have read must be invalidated in their caches before it can be written: on some machines
/// 70 ns for each line, one after the other. Non-temporal stores avoid that.
///
/// # Panics
/// If the slices differ in length.
pub(crate) fn store_past_caches(target: &mut [f32], values: &[f32]) {
    assert_eq!(target.len(), values.len(), "as many values as elements to write");
    // Non-temporal stores need addresses at multiples of 16 bytes.
    let (head, target, tail) = quadruples(target);
    let (values_head, values) = values.split_at(head.len());
    let (values, values_tail) = values.split_at(4 * target.len());
    head.copy_from_slice(values_head);
    tail.copy_from_slice(values_tail);
    // In order, so that whole lines are filled one after the other: a line that is written completely need not be read
    // first.
    for (target, values) in target.iter_mut().zip(values.as_chunks().0) {
        store(target, values);
    }
    fence();
}

/// Copies `values` to `target`; past the caches if there are other threads, which will read them.
///
/// # Panics
/// If the slices differ in length.
pub(crate) fn store_for_others(target: &mut [f32], values: &[f32]) {
    // With one thread, values are read again by the same core, from its cache.
    if parallel::threads() > 1 {
        store_past_caches(target, values);
    } else {
        target.copy_from_slice(values);
    }
}

/// Four elements, aligned to 16 bytes.
#[repr(align(16))]
struct Quadruple([f32; 4]);

/// The elements before the first multiple of 16 bytes, those in groups of four, and the rest.
fn quadruples(values: &mut [f32]) -> (&mut [f32], &mut [Quadruple], &mut [f32]) {
    // SAFETY: a quadruple is four floats without padding, any bits of which are valid; `align_to_mut` aligns them.
    unsafe { values.align_to_mut() }
}

#[cfg(target_arch = "x86_64")]
fn store(target: &mut Quadruple, values: &[f32; 4]) {
    use core::arch::x86_64::{_mm_loadu_ps, _mm_stream_ps};
    // SAFETY: both are four floats, and the target is aligned to 16 bytes; SSE is part of every x86-64.
    unsafe { _mm_stream_ps(target.0.as_mut_ptr(), _mm_loadu_ps(values.as_ptr())) };
}

#[cfg(not(target_arch = "x86_64"))]
fn store(target: &mut Quadruple, values: &[f32; 4]) {
    target.0 = *values;
}

/// Non-temporal stores are not ordered with others: a thread that learns that they are done must also see them.
fn fence() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE is part of every x86-64.
    unsafe {
        core::arch::x86_64::_mm_sfence();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_values_arrive_at_any_alignment() {
        for begin in 0..9 {
            for len in [0, 1, 3, 4, 5, 63, 64, 67] {
                let values: Vec<f32> = (0..len).map(|i| i as f32 + 0.5).collect();
                let mut target = vec![-1.0; begin + len + 5];
                store_past_caches(&mut target[begin..begin + len], &values);
                assert_eq!(target[begin..begin + len], values);
                assert!(target[..begin].iter().chain(&target[begin + len..]).all(|v| *v == -1.0));
            }
        }
    }
}
