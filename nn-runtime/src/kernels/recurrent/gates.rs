//! The formulas of cells beside their matrix products: gates, and the new state.
//!
//! All functions take rows: `gates` has `G * units` elements in each, all others have `units`. The forward functions
//! replace sums by gates, the backward functions replace gates by the gradients of the sums. `d_h` is the whole
//! gradient of a step's state; `d_h_before` receives what reaches the previous state other than through the matrix.

use crate::kernels::dispatch::dispatch;
use crate::kernels::elementwise::{
    LANES, map_in_place, sigmoid, sigmoid_divisor, tanh, tanh_fraction,
};
use crate::kernels::isa::{Lanes, mul_add};

/// Calls `units(written, .., read, ..)` with one vector after the other of rows of `len` elements, and with the rest,
/// padded to a vector: element by element it would take longer than a vector.
macro_rules! in_vectors {
    ($units:expr, $len:expr, [$($written:ident),*], [$($read:ident),*]) => {
        let whole = $len - $len % LANES;
        for k in (0..whole).step_by(LANES) {
            $units($(&mut $written[k..k + LANES],)* $(&$read[k..k + LANES]),*);
        }
        if whole < $len {
            $(let mut $written = (padded(&$written[whole..]), &mut $written[whole..]);)*
            $units($(&mut $written.0,)* $(&padded(&$read[whole..])),*);
            $($written.1.copy_from_slice(&$written.0[..$len - whole]);)*
        }
    };
}

/// A vector of a few values, padded with zeros.
#[inline(always)]
fn padded(values: &[f32]) -> [f32; LANES] {
    let mut vector = [0.0; LANES];
    vector[..values.len()].copy_from_slice(values);
    vector
}

/// Rows that the backward pass of an LSTM cell reads.
#[derive(Clone, Copy)]
pub(super) struct LstmStates<'a> {
    /// `c` of the previous step.
    pub(super) c_before: &'a [f32],
    /// `c` of this step.
    pub(super) c: &'a [f32],
    /// The gradient of `h` of this step.
    pub(super) d_h: &'a [f32],
}

dispatch! {
    /// `h = tanh(a)`
    pub(super) fn tanh_forward as tanh_forward_inlined<L>(gates: &mut [f32], h: &mut [f32]) {
        map_in_place(gates, tanh::<L>);
        h.copy_from_slice(gates);
    }

    /// `h = max(a, 0)`
    pub(super) fn relu_forward as relu_forward_inlined(gates: &mut [f32], h: &mut [f32]) {
        for (a, h) in gates.iter_mut().zip(h) {
            // NaN stays, so that a diverged network shows it.
            *a = if *a <= 0.0 { 0.0 } else { *a };
            *h = *a;
        }
    }

    /// The gradient of `a` in `h = tanh(a)`.
    pub(super) fn tanh_backward<L>(gates: &mut [f32], d_h: &[f32]) {
        for (a, d_h) in gates.iter_mut().zip(d_h) {
            *a = d_h * slope_of_tanh::<L>(*a);
        }
    }

    /// The gradient of `a` in `h = max(a, 0)`.
    pub(super) fn relu_backward(gates: &mut [f32], d_h: &[f32]) {
        for (a, d_h) in gates.iter_mut().zip(d_h) {
            // The gate is the output here, which is positive where the sum was.
            *a = if *a <= 0.0 { 0.0 } else { *d_h };
        }
    }

    /// `c = f c' + i g`, `h = o tanh(c)`, with `i, f, o` through the sigmoid and `g` through tanh.
    pub(super) fn lstm_forward<L>(
        units: usize,
        gates: &mut [f32],
        c_before: &[f32],
        c: &mut [f32],
        h: &mut [f32],
    ) {
        let rows = gates.chunks_exact_mut(4 * units).zip(c_before.chunks_exact(units));
        let states = c.chunks_exact_mut(units).zip(h.chunks_exact_mut(units));
        for ((gates, c_before), (c, h)) in rows.zip(states) {
            let [i, f, g, o] = parts_mut(gates, units);
            in_vectors!(lstm_units::<L>, units, [i, f, g, o, c, h], [c_before]);
        }
    }

    /// The same for one row, without storing the gates: `c` and `h` are those of the previous step, then the new ones.
    pub(super) fn lstm_step as lstm_step_inlined<L>(
        units: usize,
        sums: &[f32],
        c: &mut [f32],
        h: &mut [f32],
    ) {
        let [i, f, g, o] = parts(sums, units);
        in_vectors!(lstm_units_step::<L>, units, [c, h], [i, f, g, o]);
    }

    /// The gradients of the sums in [`lstm_forward`]. `d_c` is the gradient of `c` without what comes from `h`, and is
    /// replaced by that of the previous `c`.
    pub(super) fn lstm_backward<L>(
        units: usize,
        states: LstmStates<'_>,
        gates: &mut [f32],
        d_c: &mut [f32],
    ) {
        let LstmStates { c_before, c, d_h } = states;
        let rows = gates.chunks_exact_mut(4 * units).zip(c_before.chunks_exact(units));
        let states = c.chunks_exact(units).zip(d_h.chunks_exact(units));
        let all = rows.zip(states.zip(d_c.chunks_exact_mut(units)));
        for ((gates, c_before), ((c, d_h), d_c)) in all {
            let [i, f, g, o] = parts_mut(gates, units);
            in_vectors!(lstm_units_backward::<L>, units, [i, f, g, o, d_c], [c_before, c, d_h]);
        }
    }

    /// `h = (1 - z) n + z h'` with `r, z = sigmoid(a + b)` and `n = tanh(a + r b)`, where `a` are the sums from the
    /// input (`gates`) and `b` those from the state (`hidden`).
    pub(super) fn gru_forward<L>(
        units: usize,
        gates: &mut [f32],
        hidden: &[f32],
        h_before: &[f32],
        h: &mut [f32],
    ) {
        let rows = gates.chunks_exact_mut(3 * units).zip(hidden.chunks_exact(3 * units));
        let states = h_before.chunks_exact(units).zip(h.chunks_exact_mut(units));
        for ((gates, hidden), (h_before, h)) in rows.zip(states) {
            let [r, z, n] = parts_mut(gates, units);
            let [b_r, b_z, b_n] = parts(hidden, units);
            in_vectors!(gru_units::<L>, units, [r, z, n, h], [b_r, b_z, b_n, h_before]);
        }
    }

    /// The same for one row, without storing the gates: `h` is that of the previous step, then the new one.
    pub(super) fn gru_step as gru_step_inlined<L>(
        units: usize,
        sums: &[f32],
        hidden: &[f32],
        h: &mut [f32],
    ) {
        let ([r, z, n], [b_r, b_z, b_n]) = (parts(sums, units), parts(hidden, units));
        in_vectors!(gru_units_step::<L>, units, [h], [r, z, n, b_r, b_z, b_n]);
    }

    /// The gradients of both sums in [`gru_forward`], and `d_h_before`. `states` are the previous `h` and the gradient
    /// of `h`.
    pub(super) fn gru_backward<L>(
        units: usize,
        states: [&[f32]; 2],
        gates: &mut [f32],
        hidden: &mut [f32],
        d_h_before: &mut [f32],
    ) {
        let [h_before, d_h] = states;
        let rows = gates.chunks_exact_mut(3 * units).zip(hidden.chunks_exact_mut(3 * units));
        let states = h_before.chunks_exact(units).zip(d_h.chunks_exact(units));
        let all = rows.zip(states.zip(d_h_before.chunks_exact_mut(units)));
        for ((gates, hidden), ((h_before, d_h), d_h_before)) in all {
            let ([r, z, n], [b_r, b_z, b_n]) = (parts_mut(gates, units), parts_mut(hidden, units));
            in_vectors!(
                gru_units_backward::<L>,
                units,
                [r, z, n, b_r, b_z, b_n, d_h_before],
                [h_before, d_h]
            );
        }
    }
}

/// `G` consecutive rows.
#[inline(always)]
fn parts<const G: usize>(rows: &[f32], units: usize) -> [&[f32]; G] {
    core::array::from_fn(|g| &rows[g * units..(g + 1) * units])
}

/// `G` consecutive rows, mutable.
#[inline(always)]
fn parts_mut<const G: usize>(rows: &mut [f32], units: usize) -> [&mut [f32]; G] {
    // An iterator yields slices that do not overlap, without `unsafe` or a chain of splits.
    let mut rows = rows.chunks_exact_mut(units);
    core::array::from_fn(|_| rows.next().expect("a row for each gate"))
}

/// The slope of `y = sigmoid(a)`.
#[inline(always)]
fn slope_of_sigmoid(y: f32) -> f32 {
    y * (1.0 - y)
}

/// The slope of `y = tanh(a)`.
#[inline(always)]
fn slope_of_tanh<L: Lanes>(y: f32) -> f32 {
    mul_add::<L>(-y, y, 1.0)
}

// Functions of neighbouring units. Each slice that is written is an argument of its own: the compiler assumes that
// mutable slices among arguments do not overlap, and vectorises the loops. In an argument struct they would lose that,
// and parts of one slice, element by element, took twice as long.

/// Some units of a row of [`lstm_forward`].
#[inline(always)]
fn lstm_units<L: Lanes>(
    i: &mut [f32],
    f: &mut [f32],
    g: &mut [f32],
    o: &mut [f32],
    c: &mut [f32],
    h: &mut [f32],
    c_before: &[f32],
) {
    // Slices of the same length, so that the loop has no bounds checks and becomes vector instructions.
    let n = i.len();
    let (f, g, o, c_before) = (&mut f[..n], &mut g[..n], &mut o[..n], &c_before[..n]);
    let (c, h) = (&mut c[..n], &mut h[..n]);
    for k in 0..n {
        let (gates, now) = lstm_cell::<L>([i[k], f[k], g[k], o[k]], c_before[k]);
        [i[k], f[k], g[k], o[k]] = gates;
        [c[k], h[k]] = now;
    }
}

/// Some units of the row of [`lstm_step`].
#[inline(always)]
fn lstm_units_step<L: Lanes>(
    c: &mut [f32],
    h: &mut [f32],
    i: &[f32],
    f: &[f32],
    g: &[f32],
    o: &[f32],
) {
    let n = i.len();
    let (f, g, o, c, h) = (&f[..n], &g[..n], &o[..n], &mut c[..n], &mut h[..n]);
    for k in 0..n {
        let (_, now) = lstm_cell::<L>([i[k], f[k], g[k], o[k]], c[k]);
        [c[k], h[k]] = now;
    }
}

/// The gates of a unit, and its `c` and `h`, from its sums and its previous `c`.
///
/// Divisions take longest, so that `i g` and `o tanh(c)` have one each.
#[inline(always)]
fn lstm_cell<L: Lanes>([i, f, g, o]: [f32; 4], c_before: f32) -> ([f32; 4], [f32; 2]) {
    let [above_g, below_g] = tanh_fraction::<L>(g);
    let [below_i, below_f, below_o] = [i, f, o].map(|x| sigmoid_divisor::<L>(x));
    let c = above_g / (below_i * below_g) + c_before / below_f;
    let [above_c, below_c] = tanh_fraction::<L>(c);
    let h = above_c / (below_o * below_c);
    ([1.0 / below_i, 1.0 / below_f, above_g / below_g, 1.0 / below_o], [c, h])
}

/// Some units of a row of [`lstm_backward`].
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "slices that do not overlap, see above")]
fn lstm_units_backward<L: Lanes>(
    i: &mut [f32],
    f: &mut [f32],
    g: &mut [f32],
    o: &mut [f32],
    d_c: &mut [f32],
    c_before: &[f32],
    c: &[f32],
    d_h: &[f32],
) {
    let n = i.len();
    let (f, g, o, c_before) = (&mut f[..n], &mut g[..n], &mut o[..n], &c_before[..n]);
    let (c, d_h, d_c) = (&c[..n], &d_h[..n], &mut d_c[..n]);
    for k in 0..n {
        // Computed again instead of being saved for each step.
        let tanh_c = tanh::<L>(c[k]);
        let d = mul_add::<L>(d_h[k] * o[k], slope_of_tanh::<L>(tanh_c), d_c[k]);
        // Gates are replaced by gradients: these two are needed after they have been overwritten.
        let (i_k, g_k) = (i[k], g[k]);
        d_c[k] = d * f[k];
        i[k] = d * g_k * slope_of_sigmoid(i_k);
        f[k] = d * c_before[k] * slope_of_sigmoid(f[k]);
        g[k] = d * i_k * slope_of_tanh::<L>(g_k);
        o[k] = d_h[k] * tanh_c * slope_of_sigmoid(o[k]);
    }
}

/// Some units of a row of [`gru_forward`].
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "slices that do not overlap, see above")]
fn gru_units<L: Lanes>(
    r: &mut [f32],
    z: &mut [f32],
    n: &mut [f32],
    h: &mut [f32],
    b_r: &[f32],
    b_z: &[f32],
    b_n: &[f32],
    h_before: &[f32],
) {
    let units = r.len();
    let (z, n, b_r, b_z) = (&mut z[..units], &mut n[..units], &b_r[..units], &b_z[..units]);
    let (b_n, h_before, h) = (&b_n[..units], &h_before[..units], &mut h[..units]);
    for k in 0..units {
        let (sums, hidden) = ([r[k], z[k], n[k]], [b_r[k], b_z[k], b_n[k]]);
        ([r[k], z[k], n[k]], h[k]) = gru_cell::<L>(sums, hidden, h_before[k]);
    }
}

/// Some units of the row of [`gru_step`].
#[inline(always)]
fn gru_units_step<L: Lanes>(
    h: &mut [f32],
    r: &[f32],
    z: &[f32],
    n: &[f32],
    b_r: &[f32],
    b_z: &[f32],
    b_n: &[f32],
) {
    let units = r.len();
    let (z, n, b_r, b_z) = (&z[..units], &n[..units], &b_r[..units], &b_z[..units]);
    let (b_n, h) = (&b_n[..units], &mut h[..units]);
    for k in 0..units {
        let (sums, hidden) = ([r[k], z[k], n[k]], [b_r[k], b_z[k], b_n[k]]);
        (_, h[k]) = gru_cell::<L>(sums, hidden, h[k]);
    }
}

/// The gates and `h` of a unit, from both sums and its previous `h`.
#[inline(always)]
fn gru_cell<L: Lanes>(
    [r, z, n]: [f32; 3],
    [b_r, b_z, b_n]: [f32; 3],
    h_before: f32,
) -> ([f32; 3], f32) {
    let (r, z) = (sigmoid::<L>(r + b_r), sigmoid::<L>(z + b_z));
    // The reset gate multiplies the sum from the state, as in PyTorch, and not the state itself.
    let n = tanh::<L>(mul_add::<L>(r, b_n, n));
    ([r, z, n], mul_add::<L>(z, h_before, (1.0 - z) * n))
}

/// Some units of a row of [`gru_backward`].
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "slices that do not overlap, see above")]
fn gru_units_backward<L: Lanes>(
    r: &mut [f32],
    z: &mut [f32],
    n: &mut [f32],
    b_r: &mut [f32],
    b_z: &mut [f32],
    b_n: &mut [f32],
    d_h_before: &mut [f32],
    h_before: &[f32],
    d_h: &[f32],
) {
    let units = r.len();
    let (z, n, b_r, b_z) = (&mut z[..units], &mut n[..units], &mut b_r[..units], &mut b_z[..units]);
    let (b_n, h_before) = (&mut b_n[..units], &h_before[..units]);
    let (d_h, d_h_before) = (&d_h[..units], &mut d_h_before[..units]);
    for k in 0..units {
        let (r_k, z_k, n_k) = (r[k], z[k], n[k]);
        let d_n = d_h[k] * (1.0 - z_k) * slope_of_tanh::<L>(n_k);
        let d_r = d_n * b_n[k] * slope_of_sigmoid(r_k);
        let d_z = d_h[k] * (h_before[k] - n_k) * slope_of_sigmoid(z_k);
        [r[k], z[k], n[k]] = [d_r, d_z, d_n];
        // `r` multiplies the sum from the state before `tanh`, so that only this gradient has it as a factor.
        [b_r[k], b_z[k], b_n[k]] = [d_r, d_z, d_n * r_k];
        // Added: the rows already hold the gradient of the output of that step.
        d_h_before[k] = mul_add::<L>(d_h[k], z_k, d_h_before[k]);
    }
}
