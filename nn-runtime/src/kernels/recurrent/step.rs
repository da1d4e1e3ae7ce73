//! One step of one sequence: the same sums as those of whole sequences, without the bookkeeping of a batch.

use super::forward::{Weights, add_product};
use super::{Cell, Passage, Stack, gates};
use crate::kernels::{Isa, dense};
use crate::memory::{Buffer, take};

/// Where the values of one cell are; sizes in numbers.
struct StepPlaces {
    /// The sums from the input, then the gates.
    gates: Buffer,
    /// Of a GRU: the sums from the state.
    hidden: Buffer,
    /// The new `h`.
    h: Buffer,
    /// Of an LSTM: the new `c`.
    c: Buffer,
}

impl StepPlaces {
    /// [`Stack::work`] has room for them, whatever the number of steps.
    const fn new(stack: &Stack) -> Self {
        let (units, columns) = (stack.sizes.units, stack.sizes.columns());
        let gates = Buffer::EMPTY.then(columns);
        let hidden = gates.then(if matches!(stack.cell, Cell::Gru) { columns } else { 0 });
        let h = hidden.then(units);
        let c = h.then(if matches!(stack.cell, Cell::Lstm) { units } else { 0 });
        Self { gates, hidden, h, c }
    }
}

impl Stack {
    /// Inference on one step, of a stack of one direction. `x` has `inputs` numbers, `y` `units`; `state`,
    /// [`Stack::state`] numbers, holds what the step before left, and receives what this one leaves.
    pub fn step(
        &self,
        weights: &[f32],
        x: &[f32],
        y: &mut [f32],
        state: &mut [f32],
        work: &mut [f32],
        scratch: &mut [f32],
    ) {
        let passage = Passage { stack: *self, places: self.places(false), weights };
        let StepPlaces { gates, hidden, h, c } = StepPlaces::new(self);
        let [gates, hidden, h, c] = take(work, 1, [gates, hidden, h, c]);
        let (units, layers) = (self.sizes.units, self.sizes.layers);
        let (all_h, all_c) = state.split_at_mut(layers * units);
        for layer in 0..layers {
            let (below, before) = all_h.split_at_mut(layer * units);
            let before = &mut before[..units];
            let x = if layer == 0 { x } else { &below[(layer - 1) * units..] };
            let weights = passage.cell_weights(layer, 0);
            self.sums(&weights, x, before, gates, hidden, scratch);
            match self.cell {
                Cell::Lstm => {
                    let c_before = &mut all_c[layer * units..][..units];
                    gates::lstm_forward(units, gates, c_before, c, h);
                    c_before.copy_from_slice(c);
                }
                Cell::Gru => gates::gru_forward(units, gates, hidden, before, h),
                Cell::Relu => gates::relu_forward(gates, h),
                Cell::Tanh => gates::tanh_forward(gates, h),
            }
            before.copy_from_slice(h);
        }
        y.copy_from_slice(h);
    }

    /// What the gates are made of: from the input and, but for a GRU, from the state.
    fn sums(
        &self,
        weights: &Weights<'_>,
        x: &[f32],
        before: &[f32],
        gates: &mut [f32],
        hidden: &mut [f32],
        scratch: &mut [f32],
    ) {
        let (units, columns, isa) = (self.sizes.units, self.sizes.columns(), Isa::best());
        let bias = weights.input_bias(self.cell, scratch);
        dense(isa, weights.inputs, columns, x, weights.ih, bias, gates);
        if self.cell == Cell::Gru {
            dense(isa, units, columns, before, weights.hh, weights.bias_hh, hidden);
        } else {
            add_product(isa, units, columns, before, weights.hh, gates);
        }
    }
}
