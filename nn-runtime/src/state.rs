//! [`State`]: what a network remembers between the steps of a sequence.

use crate::step::infer_one_from;
use crate::{Inputs, Lengths, Network, Steps};
use std::marker::PhantomData;

/// What the network `N` remembers of the steps it has seen, in one sequence.
///
/// It begins with zeros, as PyTorch's recurrent layers do.
#[derive(Debug)]
pub struct State<N> {
    // Behind what it remembers the memory that a step needs, so that no step has to find some.
    lines: Box<[Line]>,
    net: PhantomData<fn() -> N>,
}

/// A cache line: a vector that does not begin one is slow to be read again.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Line([f32; Line::LEN]);

impl Line {
    /// Numbers in a line.
    pub(crate) const LEN: usize = 16;
    /// Zeros.
    pub(crate) const ZERO: Self = Self([0.0; Self::LEN]);

    /// The numbers of lines that stand one behind the other.
    #[inline]
    pub(crate) const fn numbers(lines: &[Self]) -> &[f32] {
        // SAFETY: a line is `LEN` numbers and as long as its alignment, so nothing is between them.
        unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), lines.len() * Self::LEN) }
    }

    /// The same, to be written.
    #[inline]
    pub(crate) const fn numbers_mut(lines: &mut [Self]) -> &mut [f32] {
        // SAFETY: as above, and the borrow is unique.
        unsafe {
            std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * Self::LEN)
        }
    }
}

impl<N: Network> State<N> {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        let lines = Self::lines(N::STATE) + Self::lines(N::STEP_WORK) + Self::lines(N::SCRATCH);
        Self { lines: vec![Line::ZERO; lines].into_boxed_slice(), net: PhantomData }
    }

    const fn lines(numbers: usize) -> usize {
        numbers.div_ceil(Line::LEN)
    }

    /// What it remembers, and work and scratch memory for a step.
    #[inline]
    pub(crate) fn split(&mut self) -> [&mut [f32]; 3] {
        let (state, rest) = self.lines.split_at_mut(const { Self::lines(N::STATE) });
        let (work, scratch) = rest.split_at_mut(const { Self::lines(N::STEP_WORK) });
        let [state, work, scratch] = [state, work, scratch].map(Line::numbers_mut);
        [&mut state[..N::STATE], &mut work[..N::STEP_WORK], &mut scratch[..N::SCRATCH]]
    }

    /// Forgets all steps.
    pub fn reset(&mut self) {
        self.numbers_mut().fill(0.0);
    }

    /// Its numbers, layer by layer: of an `LSTM`, `h` of all cells, then `c` of all cells; of causal
    /// attention and of positions first the bits of how many steps there were, a `u32`.
    #[must_use]
    pub fn numbers(&self) -> &[f32] {
        &Line::numbers(&self.lines)[..N::STATE]
    }

    /// Its numbers, to be written: with those of another state it goes on from there.
    pub fn numbers_mut(&mut self) -> &mut [f32] {
        &mut Line::numbers_mut(&mut self.lines)[..N::STATE]
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

/// See [`Network::forward_from`].
pub(crate) fn forward_from<N: Network>(net: &N, state: &mut State<N>, x: &N::Input) -> N::Output {
    let inputs = N::Input::LENS.len();
    let floats: [&[f32]; Steps::MOST] =
        std::array::from_fn(|i| if i < inputs { x.input(i) } else { &[] });
    let steps: [Steps<'_>; Steps::MOST] =
        std::array::from_fn(|i| if i < inputs { x.steps(i) } else { Steps::Full });
    infer_one_from(net, &floats[..inputs], Lengths::Given(&steps), state.numbers_mut())
}
