//! Matrices in *panels*: some columns of all rows, then the next columns. What a tile of a product reads is then
//! contiguous, and the hardware prefetches it, also from the third-level cache. Rows that are thousands of elements
//! apart it does not prefetch.

use crate::kernels::dense_args::ColumnsArgs;
use crate::kernels::isa::Isa;
use crate::kernels::product::{Init, LONG_DENSE_SUM, PARTIAL_SUM, Product, Strides3};
use crate::kernels::transpose::transpose;

/// Columns of a panel: two vectors of the widest instructions, so that a tile has many rows: eight for AVX-512, and six
/// for AVX2, for which a panel is two tiles wide.
const WIDTH: usize = 32;

/// Terms that are summed at a time, so that a panel's part stays in the second-level cache for all rows.
const BLOCK: usize = 512;

/// Copies a matrix of `columns` columns to panels. Does nothing if `panels` is empty.
pub(super) fn pack(columns: usize, from: &[f32], panels: &mut [f32]) {
    if panels.is_empty() {
        return;
    }
    let rows = from.len() / columns;
    for (first, panel) in (0..columns).step_by(WIDTH).zip(panels.chunks_mut(rows * WIDTH)) {
        // The last panel may be narrower: panels are as long as their columns, without padding.
        let width = panel.len() / rows;
        for (to, from) in panel.chunks_exact_mut(width).zip(from.chunks_exact(columns)) {
            to.copy_from_slice(&from[first..first + width]);
        }
    }
}

/// Copies the transpose of a matrix of `columns` columns to panels.
pub(super) fn pack_transposed(isa: Isa, columns: usize, from: &[f32], panels: &mut [f32]) {
    let rows = from.chunks(columns * WIDTH).zip(panels.chunks_mut(columns * WIDTH));
    // `WIDTH` rows of the matrix are `WIDTH` columns of its transpose: a panel of the transpose is their transpose, at
    // the same offset.
    rows.for_each(|(from, panel)| transpose(isa, columns, from, panel));
}

/// `y = x W` plus the initial values, for a weight of `inputs` rows and `units` columns in panels.
pub(super) fn product(isa: Isa, args: ColumnsArgs<'_>) {
    let ColumnsArgs { inputs, units, x, weight: panels, init, y, .. } = args;
    let rows = Strides3::one_loop(y.len() / units, inputs, units);
    // Panels outside, blocks of terms inside: a block is read by all rows before the next one.
    for (column, panel) in (0..units).step_by(WIDTH).zip(panels.chunks(inputs * WIDTH)) {
        let columns = panel.len() / inputs;
        let mut init = match init {
            Init::Bias(bias) => Init::Bias(&bias[column..column + columns]),
            other => other,
        };
        // A block of a panel is 64 kB, which all rows of `x` read. Those of long sums are the parts of `dense_columns`.
        let (block, then) = match inputs > LONG_DENSE_SUM {
            true => (PARTIAL_SUM, Init::Partial),
            false => (BLOCK, Init::Accumulate),
        };
        for first in (0..inputs).step_by(block) {
            let terms = Strides3::one_loop(block.min(inputs - first), 1, columns);
            let product = Product::new(rows, terms, columns, init);
            product.compute(isa, &x[first..], &panel[first * columns..], &mut y[column..]);
            init = then;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::dense::dense_columns;
    use crate::layers::testing::random;

    /// Sizes below, at and above those of panels and blocks: `[rows of x, inputs, units]`.
    const SIZES: [[usize; 3]; 7] = [
        [1, 1, 1],
        [3, 5, 31],
        [8, 512, 32],
        [2, 40, 33],
        [5, 513, 96],
        [17, 1030, 70],
        [2, 8300, 33],
    ];

    #[test]
    fn products_have_the_bits_of_those_with_the_plain_matrix() {
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            for [n, inputs, units] in SIZES {
                let (x, weight) = (random(n * inputs, 1), random(inputs * units, 2));
                let (bias, before) = (random(units, 3), random(n * units, 4));
                let mut panels = vec![f32::NAN; weight.len()];
                pack(units, &weight, &mut panels);
                for init in [Init::Zero, Init::Bias(&bias), Init::Accumulate] {
                    let (mut plain, mut found) = (before.clone(), before.clone());
                    let (stride, x, y) = (units, &x, &mut plain);
                    let args = ColumnsArgs { inputs, units, stride, x, weight: &weight, init, y };
                    dense_columns(isa, args);
                    let y = &mut found;
                    let args = ColumnsArgs { inputs, units, stride, x, weight: &panels, init, y };
                    product(isa, args);
                    assert_eq!(found, plain, "{isa:?}: {n}x{inputs} by {inputs}x{units}");
                }
            }
        }
    }

    #[test]
    fn transposed_panels_are_panels_of_the_turned_matrix() {
        for [_, rows, columns] in SIZES {
            let weight = random(rows * columns, 1);
            let mut transposed = vec![f32::NAN; weight.len()];
            for (i, value) in weight.iter().enumerate() {
                transposed[i % columns * rows + i / columns] = *value;
            }
            let [mut expected, mut found] = [(); 2].map(|()| vec![f32::NAN; weight.len()]);
            pack(rows, &transposed, &mut expected);
            pack_transposed(Isa::best(), columns, &weight, &mut found);
            assert_eq!(found, expected, "{rows}x{columns}");
        }
    }
}
