//! Inference of networks that take nanoseconds: one function per call with all layers inlined, compiled for each
//! instruction set.

use crate::contract::{Infer, Network, Node, Root, Spec, State, Streaming};
use crate::kernels::{Compiled, Isa, Kernel, Lanes};
use crate::memory::InferCtx;
use crate::system::CacheLine;
use crate::types::Values;
use std::cell::Cell;
use std::marker::PhantomData;

/// Multiply-adds up to which the calls and the dispatch of each layer take a noticeable part of the time
/// (docs/decisions/0022).
const MOST_MACS: usize = 8192;

/// Elements of memory on the stack up to which zeroing them in each call is cheap.
const MOST_MEMORY: usize = 512;

/// Inlining pays only in optimised code. In a debug build the kernels are optimised, but the program is not, so that
/// kernels inlined into it would be slow.
const OPTIMISED: bool = !cfg!(debug_assertions);

/// Whether the network is small enough for inlined inference.
pub(super) const fn suits<N: Network>() -> bool {
    OPTIMISED
        && N::MACS <= MOST_MACS
        && N::WORKSPACE + N::SCRATCH <= MOST_MEMORY
        // The output is on the stack, too: an `Upsample` has no multiply-adds and any number of elements.
        && N::Output::LEN <= MOST_MEMORY
}

/// The same for one step of a sequence.
pub(super) const fn suits_step<N: Network, Y: Values>() -> bool {
    // `MACS` counts all steps of the sequence. No limit of memory: that of a step is in its `State` and is not zeroed.
    OPTIMISED && N::MACS / N::INPUTS[0].dim(0) <= MOST_MACS && Y::LEN <= MOST_MEMORY
}

/// As [`infer_one`](super::infer_one), compiled for the instructions of `isa`.
///
/// # Panics
/// If the machine does not have them, or the network needs more memory than a small one.
#[inline]
pub fn infer_inlined<N: Network>(isa: Isa, net: &N, x: &[&[f32]]) -> N::Output {
    // A cell, since a kernel is passed by a shared reference and returns nothing.
    let y = Cell::new(N::Output::zeroed());
    // Not a `match`: code is generated only for the branch whose constant condition holds.
    if const { room::<N>() == 2 } {
        isa.run(&InferKernel::<N, 2> { net, x, y: &y });
    } else if const { room::<N>() == 8 } {
        isa.run(&InferKernel::<N, 8> { net, x, y: &y });
    } else {
        isa.run(&InferKernel::<N, { MOST_MEMORY / CacheLine::LEN }> { net, x, y: &y });
    }
    y.get()
}

/// As [`step_one`](super::step_one), compiled for the instructions of `isa`.
///
/// # Panics
/// If the machine does not have them.
#[inline]
pub fn step_inlined<N: Network + Streaming<Root>, Y: Values>(
    isa: Isa,
    net: &N,
    state: &mut State<N>,
    x: &[&[f32]],
) -> Y {
    step_inlined_as::<N, Root, Y>(isa, net, state, x)
}

/// The same, where `S` is [`Root`]: see [`StreamingIn`](crate::StreamingIn).
///
/// # Panics
/// If the machine does not have them.
#[inline]
pub(super) fn step_inlined_as<N: Network + Streaming<S>, S: Spec, Y: Values>(
    isa: Isa,
    net: &N,
    state: &mut State<N>,
    x: &[&[f32]],
) -> Y {
    let y = Cell::new(Y::zeroed());
    let state = Cell::new(Some(state));
    isa.run(&StepKernel::<N, S, Y> { net, state, x, y: &y, spec: PhantomData });
    y.get()
}

/// Cache lines of memory of a call: one of three sizes, since zeroing it takes time.
const fn room<N: Network>() -> usize {
    let need = N::WORKSPACE + N::SCRATCH;
    if need <= 2 * CacheLine::LEN {
        2
    } else if need <= 8 * CacheLine::LEN {
        8
    } else {
        MOST_MEMORY / CacheLine::LEN
    }
}

/// A call of `forward` with `LINES` cache lines of memory. The output is a local value that is stored at the end, so that
/// the compiler sees all sizes.
struct InferKernel<'a, N: Network, const LINES: usize> {
    net: &'a N,
    x: &'a [&'a [f32]],
    y: &'a Cell<N::Output>,
}

impl<N: Network, const LINES: usize> Kernel for &InferKernel<'_, N, LINES> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let isa = Compiled::new(lanes);
        // Aligned, so that whole vectors of values, whose offsets the memory plan aligns too, do not cross cache lines.
        let mut memory = [CacheLine::ZERO; LINES];
        let (workspace, scratch) =
            CacheLine::values_mut(&mut memory).split_at_mut(<N as Node<Root>>::WORKSPACE);
        let mut y = N::Output::zeroed();
        let ctx = InferCtx::new(workspace, scratch);
        let call = Infer { n: 1, x: self.x, y: y.as_floats_mut(), ctx };
        Node::<Root>::infer_inlined(self.net, isa, call);
        self.y.set(y);
    }
}

/// A call of `step`, in the memory of its state.
struct StepKernel<'a, N, S, Y> {
    net: &'a N,
    // Taken out by `run`, since a kernel is called by a shared reference.
    state: Cell<Option<&'a mut State<N>>>,
    x: &'a [&'a [f32]],
    y: &'a Cell<Y>,
    spec: PhantomData<fn() -> S>,
}

impl<N: Network + Streaming<S>, S: Spec, Y: Values> Kernel for &StepKernel<'_, N, S, Y> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let isa = Compiled::new(lanes);
        let Some(state) = self.state.take() else { return };
        let mut y = Y::zeroed();
        let call = Infer { n: 1, x: self.x, y: y.as_floats_mut(), ctx: state.ctx() };
        Streaming::<S>::step(self.net, isa, call);
        self.y.set(y);
    }
}
