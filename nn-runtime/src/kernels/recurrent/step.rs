//! One step of one sequence: the same sums as those of whole sequences, without the bookkeeping of a batch.

use super::cell::Cell;
use super::forward::{Weights, add_product};
use super::gates;
use super::stack::Stack;
use crate::kernels::chains::chains;
use crate::kernels::dense::dense_columns;
use crate::kernels::inline::{AtRunTime, Instructions};
use crate::kernels::isa::Isa;
use crate::kernels::product::Init;
use crate::memory::{Buffer, take};

/// Where the sums of one cell are; sizes in numbers.
struct StepLayout {
    /// Those from the input and, but for a GRU, from the state.
    sums: Buffer,
    /// Of a GRU: those from the state.
    hidden: Buffer,
}

impl StepLayout {
    #[inline]
    const fn new(stack: &Stack) -> Self {
        let columns = stack.sizes.columns();
        let sums = Buffer::EMPTY.then(columns);
        let hidden = sums.then(if matches!(stack.cell, Cell::Gru) { columns } else { 0 });
        Self { sums, hidden }
    }
}

impl Stack {
    /// Numbers that a step needs.
    #[must_use]
    pub const fn step_workspace(&self) -> usize {
        StepLayout::new(self).hidden.end()
    }

    /// Inference on one step, of a stack of one direction. `x` has `inputs` numbers, `y` `units`; `state`,
    /// [`Stack::state`] numbers, holds what the step before left, and receives what this one leaves.
    pub fn step(
        &self,
        weights: &[f32],
        x: &[f32],
        y: &mut [f32],
        state: &mut [f32],
        workspace: &mut [f32],
        scratch: &mut [f32],
    ) {
        self.step_as(AtRunTime, weights, x, y, state, workspace, scratch);
    }

    /// The same, inlined if the instructions say so: then it needs no `scratch`.
    #[expect(clippy::too_many_arguments, reason = "as `step`, and for which instructions")]
    #[inline(always)]
    pub(crate) fn step_as<I: Instructions>(
        &self,
        isa: I,
        weights: &[f32],
        x: &[f32],
        y: &mut [f32],
        state: &mut [f32],
        workspace: &mut [f32],
        scratch: &mut [f32],
    ) {
        let StepLayout { sums, hidden } = StepLayout::new(self);
        let [sums, hidden] = take(workspace, 1, [sums, hidden]);
        let (units, layers) = (self.sizes.units, self.sizes.layers);
        let (all_h, all_c) = state.split_at_mut(layers * units);
        for layer in 0..layers {
            let (below, h) = all_h.split_at_mut(layer * units);
            let h = &mut h[..units];
            let weights = Weights::of(&self.sizes, weights, layer, 0);
            let x = if layer == 0 { x } else { &below[(layer - 1) * units..] };
            // Known to the compiler, unlike the length of what the caller gave.
            let x = &x[..weights.inputs];
            if I::INLINE {
                self.sums_inlined(isa, &weights, x, h, sums, hidden);
            } else {
                self.sums(&weights, x, h, sums, hidden, scratch);
            }
            let c = if self.cell == Cell::Lstm {
                &mut all_c[layer * units..][..units]
            } else {
                &mut []
            };
            self.gates::<I>(sums, hidden, c, h);
        }
        // Number by number, which the compiler makes a store of the register that still holds them.
        for (y, h) in y[..units].iter_mut().zip(&all_h[(layers - 1) * units..][..units]) {
            *y = *h;
        }
    }

    /// What the gates are made of: from the input and, but for a GRU, from the state.
    fn sums(
        &self,
        weights: &Weights<'_>,
        x: &[f32],
        before: &[f32],
        sums: &mut [f32],
        hidden: &mut [f32],
        scratch: &mut [f32],
    ) {
        let (units, columns, isa) = (self.sizes.units, self.sizes.columns(), Isa::best());
        let bias = Init::bias(weights.input_bias(self.cell, scratch));
        dense_columns(isa, weights.inputs, columns, columns, x, weights.ih, bias, sums);
        if self.cell == Cell::Gru {
            let (hh, bias) = (weights.hh, Init::bias(weights.bias_hh));
            dense_columns(isa, units, columns, columns, before, hh, bias, hidden);
        } else {
            add_product(isa, units, columns, before, weights.hh, sums);
        }
    }

    /// The same bits.
    #[inline(always)]
    fn sums_inlined<I: Instructions>(
        &self,
        isa: I,
        weights: &Weights<'_>,
        x: &[f32],
        before: &[f32],
        sums: &mut [f32],
        hidden: &mut [f32],
    ) {
        let columns = self.sizes.columns();
        let Weights { ih, hh, bias_ih, bias_hh, .. } = *weights;
        if self.cell == Cell::Gru {
            chains(isa, columns, [bias_ih, &[]], [(x, ih)], sums);
            chains(isa, columns, [bias_hh, &[]], [(before, hh)], hidden);
        } else {
            chains(isa, columns, [bias_ih, bias_hh], [(x, ih), (before, hh)], sums);
        }
    }

    /// From the sums to the new state, which stands where the one before did.
    #[inline(always)]
    fn gates<I: Instructions>(
        &self,
        sums: &mut [f32],
        hidden: &[f32],
        c: &mut [f32],
        h: &mut [f32],
    ) {
        let units = self.sizes.units;
        match (self.cell, I::INLINE) {
            (Cell::Lstm, true) => gates::lstm_step_inlined::<I::Lanes>(units, sums, c, h),
            (Cell::Lstm, false) => gates::lstm_step(units, sums, c, h),
            (Cell::Gru, true) => gates::gru_step_inlined::<I::Lanes>(units, sums, hidden, h),
            (Cell::Gru, false) => gates::gru_step(units, sums, hidden, h),
            (Cell::Relu, true) => gates::relu_forward_inlined::<I::Lanes>(sums, h),
            (Cell::Relu, false) => gates::relu_forward(sums, h),
            (Cell::Tanh, true) => gates::tanh_forward_inlined::<I::Lanes>(sums, h),
            (Cell::Tanh, false) => gates::tanh_forward(sums, h),
        }
    }
}
