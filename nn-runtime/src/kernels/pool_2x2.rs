//! Max pooling of two by two pixels, the most common pool, without the bookkeeping of an arbitrary window.

use super::isa::{Isa, Kernel, Lanes, load_row};

/// The maximum of each two by two pixels of images `[height, width, channels]`; NaN if one is NaN, the first of equals.
/// A last row or column without a neighbour is left out.
///
/// # Panics
/// If the lengths do not match.
pub(super) fn max_2x2(isa: Isa, input: [usize; 3], x: &[f32], y: &mut [f32]) {
    let [height, width, channels] = input;
    let (len, out_len) = (height * width * channels, (height / 2) * (width / 2) * channels);
    if out_len == 0 {
        return;
    }
    assert!(x.len().is_multiple_of(len) && y.len() == x.len() / len * out_len, "whole images");
    for (x, y) in x.chunks_exact(len).zip(y.chunks_exact_mut(out_len)) {
        isa.run(Max2x2 { input, x: x.as_ptr(), y: y.as_mut_ptr() });
    }
}

/// One image: `x` is valid for the elements of `input`, `y` for those of an image of half its height and width.
struct Max2x2 {
    input: [usize; 3],
    x: *const f32,
    y: *mut f32,
}

impl Kernel for Max2x2 {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let [height, width, channels] = self.input;
        let line = width * channels;
        let tail = lanes.tail(channels % L::COUNT);
        let mut y = self.y;
        // SAFETY: pixels and their neighbours to the right and below are inside of the image, and `y` has a pixel for
        // each four of them. Only the channels that are left are accessed by the last vector.
        unsafe {
            // Pixels outside, channels inside: each pixel is read once, from its first channel to its last.
            for row in 0..height / 2 {
                for column in 0..width / 2 {
                    let x = self.x.add(2 * row * line + 2 * column * channels);
                    let (a, b, c, d) = (x, x.add(channels), x.add(line), x.add(line + channels));
                    let mut at = 0;
                    while at + L::COUNT <= channels {
                        let from = [a.add(at), b.add(at), c.add(at), d.add(at)];
                        lanes.store(y.add(at), largest::<L, false>(lanes, from, tail));
                        at += L::COUNT;
                    }
                    if at < channels {
                        let from = [a.add(at), b.add(at), c.add(at), d.add(at)];
                        lanes.store_tail(y.add(at), largest::<L, true>(lanes, from, tail), tail);
                    }
                    y = y.add(channels);
                }
            }
        }
    }
}

/// The maximum of a vector of channels of four pixels.
///
/// # Safety
/// A vector must be readable from each pointer on, with `EDGE` the elements of `tail`.
#[inline(always)]
unsafe fn largest<L: Lanes, const EDGE: bool>(
    lanes: L,
    from: [*const f32; 4],
    tail: L::Tail,
) -> L::Vector {
    // SAFETY: a vector, or the elements of `tail`, is readable from each pointer on.
    unsafe {
        let [a] = load_row::<L, 1, EDGE>(lanes, from[0], tail);
        let [b] = load_row::<L, 1, EDGE>(lanes, from[1], tail);
        let [c] = load_row::<L, 1, EDGE>(lanes, from[2], tail);
        let [d] = load_row::<L, 1, EDGE>(lanes, from[3], tail);
        // In the order of the window: of equals the first wins, as in an arbitrary window.
        lanes.largest(lanes.largest(a, b), lanes.largest(c, d))
    }
}
