//! Panels of a product: which tiles compute them.

use super::problem::Product;
use super::tile::{Panel, Sweep, sweep, sweep_cut};
#[cfg(target_arch = "x86_64")]
use crate::kernels::isa::{Avx2, Avx512};
use crate::kernels::isa::{Baseline, Isa, Lanes};

impl Product<'_> {
    /// Computes it.
    ///
    /// # Panics
    /// When it reaches beyond one of the matrices, or the machine does not have the instructions.
    pub(crate) fn compute(&self, isa: Isa, a: &[f32], b: &[f32], c: &mut [f32]) {
        let Some(product) = self.checked(isa, [a.len(), b.len(), c.len()]) else { return };
        let tiles = match isa {
            Isa::Baseline => const { &Tiles::new::<Baseline, 6, 6, 0>() },
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => const { &Tiles::new::<Avx2, 6, 6, 0>() },
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => const { &Tiles::new::<Avx512, 8, 8, 6>() },
            #[cfg(not(target_arch = "x86_64"))]
            _ => unreachable!("not available here"),
        };
        // SAFETY: the instructions are available, and the product stays inside the three matrices, as
        // `checked` found.
        unsafe { product.compute_by(tiles, a.as_ptr(), b.as_ptr(), c.as_mut_ptr()) };
    }

    /// The product by panels of columns.
    ///
    /// # Safety
    /// The instructions of the `tiles` must be there, and [`Self::checked`] must have found the product inside
    /// of `a`, `b` and `c`.
    unsafe fn compute_by(&self, tiles: &Tiles, a: *const f32, b: *const f32, c: *mut f32) {
        let mut column = 0;
        while column < self.columns {
            let rest = self.columns - column;
            let (vectors, sweep) = tiles.of(self.rows.len(), rest);
            // SAFETY: the caller's; the panel begins inside of `b` and `c`.
            unsafe {
                let (b, c) = (b.add(column), c.add(column));
                let panel = Panel { product: self, a, b, c, column, rest };
                panel.compute(vectors * tiles.lanes, sweep);
            }
            column += vectors * tiles.lanes;
        }
    }
}

/// What computes panels with some instructions.
struct Tiles {
    /// Numbers in a vector.
    lanes: usize,
    /// Whether a vector that is cut off costs no more than a whole one. Where it does, it is a panel by itself.
    cheap_tail: bool,
    /// Panels of eight vectors, for a single row.
    row: Sweep,
    /// Panels of four vectors, where registers can hold tiles that are so wide; of two and of one.
    four: Option<Sweep>,
    two: Sweep,
    one: Sweep,
    /// Panels of a vector that is cut off, where that is not cheap.
    cut: Sweep,
}

impl Tiles {
    /// Tiles of `M1`, `M2` and `M4` rows that are 1, 2 and 4 vectors wide: as many as registers can hold, 0
    /// where that is too wide.
    const fn new<L: Lanes, const M1: usize, const M2: usize, const M4: usize>() -> Self {
        Self {
            lanes: L::COUNT,
            cheap_tail: L::CHEAP_TAIL,
            row: sweep::<L, 1, 8>,
            four: if const { M4 > 0 } { Some(sweep::<L, M4, 4>) } else { None },
            two: sweep::<L, M2, 2>,
            one: sweep::<L, M1, 1>,
            cut: if const { L::CHEAP_TAIL } { sweep::<L, M1, 1> } else { sweep_cut::<L> },
        }
    }

    /// How many vectors the next panel of a product has, of which `rest` columns are left, and what computes it.
    fn of(&self, rows: usize, rest: usize) -> (usize, Sweep) {
        let vectors = if self.cheap_tail { rest.div_ceil(self.lanes) } else { rest / self.lanes };
        match (vectors, self.four) {
            // A single row has no other way to keep the multipliers busy.
            (8.., _) if rows == 1 => (8, self.row),
            (4.., Some(four)) => (4, four),
            (2.., _) => (2, self.two),
            (1, _) => (1, self.one),
            (0, _) => (1, self.cut),
        }
    }
}
