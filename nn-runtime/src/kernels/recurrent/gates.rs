//! What happens in a cell beside its matrix products: gates, and what they do to the state.
//!
//! All functions take rows: `gates` has `G * units` numbers in each, everything else `units`. Forward they
//! replace sums by gates; backward, gates by the gradients of the sums. `d_h` is the whole gradient of a
//! step's state, `d_h_before` receives what reaches the state before by another way than the matrix.

use crate::kernels::dispatch::dispatch;
use crate::kernels::elementwise::{sigmoid, tanh};

dispatch! {
    /// `h = tanh(a)`
    pub(crate) fn tanh_forward(gates: &mut [f32], h: &mut [f32]) {
        for (a, h) in gates.iter_mut().zip(h) {
            *a = tanh(*a);
            *h = *a;
        }
    }

    /// `h = max(a, 0)`
    pub(crate) fn relu_forward(gates: &mut [f32], h: &mut [f32]) {
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
            let (i, rest) = gates.split_at_mut(units);
            let (f, rest) = rest.split_at_mut(units);
            let (g, o) = rest.split_at_mut(units);
            for a in i.iter_mut().chain(f.iter_mut()) {
                *a = sigmoid(*a);
            }
            for k in 0..units {
                g[k] = tanh(g[k]);
                o[k] = sigmoid(o[k]);
                c[k] = f[k] * c_before[k] + i[k] * g[k];
                h[k] = o[k] * tanh(c[k]);
            }
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
            let (i, rest) = gates.split_at_mut(units);
            let (f, rest) = rest.split_at_mut(units);
            let (g, o) = rest.split_at_mut(units);
            for k in 0..units {
                let tanh_c = tanh(c[k]);
                let d = d_c[k] + d_h[k] * o[k] * (1.0 - tanh_c * tanh_c);
                d_c[k] = d * f[k];
                let (i_k, g_k) = (i[k], g[k]);
                i[k] = d * g_k * i_k * (1.0 - i_k);
                f[k] = d * c_before[k] * f[k] * (1.0 - f[k]);
                g[k] = d * i_k * (1.0 - g_k * g_k);
                o[k] = d_h[k] * tanh_c * o[k] * (1.0 - o[k]);
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
            let (r, rest) = gates.split_at_mut(units);
            let (z, n) = rest.split_at_mut(units);
            let (b_r, rest) = hidden.split_at(units);
            let (b_z, b_n) = rest.split_at(units);
            for k in 0..units {
                r[k] = sigmoid(r[k] + b_r[k]);
                z[k] = sigmoid(z[k] + b_z[k]);
                n[k] = tanh(n[k] + r[k] * b_n[k]);
                h[k] = (1.0 - z[k]) * n[k] + z[k] * h_before[k];
            }
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
            let (r, rest) = gates.split_at_mut(units);
            let (z, n) = rest.split_at_mut(units);
            let (b_r, rest) = hidden.split_at_mut(units);
            let (b_z, b_n) = rest.split_at_mut(units);
            for k in 0..units {
                let (r_k, z_k, n_k) = (r[k], z[k], n[k]);
                let d_n = d_h[k] * (1.0 - z_k) * (1.0 - n_k * n_k);
                let d_r = d_n * b_n[k] * r_k * (1.0 - r_k);
                let d_z = d_h[k] * (h_before[k] - n_k) * z_k * (1.0 - z_k);
                (r[k], z[k], n[k]) = (d_r, d_z, d_n);
                (b_r[k], b_z[k], b_n[k]) = (d_r, d_z, d_n * r_k);
                d_h_before[k] += d_h[k] * z_k;
            }
        }
    }
}
