//! [`Product`]: the one loop nest behind dense layers and convolutions, forward and backward.
//!
//! All of them are matrix products `C[m, n] = Σ A[m, k] B[k, n]` in which rows and columns of the
//! matrices lie anywhere: a row may be a pixel, `k` may run over the elements of a kernel and over
//! channels. Nothing is copied into a matrix beforehand.
//!
//! Each number of `C` is one chain of multiply-adds in the order of `k`, whatever tile it is part of.
//! So a sample gives the same bits by itself and in any batch.

#[cfg(target_arch = "x86_64")]
use super::isa::{Avx2, Avx512};
use super::isa::{Baseline, Isa, Lanes};
use super::tile::{Panel, Sweep, sweep, sweep_cut};

/// Three nested loops, the last one innermost, that walk over two matrices.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    /// How often each loop runs.
    pub(crate) count: [usize; 3],
    /// How far one round of each goes in `A`.
    pub(crate) a: [usize; 3],
    /// How far one round of each goes in the other matrix.
    pub(crate) other: [usize; 3],
}

impl Walk {
    /// One loop.
    pub(crate) const fn line(count: usize, a: usize, other: usize) -> Self {
        Self { count: [1, 1, count], a: [0, 0, a], other: [0, 0, other] }
    }

    /// How many rounds in all.
    pub(crate) const fn len(&self) -> usize {
        self.count[0] * self.count[1] * self.count[2]
    }

    /// The same walk with fewer loops, where an inner one ends where the next round of the outer one
    /// begins.
    fn merged(mut self) -> Self {
        for outer in [1, 0] {
            let inner = if self.count[1] == 1 { 2 } else { outer + 1 };
            let count = self.count[inner];
            let seamless = self.a[outer] == count * self.a[inner]
                && self.other[outer] == count * self.other[inner];
            if seamless || self.count[outer] == 1 {
                self.count[inner] *= self.count[outer];
                self.count[outer] = 1;
            }
        }
        self
    }

    /// The largest offsets; `None` where there are no rounds at all, or where they overflow.
    fn last(&self) -> Option<[usize; 2]> {
        let mut last = [0_usize; 2];
        for i in 0..3 {
            let rounds = self.count[i].checked_sub(1)?;
            last[0] = last[0].checked_add(rounds.checked_mul(self.a[i])?)?;
            last[1] = last[1].checked_add(rounds.checked_mul(self.other[i])?)?;
        }
        Some(last)
    }
}

/// Whether a kernel replaces what stood in its output, or adds to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onto {
    /// What stood there does not matter.
    Nothing,
    /// It is added to.
    Sum,
}

/// What a product begins with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Begin<'a> {
    /// `C = A B`
    Zero,
    /// `C = A B + b`, the same for each row.
    Row(&'a [f32]),
    /// `C = C + A B`
    Add,
}

impl From<Onto> for Begin<'_> {
    fn from(onto: Onto) -> Self {
        match onto {
            Onto::Nothing => Self::Zero,
            Onto::Sum => Self::Add,
        }
    }
}

impl<'a> Begin<'a> {
    /// The bias, or nothing where there is none.
    pub(crate) const fn bias(bias: &'a [f32]) -> Self {
        if bias.is_empty() { Self::Zero } else { Self::Row(bias) }
    }
}

/// A product that can be computed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product<'a> {
    /// The rows of `A` and of `C`.
    pub(crate) rows: Walk,
    /// What is summed: columns of `A`, rows of `B`.
    pub(crate) terms: Walk,
    /// The columns of `B` and `C`, which stand side by side.
    pub(crate) columns: usize,
    /// What it begins with.
    pub(crate) begin: Begin<'a>,
}

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

    /// The same product with fewer loops, or nothing where there is none to compute. `lens` are the lengths of
    /// the matrices.
    ///
    /// # Panics
    /// As [`Self::compute`].
    fn checked(&self, isa: Isa, [a, b, c]: [usize; 3]) -> Option<Self> {
        if self.rows.len() == 0 || self.columns == 0 {
            return None;
        }
        let product = Self { terms: self.terms.merged(), ..*self };
        product.check(a, b, c);
        assert!(isa.is_available());
        Some(product)
    }

    /// Whether the part of `B` of a panel that is `width` columns wide should be copied to one place: where
    /// its rows lie far from each other, a few of them already fill those places of the caches that they can go
    /// to. Only if there are enough rows of `C` to make up for the copy; and a broad panel, whose rows are
    /// several whole cache lines, only where all of it does not stay in the second cache.
    pub(crate) fn is_worth_packing(&self, width: usize) -> bool {
        const FAR: usize = 256;
        const MANY: usize = 256;
        const ENOUGH: usize = 24;
        const BROAD: usize = 64;
        const LARGE: usize = 1 << 17;
        let far = self.terms.other[2] >= FAR;
        let many = self.terms.len() >= if width < BROAD { MANY } else { LARGE / width };
        far && many && self.rows.len() >= ENOUGH
    }

    fn check(&self, a_len: usize, b_len: usize, c_len: usize) {
        let [row_a, row_c] = self.rows.last().expect("rows within memory");
        assert!(row_c + self.columns <= c_len, "rows end inside C");
        if self.terms.len() > 0 {
            let [term_a, term_b] = self.terms.last().expect("terms within memory");
            assert!(row_a + term_a < a_len, "rows end inside A");
            assert!(term_b + self.columns <= b_len, "terms end inside B");
        }
        if let Begin::Row(row) = self.begin {
            assert_eq!(row.len(), self.columns, "a number to begin with, one for each column");
        }
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
