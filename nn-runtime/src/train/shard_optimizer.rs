//! [`Trainer::shard_optimizer`]: the optimiser's state divided among the ranks of a distributed run.

use super::epochs::FitCall;
use super::error::TrainError;
use super::trainer::{Trainer, TrainerCore};
use crate::contract::Network;
use crate::optim::{Divisible, Optimizer, OptimizerState, StateError};
use crate::order::NetworkInfo;
use crate::ranks::{DistributedError, Division, Ranks, Shares};
use std::collections::BTreeSet;
use std::ops::Range;

impl<O: Optimizer, N: Network, Target> Trainer<'_, O, N, Target> {
    /// Divides the optimiser's state among the ranks of a [`distributed`](Self::distributed) run: each updates its part of the
    /// weights and sends them to the others. The bits are the same as without. This is stage 1 of ZeRO (Rajbhandari et al.,
    /// 2020), `ZeroRedundancyOptimizer` in PyTorch.
    ///
    /// With `R` ranks, each has `1 / R` of the state: 8 bytes for each weight with Adam are 2 with four ranks. What a step
    /// sends stays the same, except with clipping by norm or unit, which needs the whole gradient on all ranks: half as much
    /// again. Rank 0 has the whole state while it writes a checkpoint, which any number of ranks continues, with or without
    /// this setting.
    ///
    /// All optimisers of this crate can be divided; [`LAMB`](crate::optim::LAMB) and [`Muon`](crate::optim::Muon) between
    /// tensors only. After [`fit`](Self::fit) the optimiser has the state of this rank's part. An error while weights are
    /// exchanged leaves them undefined: continue from a checkpoint.
    #[must_use]
    pub const fn shard_optimizer(mut self, shard: bool) -> Self {
        self.core.shard_optimizer = shard;
        self
    }
}

/// The elements that each rank updates, if the optimiser's state is divided.
pub(super) fn shares(
    core: &TrainerCore<'_>,
    optimizer: &dyn Optimizer,
    net: &NetworkInfo,
    ranks: Option<&Ranks<'_>>,
) -> Result<Option<Shares>, TrainError> {
    let Some(ranks) = ranks.filter(|ranks| core.shard_optimizer && ranks.size() > 1) else {
        return Ok(None);
    };
    match optimizer.divisible() {
        Divisible::ByElement => Ok(Some(Shares::equal(net.len, ranks.size()))),
        Divisible::ByTensor => Ok(Some(Shares::cut_at(&tensor_cuts(net), net.len, ranks.size()))),
        Divisible::No => {
            let optimizer = optimizer.state().optimizer;
            Err(TrainError::Distributed(DistributedError::NotDivisible { optimizer }))
        }
    }
}

impl FitCall<'_, '_> {
    /// Leaves the optimiser this rank's part of a state from before the run.
    pub(super) fn divide_state(&mut self, division: Division<'_>) -> Result<(), TrainError> {
        let len = self.net.len;
        let share = division.share(len);
        self.optimizer.set_first(share.start);
        if share.len() == len {
            return Ok(());
        }
        let state = self.optimizer.state();
        if state.values.iter().all(|(_, values)| values.len() < len) {
            return Ok(());
        }
        self.set_state(state, share).map_err(TrainError::OptimizerState)
    }

    /// Sets the part `share` of a state.
    pub(super) fn set_state(
        &mut self,
        mut state: OptimizerState,
        share: Range<usize>,
    ) -> Result<(), StateError> {
        if share.len() < self.net.len {
            for (_, values) in &mut state.values {
                values.truncate(share.end);
                values.drain(..share.start.min(values.len()));
            }
            // An optimiser keeps the length of the values that it has.
            self.optimizer.set_state(OptimizerState::new(&state.optimizer, state.steps))?;
        }
        self.optimizer.set_state(state)
    }
}

/// Where no tensor of a network is cut, in ascending order.
fn tensor_cuts(net: &NetworkInfo) -> Vec<usize> {
    let tensors = net.file_tensors().tensors;
    let ranges = tensors.iter().map(|tensor| tensor.range());
    let ends = ranges.flat_map(|range| [range.start, range.end]).chain([0, net.len]);
    ends.collect::<BTreeSet<_>>().into_iter().collect()
}
