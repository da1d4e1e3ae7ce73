//! [`BatchLoss`]: losses that compare the samples of a batch with each other.

use crate::types::Values;

/// A loss over a whole batch of outputs, each compared with others of the batch. For contrastive learning and ranking,
/// with [`TrainPass`](crate::TrainPass):
///
/// ```
/// # use unrolled_runtime::{Network, RngKey, TrainPass, loss::*, optim::*};
/// # use std::error::Error;
/// # fn example<N: Network<Input = [f32; 4], Output = [f32; 8]>>(
/// #     mut net: Box<N>, inputs: &[[f32; 4]],
/// # ) -> Result<(), Box<dyn Error>> {
/// let loss = NTXent::new(0.5);
/// let (mut optimizer, mut d_net) = (Adam::new(1e-3), N::zeros());
/// let mut pass = TrainPass::<N>::new(inputs.len());
/// let mut d_outputs = vec![[0.0; 8]; inputs.len()];
/// // `inputs`: one view of each image, and then, in the same order, the other one.
/// let outputs = pass.forward(&mut net, inputs, RngKey::new(7))?;
/// let found = loss.loss_and_gradient(outputs, &mut d_outputs)?;
/// pass.backward(&net, &d_outputs, &mut d_net, None)?;
/// optimizer.update(&mut net, &d_net);
/// # let _ = found;
/// # Ok(())
/// # }
/// ```
///
/// A batch consists of groups of the same number of samples, one group after the other: all anchors, all positives, all
/// negatives of [`Triplet`](super::Triplet); the first and the second of each pair of the others. Where two networks compute the
/// groups, such as one of images and one of texts, their outputs are copied into one array. A loss of your own that needs
/// labels has them as a field.
pub trait BatchLoss<Output: Values> {
    /// Returns the loss of a batch, the mean over its pairs or triplets, and writes its gradient to `d_outputs`.
    ///
    /// # Errors
    /// If there are no outputs, they are not whole groups, or `d_outputs` has another length.
    fn loss_and_gradient(
        &self,
        outputs: &[Output],
        d_outputs: &mut [Output],
    ) -> Result<f64, BatchLossError>;
}

/// Outputs that a [`BatchLoss`] cannot be computed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchLossError {
    /// No outputs, or a number that is not a multiple of that of the groups.
    #[error(
        "expected as many {groups}, one group after the other: at least {count} outputs, and a multiple of {count}; \
         found {found}"
    )]
    Groups {
        /// What the groups are: "anchors, positives and negatives".
        groups: &'static str,
        /// The number of groups.
        count: usize,
        /// The number of outputs.
        found: usize,
    },
    /// Another number of gradients than of outputs.
    #[error(
        "expected one gradient for each output, found {outputs} outputs and {gradients} gradients"
    )]
    Gradients {
        /// The number of outputs.
        outputs: usize,
        /// The number of gradients.
        gradients: usize,
    },
}

/// The number of samples in each of `count` groups.
pub(super) fn group_len<Output>(
    groups: &'static str,
    count: usize,
    outputs: &[Output],
    d_outputs: &[Output],
) -> Result<usize, BatchLossError> {
    let found = outputs.len();
    if found == 0 || !found.is_multiple_of(count) {
        return Err(BatchLossError::Groups { groups, count, found });
    }
    if d_outputs.len() != found {
        return Err(BatchLossError::Gradients { outputs: found, gradients: d_outputs.len() });
    }
    Ok(found / count)
}

/// The groups of the losses of pairs.
pub(super) const PAIRS: &str = "first and second samples of pairs";
