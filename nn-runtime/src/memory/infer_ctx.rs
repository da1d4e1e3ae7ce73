//! [`InferCtx`]: what one node may use at inference.

use super::layout::Layout;
use super::state_mut::StateMut;
use super::weight_tying::{TiedWeight, WeightOwner};
use crate::types::Lengths;

/// Memory and further arguments of one node at inference. The content of its memory is arbitrary before a call.
#[derive(Debug)]
pub struct InferCtx<'a> {
    /// `n *` [`Node::WORKSPACE`](crate::contract::Node::WORKSPACE) elements; for a step
    /// [`Node::STEP_WORKSPACE`](crate::contract::Node::STEP_WORKSPACE).
    pub workspace: &'a mut [f32],
    /// At least [`Node::SCRATCH`](crate::contract::Node::SCRATCH) elements.
    pub scratch: &'a mut [f32],
    /// The lengths of ragged sequences.
    pub lengths: Lengths<'a>,
    /// What each sample remembers from one chunk of its sequence to the next.
    pub state: StateMut<'a>,
    /// The weight that the node uses of another one.
    pub tied: TiedWeight<'a>,
}

impl<'a> InferCtx<'a> {
    /// For sequences of full length that have no state.
    #[must_use]
    pub const fn new(workspace: &'a mut [f32], scratch: &'a mut [f32]) -> Self {
        Self {
            workspace,
            scratch,
            lengths: Lengths::Full,
            state: StateMut::none(),
            tied: TiedWeight::NONE,
        }
    }

    /// The part of one node, which needs `workspace` elements: all nodes use the same workspace, one after the other.
    #[inline]
    #[must_use]
    pub(crate) fn part(&mut self, workspace: usize, layout: &Layout) -> InferCtx<'_> {
        let ctx = self.reborrow();
        InferCtx {
            // Exactly what the node declares, so that a node that uses more panics, also where a larger node would have
            // room for it.
            workspace: &mut ctx.workspace[..workspace],
            state: ctx.state.part(layout.state),
            ..ctx
        }
    }

    /// The same, borrowed for a shorter time.
    #[inline]
    pub fn reborrow(&mut self) -> InferCtx<'_> {
        InferCtx {
            workspace: self.workspace,
            scratch: self.scratch,
            lengths: self.lengths,
            state: self.state.reborrow(),
            tied: self.tied,
        }
    }

    /// As [`reborrow`](Self::reborrow), with the weight of `owner`.
    #[inline]
    pub fn tied_to<'b, O: WeightOwner>(&'b mut self, owner: &'b O) -> InferCtx<'b> {
        InferCtx { tied: TiedWeight::of(owner), ..self.reborrow() }
    }

    /// Cuts the first `len` elements off the workspace: a network's values between its nodes.
    #[inline]
    #[must_use]
    pub fn split_values(self, len: usize) -> (&'a mut [f32], Self) {
        // The values between nodes live longer than the call of one node; what is left is reused by each.
        let (values, workspace) = self.workspace.split_at_mut(len);
        (values, Self { workspace, ..self })
    }
}
