//! One step of one sequence: the same sums as those of whole sequences, without the bookkeeping of a batch.

use super::args::StackStep;
use super::cell::Cell;
use super::forward::{CellIndex, Weights};
use super::gates;
use super::stack::Stack;
use crate::kernels::chains::chains;
use crate::kernels::dense::dense_columns;
use crate::kernels::dense_args::ColumnsArgs;
use crate::kernels::inline::{AtRunTime, Instructions};
use crate::kernels::isa::Isa;
use crate::kernels::product::{Init, Product, Strides3};
use crate::memory::{Buffer, take};

/// The layout of the sums of one cell; sizes are elements.
struct StepLayout {
    /// The sums from the input and, except in a GRU, from the state.
    sums: Buffer,
    /// The sums from the state of a GRU.
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

/// What the sums of one cell are computed from, and the sums.
struct CellSums<'a> {
    x: &'a [f32],
    /// `h` of the previous step.
    h_before: &'a [f32],
    sums: &'a mut [f32],
    hidden: &'a mut [f32],
}

impl Stack {
    /// Elements of workspace that a step needs.
    #[must_use]
    pub const fn step_workspace(&self) -> usize {
        StepLayout::new(self).hidden.end()
    }

    /// Inference of one step, through a stack of one direction.
    pub fn step(&self, step: StackStep<'_>) {
        self.step_as(AtRunTime, step);
    }

    /// The same, inlined if the instructions say so: then it needs no `scratch`.
    #[inline(always)]
    pub(crate) fn step_as<I: Instructions>(&self, isa: I, step: StackStep<'_>) {
        let StackStep { weights, x, y, state, workspace, scratch } = step;
        let StepLayout { sums, hidden } = StepLayout::new(self);
        let [sums, hidden] = take(workspace, 1, [sums, hidden]);
        let (units, layers) = (self.sizes.units, self.sizes.layers);
        let (all_h, all_c) = state.split_at_mut(layers * units);
        for layer in 0..layers {
            // A layer reads the new state of the layer below, which is its output in this step.
            let (below, h) = all_h.split_at_mut(layer * units);
            let h = &mut h[..units];
            let weights = Weights::of(&self.sizes, weights, CellIndex { layer, direction: 0 });
            let x = if layer == 0 { x } else { &below[(layer - 1) * units..] };
            // A length that the compiler knows, unlike that of the argument.
            let x = &x[..weights.inputs];
            let cell = CellSums { x, h_before: &*h, sums: &mut *sums, hidden: &mut *hidden };
            if I::INLINE {
                self.sums_inlined(isa, &weights, cell);
            } else {
                self.sums(&weights, cell, scratch);
            }
            let c = if self.cell == Cell::Lstm {
                &mut all_c[layer * units..][..units]
            } else {
                &mut []
            };
            self.gates::<I>(sums, hidden, c, h);
        }
        // Element by element, which the compiler makes a store of the register that still holds them.
        for (y, h) in y[..units].iter_mut().zip(&all_h[(layers - 1) * units..][..units]) {
            *y = *h;
        }
    }

    /// The sums that the gates are computed from: from the input and, except in a GRU, from the state.
    fn sums(&self, weights: &Weights<'_>, cell: CellSums<'_>, scratch: &mut [f32]) {
        let CellSums { x, h_before, sums, hidden } = cell;
        let (units, columns, isa) = (self.sizes.units, self.sizes.columns(), Isa::best());
        dense_columns(
            isa,
            ColumnsArgs {
                inputs: weights.inputs,
                units: columns,
                stride: columns,
                x,
                weight: weights.ih,
                init: Init::bias(weights.input_bias(self.cell, scratch)),
                y: &mut *sums,
            },
        );
        if self.cell == Cell::Gru {
            dense_columns(
                isa,
                ColumnsArgs {
                    inputs: units,
                    units: columns,
                    stride: columns,
                    x: h_before,
                    weight: weights.hh,
                    init: Init::bias(weights.bias_hh),
                    y: hidden,
                },
            );
        } else {
            let product = Product {
                rows: Strides3::one_loop(sums.len() / columns, units, columns),
                terms: Strides3::one_loop(units, 1, columns),
                columns,
                init: Init::Accumulate,
            };
            product.compute(isa, h_before, weights.hh, sums);
        }
    }

    /// The same bits as [`Self::sums`], inlined.
    #[inline(always)]
    fn sums_inlined<I: Instructions>(&self, isa: I, weights: &Weights<'_>, cell: CellSums<'_>) {
        let CellSums { x, h_before, sums, hidden } = cell;
        let columns = self.sizes.columns();
        let Weights { ih, hh, bias_ih, bias_hh, .. } = *weights;
        // The same order of terms as in `sums`: biases, input, state. Only a GRU keeps the sums from the state apart.
        if self.cell == Cell::Gru {
            chains(isa, columns, [bias_ih, &[]], [(x, ih)], sums);
            chains(isa, columns, [bias_hh, &[]], [(h_before, hh)], hidden);
        } else {
            chains(isa, columns, [bias_ih, bias_hh], [(x, ih), (h_before, hh)], sums);
        }
    }

    /// Computes the new state from the sums and overwrites the previous one.
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
