//! Arguments of the passes through a stack.

use crate::memory::StateMut;
use crate::types::Steps;

/// A forward pass over a batch of sequences.
#[derive(Debug)]
pub struct StackForward<'a> {
    /// The weights of all cells.
    pub weights: &'a [f32],
    /// The valid steps of each sequence.
    pub lengths: Steps<'a>,
    /// `[n, steps, inputs]`
    pub x: &'a [f32],
    /// `[n, steps, width]`, or `[n, width]` if only the last state of each direction is returned.
    pub y: &'a mut [f32],
    /// What `h` and `c` of all cells begin with: `[n, cells * features]`, cell by cell. Where there is none, with the
    /// state.
    pub initial: [Option<&'a [f32]>; 2],
    /// [`Stack::state`](super::stack::Stack::state) elements for each sample, or none: states begin with zeros.
    pub state: StateMut<'a>,
    /// The workspace of inference, or the memory that is saved for the backward pass.
    pub memory: &'a mut [f32],
    /// [`Stack::scratch`](super::stack::Stack::scratch) elements.
    pub scratch: &'a mut [f32],
}

/// A backward pass over a batch of sequences.
#[derive(Debug)]
pub struct StackBackward<'a> {
    /// The weights as [`Stack::transpose`](super::stack::Stack::transpose) writes them.
    pub transposed: &'a [f32],
    /// The valid steps of each sequence.
    pub lengths: Steps<'a>,
    /// The input of the forward pass.
    pub x: &'a [f32],
    /// The gradient of the output.
    pub d_y: &'a [f32],
    /// The gradient of the input, overwritten.
    pub d_x: Option<&'a mut [f32]>,
    /// The gradients of [`StackForward::initial`], overwritten.
    pub d_initial: [Option<&'a mut [f32]>; 2],
    /// The gradient of the weights, overwritten.
    pub d_weights: &'a mut [f32],
    /// The memory that the forward pass saved.
    pub saved: &'a mut [f32],
}

/// One step of one sequence, through a stack of one direction.
#[derive(Debug)]
pub struct StackStep<'a> {
    /// The weights of all cells.
    pub weights: &'a [f32],
    /// `[inputs]`
    pub x: &'a [f32],
    /// `[outputs]`, overwritten.
    pub y: &'a mut [f32],
    /// [`Stack::state`](super::stack::Stack::state) elements: the state after the previous step, then after this one.
    pub state: &'a mut [f32],
    /// [`Stack::step_workspace`](super::stack::Stack::step_workspace) elements.
    pub workspace: &'a mut [f32],
    /// [`Stack::scratch`](super::stack::Stack::scratch) elements; not used by a step that is inlined.
    pub scratch: &'a mut [f32],
}
