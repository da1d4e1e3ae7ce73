//! Max pooling of two by two pixels, the most common pool, without the bookkeeping of an arbitrary window.

use super::dispatch::dispatch;
use super::isa::{Isa, Kernel, Lanes, load_row};

/// The maximum of each two by two pixels of images `[height, width, channels]`; NaN if one is NaN, the first of equals.
/// A last row or column without a neighbour is left out.
///
/// # Panics
/// If the lengths do not match.
pub(super) fn max_2x2(isa: Isa, input: [usize; 3], x: &[f32], y: &mut [f32]) {
    let [len, out_len] = lens(input);
    if out_len == 0 {
        return;
    }
    assert!(x.len().is_multiple_of(len) && y.len() == x.len() / len * out_len, "whole images");
    for (x, y) in x.chunks_exact(len).zip(y.chunks_exact_mut(out_len)) {
        isa.run(Max2x2 { input, x: x.as_ptr(), y: y.as_mut_ptr() });
    }
}

/// Elements of an image, and of its output.
const fn lens([height, width, channels]: [usize; 3]) -> [usize; 2] {
    [height * width * channels, (height / 2) * (width / 2) * channels]
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

/// Channels of four pixels at a time: a vector of AVX-512.
const VECTOR: usize = 16;

dispatch! {
    /// [`max_2x2`], which also stores the index of each maximum in its window.
    pub(super) fn max_2x2_and_winners(
        input: [usize; 3],
        x: &[f32],
        y: &mut [f32],
        winners: &mut [u8],
    ) {
        let [len, out_len] = lens(input);
        let images = x.chunks_exact(len).zip(y.chunks_exact_mut(out_len));
        for ((x, y), winners) in images.zip(winners.chunks_exact_mut(out_len)) {
            largest_of_image(input, x, y, winners);
        }
    }

    /// The gradient of the input of [`max_2x2_and_winners`]: that of each output is that of its winner.
    pub(super) fn max_2x2_backward(
        input: [usize; 3],
        winners: &[u8],
        d_y: &[f32],
        d_x: &mut [f32],
    ) {
        let [len, out_len] = lens(input);
        let images = d_x.chunks_exact_mut(len).zip(d_y.chunks_exact(out_len));
        for ((d_x, d_y), winners) in images.zip(winners.chunks_exact(out_len)) {
            d_image(input, winners, d_y, d_x);
        }
    }
}

/// The maxima of one image, and their indices.
#[inline(always)]
fn largest_of_image(
    [_, width, channels]: [usize; 3],
    x: &[f32],
    y: &mut [f32],
    winners: &mut [u8],
) {
    let (line, out_line) = (width * channels, width / 2 * channels);
    // The last line, if it has no neighbour, is no pair.
    let lines = x.chunks_exact(2 * line).zip(y.chunks_exact_mut(out_line));
    for ((x, y), winners) in lines.zip(winners.chunks_exact_mut(out_line)) {
        let (top, bottom) = x.split_at(line);
        let pairs = top.chunks_exact(2 * channels).zip(bottom.chunks_exact(2 * channels));
        let out = y.chunks_exact_mut(channels).zip(winners.chunks_exact_mut(channels));
        for ((top, bottom), (y, winners)) in pairs.zip(out) {
            let ((a, b), (c, d)) = (top.split_at(channels), bottom.split_at(channels));
            largest_of_pixels([a, b, c, d], y, winners);
        }
    }
}

/// The gradient of one image.
#[inline(always)]
fn d_image([_, width, channels]: [usize; 3], winners: &[u8], d_y: &[f32], d_x: &mut [f32]) {
    let (line, out_line) = (width * channels, width / 2 * channels);
    let mut lines = d_x.chunks_exact_mut(2 * line);
    let out = d_y.chunks_exact(out_line).zip(winners.chunks_exact(out_line));
    for (d_x, (d_y, winners)) in lines.by_ref().zip(out) {
        let (top, bottom) = d_x.split_at_mut(line);
        let pairs = top.chunks_exact_mut(2 * channels).zip(bottom.chunks_exact_mut(2 * channels));
        let out = d_y.chunks_exact(channels).zip(winners.chunks_exact(channels));
        for ((top, bottom), (d_y, winners)) in pairs.zip(out) {
            let ((a, b), (c, d)) = (top.split_at_mut(channels), bottom.split_at_mut(channels));
            d_pixels([a, b, c, d], d_y, winners);
        }
        // A last column without a neighbour.
        top[2 * out_line..].fill(0.0);
        bottom[2 * out_line..].fill(0.0);
    }
    lines.into_remainder().fill(0.0);
}

/// The maximum of each channel of four pixels, and its index. The first of equals wins, and NaN is kept.
#[inline(always)]
fn largest_of_pixels(x: [&[f32]; 4], y: &mut [f32], winners: &mut [u8]) {
    let whole = y.len() / VECTOR * VECTOR;
    for at in (0..whole).step_by(VECTOR) {
        largest_of::<VECTOR>(x, at, y, winners);
    }
    for at in whole..y.len() {
        largest_of::<1>(x, at, y, winners);
    }
}

/// The same for `N` channels from `at` on.
#[inline(always)]
fn largest_of<const N: usize>(x: [&[f32]; 4], at: usize, y: &mut [f32], winners: &mut [u8]) {
    let [a, rest @ ..] = x.map(|x| array::<_, N>(&x[at..]));
    let (mut largest, mut winner) = (*a, [0_u32; N]);
    for (x, index) in rest.into_iter().zip(1..) {
        for l in 0..N {
            let wins = x[l] > largest[l] || x[l].is_nan();
            largest[l] = if wins { x[l] } else { largest[l] };
            winner[l] = if wins { index } else { winner[l] };
        }
    }
    y[at..][..N].copy_from_slice(&largest);
    winners[at..][..N].copy_from_slice(&winner.map(|index| index as u8));
}

/// The gradient of each channel of four pixels.
#[inline(always)]
fn d_pixels(mut d_x: [&mut [f32]; 4], d_y: &[f32], winners: &[u8]) {
    let whole = d_y.len() / VECTOR * VECTOR;
    for at in (0..whole).step_by(VECTOR) {
        d_of::<VECTOR>(&mut d_x, at, d_y, winners);
    }
    for at in whole..d_y.len() {
        d_of::<1>(&mut d_x, at, d_y, winners);
    }
}

/// The same for `N` channels from `at` on.
#[inline(always)]
fn d_of<const N: usize>(d_x: &mut [&mut [f32]; 4], at: usize, d_y: &[f32], winners: &[u8]) {
    // A copy, so that no load depends on the winner, and the loop becomes vector instructions.
    let (d_y, winner) = (*array::<_, N>(&d_y[at..]), array::<_, N>(&winners[at..]).map(u32::from));
    for (d_x, index) in d_x.iter_mut().zip(0..) {
        let mut d = [0.0; N];
        for l in 0..N {
            d[l] = if winner[l] == index { d_y[l] } else { 0.0 };
        }
        d_x[at..][..N].copy_from_slice(&d);
    }
}

/// The first `N` elements.
#[inline(always)]
fn array<T, const N: usize>(x: &[T]) -> &[T; N] {
    x.first_chunk().expect("as many channels of each pixel")
}
