//! [`Product`]: the sizes of a product, and whether it stays inside of its matrices.

use super::init::Init;
use super::strides::Strides3;
use crate::kernels::epilogue::Epilogue;
use crate::kernels::isa::Isa;
use crate::system::CacheLine;

/// The sizes of a matrix product.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product<'a> {
    /// The rows of `A` and of `C`.
    pub(crate) rows: Strides3,
    /// The terms of each sum: columns of `A`, rows of `B`.
    pub(crate) terms: Strides3,
    /// The columns of `B` and `C`, which are contiguous.
    pub(crate) columns: usize,
    /// The initial value of the sums.
    pub(crate) init: Init<'a>,
    /// What is computed from each sum before it is stored.
    pub(crate) epilogue: Epilogue<'a>,
}

impl<'a> Product<'a> {
    /// A product whose sums are stored as they are.
    pub(crate) const fn new(
        rows: Strides3,
        terms: Strides3,
        columns: usize,
        init: Init<'a>,
    ) -> Self {
        Self { rows, terms, columns, init, epilogue: Epilogue::NONE }
    }

    /// The same, or, of a part of the sums that is not the last one, without the epilogue.
    pub(super) const fn without_epilogue_if(self, more_terms: bool) -> Self {
        if more_terms { Self { epilogue: Epilogue::NONE, ..self } } else { self }
    }

    /// Whether tiles compute anything from their sums before they store them.
    pub(super) const fn changes_sums(&self) -> bool {
        matches!(self.init, Init::Partial) || self.epilogue.is_for_sums()
    }

    /// The same product with fewer loops, or `None` if it has no elements. `[a, b, c]` are the lengths of the
    /// matrices.
    ///
    /// # Panics
    /// If the product reaches beyond a matrix, or the machine does not have the instructions.
    pub(super) fn checked(&self, isa: Isa, [a, b, c]: [usize; 3]) -> Option<Self> {
        if self.rows.len() == 0 || self.columns == 0 {
            return None;
        }
        // Only the loops over terms: each tile runs all of them, so that short inner loops would cost time in every
        // tile.
        let product = Self { terms: self.terms.merged(), ..*self };
        // Tiles read and write through raw pointers without any further check: they rely on these two.
        product.check(a, b, c);
        assert!(isa.is_available());
        Some(product)
    }

    /// Whether the part of `B` that a panel of `width` columns reads should be packed into contiguous memory.
    ///
    /// Rows that are far apart compete for the same few sets of a cache, and a few of them fill these. Packing pays
    /// only if there are enough rows of `C` to make up for the copy. A broad panel, whose rows are several whole cache
    /// lines, is packed only if it does not fit into the second-level cache.
    pub(super) fn is_worth_packing(&self, width: usize) -> bool {
        // Elements from one row of `B` to the next: 1 kB. A first-level cache with 64 sets of lines of 64 bytes maps
        // the beginnings of such rows to four of its sets.
        const FAR: usize = 256;
        // Rows of `B`: several times the lines that four sets of 8 to 12 lines hold.
        const MANY: usize = 256;
        // Rows of `C`: at least three tiles read what was copied.
        const ENOUGH: usize = 24;
        // Columns: four vectors of AVX-512, four cache lines.
        const BROAD: usize = 64;
        // Elements of `B` that a panel reads: 512 kB.
        const LARGE: usize = 1 << 17;
        let far = self.terms.other[2] >= FAR;
        let many = self.terms.len() >= if width < BROAD { MANY } else { LARGE / width };
        far && many && self.rows.len() >= ENOUGH
    }

    /// Columns before the first one whose elements of `B` begin cache lines, if panels should begin there; fewer than a
    /// line has.
    ///
    /// A row of a panel is then four cache lines instead of five. A box of weights has the alignment of an element, and
    /// some allocators place large blocks 16 bytes after the beginning of a page. Worth a panel of a few columns where that
    /// is a small part of all panels, and where `B` does not stay in a first-level cache (docs/decisions/0042).
    pub(super) fn columns_before_line(&self, b: *const f32) -> usize {
        // Columns: 20 vectors of AVX-512.
        const MANY: usize = 320;
        // Terms: panels of 24 kB.
        const LONG: usize = 96;
        // Rows of `C`: a tile.
        const ENOUGH: usize = 6;
        let rows_begin_lines = self.terms.other.iter().all(|it| it.is_multiple_of(CacheLine::LEN));
        let worth = self.columns >= MANY && self.terms.len() >= LONG && self.rows.len() >= ENOUGH;
        if !rows_begin_lines || !worth {
            return 0;
        }
        b.addr().wrapping_neg() % size_of::<CacheLine>() / size_of::<f32>()
    }

    fn check(&self, a_len: usize, b_len: usize, c_len: usize) {
        // Strides are not negative, so that the last row and the last term have the largest offsets. Unsafe code relies
        // on these checks: a sum that overflows is beyond any slice.
        let [row_a, row_c] = self.rows.last().expect("rows within memory");
        assert!(row_c.saturating_add(self.columns) <= c_len, "rows end inside C");
        // Without terms the product writes initial values only, and `A` and `B` may be empty.
        if self.terms.len() > 0 {
            let [term_a, term_b] = self.terms.last().expect("terms within memory");
            assert!(row_a.saturating_add(term_a) < a_len, "rows end inside A");
            assert!(term_b.saturating_add(self.columns) <= b_len, "terms end inside B");
        }
        if let Init::Bias(row) = self.init {
            assert_eq!(row.len(), self.columns, "a bias for each unit: one for each column");
        }
        self.epilogue.check(self.columns, row_c.saturating_add(self.columns));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_begin_at_cache_lines_where_there_are_many() {
        let lines = [CacheLine::ZERO; 2];
        let begin = CacheLine::values(&lines).as_ptr();
        let product = |[rows, terms, columns, stride]: [usize; 4]| {
            let (rows, terms) =
                (Strides3::one_loop(rows, terms, columns), Strides3::one_loop(terms, 1, stride));
            Product::new(rows, terms, columns, Init::Zero)
        };
        let many = product([6, 96, 320, 320]);
        for offset in 0..CacheLine::LEN {
            let before = (CacheLine::LEN - offset) % CacheLine::LEN;
            assert_eq!(many.columns_before_line(begin.wrapping_add(offset)), before);
        }
        for few in [[5, 96, 320, 320], [6, 95, 320, 320], [6, 96, 319, 320], [6, 96, 320, 328]] {
            assert_eq!(product(few).columns_before_line(begin.wrapping_add(4)), 0, "{few:?}");
        }
    }
}
