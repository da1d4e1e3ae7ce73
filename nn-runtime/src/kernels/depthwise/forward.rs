//! [`Forward`]: the convolution of a picture, and the gradient of its input, which is one.

#![expect(clippy::needless_range_loop, reason = "indices below constants: what becomes registers")]

use super::sizes::{Side, Sizes, TILE};
use super::window::{Line, Vector, Work, run};
use crate::kernels::isa::{Kernel, Lanes};

/// One picture forward.
pub(super) struct Forward<'a> {
    pub(super) sizes: Sizes,
    pub(super) x: &'a [f32],
    pub(super) weight: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) y: *mut f32,
}

// SAFETY of all functions below: as in `window`.
impl Kernel for Forward<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self) {
        // SAFETY: above.
        unsafe { run::<L>(self) }
    }
}

impl Work for Forward<'_> {
    fn read(&self) -> (&Sizes, *const f32) {
        (&self.sizes, self.x.as_ptr())
    }

    #[inline(always)]
    unsafe fn begin<L: Lanes>(&self, sizes: &Sizes, vector: Vector<L>, weights: *mut f32) {
        // SAFETY: above.
        unsafe { sizes.gather(vector, self.weight.as_ptr(), weights) };
    }

    #[inline(always)]
    unsafe fn line<L: Lanes>(&self, part: usize, line: &Line<'_, L>) {
        let mut column = line.pixels.start;
        while column < line.pixels.end {
            let rest = line.pixels.end - column;
            // SAFETY: above.
            unsafe {
                if rest > TILE / 2 {
                    self.tile::<L, TILE>(part, line, column, rest);
                    column += TILE;
                } else {
                    self.tile::<L, { TILE / 2 }>(part, line, column, rest);
                    column += TILE / 2;
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn end<L: Lanes>(&self, _: &Sizes, _: Vector<L>, _: *const f32) {}
}

impl Forward<'_> {
    /// `M` neighbouring pixels, of which there are `rest`.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const M: usize>(
        &self,
        part: usize,
        line: &Line<'_, L>,
        column: usize,
        rest: usize,
    ) {
        let Sizes { channels, columns, .. } = *line.sizes;
        let (vector, count) = (line.vector, rest.min(M));
        let slides = columns.by_pixel == 1 && columns.by_tap == 1;
        // SAFETY: above.
        unsafe {
            let y = self.y.add(line.pixel(column));
            let y_step = columns.axis.step * channels;
            let mut sums = [L::zero(); M];
            if part > 0 {
                sums = load_some(vector, y, y_step, count);
            } else if !self.bias.is_empty() {
                sums = [vector.load(self.bias.as_ptr().add(vector.channel)); M];
            }
            for i in line.met.clone() {
                let (x, weight) = (line.place(i, column), line.weights(i));
                match columns.axis.taps {
                    3 if slides => slide::<L, M, 3>(&mut sums, x, weight),
                    5 if slides => slide::<L, M, 5>(&mut sums, x, weight),
                    7 if slides => slide::<L, M, 7>(&mut sums, x, weight),
                    _ => step::<L, M>(&mut sums, &columns, x, weight),
                }
            }
            if vector.whole && count == M {
                for m in 0..M {
                    L::store(y.add(m * y_step), sums[m]);
                }
            } else {
                store_some(vector, sums, y, y_step, count);
            }
        }
    }
}

/// Adds what a line of a kernel sums that is `K` wide and goes on by one pixel: a number of the picture is
/// loaded once for all elements of the line.
#[inline(always)]
unsafe fn slide<L: Lanes, const M: usize, const K: usize>(
    sums: &mut [L::Vector; M],
    x: *const f32,
    weight: *const f32,
) {
    // SAFETY: above.
    unsafe {
        let mut weights = [L::zero(); K];
        for j in 0..K {
            weights[j] = L::load(weight.add(j * L::COUNT));
        }
        for p in 0..M + K - 1 {
            let x = L::load(x.add(p * L::COUNT));
            for j in 0..K {
                if p >= j && p - j < M {
                    sums[p - j] = L::mul_add(x, weights[j], sums[p - j]);
                }
            }
        }
    }
}

/// Adds what a line of any kernel sums.
#[inline(always)]
unsafe fn step<L: Lanes, const M: usize>(
    sums: &mut [L::Vector; M],
    columns: &Side,
    mut x: *const f32,
    mut weight: *const f32,
) {
    let by_pixel = columns.by_pixel * L::COUNT;
    for _ in 0..columns.axis.taps {
        // SAFETY: above.
        unsafe {
            let w = L::load(weight);
            for m in 0..M {
                sums[m] = L::mul_add(L::load(x.add(m * by_pixel)), w, sums[m]);
            }
            weight = weight.add(L::COUNT);
            x = x.wrapping_add(columns.by_tap * L::COUNT);
        }
    }
}

/// The first `count` of `M` vectors that stand `step` numbers from each other. A loop: written out for each of
/// them, ends of vectors made up a good part of the time to compile this.
#[inline(always)]
unsafe fn load_some<L: Lanes, const M: usize>(
    vector: Vector<L>,
    from: *const f32,
    step: usize,
    count: usize,
) -> [L::Vector; M] {
    // SAFETY: above.
    unsafe {
        let mut loaded = [L::zero(); M];
        for m in 0..count {
            loaded[m] = vector.load(from.add(m * step));
        }
        loaded
    }
}

/// The same for writing.
#[inline(always)]
unsafe fn store_some<L: Lanes, const M: usize>(
    vector: Vector<L>,
    vectors: [L::Vector; M],
    to: *mut f32,
    step: usize,
    count: usize,
) {
    for m in 0..count {
        // SAFETY: above.
        unsafe { vector.store(to.add(m * step), vectors[m]) };
    }
}
