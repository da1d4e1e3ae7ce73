//! The largest of two by two pixels, as most pools take it: without the bookkeeping of any window.

use super::isa::{Isa, Kernel, Lanes, load_row};

/// The largest of each two by two pixels, in images of this height, width and number of channels; NaN
/// stays, the first of equals wins. A last line or column without a neighbour is left out.
///
/// # Panics
/// When the lengths do not fit together.
pub(super) fn max_2x2(isa: Isa, input: [usize; 3], x: &[f32], y: &mut [f32]) {
    let [height, width, channels] = input;
    let (len, out_len) = (height * width * channels, (height / 2) * (width / 2) * channels);
    if out_len == 0 {
        return;
    }
    assert!(x.len().is_multiple_of(len) && y.len() == x.len() / len * out_len, "whole images");
    for (x, y) in x.chunks_exact(len).zip(y.chunks_exact_mut(out_len)) {
        // SAFETY: a image of the input and one of the output.
        unsafe { isa.run(&Max2x2 { input, x: x.as_ptr(), y: y.as_mut_ptr() }) }
    }
}

/// One image.
struct Max2x2 {
    input: [usize; 3],
    x: *const f32,
    y: *mut f32,
}

impl Kernel for Max2x2 {
    /// # Safety
    /// `x` and `y` must have the numbers that `input` says.
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self) {
        let [height, width, channels] = self.input;
        let line = width * channels;
        let mut y = self.y;
        // SAFETY: pixels and their neighbours to the right and below lie on the image, and there is a
        // place in `y` for each of them. The last vector is cut off where the channels end.
        unsafe {
            let tail = L::tail(channels % L::COUNT);
            for row in 0..height / 2 {
                for column in 0..width / 2 {
                    let x = self.x.add(2 * row * line + 2 * column * channels);
                    let (a, b, c, d) = (x, x.add(channels), x.add(line), x.add(line + channels));
                    let mut at = 0;
                    while at + L::COUNT <= channels {
                        let from = [a.add(at), b.add(at), c.add(at), d.add(at)];
                        L::store(y.add(at), largest::<L, false>(from, tail));
                        at += L::COUNT;
                    }
                    if at < channels {
                        let from = [a.add(at), b.add(at), c.add(at), d.add(at)];
                        L::store_tail(y.add(at), largest::<L, true>(from, tail), tail);
                    }
                    y = y.add(channels);
                }
            }
        }
    }
}

/// The largest of some channels of four pixels, a vector of them.
///
/// # Safety
/// The instructions of `L` must be there, and a vector from each place on, with `EDGE` as much of it as `tail` says.
#[inline(always)]
unsafe fn largest<L: Lanes, const EDGE: bool>(from: [*const f32; 4], tail: L::Tail) -> L::Vector {
    // SAFETY: the caller's.
    unsafe {
        let [a] = load_row::<L, 1, EDGE>(from[0], tail);
        let [b] = load_row::<L, 1, EDGE>(from[1], tail);
        let [c] = load_row::<L, 1, EDGE>(from[2], tail);
        let [d] = load_row::<L, 1, EDGE>(from[3], tail);
        L::largest(L::largest(a, b), L::largest(c, d))
    }
}
