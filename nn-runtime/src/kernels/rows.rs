//! Rows of numbers reduced to one number each: in 16 lanes, which are joined in fixed order.

const LANES: usize = 16;

/// Joins `of` of all numbers by `join`, beginning from `neutral`.
macro_rules! reduce {
    ($row:expr, $neutral:expr, $join:expr) => {{
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

/// The sum of all numbers.
#[inline(always)]
pub(crate) fn sum(row: &[f32]) -> f32 {
    reduce!(row, 0.0_f32, |a, b| a + b)
}

/// The largest number; NaN is passed over.
#[inline(always)]
pub(crate) fn max(row: &[f32]) -> f32 {
    reduce!(row, f32::NEG_INFINITY, |a: f32, b| if b > a { b } else { a })
}
