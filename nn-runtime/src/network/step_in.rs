//! [`step_in`]: one step of a sequence in memory of the caller.

use super::inference_ext::InferenceExt;
use crate::contract::{Infer, Network, Node, Root, Spec, Streaming};
use crate::kernels::AtRunTime;
use crate::memory::{InferCtx, StateMut};
use crate::types::Values;

/// Inference on one step of one sequence: the method `step_in` of networks that run step by step.
///
/// # Panics
/// If `state` or `workspace` is too short.
pub fn step_in<N: Network + Streaming<Root>, Y: Values>(
    net: &N,
    state: &mut [f32],
    workspace: &mut [f32],
    x: &[&[f32]],
) -> Y {
    step_in_as::<N, Root, Y>(net, state, workspace, x)
}

/// The same, where `S` is [`Root`]: see [`StreamingIn`](crate::StreamingIn).
///
/// # Panics
/// If `state` or `workspace` is too short.
pub fn step_in_as<N: Network + Streaming<S>, S: Spec, Y: Values>(
    net: &N,
    state: &mut [f32],
    workspace: &mut [f32],
    x: &[&[f32]],
) -> Y {
    const { N::CHECKS }
    let (workspace, scratch) =
        workspace[..N::STEP_WORKSPACE_LEN].split_at_mut(<N as Node<Root>>::STEP_WORKSPACE);
    let state = StateMut::new(&mut state[..N::STATE_LEN], N::STATE_LEN);
    let ctx = InferCtx { state, ..InferCtx::new(workspace, scratch) };
    let mut y = Y::zeroed();
    Streaming::<S>::step(net, AtRunTime, Infer { n: 1, x, y: y.as_floats_mut(), ctx });
    y
}
