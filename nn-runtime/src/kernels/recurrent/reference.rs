//! The naive twin of recurrent layers: one sample, one step and one unit after the other, in `f64`, as PyTorch defines
//! `nn.RNN`, `nn.LSTM` and `nn.GRU`.
//!
//! `a` are a cell's sums from its input, `b` those from its state, each with its own bias.

use super::cell::Cell;
use super::stack::Stack;
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
    before: Vec<Memory>,
    a: Vec<f64>,
    b: Vec<f64>,
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
                let end = pass.cell(layer, direction, valid, &source, &mut given);
                last.extend(end.iter().map(|unit| unit.h));
            }
            if layer + 1 < sizes.layers {
                given.iter_mut().enumerate().for_each(|(i, given)| *given *= keep(layer, i));
            }
            source = given;
        }
        pass.y = if stack.last { last } else { source };
        pass
    }

    /// The forward pass through one cell. Returns its last state.
    fn cell(
        &mut self,
        layer: usize,
        direction: usize,
        valid: usize,
        source: &[f64],
        given: &mut [f64],
    ) -> Vec<Memory> {
        let sizes = self.stack.sizes;
        let CellWeights { inputs, weight_ih, weight_hh, bias_ih, bias_hh, end } =
            sizes.cell(layer, direction);
        let cell = layer * sizes.directions + direction;
        let mut now: Vec<Memory> =
            (0..sizes.units).map(|unit| self.unit_state(cell, unit)).collect();
        let mut moments = Vec::new();
        for step in 0..valid {
            let time = if direction == 0 { step } else { valid - 1 - step };
            let x = source[time * inputs..][..inputs].to_vec();
            let h: Vec<f64> = now.iter().map(|unit| unit.h).collect();
            let a = sums(&x, &self.weights[weight_ih..weight_hh], &self.weights[bias_ih..bias_hh]);
            let b = sums(&h, &self.weights[weight_hh..bias_ih], &self.weights[bias_hh..end]);
            let moment = Moment { time, x, before: now, a, b };
            now = (0..sizes.units).map(|unit| self.stack.cell.unit(&moment.of(unit))).collect();
            for (unit, now) in now.iter().enumerate() {
                given[time * sizes.width() + direction * sizes.units + unit] = now.h;
            }
            moments.push(moment);
        }
        self.moments.push(moments);
        for (unit, now) in now.iter().enumerate() {
            self.set_unit_state(cell, unit, *now);
        }
        now
    }

    fn unit_state(&self, cell: usize, unit: usize) -> Memory {
        let [h, c] = self.layout(cell, unit);
        Memory { h: self.state[h], c: self.state.get(c).copied().unwrap_or_default() }
    }

    fn set_unit_state(&mut self, cell: usize, unit: usize, memory: Memory) {
        let [h, c] = self.layout(cell, unit);
        self.state[h] = memory.h;
        if let Some(state) = self.state.get_mut(c) {
            *state = memory.c;
        }
    }

    /// The indices of `h` and `c` of a unit in the state of a sample.
    fn layout(&self, cell: usize, unit: usize) -> [usize; 2] {
        let sizes = self.stack.sizes;
        [0, 1].map(|which| (which * sizes.cells() + cell) * sizes.units + unit)
    }

    /// Backward: the gradients of the sum of `d_y * y`. They are not computed for the initial state.
    pub(crate) fn backward(&self, d_y: &[f64], keep: impl Fn(usize, usize) -> f64) -> Gradients {
        let Stack { sizes, steps, last, .. } = *self.stack;
        let mut d_weights = vec![0.0; sizes.weights()];
        let mut d_given = d_y.to_vec();
        for layer in (0..sizes.layers).rev() {
            let only_last = last && layer + 1 == sizes.layers;
            let mut d_source = vec![0.0; steps * sizes.inputs_of(layer)];
            for direction in 0..sizes.directions {
                let cell = CellBackward { pass: self, layer, direction, only_last };
                cell.run(&d_given, &mut d_source, &mut d_weights);
            }
            if layer > 0 {
                d_source.iter_mut().enumerate().for_each(|(i, d)| *d *= keep(layer - 1, i));
            }
            d_given = d_source;
        }
        Gradients { d_x: d_given, d_weights }
    }
}

/// The backward pass through one cell.
struct CellBackward<'a> {
    pass: &'a StackPass<'a>,
    layer: usize,
    direction: usize,
    only_last: bool,
}

impl CellBackward<'_> {
    /// Adds to the gradients of the cell's input and of its weights.
    fn run(&self, d_given: &[f64], d_source: &mut [f64], d_weights: &mut [f64]) {
        let Stack { cell, sizes, .. } = *self.pass.stack;
        let weights = sizes.cell(self.layer, self.direction);
        let moments = &self.pass.moments[self.layer * sizes.directions + self.direction];
        let mut d_memory = vec![Memory::default(); sizes.units];
        for (step, moment) in moments.iter().enumerate().rev() {
            let (mut d_a, mut d_b) = (vec![0.0; sizes.columns()], vec![0.0; sizes.columns()]);
            for (unit, d_memory) in d_memory.iter_mut().enumerate() {
                d_memory.h += self.d_h(d_given, moment.time, step + 1 == moments.len(), unit);
                let d = cell.unit_backward(&moment.of(unit), *d_memory);
                *d_memory = d.before;
                for gate in 0..sizes.gates {
                    d_a[gate * sizes.units + unit] = d.a[gate];
                    d_b[gate * sizes.units + unit] = d.b[gate];
                }
            }
            let h: Vec<f64> = moment.before.iter().map(|unit| unit.h).collect();
            let d_h = self.d_sums(&h, &d_b, weights.weight_hh, weights.bias_hh, d_weights);
            d_memory.iter_mut().zip(d_h).for_each(|(d_memory, d_h)| d_memory.h += d_h);
            let d_x = self.d_sums(&moment.x, &d_a, weights.weight_ih, weights.bias_ih, d_weights);
            let d_source = &mut d_source[moment.time * weights.inputs..][..weights.inputs];
            d_source.iter_mut().zip(d_x).for_each(|(d_source, d_x)| *d_source += d_x);
        }
    }

    /// The gradient of a unit's `h` that comes from the output.
    fn d_h(&self, d_given: &[f64], time: usize, is_end: bool, unit: usize) -> f64 {
        let sizes = self.pass.stack.sizes;
        let column = self.direction * sizes.units + unit;
        match self.only_last {
            true if is_end => d_given[column],
            true => 0.0,
            false => d_given[time * sizes.width() + column],
        }
    }

    /// The gradient of `x` in [`sums`]; adds those of the matrix at `weight` and of the bias at `bias`.
    fn d_sums(
        &self,
        x: &[f64],
        d_sums: &[f64],
        weight: usize,
        bias: usize,
        d_weights: &mut [f64],
    ) -> Vec<f64> {
        let StackPass { stack, weights, .. } = self.pass;
        let mut d_x = vec![0.0; x.len()];
        for (column, d) in d_sums.iter().enumerate() {
            for (i, x) in x.iter().enumerate() {
                let place = weight + i * d_sums.len() + column;
                d_weights[place] += x * d;
                d_x[i] += weights[place] * d;
            }
            if stack.sizes.bias {
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
