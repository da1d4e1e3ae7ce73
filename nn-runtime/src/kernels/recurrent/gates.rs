//! What happens in a cell beside its matrix products: gates, and what they do to the state.
//!
//! All functions take rows: `gates` has `G * units` numbers in each, everything else `units`. Forward they
//! replace sums by gates; backward, gates by the gradients of the sums. `d_h` is the whole gradient of a
//! step's state, `d_h_before` receives what reaches the state before by another way than the matrix.

use crate::kernels::dispatch::dispatch;
use crate::kernels::elementwise::{map_in_place, sigmoid, tanh};

dispatch! {
    /// `h = tanh(a)`
    pub(crate) fn tanh_forward as tanh_forward_inlined(gates: &mut [f32], h: &mut [f32]) {
        map_in_place(gates, tanh);
        h.copy_from_slice(gates);
    }

    /// `h = max(a, 0)`
    pub(crate) fn relu_forward as relu_forward_inlined(gates: &mut [f32], h: &mut [f32]) {
        for (a, h) in gates.iter_mut().zip(h) {
            *a = if *a > 0.0 { *a } else { 0.0 };
            *h = *a;
        }
    }

    /// The gradient of `a` in `h = tanh(a)`.
    pub(crate) fn tanh_backward(gates: &mut [f32], d_h: &[f32]) {
        for (a, d_h) in gates.iter_mut().zip(d_h) {
            *a = d_h * (1.0 - *a * *a);
        }
    }

    /// The gradient of `a` in `h = max(a, 0)`.
    pub(crate) fn relu_backward(gates: &mut [f32], d_h: &[f32]) {
        for (a, d_h) in gates.iter_mut().zip(d_h) {
            *a = if *a > 0.0 { *d_h } else { 0.0 };
        }
    }

    /// `c = f c' + i g`, `h = o tanh(c)`, with `i, f, o` through the sigmoid and `g` through tanh.
    pub(crate) fn lstm_forward(
        units: usize,
        gates: &mut [f32],
        c_before: &[f32],
        c: &mut [f32],
        h: &mut [f32],
    ) {
        let rows = gates.chunks_exact_mut(4 * units).zip(c_before.chunks_exact(units));
        let states = c.chunks_exact_mut(units).zip(h.chunks_exact_mut(units));
        for ((gates, c_before), (c, h)) in rows.zip(states) {
            for k in (0..units).step_by(LANES) {
                let (gates_k, c_k, h_k) =
                    lstm_lanes(load_each(gates, k, units), load(c_before, k, units));
                store_each(gates, k, units, gates_k);
                store(c, k, units, c_k);
                store(h, k, units, h_k);
            }
        }
    }

    /// The same for one row, whose gates nobody needs: `c` and `h` are those of the step before, then the new
    /// ones.
    pub(crate) fn lstm_step as lstm_step_inlined(
        units: usize,
        sums: &[f32],
        c: &mut [f32],
        h: &mut [f32],
    ) {
        for k in (0..units).step_by(LANES) {
            let (_, c_k, h_k) = lstm_lanes(load_each(sums, k, units), load(c, k, units));
            store(c, k, units, c_k);
            store(h, k, units, h_k);
        }
    }

    /// The gradients of the sums in [`lstm_forward`]; `d_c` is that of `c` on the way in (without what
    /// comes from `h`), and of the `c` before on the way out.
    pub(crate) fn lstm_backward(
        units: usize,
        gates: &mut [f32],
        c_before: &[f32],
        c: &[f32],
        d_h: &[f32],
        d_c: &mut [f32],
    ) {
        let rows = gates.chunks_exact_mut(4 * units).zip(c_before.chunks_exact(units));
        let states = c.chunks_exact(units).zip(d_h.chunks_exact(units));
        let all = rows.zip(states.zip(d_c.chunks_exact_mut(units)));
        for ((gates, c_before), ((c, d_h), d_c)) in all {
            for k in (0..units).step_by(LANES) {
                let [mut i, mut f, mut g, mut o] = load_each(gates, k, units);
                let (before, now) = (load(c_before, k, units), load(c, k, units));
                let (d_h_k, mut d_c_k) = (load(d_h, k, units), load(d_c, k, units));
                for l in 0..LANES {
                    let tanh_c = tanh(now[l]);
                    let d = d_c_k[l] + d_h_k[l] * o[l] * (1.0 - tanh_c * tanh_c);
                    d_c_k[l] = d * f[l];
                    let (i_l, g_l) = (i[l], g[l]);
                    i[l] = d * g_l * i_l * (1.0 - i_l);
                    f[l] = d * before[l] * f[l] * (1.0 - f[l]);
                    g[l] = d * i_l * (1.0 - g_l * g_l);
                    o[l] = d_h_k[l] * tanh_c * o[l] * (1.0 - o[l]);
                }
                store_each(gates, k, units, [i, f, g, o]);
                store(d_c, k, units, d_c_k);
            }
        }
    }

    /// `h = (1 - z) n + z h'` with `r, z = sigmoid(a + b)` and `n = tanh(a + r b)`, where `a` is what comes
    /// from the input (`gates`) and `b` what comes from the state (`hidden`).
    pub(crate) fn gru_forward(
        units: usize,
        gates: &mut [f32],
        hidden: &[f32],
        h_before: &[f32],
        h: &mut [f32],
    ) {
        let rows = gates.chunks_exact_mut(3 * units).zip(hidden.chunks_exact(3 * units));
        let states = h_before.chunks_exact(units).zip(h.chunks_exact_mut(units));
        for ((gates, hidden), (h_before, h)) in rows.zip(states) {
            for k in (0..units).step_by(LANES) {
                let (sums, hidden) = (load_each(gates, k, units), load_each(hidden, k, units));
                let (gates_k, h_k) = gru_lanes(sums, hidden, load(h_before, k, units));
                store_each(gates, k, units, gates_k);
                store(h, k, units, h_k);
            }
        }
    }

    /// The same for one row, whose gates nobody needs: `h` is that of the step before, then the new one.
    pub(crate) fn gru_step as gru_step_inlined(
        units: usize,
        sums: &[f32],
        hidden: &[f32],
        h: &mut [f32],
    ) {
        for k in (0..units).step_by(LANES) {
            let (sums, hidden) = (load_each(sums, k, units), load_each(hidden, k, units));
            let (_, h_k) = gru_lanes(sums, hidden, load(h, k, units));
            store(h, k, units, h_k);
        }
    }

    /// The gradients of both sums in [`gru_forward`], and `d_h_before`.
    pub(crate) fn gru_backward(
        units: usize,
        gates: &mut [f32],
        hidden: &mut [f32],
        h_before: &[f32],
        d_h: &[f32],
        d_h_before: &mut [f32],
    ) {
        let rows = gates.chunks_exact_mut(3 * units).zip(hidden.chunks_exact_mut(3 * units));
        let states = h_before.chunks_exact(units).zip(d_h.chunks_exact(units));
        let all = rows.zip(states.zip(d_h_before.chunks_exact_mut(units)));
        for ((gates, hidden), ((h_before, d_h), d_h_before)) in all {
            for k in (0..units).step_by(LANES) {
                let [mut r, mut z, mut n] = load_each(gates, k, units);
                let [mut b_r, mut b_z, mut b_n] = load_each(hidden, k, units);
                let (before, d_h_k) = (load(h_before, k, units), load(d_h, k, units));
                let mut d_before = load(d_h_before, k, units);
                for l in 0..LANES {
                    let (r_l, z_l, n_l) = (r[l], z[l], n[l]);
                    let d_n = d_h_k[l] * (1.0 - z_l) * (1.0 - n_l * n_l);
                    let d_r = d_n * b_n[l] * r_l * (1.0 - r_l);
                    let d_z = d_h_k[l] * (before[l] - n_l) * z_l * (1.0 - z_l);
                    (r[l], z[l], n[l]) = (d_r, d_z, d_n);
                    (b_r[l], b_z[l], b_n[l]) = (d_r, d_z, d_n * r_l);
                    d_before[l] += d_h_k[l] * z_l;
                }
                store_each(gates, k, units, [r, z, n]);
                store_each(hidden, k, units, [b_r, b_z, b_n]);
                store(d_h_before, k, units, d_before);
            }
        }
    }
}

/// Numbers that are worked on at a time: a vector of the widest instructions. They are copied to arrays of
/// their own, because the compiler cannot tell that so many slices do not overlap, and would go one by one.
const LANES: usize = 16;

type Numbers = [f32; LANES];

/// From the sums of an LSTM and the `c` before to its gates, `c` and `h`.
#[inline(always)]
fn lstm_lanes(sums: [Numbers; 4], before: Numbers) -> ([Numbers; 4], Numbers, Numbers) {
    let [mut i, mut f, mut g, mut o] = sums;
    let (mut c, mut h) = ([0.0; LANES], [0.0; LANES]);
    for l in 0..LANES {
        i[l] = sigmoid(i[l]);
        f[l] = sigmoid(f[l]);
        g[l] = tanh(g[l]);
        o[l] = sigmoid(o[l]);
        c[l] = f[l] * before[l] + i[l] * g[l];
        h[l] = o[l] * tanh(c[l]);
    }
    ([i, f, g, o], c, h)
}

/// From both sums of a GRU and the `h` before to its gates and `h`.
#[inline(always)]
fn gru_lanes(sums: [Numbers; 3], hidden: [Numbers; 3], before: Numbers) -> ([Numbers; 3], Numbers) {
    let ([mut r, mut z, mut n], [b_r, b_z, b_n]) = (sums, hidden);
    let mut h = [0.0; LANES];
    for l in 0..LANES {
        r[l] = sigmoid(r[l] + b_r[l]);
        z[l] = sigmoid(z[l] + b_z[l]);
        n[l] = tanh(n[l] + r[l] * b_n[l]);
        h[l] = (1.0 - z[l]) * n[l] + z[l] * before[l];
    }
    ([r, z, n], h)
}

/// The numbers of `row`, which has `units`, from `k` on; zeros behind its end.
#[inline(always)]
fn load(row: &[f32], k: usize, units: usize) -> Numbers {
    match row[k..units].first_chunk() {
        Some(all) => *all,
        None => {
            let mut some = [0.0; LANES];
            for (some, x) in some.iter_mut().zip(&row[k..units]) {
                *some = *x;
            }
            some
        }
    }
}

/// Writes the numbers of `row`, which has `units`, from `k` on.
#[inline(always)]
fn store(row: &mut [f32], k: usize, units: usize, numbers: Numbers) {
    let row = &mut row[k..units];
    match row.first_chunk_mut() {
        Some(all) => *all = numbers,
        None => row.iter_mut().zip(numbers).for_each(|(x, number)| *x = number),
    }
}

/// As [`load`], of `G` rows that stand one behind the other.
#[inline(always)]
fn load_each<const G: usize>(rows: &[f32], k: usize, units: usize) -> [Numbers; G] {
    let mut numbers = [[0.0; LANES]; G];
    for (numbers, row) in numbers.iter_mut().zip(rows.chunks_exact(units)) {
        *numbers = load(row, k, units);
    }
    numbers
}

/// As [`store`], of `G` rows that stand one behind the other.
#[inline(always)]
fn store_each<const G: usize>(rows: &mut [f32], k: usize, units: usize, numbers: [Numbers; G]) {
    for (row, numbers) in rows.chunks_exact_mut(units).zip(numbers) {
        store(row, k, units, numbers);
    }
}
