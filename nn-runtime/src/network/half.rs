//! [`Half`]: a network whose weights are stored in half precision.

use super::inference_ext::{InferenceExt, infer_in};
use crate::contract::{Network, Node, Root};
#[cfg(feature = "std")]
use crate::types::zeros_on_line;
use crate::types::{Halves, widen};
use core::fmt;
use core::marker::PhantomData;

/// A network in the program whose weights have two bytes each: `Digits::pretrained()` of a network with
/// `#[weights("digits.safetensors", storage = f16)]`.
///
/// Weights become `f32`s while a layer runs, so that inference has the bits of a network with the rounded weights.
pub struct Half<N> {
    halves: Halves<'static>,
    network: PhantomData<fn() -> N>,
}

impl<N: Network> Half<N> {
    /// Elements of memory that [`forward_in`](Self::forward_in) needs: those of the network, and weights.
    pub const WORKSPACE_LEN: usize = N::WORKSPACE_LEN + <N as Node<Root>>::WIDENED;

    /// Of a network with a mistake.
    #[doc(hidden)]
    pub const NONE: Self = Self { halves: &[], network: PhantomData };

    /// The network whose weights are little-endian floats of two bytes, in the order of its memory.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(bytes: &'static [u8]) -> Self {
        let (halves, rest) = bytes.as_chunks();
        assert!(halves.len() == N::LEN && rest.is_empty(), "two bytes for each weight");
        Self { halves, network: PhantomData }
    }

    /// As [`InferenceExt::forward_in`].
    ///
    /// # Panics
    /// If `workspace` has fewer than [`WORKSPACE_LEN`](Self::WORKSPACE_LEN) elements, or the network refuses the input.
    pub fn forward_in(&self, workspace: &mut [f32], input: &N::Input) -> N::Output {
        let (workspace, widened) = workspace.split_at_mut(N::WORKSPACE_LEN);
        infer_in::<N>(workspace, input, |call| {
            <N as Node<Root>>::infer_half(self.halves, widened, call);
        })
    }

    /// Writes all weights to `net`, as `f32`s.
    pub fn widen_into(&self, net: &mut N) {
        widen(self.halves, net.as_floats_mut());
    }

    /// The network with all weights as `f32`s, on the heap: for inference without the time that widening takes.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn widen(&self) -> Box<N> {
        let mut net = zeros_on_line();
        self.widen_into(&mut net);
        net
    }
}

// Not derived, which would require `N: Clone` and the like.
impl<N> Clone for Half<N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Half<N> {}

impl<N> fmt::Debug for Half<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Half {{ {} weights }}", self.halves.len())
    }
}

/// The largest of `lens`; 0 if there are none.
#[must_use]
pub const fn largest(lens: &[usize]) -> usize {
    let (mut largest, mut i) = (0, 0);
    while i < lens.len() {
        if lens[i] > largest {
            largest = lens[i];
        }
        i += 1;
    }
    largest
}
