//! Reductions of rows to one value each: long rows in 16 lanes, which are joined in a fixed order.

use super::elementwise::exp;
use super::isa::Lanes;

// The same number with all instructions, so that a sum has the same bits with all of them.
const LANES: usize = 16;

/// Reduces a row by `$join`, beginning with `$neutral`.
macro_rules! reduce {
    ($row:expr, $neutral:expr, $join:expr) => {{
        if $row.len() < LANES {
            // Short rows, such as the scores of a few classes: joining 16 lanes would be most of the work.
            return $row.iter().fold($neutral, |a, &b| $join(a, b));
        }
        let mut lanes = [$neutral; LANES];
        let (whole, rest) = $row.as_chunks::<LANES>();
        for chunk in whole {
            for l in 0..LANES {
                lanes[l] = $join(lanes[l], chunk[l]);
            }
        }
        for (lane, &x) in lanes.iter_mut().zip(rest) {
            *lane = $join(*lane, x);
        }
        // Halves are joined until one lane is left: the order depends on the length of the row only.
        let mut half = LANES / 2;
        while half > 0 {
            for l in 0..half {
                lanes[l] = $join(lanes[l], lanes[l + half]);
            }
            half /= 2;
        }
        lanes[0]
    }};
}

/// `y = exp(x - max(x))` for each row of `row_len` elements, so that no exponential is infinite. The loop over `exp`
/// runs over all rows at once, which may be short.
#[inline(always)]
pub(crate) fn exp_below_max<L: Lanes>(row_len: usize, x: &[f32], y: &mut [f32]) {
    below_max(row_len, x, y);
    for y in y {
        *y = exp::<L>(*y);
    }
}

/// `y = x - max(x)` for each row of `row_len` elements.
#[inline(always)]
pub(crate) fn below_max(row_len: usize, x: &[f32], y: &mut [f32]) {
    for (x, y) in x.chunks_exact(row_len).zip(y.chunks_exact_mut(row_len)) {
        let max = max(x);
        for (y, &x) in y.iter_mut().zip(x) {
            *y = x - max;
        }
    }
}

/// Elements of a part of a long sum: 64 terms in each lane.
const PART: usize = 64 * LANES;

/// The sum of a row. That of a long row is a sum of parts, in `f64`: the rounding error of a sum grows with its length.
#[inline(always)]
pub(crate) fn sum(row: &[f32]) -> f32 {
    if row.len() <= PART {
        return sum_of_part(row);
    }
    row.chunks(PART).map(|part| f64::from(sum_of_part(part))).sum::<f64>() as f32
}

#[inline(always)]
fn sum_of_part(row: &[f32]) -> f32 {
    reduce!(row, 0.0_f32, |a, b| a + b)
}

/// The sum of all `a * (b - origin)`, in parts as [`sum`].
#[inline(always)]
pub(crate) fn products(a: &[f32], b: &[f32], origin: f32) -> f32 {
    if a.len() <= PART {
        return products_of_part(a, b, origin);
    }
    let parts = a.chunks(PART).zip(b.chunks(PART));
    parts.map(|(a, b)| f64::from(products_of_part(a, b, origin))).sum::<f64>() as f32
}

#[inline(always)]
fn products_of_part(a: &[f32], b: &[f32], origin: f32) -> f32 {
    if a.len() < LANES {
        return a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * (b - origin));
    }
    let mut lanes = [0.0; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for l in 0..LANES {
            // Not fused, so that the bits do not depend on the instructions.
            lanes[l] += a[l] * (b[l] - origin);
        }
    }
    for (lane, (a, b)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *lane += a * (b - origin);
    }
    sum_of_part(&lanes)
}

/// The maximum of a row; NaN is ignored.
#[inline(always)]
pub(crate) fn max(row: &[f32]) -> f32 {
    reduce!(row, f32::NEG_INFINITY, |a: f32, b| if b > a { b } else { a })
}
