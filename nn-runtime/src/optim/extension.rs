//! [`OptimizerExt`]: one step for any network.

use super::optimizer::{Optimizer, TrainedRange};
use crate::contract::{Network, for_each_trained_range};
use crate::order::file_tensors;
use std::cell::RefCell;

thread_local! {
    /// The trained ranges of a network, in memory that is kept from one step to the next.
    static TRAINED: RefCell<Vec<TrainedRange>> = const { RefCell::new(Vec::new()) };
}

/// Updates any [`Network`].
pub trait OptimizerExt: Optimizer {
    /// One step: updates the trained weights of `net` from the gradient `d_net`. Running statistics stay.
    ///
    /// ```
    /// # use unrolled_runtime::{BatchError, Network, TrainingExt, RngKey, loss::CrossEntropy, optim::*};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<N>, xs: &[[f32; 4]], classes: &[u32],
    /// # ) -> Result<(), BatchError> {
    /// let mut optimizer = Adam::new(1e-3);
    /// let mut d_net = N::zeros();
    /// for step in 0..100 {
    ///     net.loss_and_gradients(&CrossEntropy::new(), xs, classes, &mut d_net, RngKey::new(step))?;
    ///     optimizer.update(&mut *net, &*d_net);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// If the optimiser was used for another network before, or chooses weights by names that the network does not have:
    /// see [`Groups::check`](super::Groups::check).
    #[track_caller]
    fn update<N: Network>(&mut self, net: &mut N, d_net: &N) {
        if let Err(error) = self.prepare(|| file_tensors::<N>().tensors) {
            panic!("{error}");
        }
        let mut trained = TRAINED.take();
        trained.clear();
        for_each_trained_range::<N>(&mut |range| trained.push(range.into()));
        self.step(net.as_floats_mut(), d_net.as_floats(), &trained);
        TRAINED.set(trained);
    }
}

impl<O: Optimizer + ?Sized> OptimizerExt for O {}
