//! Training on several ranks: what they agree on before the first step.

use super::epochs::FitCall;
use super::error::TrainError;
use super::layer_list::layer_list;
use super::trainer::{Trainer, TrainerCore};
use crate::contract::Network;
use crate::kernels::Isa;
use crate::optim::Optimizer;
use crate::ranks::{
    DistributedError, Division, RankDifference, Ranks, Shares, Transport, bytes_of_mut,
};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The leaves of the reduction tree of a distributed run: as many as most machines have ranks, and few enough that a
/// batch of 64 has 8 samples in each.
const LEAVES: usize = 8;

/// The names of the settings that must not differ, in the message of the ranks.
const LAYER: &str = "layer";

impl<'a, O: Optimizer, N: Network, Target> Trainer<'a, O, N, Target> {
    /// Trains on all ranks of `world`: each computes the gradient of a part of every batch, and all make the same step with
    /// the sum. All ranks run the same program: `mpirun -n 4 program` with `unrolled_mpi::World::init()?`, or the threads of a
    /// [`LocalWorld`](crate::distributed::LocalWorld).
    ///
    /// ```
    /// # use unrolled_runtime::{Network, data::Data, distributed::*, loss::CrossEntropy, optim::*, train::*};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<N>, train: Data<[f32; 4], u32>, world: LocalWorld,
    /// # ) -> Result<(), TrainError> {
    /// Trainer::new(Adam::new(1e-3))
    ///     .batch(64)
    ///     .distributed(&world)
    ///     .fit(&mut net, &train, &CrossEntropy::new())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The same seed gives the same bits on any number of ranks, with any number of threads each: batches, and the order of
    /// the samples, are those of a single process, and gradients, loss sums and the sums of `BatchNorm` are added in a
    /// binary tree that does not depend on the ranks (see [`reduction_leaves`](Self::reduction_leaves)).
    ///
    /// Training begins with the weights of rank 0. All ranks have the same weights and the same [`History`](super::History)
    /// afterwards, except for durations. Rank 0 alone prints, and reads and writes checkpoints and logs. Callbacks run on
    /// all ranks; if one of them breaks, all ranks stop. Of a [`Dataset`](crate::data::Dataset) that is
    /// not in memory each rank reads only its part of every batch.
    ///
    /// [`fit`](Self::fit) ends with [`TrainError::Distributed`] if the ranks differ in network, number of samples, settings,
    /// instruction set or version of the library, and if another rank ends, reports an error or does not answer.
    #[must_use]
    pub fn distributed(mut self, world: &'a impl Transport) -> Self {
        self.core.world = Some(world);
        self
    }

    /// Sets the number of parts of each batch whose gradients are computed one by one and added in a balanced binary tree, 8
    /// in a distributed run and 1 in others. A rank has at least one: more ranks need more leaves.
    ///
    /// The bits of a run depend on it, and not on the number of ranks: without [`distributed`](Self::distributed) a single
    /// process computes the same. With 1 they are those of a trainer without both settings.
    ///
    /// # Panics
    /// If `leaves` is not a power of two.
    #[must_use]
    #[track_caller]
    pub fn reduction_leaves(mut self, leaves: usize) -> Self {
        assert!(
            leaves.is_power_of_two(),
            "Trainer: reduction_leaves: expected a power of two, found {leaves}"
        );
        self.core.leaves = Some(leaves);
        self
    }
}

impl TrainerCore<'_> {
    /// The number of leaves of the reduction tree.
    pub(super) fn leaf_count(&self) -> usize {
        self.leaves.unwrap_or(if self.world.is_some() { LEAVES } else { 1 })
    }

    /// The leaves of this rank.
    pub(super) fn division<'r>(
        &self,
        ranks: Option<&'r Ranks<'r>>,
        shares: Option<&'r Shares>,
    ) -> Result<Division<'r>, TrainError> {
        let leaves = self.leaf_count();
        match ranks.map(Ranks::size) {
            Some(ranks) if ranks > leaves => {
                Err(TrainError::Distributed(DistributedError::TooManyRanks { ranks, leaves }))
            }
            _ => Ok(Division { leaves, ranks, shares }),
        }
    }

    /// Whether this process prints and writes files.
    pub(super) fn is_first_rank(&self) -> bool {
        self.world.is_none_or(|world| world.rank() == 0)
    }
}

impl FitCall<'_, '_> {
    /// Checks that all ranks train the same, and copies the weights of rank 0 to all.
    pub(super) fn meet(&self, division: Division<'_>, net: &mut [f32]) -> Result<(), TrainError> {
        let Some(ranks) = division.ranks else { return Ok(()) };
        let compared = compare(ranks, &self.common_settings(division));
        compared.map_err(TrainError::Distributed)?;
        ranks.broadcast(bytes_of_mut(net));
        ranks.check().map_err(TrainError::Distributed)
    }

    /// What must be the same on all ranks, with the names for messages.
    fn common_settings(&self, division: Division<'_>) -> Vec<(String, String)> {
        let TrainerCore { batch, accumulate, drop_last, seed, epochs, .. } = &*self.core;
        let TrainerCore { keep_best, carry_state, position, .. } = &*self.core;
        let state = self.optimizer.state();
        // Those of a divided state differ.
        let values = division.shares.map_or_else(|| hash_of(&state.values), |_| String::new());
        let layers = layer_list(self.net.layers).into_iter().enumerate();
        let layers = layers.map(|(i, (name, layer))| {
            (format!("{LAYER} {i} of the network"), format!("`{name}`: {layer}"))
        });
        let settings = [
            ("version of the library", env!("CARGO_PKG_VERSION").to_owned()),
            ("instruction set", format!("{:?}", Isa::best())),
            ("weights of the network", self.net.len.to_string()),
            ("optimiser", state.optimizer.clone()),
            ("steps of the optimiser", state.steps.to_string()),
            ("hash of the optimiser's values", values),
            ("divided state of the optimiser", self.core.shard_optimizer.to_string()),
            ("learning rate of the optimiser", self.optimizer.learning_rate().to_string()),
            ("number of training samples", self.samples.to_string()),
            ("number of validation samples", format!("{:?}", self.review.validation_len())),
            ("batch size", batch.to_string()),
            ("accumulated batches", accumulate.to_string()),
            ("leaves of the reduction tree", division.leaves.to_string()),
            ("`drop_last`", drop_last.to_string()),
            ("`carry_state`", carry_state.to_string()),
            ("seed", seed.to_string()),
            ("epochs", epochs.to_string()),
            ("epochs before this call", position.epochs.to_string()),
            ("steps before this call", position.steps.to_string()),
            ("clipping", format!("{:?}", self.core.clip)),
            ("`keep_best`", keep_best.to_string()),
            ("early stopping", format!("{:?}", self.core.early_stopping)),
            ("metrics", format!("{:?}", self.review.metric_names())),
            ("checkpoints", format!("{:?}", self.core.checkpoints.when())),
        ];
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
        let optimizer = self.optimizer.settings().into_iter();
        let optimizer =
            optimizer.map(|(name, value)| (format!("{name} of the optimiser"), value.to_string()));
        settings.chain(optimizer).chain(layers).collect()
    }
}

/// Returns the first rank whose settings differ from those of rank 0. All ranks return the same.
fn compare(ranks: &Ranks<'_>, own: &[(String, String)]) -> Result<(), DistributedError> {
    let all = gather_text(ranks, &encode(own))?;
    let first = decode(&all[0]);
    for (rank, text) in all.iter().enumerate().skip(1) {
        let differences = differences(&first, &decode(text));
        if !differences.is_empty() {
            return Err(DistributedError::Differs { rank, differences });
        }
    }
    Ok(())
}

/// One line for each name and each value.
fn encode(settings: &[(String, String)]) -> String {
    let line = |text: &str| text.replace(['\n', '\r'], " ");
    settings.iter().map(|(name, value)| format!("{}\n{}\n", line(name), line(value))).collect()
}

fn decode(text: &str) -> Vec<(&str, &str)> {
    let lines: Vec<_> = text.lines().collect();
    lines.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

/// All differences, but of the layers only the first: after an inserted one all others differ.
fn differences(first: &[(&str, &str)], other: &[(&str, &str)]) -> Vec<RankDifference> {
    let value = |settings: &[(&str, &str)], name: &str| {
        let found = settings.iter().find(|(other, _)| *other == name);
        found.map_or("none", |(_, value)| value).to_owned()
    };
    let only_other = other.iter().filter(|(name, _)| first.iter().all(|(known, _)| known != name));
    let mut all: Vec<RankDifference> = Vec::new();
    for (name, _) in first.iter().chain(only_other) {
        let (expected, found) = (value(first, name), value(other, name));
        let layers = all.iter().any(|difference| difference.setting.starts_with(LAYER));
        if expected != found && !(layers && name.starts_with(LAYER)) {
            all.push(RankDifference { setting: (*name).to_owned(), expected, found });
        }
    }
    all
}

/// The texts of all ranks.
fn gather_text(ranks: &Ranks<'_>, own: &str) -> Result<Vec<String>, DistributedError> {
    let mut lens = vec![0; ranks.size() * size_of::<u64>()];
    let place = |rank: usize| rank * size_of::<u64>()..(rank + 1) * size_of::<u64>();
    lens[place(ranks.rank())].copy_from_slice(&(own.len() as u64).to_le_bytes());
    ranks.gather(&mut lens);
    ranks.check()?;
    let lens: Vec<_> =
        lens.as_chunks().0.iter().map(|len| u64::from_le_bytes(*len) as usize).collect();
    let mut all = vec![0; lens.iter().sum()];
    let begin: usize = lens[..ranks.rank()].iter().sum();
    all[begin..begin + own.len()].copy_from_slice(own.as_bytes());
    ranks.gather_parts(&mut all, &lens);
    ranks.check()?;
    let mut rest = &all[..];
    let text = |len: &usize| {
        let (text, after) = rest.split_at(*len);
        rest = after;
        String::from_utf8_lossy(text).into_owned()
    };
    Ok(lens.iter().map(text).collect())
}

/// A hash of the names and the bits of values.
fn hash_of(values: &[(String, Vec<f32>)]) -> String {
    let mut hasher = DefaultHasher::new();
    for (name, values) in values {
        name.hash(&mut hasher);
        values.iter().for_each(|value| value.to_bits().hash(&mut hasher));
    }
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_named_and_later_layers_left_out() {
        let first = [("seed", "1"), ("batch size", "8"), ("layer 0", "a"), ("layer 1", "b")];
        let other = [("seed", "2"), ("batch size", "8"), ("layer 0", "b"), ("momentum", "0.9")];
        let found: Vec<_> = differences(&first, &other).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "seed: expected 1, found 2",
                "layer 0: expected a, found b",
                "momentum: expected none, found 0.9",
            ]
        );
        assert!(differences(&first, &first).is_empty());
        let text = encode(&[("a".to_owned(), "b\nc".to_owned())]);
        assert_eq!(decode(&text), [("a", "b c")]);
    }
}
