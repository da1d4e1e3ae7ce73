//! [`SparseGradient`]: a gradient that knows which rows of embeddings it has.

use super::clip::{LARGEST_NORM, clip_norm_of};
use crate::contract::Network;
use crate::hyper::{Range, checked};
use crate::memory::TouchedRows;
use crate::types::zeros_on_line;
use std::ops::{self, Deref};

/// A gradient of a network, which knows the rows of each [`Embedding`](crate::layers::Embedding) that the samples of the last
/// batch have. All others are zero. With it, the time of a step of one's own does not depend on the number of rows:
///
/// ```
/// # use unrolled_runtime::{BatchError, Network, RngKey, TrainingExt, loss::CrossEntropy, optim::*};
/// # fn example<N: Network<Input = [u32; 4], Output = [f32; 2]>>(
/// #     mut net: Box<N>, xs: &[[u32; 4]], classes: &[u32],
/// # ) -> Result<(), BatchError> {
/// let (mut optimizer, mut d_net) = (Adam::new(1e-3).lazy(), SparseGradient::new());
/// for step in 0..100 {
///     let key = RngKey::new(step);
///     net.loss_and_sparse_gradients(&CrossEntropy::new(), xs, classes, &mut d_net, key)?;
///     d_net.clip_norm(1.0);
///     optimizer.update_sparse(&mut net, &d_net);
/// }
/// # Ok(())
/// # }
/// ```
///
/// Trainers have one. Its values are those of a whole gradient, and so are the weights after a step, to the bit, unless the
/// optimiser leaves rows out, as [`AdamLike::lazy`](super::AdamLike::lazy) does.
#[derive(Debug)]
pub struct SparseGradient<N> {
    d_net: Box<N>,
    rows: TouchedRows,
}

impl<N: Network> SparseGradient<N> {
    /// A gradient of zeros.
    #[must_use]
    pub fn new() -> Self {
        Self { d_net: zeros_on_line::<N>(), rows: TouchedRows::new(N::LEN) }
    }

    /// The ranges of elements that can be other than zero, among all elements of the network, in ascending order.
    #[must_use]
    pub fn touched(&self) -> &[ops::Range<usize>] {
        self.rows.ranges()
    }

    /// As [`clip_norm`](super::clip_norm).
    ///
    /// # Panics
    /// If `largest` is negative or NaN.
    #[track_caller]
    pub fn clip_norm(&mut self, largest: f64) -> f64 {
        checked(LARGEST_NORM, largest, Range::NonNegativeOrInfinite);
        clip_norm_of(self.d_net.as_floats_mut(), self.rows.ranges(), largest)
    }

    /// What a step writes.
    pub(crate) fn parts(&mut self) -> (&mut N, &mut TouchedRows) {
        (&mut self.d_net, &mut self.rows)
    }
}

impl<N: Network> Default for SparseGradient<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// The gradient itself.
impl<N> Deref for SparseGradient<N> {
    type Target = N;

    fn deref(&self) -> &N {
        &self.d_net
    }
}
