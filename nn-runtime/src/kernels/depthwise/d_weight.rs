//! [`DWeight`]: the gradient of the weights.

use super::sizes::Sizes;
use super::window::{Line, Vector, Work, run};
use crate::kernels::isa::{Kernel, Lanes};

/// The gradient of the weights from one picture, added to what there is.
pub(super) struct DWeight<'a> {
    pub(super) sizes: Sizes,
    pub(super) x: &'a [f32],
    pub(super) d_y: &'a [f32],
    pub(super) d_weight: *mut f32,
}

/// Elements of the kernel whose gradients are computed together: those of 3x3.
const TAPS: usize = 9;

// SAFETY of all functions below: as in `window`.
impl Kernel for DWeight<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self) {
        // SAFETY: above.
        unsafe { run::<L>(self) }
    }
}

impl Work for DWeight<'_> {
    fn read(&self) -> (&Sizes, *const f32) {
        (&self.sizes, self.x.as_ptr())
    }

    #[inline(always)]
    unsafe fn begin<L: Lanes>(&self, sizes: &Sizes, vector: Vector<L>, weights: *mut f32) {
        // SAFETY: above.
        unsafe { sizes.gather(vector, self.d_weight, weights) };
    }

    #[inline(always)]
    unsafe fn line<L: Lanes>(&self, _part: usize, line: &Line<'_, L>) {
        let width = line.sizes.columns.axis.taps;
        for first in (line.met.start * width..line.met.end * width).step_by(TAPS) {
            // SAFETY: above.
            unsafe { self.taps::<L>(line, first) };
        }
    }

    #[inline(always)]
    unsafe fn end<L: Lanes>(&self, sizes: &Sizes, vector: Vector<L>, mut weights: *const f32) {
        for i in 0..sizes.rows.axis.taps {
            for j in 0..sizes.columns.axis.taps {
                // SAFETY: above.
                unsafe {
                    let to = self.d_weight.add(sizes.weight(i, j) + vector.channel);
                    vector.store(to, L::load(weights));
                    weights = weights.add(L::COUNT);
                }
            }
        }
    }
}

impl DWeight<'_> {
    /// What a line of pixels adds to the gradients of `TAPS` elements of the kernel, from `first` on. Behind the
    /// last one that is met, it is computed again: the same number goes to the same place.
    #[inline(always)]
    unsafe fn taps<L: Lanes>(&self, line: &Line<'_, L>, first: usize) {
        let Sizes { channels, columns, .. } = *line.sizes;
        let width = columns.axis.taps;
        let (mut i, mut j) = (first / width, first % width);
        // SAFETY: above.
        unsafe {
            let mut x = [line.window.start.cast_const(); TAPS];
            let mut d_weight = [line.window.start; TAPS];
            let mut sums = [L::zero(); TAPS];
            for t in 0..TAPS {
                x[t] = line.place(i, line.pixels.start).add(j * columns.by_tap * L::COUNT);
                d_weight[t] = line.weights(i).add(j * L::COUNT);
                sums[t] = L::load(d_weight[t]);
                if j + 1 < width {
                    j += 1;
                } else if i + 1 < line.met.end {
                    (i, j) = (i + 1, 0);
                }
            }
            let mut d_y = self.d_y.as_ptr().add(line.pixel(line.pixels.start));
            for p in 0..line.pixels.len() {
                let d_y_p = line.vector.load(d_y);
                for t in 0..TAPS {
                    let x = x[t].add(p * columns.by_pixel * L::COUNT);
                    sums[t] = L::mul_add(L::load(x), d_y_p, sums[t]);
                }
                d_y = d_y.wrapping_add(channels);
            }
            for t in 0..TAPS {
                L::store(d_weight[t], sums[t]);
            }
        }
    }
}
