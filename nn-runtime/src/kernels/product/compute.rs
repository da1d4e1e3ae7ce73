//! [`Product::compute`]: which tiles compute which columns.

use super::init::Init;
use super::problem::Product;
use super::tile::{Panel, Sweep, sweep, sweep_partial};
#[cfg(target_arch = "x86_64")]
use crate::kernels::isa::{Avx2, Avx512};
use crate::kernels::isa::{Baseline, Isa, Lanes};

/// Sums of more terms are computed in parts of [`PARTIAL_SUM`] terms by [`Product::compute_in_parts`]. Shorter ones, such
/// as the gradients of small images, are one chain.
pub(crate) const LONG_SUM: usize = 1 << 13;

/// Terms of a part of a long sum. With `std`, not more than the rows of a panel that are packed at a time: panels pack a
/// part as a whole or not at all.
pub(crate) const PARTIAL_SUM: usize = 256;

/// Dense layers with more inputs add up parts of [`PARTIAL_SUM`] inputs: they cost less there than in convolutions, whose
/// sums are parts from [`LONG_SUM`] on (docs/decisions/0025).
pub(crate) const LONG_DENSE_SUM: usize = 512;

/// Rows of the baseline's tiles of one, two and four vectors; 0 where registers cannot hold such a tile.
const ROWS: [usize; 3] = if cfg!(target_arch = "aarch64") {
    // 32 registers, as AVX-512 has.
    [8, 8, 6]
} else if cfg!(target_arch = "arm") {
    // 32 registers of one element: four rows of a vector are 16 sums, beside a vector of `B` and an element of `A`. And
    // 13 for addresses: one for each row of `A`. Wider tiles would spill, and be kilobytes of code.
    [4, 0, 0]
} else {
    [6, 6, 0]
};

impl Product<'_> {
    /// As [`Self::compute`], but sums of more than [`LONG_SUM`] terms are sums of parts: the rounding error of a sum
    /// grows with the number of additions that follow each other (Higham, 1993).
    ///
    /// # Panics
    /// If the product reaches beyond a matrix, or the machine does not have the instructions.
    pub(crate) fn compute_in_parts(&self, isa: Isa, a: &[f32], b: &[f32], c: &mut [f32]) {
        if self.terms.len() <= LONG_SUM {
            return self.compute(isa, a, b, c);
        }
        let parts = Self { terms: self.terms.merged(), ..*self };
        parts.compute_parts_of(PARTIAL_SUM, isa, a, b, c);
    }

    /// The same in parts of at most `most` terms, however few terms there are.
    pub(crate) fn compute_parts_of(
        &self,
        most: usize,
        isa: Isa,
        a: &[f32],
        b: &[f32],
        c: &mut [f32],
    ) {
        if self.terms.len() == 0 {
            return self.compute(isa, a, b, c);
        }
        let (mut init, mut left) = (self.init, self.terms.len());
        self.terms.for_each_part(most, |terms, [in_a, in_b]| {
            left -= terms.len();
            let part = Product { terms, init, ..*self }.without_epilogue_if(left > 0);
            part.compute(isa, &a[in_a..], &b[in_b..], c);
            init = Init::Partial;
        });
    }

    /// Computes the product `C = A B`, or what [`Product::init`] adds to it.
    ///
    /// # Panics
    /// If the product reaches beyond a matrix, or the machine does not have the instructions.
    pub(crate) fn compute(&self, isa: Isa, a: &[f32], b: &[f32], c: &mut [f32]) {
        let Some(product) = self.checked(isa, [a.len(), b.len(), c.len()]) else { return };
        // Six rows of two vectors are 12 of 16 registers. The others hold two vectors of `B`, an element of `A` and,
        // without fused multiply-adds, a product. AVX-512 has 32 registers: six rows of four vectors are 24 sums,
        // beside four vectors of `B` and an element of `A`.
        let tiles = match isa {
            Isa::Baseline => {
                const { &Tiles::new::<Baseline, { ROWS[0] }, { ROWS[1] }, { ROWS[2] }>() }
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => const { &Tiles::new::<Avx2, 6, 6, 0>() },
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => const { &Tiles::new::<Avx512, 8, 8, 6>() },
            #[cfg(not(target_arch = "x86_64"))]
            _ => unreachable!("not available here"),
        };
        let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
        // Panels of columns, each of which reads all of `A` once: hence panels as wide as registers allow.
        let changes_sums = product.changes_sums();
        let line = if tiles.cheap_tail { product.columns_before_line(b) } else { 0 };
        for columns in [0..line, line..product.columns] {
            let mut column = columns.start;
            while column < columns.end {
                let rest = columns.end - column;
                let (vectors, sweep) = tiles.of(product.rows.len(), rest);
                // SAFETY: `checked` found that the machine has the instructions of the tiles and that the product stays
                // inside of the three matrices; `column` is one of its columns, and so are the `rest` that follow.
                unsafe {
                    let (b, c) = (b.add(column), c.add(column));
                    let panel = Panel { product: &product, a, b, c, column, changes_sums, rest };
                    panel.compute(vectors * tiles.lanes, sweep);
                }
                column += vectors * tiles.lanes;
            }
        }
    }
}

/// The functions that compute panels with one instruction set.
struct Tiles {
    /// Elements of a vector.
    lanes: usize,
    /// Whether a partial vector costs no more than a whole one. Otherwise it is a panel by itself: tiles that end in a
    /// partial vector were a third of the code of all tiles.
    cheap_tail: bool,
    /// Panels of eight vectors, for a single row, where panels of two vectors exist.
    row: Option<Sweep>,
    /// Panels of four vectors, where registers can hold such wide tiles.
    four: Option<Sweep>,
    /// Panels of two vectors, where registers can hold tiles of them.
    two: Option<Sweep>,
    /// Panels of one vector.
    one: Sweep,
    /// Panels of a partial vector, where that is not cheap.
    partial: Sweep,
}

impl Tiles {
    /// Tiles of `M1`, `M2` and `M4` rows that are 1, 2 and 4 vectors wide: as many rows as registers can hold, 0 where
    /// that is too wide.
    const fn new<L: Lanes, const M1: usize, const M2: usize, const M4: usize>() -> Self {
        Self {
            lanes: L::COUNT,
            cheap_tail: L::CHEAP_TAIL,
            row: if const { M2 > 0 } { Some(sweep::<L, 1, 8>) } else { None },
            four: if const { M4 > 0 } { Some(sweep::<L, M4, 4>) } else { None },
            two: if const { M2 > 0 } { Some(sweep::<L, M2, 2>) } else { None },
            one: sweep::<L, M1, 1>,
            partial: if const { L::CHEAP_TAIL } { sweep::<L, M1, 1> } else { sweep_partial::<L> },
        }
    }

    /// The number of vectors of the next panel of a product of which `rest` columns are left, and its function.
    fn of(&self, rows: usize, rest: usize) -> (usize, Sweep) {
        // Never more vectors than begin in the columns that are left: tiles rely on it.
        let vectors = if self.cheap_tail { rest.div_ceil(self.lanes) } else { rest / self.lanes };
        // A single row has no other independent sums to hide the latency of multiply-adds: eight chains, since each
        // takes about four cycles and up to two begin in each cycle.
        let row = self.row.filter(|_| rows == 1);
        match (vectors, row, self.four, self.two) {
            (8.., Some(row), ..) => (8, row),
            (4.., _, Some(four), _) => (4, four),
            (2.., .., Some(two)) => (2, two),
            (1.., ..) => (1, self.one),
            (0, ..) => (1, self.partial),
        }
    }
}
