//! The naive twin of recurrent layers: one sample, one step and one unit after the other, in `f64`, as PyTorch defines
//! `nn.RNN`, `nn.LSTM` and `nn.GRU`.
//!
//! `a` are a cell's sums from its input, `b` those from its state, each with its own bias.

use super::cell::Cell;
use super::stack::Stack;
use core::ops::Range;
use unrolled_shape::rules::recurrent::CellWeights;

/// The state of a unit; `c` of an LSTM only.
#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    h: f64,
    c: f64,
}

/// One step of a cell: its inputs, and the sums of each gate and unit, gate after gate.
struct Moment {
    time: usize,
    x: Vec<f64>,
    /// `h` before the step.
    h: Vec<f64>,
    before: Vec<Memory>,
    a: Vec<f64>,
    b: Vec<f64>,
    /// `h` of all units after the step, before it is projected.
    unprojected: Vec<f64>,
}

/// The pass of one sample through a stack.
pub(crate) struct StackPass<'a> {
    stack: &'a Stack,
    weights: &'a [f64],
    // The steps of each cell, in the order in which it reads them.
    moments: Vec<Vec<Moment>>,
    /// The output: `[steps, width]`, zeros after the end of the sequence, or `[width]`.
    pub(crate) y: Vec<f64>,
    /// The new state of the sample: `h` of all cells, then `c` of all cells of an LSTM.
    pub(crate) state: Vec<f64>,
}

/// Gradients of one sample.
pub(crate) struct Gradients {
    /// Of the input, `[steps, inputs]`.
    pub(crate) d_x: Vec<f64>,
    /// Of all weights.
    pub(crate) d_weights: Vec<f64>,
    /// Of the state that the sample begins with.
    pub(crate) d_state: Vec<f64>,
}

impl<'a> StackPass<'a> {
    /// The forward pass. `x` is `[steps, inputs]`, of which the first `valid` steps are read; `state` is the state of
    /// the sample, or empty. `keep(layer, i)` is the factor of dropout for element `i` of the output of `layer`,
    /// `[steps, width]`.
    pub(crate) fn forward(
        stack: &'a Stack,
        weights: &'a [f64],
        valid: usize,
        x: &[f64],
        state: &[f64],
        keep: impl Fn(usize, usize) -> f64,
    ) -> Self {
        let sizes = stack.sizes;
        let state = if state.is_empty() { vec![0.0; stack.state()] } else { state.to_vec() };
        let mut pass = Self { stack, weights, moments: Vec::new(), y: Vec::new(), state };
        let (mut source, mut last) = (x.to_vec(), Vec::new());
        for layer in 0..sizes.layers {
            let mut given = vec![0.0; stack.steps * sizes.width()];
            last.clear();
            for direction in 0..sizes.directions {
                last.extend(pass.cell(layer, direction, valid, &source, &mut given));
            }
            if layer + 1 < sizes.layers {
                given.iter_mut().enumerate().for_each(|(i, given)| *given *= keep(layer, i));
            }
            source = given;
        }
        pass.y = if stack.last { last } else { source };
        pass
    }

    /// The forward pass through one cell. Returns its last `h`.
    fn cell(
        &mut self,
        layer: usize,
        direction: usize,
        valid: usize,
        source: &[f64],
        given: &mut [f64],
    ) -> Vec<f64> {
        let sizes = self.stack.sizes;
        let CellWeights { inputs, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, end } =
            sizes.cell(layer, direction);
        let cell = layer * sizes.directions + direction;
        let [h_at, c_at] = state_ranges(self.stack, cell);
        let mut h = self.state[h_at.clone()].to_vec();
        let mut c = self.state.get(c_at.clone()).map_or(vec![0.0; sizes.units], <[f64]>::to_vec);
        let mut moments = Vec::new();
        for step in 0..valid {
            let time = if direction == 0 { step } else { valid - 1 - step };
            let x = source[time * inputs..][..inputs].to_vec();
            let a = sums(&x, &self.weights[weight_ih..weight_hh], &self.weights[bias_ih..bias_hh]);
            let b = sums(&h, &self.weights[weight_hh..bias_ih], &self.weights[bias_hh..weight_hr]);
            // Only a GRU, whose `h` is not projected, reads the `h` of a unit.
            let before = c.iter().enumerate();
            let before = before.map(|(unit, c)| Memory { h: *h.get(unit).unwrap_or(&0.0), c: *c });
            let before = before.collect();
            let mut moment = Moment { time, x, h, before, a, b, unprojected: Vec::new() };
            let now: Vec<Memory> =
                (0..sizes.units).map(|unit| self.stack.cell.unit(&moment.of(unit))).collect();
            moment.unprojected = now.iter().map(|unit| unit.h).collect();
            c = now.iter().map(|unit| unit.c).collect();
            h = match sizes.projection {
                0 => moment.unprojected.clone(),
                _ => sums(&moment.unprojected, &self.weights[weight_hr..end], &[]),
            };
            let to = time * sizes.width() + direction * sizes.outputs();
            given[to..to + h.len()].copy_from_slice(&h);
            moments.push(moment);
        }
        self.moments.push(moments);
        self.state[h_at].copy_from_slice(&h);
        if let Some(state) = self.state.get_mut(c_at) {
            state.copy_from_slice(&c);
        }
        h
    }

    /// Backward: the gradients of the sum of `d_y * y`.
    pub(crate) fn backward(&self, d_y: &[f64], keep: impl Fn(usize, usize) -> f64) -> Gradients {
        let Stack { sizes, steps, last, .. } = *self.stack;
        let (mut d_weights, mut d_state) = (vec![0.0; sizes.weights()], self.state.clone());
        let mut d_given = d_y.to_vec();
        for layer in (0..sizes.layers).rev() {
            let only_last = last && layer + 1 == sizes.layers;
            let mut d_source = vec![0.0; steps * sizes.inputs_of(layer)];
            for direction in 0..sizes.directions {
                let cell = CellBackward { pass: self, layer, direction, only_last };
                let d_initial = cell.run(&d_given, &mut d_source, &mut d_weights);
                let at = state_ranges(self.stack, layer * sizes.directions + direction);
                for (d_initial, at) in d_initial.into_iter().zip(at) {
                    if let Some(d_state) = d_state.get_mut(at) {
                        d_state.copy_from_slice(&d_initial);
                    }
                }
            }
            if layer > 0 {
                d_source.iter_mut().enumerate().for_each(|(i, d)| *d *= keep(layer - 1, i));
            }
            d_given = d_source;
        }
        Gradients { d_x: d_given, d_weights, d_state }
    }
}

/// The indices of `h` and `c` of a cell in the state of a sample.
fn state_ranges(stack: &Stack, cell: usize) -> [Range<usize>; 2] {
    let (sizes, outputs) = (stack.sizes, stack.sizes.outputs());
    let (h, c) = (cell * outputs, sizes.cells() * outputs + cell * sizes.units);
    [h..h + outputs, c..c + sizes.units]
}

/// The backward pass through one cell.
struct CellBackward<'a> {
    pass: &'a StackPass<'a>,
    layer: usize,
    direction: usize,
    only_last: bool,
}

impl CellBackward<'_> {
    /// Adds to the gradients of the cell's input and of its weights. Returns those of the `h` and `c` that it begins with.
    fn run(&self, d_given: &[f64], d_source: &mut [f64], d_weights: &mut [f64]) -> [Vec<f64>; 2] {
        let Stack { cell, sizes, .. } = *self.pass.stack;
        let weights = sizes.cell(self.layer, self.direction);
        let moments = &self.pass.moments[self.layer * sizes.directions + self.direction];
        let (mut d_h, mut d_c) = (vec![0.0; sizes.outputs()], vec![0.0; sizes.units]);
        if moments.is_empty() && self.only_last {
            // The last `h` is the first one.
            d_h.iter_mut().enumerate().for_each(|(i, d)| *d = self.d_h(d_given, 0, true, i));
        }
        for (step, moment) in moments.iter().enumerate().rev() {
            let (mut d_a, mut d_b) = (vec![0.0; sizes.columns()], vec![0.0; sizes.columns()]);
            for (i, d_h) in d_h.iter_mut().enumerate() {
                *d_h += self.d_h(d_given, moment.time, step + 1 == moments.len(), i);
            }
            let d_unprojected = match sizes.projection {
                0 => d_h.clone(),
                _ => self.d_sums(&moment.unprojected, &d_h, weights.weight_hr, None, d_weights),
            };
            d_h.fill(0.0);
            for (unit, d_c) in d_c.iter_mut().enumerate() {
                let d = Memory { h: d_unprojected[unit], c: *d_c };
                let d = cell.unit_backward(&moment.of(unit), d);
                *d_c = d.before.c;
                if let Some(d_h) = d_h.get_mut(unit) {
                    *d_h = d.before.h;
                }
                for gate in 0..sizes.gates {
                    d_a[gate * sizes.units + unit] = d.a[gate];
                    d_b[gate * sizes.units + unit] = d.b[gate];
                }
            }
            let [bias_ih, bias_hh] =
                [weights.bias_ih, weights.bias_hh].map(|at| sizes.bias.then_some(at));
            let d = self.d_sums(&moment.h, &d_b, weights.weight_hh, bias_hh, d_weights);
            d_h.iter_mut().zip(d).for_each(|(d_h, d)| *d_h += d);
            let d_x = self.d_sums(&moment.x, &d_a, weights.weight_ih, bias_ih, d_weights);
            let d_source = &mut d_source[moment.time * weights.inputs..][..weights.inputs];
            d_source.iter_mut().zip(d_x).for_each(|(d_source, d_x)| *d_source += d_x);
        }
        [d_h, d_c]
    }

    /// The gradient of element `i` of `h` that comes from the output.
    fn d_h(&self, d_given: &[f64], time: usize, is_end: bool, i: usize) -> f64 {
        let sizes = self.pass.stack.sizes;
        let column = self.direction * sizes.outputs() + i;
        match self.only_last {
            true if is_end => d_given[column],
            true => 0.0,
            false => d_given[time * sizes.width() + column],
        }
    }

    /// The gradient of `x` in [`sums`]; adds those of the matrix at `weight` and of the bias at `bias`, if there is one.
    fn d_sums(
        &self,
        x: &[f64],
        d_sums: &[f64],
        weight: usize,
        bias: Option<usize>,
        d_weights: &mut [f64],
    ) -> Vec<f64> {
        let weights = self.pass.weights;
        let mut d_x = vec![0.0; x.len()];
        for (column, d) in d_sums.iter().enumerate() {
            for (i, x) in x.iter().enumerate() {
                let place = weight + i * d_sums.len() + column;
                d_weights[place] += x * d;
                d_x[i] += weights[place] * d;
            }
            if let Some(bias) = bias {
                d_weights[bias + column] += d;
            }
        }
        d_x
    }
}

/// `x W + b`, with a column of `W` for each unit of each gate.
fn sums(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let columns = weight.len() / x.len();
    let product = |column: usize| {
        let terms = x.iter().enumerate().map(|(i, x)| x * weight[i * columns + column]);
        terms.sum::<f64>() + bias.get(column).copied().unwrap_or_default()
    };
    (0..columns).map(product).collect()
}

/// The values of a unit in one step: its sums, gate by gate, and its previous state.
#[derive(Clone, Copy, Debug, Default)]
struct Unit {
    a: [f64; 4],
    b: [f64; 4],
    before: Memory,
}

impl Moment {
    fn of(&self, unit: usize) -> Unit {
        let units = self.before.len();
        let mut all = Unit { before: self.before[unit], ..Unit::default() };
        for gate in 0..self.a.len() / units {
            all.a[gate] = self.a[gate * units + unit];
            all.b[gate] = self.b[gate * units + unit];
        }
        all
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Cell {
    /// The new state of a unit.
    fn unit(self, Unit { a, b, before }: &Unit) -> Memory {
        let sum = |gate: usize| a[gate] + b[gate];
        match self {
            Self::Tanh => Memory { h: sum(0).tanh(), c: 0.0 },
            Self::Relu => Memory { h: sum(0).max(0.0), c: 0.0 },
            Self::Lstm => {
                let (i, f, g, o) =
                    (sigmoid(sum(0)), sigmoid(sum(1)), sum(2).tanh(), sigmoid(sum(3)));
                let c = f * before.c + i * g;
                Memory { h: o * c.tanh(), c }
            }
            Self::Gru => {
                let (r, z) = (sigmoid(sum(0)), sigmoid(sum(1)));
                let n = (a[2] + r * b[2]).tanh();
                Memory { h: (1.0 - z) * n + z * before.h, c: 0.0 }
            }
        }
    }

    /// The gradients of a unit's sums and of its previous state, from that of its new state.
    fn unit_backward(self, unit: &Unit, d: Memory) -> Unit {
        let Unit { a, b, before } = unit;
        let sum = |gate: usize| a[gate] + b[gate];
        // The slopes of sigmoid and tanh, by their values.
        let (sigmoid_slope, tanh_slope) = (|y: f64| y * (1.0 - y), |y: f64| 1.0 - y * y);
        let mut d_unit = Unit::default();
        match self {
            Self::Tanh => d_unit.a[0] = d.h * tanh_slope(sum(0).tanh()),
            Self::Relu => d_unit.a[0] = if sum(0) > 0.0 { d.h } else { 0.0 },
            Self::Lstm => {
                let (i, f, g, o) =
                    (sigmoid(sum(0)), sigmoid(sum(1)), sum(2).tanh(), sigmoid(sum(3)));
                let tanh_c = (f * before.c + i * g).tanh();
                let d_c = d.c + d.h * o * tanh_slope(tanh_c);
                d_unit.a = [
                    d_c * g * sigmoid_slope(i),
                    d_c * before.c * sigmoid_slope(f),
                    d_c * i * tanh_slope(g),
                    d.h * tanh_c * sigmoid_slope(o),
                ];
                d_unit.before.c = d_c * f;
            }
            Self::Gru => {
                let (r, z) = (sigmoid(sum(0)), sigmoid(sum(1)));
                let n = (a[2] + r * b[2]).tanh();
                let d_n = d.h * (1.0 - z) * tanh_slope(n);
                let d_r = d_n * b[2] * sigmoid_slope(r);
                let d_z = d.h * (before.h - n) * sigmoid_slope(z);
                d_unit.a = [d_r, d_z, d_n, 0.0];
                d_unit.b = [d_r, d_z, d_n * r, 0.0];
                d_unit.before.h = d.h * z;
                return d_unit;
            }
        }
        d_unit.b = d_unit.a;
        d_unit
    }
}
