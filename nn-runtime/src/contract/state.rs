//! [`State`]: what a network remembers between the steps of a sequence.

use super::network::Network;
use crate::memory::{InferCtx, StateMut};
use crate::system::CacheLine;
use core::marker::PhantomData;

/// What the network `N` remembers of earlier steps of one sequence.
///
/// It begins with zeros, as PyTorch's recurrent layers do.
#[derive(Debug)]
pub struct State<N> {
    // The state, then the workspace of a step, so that no step has to allocate.
    lines: Box<[CacheLine]>,
    net: PhantomData<fn() -> N>,
}

impl<N: Network> State<N> {
    /// The state before the first step.
    #[must_use]
    pub fn new() -> Self {
        let lines =
            Self::lines(N::STATE) + Self::lines(N::STEP_WORKSPACE) + Self::lines(N::SCRATCH);
        Self { lines: vec![CacheLine::ZERO; lines].into_boxed_slice(), net: PhantomData }
    }

    const fn lines(numbers: usize) -> usize {
        numbers.div_ceil(CacheLine::LEN)
    }

    /// The context of one step: the state, and memory for the step.
    #[inline]
    pub(crate) fn ctx(&mut self) -> InferCtx<'_> {
        let (state, rest) = self.lines.split_at_mut(const { Self::lines(N::STATE) });
        let (workspace, scratch) = rest.split_at_mut(const { Self::lines(N::STEP_WORKSPACE) });
        let [state, workspace, scratch] = [state, workspace, scratch].map(CacheLine::values_mut);
        let ctx = InferCtx::new(&mut workspace[..N::STEP_WORKSPACE], &mut scratch[..N::SCRATCH]);
        InferCtx { state: StateMut::new(&mut state[..N::STATE], N::STATE), ..ctx }
    }

    /// Forgets all steps.
    pub fn reset(&mut self) {
        self.values_mut().fill(0.0);
    }

    /// Its values, layer by layer: for an `LSTM` `h` of all cells, then `c` of all cells; for causal attention and
    /// positional layers first the number of steps so far, as the bits of a `u32`.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &CacheLine::values(&self.lines)[..N::STATE]
    }

    /// Its values, mutable: a copy of another state's values continues from there.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut CacheLine::values_mut(&mut self.lines)[..N::STATE]
    }
}

impl<N: Network> Default for State<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<N> Clone for State<N> {
    fn clone(&self) -> Self {
        Self { lines: self.lines.clone(), net: PhantomData }
    }
}
