//! [`State`]: what a network remembers between the steps of a sequence.

use crate::step::{infer_one_from, run_one};
use crate::{
    Carried, Inputs, Lengths, Network, Station, Steps, Streaming, TiedWeight, Values, Whole,
    WorkMemory,
};
use std::marker::PhantomData;

/// What the network `N` remembers of the steps it has seen, in one sequence.
///
/// It begins with zeros, as PyTorch's recurrent layers do.
#[derive(Debug)]
pub struct State<N> {
    numbers: Box<[f32]>,
    net: PhantomData<fn() -> N>,
}

impl<N: Network> State<N> {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        let numbers = vec![0.0; <N as Station<Whole>>::STATE].into_boxed_slice();
        Self { numbers, net: PhantomData }
    }

    /// Forgets all steps.
    pub fn reset(&mut self) {
        self.numbers.fill(0.0);
    }

    /// Its numbers, layer by layer: of an `LSTM`, `h` of all cells, then `c` of all cells; of causal
    /// attention and of positions first the bits of how many steps there were, a `u32`.
    #[must_use]
    pub fn numbers(&self) -> &[f32] {
        &self.numbers
    }

    /// Its numbers, to be written: with those of another state it goes on from there.
    pub fn numbers_mut(&mut self) -> &mut [f32] {
        &mut self.numbers
    }
}

impl<N: Network> Default for State<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<N> Clone for State<N> {
    fn clone(&self) -> Self {
        Self { numbers: self.numbers.clone(), net: PhantomData }
    }
}

/// One step of one sequence.
pub fn step_one<N: Network + Streaming<Whole>, Y: Values>(
    net: &N,
    state: &mut State<N>,
    x: &[&[f32]],
) -> Y {
    let mut y = Y::zeroed();
    run_one::<N, _>(|work, scratch| {
        let carried = Carried::new(&mut state.numbers, <N as Station<Whole>>::STATE);
        let memory =
            WorkMemory { work, scratch, lengths: Lengths::Full, carried, tied: TiedWeight::NONE };
        Streaming::<Whole>::step(net, x, y.as_floats_mut(), memory);
    });
    y
}

/// See [`Network::forward_from`].
pub(crate) fn forward_from<N: Network>(net: &N, state: &mut State<N>, x: &N::Input) -> N::Output {
    let inputs = N::Input::LENS.len();
    let floats: [&[f32]; Steps::MOST] =
        std::array::from_fn(|i| if i < inputs { x.input(i) } else { &[] });
    let steps: [Steps<'_>; Steps::MOST] =
        std::array::from_fn(|i| if i < inputs { x.steps(i) } else { Steps::Full });
    infer_one_from(net, &floats[..inputs], Lengths::Given(&steps), &mut state.numbers)
}
