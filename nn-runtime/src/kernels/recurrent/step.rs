//! One step of one sequence: the same sums as those of whole sequences, without the bookkeeping of a batch.

use super::args::StackStep;
use super::cell::Cell;
use super::forward::{CellIndex, Weights};
use super::gates;
use super::stack::Stack;
use crate::kernels::chains::{Columns, chains};
use crate::kernels::dense::dense_columns;
use crate::kernels::dense_args::ColumnsArgs;
use crate::kernels::inline::Instructions;
use crate::kernels::isa::Isa;
use crate::kernels::product::Init;
use crate::memory::{Buffer, take};
use core::marker::PhantomData;

/// A stack that is a constant of a type, so that `rustc` generates code for its cell and sizes only: see [`Columns`].
pub(crate) trait ConstStack {
    /// The stack.
    const STACK: Stack;
}

/// The columns of its matrices.
impl<K: ConstStack> Columns for K {
    const COLUMNS: usize = K::STACK.sizes.columns();
}

/// The layout of the sums of one cell; sizes are elements.
struct StepLayout {
    /// The sums from the input and, except in a GRU, from the state.
    sums: Buffer,
    /// The sums from the state of a GRU.
    hidden: Buffer,
    /// What is projected to `h`.
    unprojected: Buffer,
}

impl StepLayout {
    #[inline]
    const fn new(stack: &Stack) -> Self {
        let columns = stack.sizes.columns();
        let sums = Buffer::EMPTY.then(columns);
        let hidden = sums.then(if matches!(stack.cell, Cell::Gru) { columns } else { 0 });
        let projects = stack.sizes.projection > 0;
        let unprojected = hidden.then(if projects { stack.sizes.units } else { 0 });
        Self { sums, hidden, unprojected }
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
        StepLayout::new(self).unprojected.end()
    }

    /// Inference of one step, through a stack of one direction.
    pub fn step(&self, mut step: StackStep<'_>) {
        let scratch = core::mem::take(&mut step.scratch);
        self.step_as(Called { stack: self, scratch }, step);
    }

    /// The same bits, inlined. It needs no `scratch`.
    #[inline(always)]
    pub(crate) fn step_inlined<K: ConstStack, I: Instructions>(isa: I, step: StackStep<'_>) {
        K::STACK.step_as(Inlined::<K, I> { isa, stack: PhantomData }, step);
    }

    /// A step whose cells `kernels` compute.
    #[inline(always)]
    fn step_as(&self, mut kernels: impl StepKernels, step: StackStep<'_>) {
        let StackStep { weights, x, y, state, workspace, .. } = step;
        let StepLayout { sums, hidden, unprojected } = StepLayout::new(self);
        let [sums, hidden, unprojected] = take(workspace, 1, [sums, hidden, unprojected]);
        let (units, outputs, layers) = (self.sizes.units, self.sizes.outputs(), self.sizes.layers);
        let (all_h, all_c) = state.split_at_mut(layers * outputs);
        for layer in 0..layers {
            // A layer reads the new state of the layer below, which is its output in this step.
            let (below, h) = all_h.split_at_mut(layer * outputs);
            let h = &mut h[..outputs];
            let weights = Weights::of(&self.sizes, weights, CellIndex { layer, direction: 0 });
            let x = if layer == 0 { x } else { &below[(layer - 1) * outputs..] };
            // A length that the compiler knows, unlike that of the argument.
            let x = &x[..weights.inputs];
            let cell = CellSums { x, h_before: &*h, sums: &mut *sums, hidden: &mut *hidden };
            kernels.sums(&weights, cell);
            let c = if self.cell == Cell::Lstm {
                &mut all_c[layer * units..][..units]
            } else {
                &mut []
            };
            if self.sizes.projection == 0 {
                kernels.gates(sums, hidden, c, h);
            } else {
                kernels.gates(sums, hidden, c, unprojected);
                self.project(&weights, unprojected, h);
            }
        }
        // Element by element, which the compiler makes a store of the register that still holds them.
        for (y, h) in y[..outputs].iter_mut().zip(&all_h[(layers - 1) * outputs..][..outputs]) {
            *y = *h;
        }
    }
}

/// The kernels of one cell in one step.
trait StepKernels {
    /// Computes the sums for the gates: from the input and, except in a GRU, from the state.
    fn sums(&mut self, weights: &Weights<'_>, cell: CellSums<'_>);

    /// Computes the new state from the sums and overwrites the previous one.
    fn gates(&self, sums: &mut [f32], hidden: &[f32], c: &mut [f32], h: &mut [f32]);
}

/// Kernels that are called, and query the machine's instructions.
struct Called<'a> {
    stack: &'a Stack,
    scratch: &'a mut [f32],
}

impl StepKernels for Called<'_> {
    fn sums(&mut self, weights: &Weights<'_>, cell: CellSums<'_>) {
        let CellSums { x, h_before, sums, hidden } = cell;
        let Stack { cell, sizes, .. } = *self.stack;
        let (outputs, columns, isa) = (sizes.outputs(), sizes.columns(), Isa::best());
        dense_columns(
            isa,
            ColumnsArgs {
                inputs: weights.inputs,
                units: columns,
                stride: columns,
                x,
                weight: weights.ih,
                init: Init::bias(weights.input_bias(cell, self.scratch)),
                y: &mut *sums,
            },
        );
        // Only a GRU keeps the sums from the state apart.
        let (init, y) = match cell {
            Cell::Gru => (Init::bias(weights.bias_hh), hidden),
            _ => (Init::Accumulate, sums),
        };
        let (x, weight) = (h_before, weights.hh);
        let (inputs, units, stride) = (outputs, columns, columns);
        dense_columns(isa, ColumnsArgs { inputs, units, stride, x, weight, init, y });
    }

    fn gates(&self, sums: &mut [f32], hidden: &[f32], c: &mut [f32], h: &mut [f32]) {
        let units = self.stack.sizes.units;
        match self.stack.cell {
            Cell::Lstm => gates::lstm_step(units, sums, c, h),
            Cell::Gru => gates::gru_step(units, sums, hidden, h),
            Cell::Relu => gates::relu_forward(sums, h),
            Cell::Tanh => gates::tanh_forward(sums, h),
        }
    }
}

/// Kernels for the instructions `I`, inlined. Their branches are `const`: `rustc` would generate all arms of a `match`.
struct Inlined<K, I> {
    isa: I,
    stack: PhantomData<K>,
}

impl<K: ConstStack, I: Instructions> StepKernels for Inlined<K, I> {
    #[inline(always)]
    fn sums(&mut self, weights: &Weights<'_>, cell: CellSums<'_>) {
        let CellSums { x, h_before, sums, hidden } = cell;
        let Weights { ih, hh, bias_ih, bias_hh, .. } = *weights;
        // The order of terms of `Called`: biases, input, state. Only a GRU keeps the sums from the state apart.
        if const { matches!(K::STACK.cell, Cell::Gru) } {
            chains::<K, I, 1>(self.isa, [bias_ih, &[]], [(x, ih)], sums);
            chains::<K, I, 1>(self.isa, [bias_hh, &[]], [(h_before, hh)], hidden);
        } else {
            chains::<K, I, 2>(self.isa, [bias_ih, bias_hh], [(x, ih), (h_before, hh)], sums);
        }
    }

    #[inline(always)]
    fn gates(&self, sums: &mut [f32], hidden: &[f32], c: &mut [f32], h: &mut [f32]) {
        let units = K::STACK.sizes.units;
        if const { matches!(K::STACK.cell, Cell::Lstm) } {
            gates::lstm_step_inlined::<I::Lanes>(units, sums, c, h);
        } else if const { matches!(K::STACK.cell, Cell::Gru) } {
            gates::gru_step_inlined::<I::Lanes>(units, sums, hidden, h);
        } else if const { matches!(K::STACK.cell, Cell::Relu) } {
            gates::relu_forward_inlined::<I::Lanes>(sums, h);
        } else {
            gates::tanh_forward_inlined::<I::Lanes>(sums, h);
        }
    }
}
