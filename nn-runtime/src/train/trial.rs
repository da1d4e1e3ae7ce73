//! Short runs that test a network, its data and its optimiser before the long one.

use super::error::{DataSet, TrainError};
use super::same_types::{LossTarget, SameInput, SameTarget, TypedData, TypedLoss};
use super::slots::DynData;
use super::trainer::Trainer;
use crate::contract::Network;
use crate::data::{Data, Dataset};
use crate::loss::Loss;
use crate::optim::schedule::Schedule;
use crate::optim::{AsNetwork, Optimizer};
use crate::system::RngKey;
use std::fmt;
use std::ops::ControlFlow;

/// The loss at rising learning rates: the result of
/// [`find_learning_rate`](crate::train::Trainer::find_learning_rate). Displays as the suggested rate, or why there is none.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RateSearch {
    /// Learning rates, and the mean loss of the step at each, smoothed over the steps before.
    pub losses: Vec<(f64, f64)>,
}

/// The learning rates of a search rise from the first to the last over so many steps, by the same factor each time.
const RATES: [f64; 2] = [1e-7, 10.0];
const SEARCH_STEPS: usize = 100;

/// The share of the losses before in a smoothed loss.
const SMOOTHING: f64 = 0.9;

/// The search ends where the smoothed loss is so many times the lowest one.
const DIVERGED: f64 = 4.0;

/// The first losses, which are smoothed over few steps and are not searched.
const SKIPPED: usize = 10;

impl RateSearch {
    /// The learning rate at which the loss falls fastest, per factor of the rate; `None` if it falls nowhere, or the search
    /// ended after a few steps.
    #[must_use]
    pub fn suggestion(&self) -> Option<f64> {
        let searched = self.losses.get(SKIPPED..)?;
        let slopes = searched.windows(2).map(|pair| (pair[0].0, pair[1].1 - pair[0].1));
        let (rate, slope) = slopes.min_by(|a, b| a.1.total_cmp(&b.1))?;
        (slope < 0.0).then_some(rate)
    }

    /// Records the loss of a step. Breaks where it diverges.
    fn add(&mut self, rate: f64, loss: f64) -> ControlFlow<()> {
        let smoothed = match self.losses.last() {
            Some((_, before)) => SMOOTHING * before + (1.0 - SMOOTHING) * loss,
            None => loss,
        };
        self.losses.push((rate, smoothed));
        let lowest = self.losses.iter().map(|(_, loss)| *loss).fold(f64::INFINITY, f64::min);
        if self.losses.len() >= SEARCH_STEPS || (lowest > 0.0 && smoothed > DIVERGED * lowest) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl fmt::Display for RateSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.suggestion() {
            Some(rate) => write!(f, "suggested learning rate: {rate:.1e}"),
            None => f.write_str(
                "no learning rate lowers the loss: check the targets, the scale of the inputs and the loss",
            ),
        }
    }
}

/// A rate that rises by the same factor each step.
struct Rising;

impl Schedule for Rising {
    fn rate(&mut self, _base: f64, done: usize) -> f64 {
        let share = done as f64 / (SEARCH_STEPS - 1) as f64;
        RATES[0] * (RATES[1] / RATES[0]).powf(share)
    }
}

impl<O: Optimizer, N: Network, Target: Copy + Send + Sync> Trainer<'_, O, N, Target> {
    /// Searches for a learning rate (Smith, 2017): trains a copy of `net` for up to 100 steps while the rate rises from
    /// 1e-7 to 10, and records the loss.
    ///
    /// ```
    /// # use unrolled_runtime::{Network, data::Data, loss::CrossEntropy, optim::*, train::*};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     net: Box<N>, train: Data<[f32; 4], u32>,
    /// # ) -> Result<(), TrainError> {
    /// let mut trainer = Trainer::new(Adam::new(1e-3)).batch(64);
    /// let search = trainer.find_learning_rate(&net, &train, &CrossEntropy::new())?;
    /// println!("{search}"); // suggested learning rate: 3.9e-3
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Network and trainer stay as they are, as does an optimiser with [`state`](Optimizer::state). The search has the batch
    /// size, the accumulated batches, the clipping and the seed of the trainer, and no callbacks. It ends early where the
    /// loss is four times its minimum or not finite.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), except that losses and gradients that are not finite end the search.
    pub fn find_learning_rate<D, L, K>(
        &mut self,
        net: &impl AsNetwork<K, Net = N>,
        train: &D,
        loss: &L,
    ) -> Result<RateSearch, TrainError>
    where
        D: Dataset<Input: SameInput<N::Input>, Target: SameTarget<Target>>,
        L: Loss<N::Output, Target: LossTarget<D::Target>>,
    {
        let (train, loss) = (&TypedData::new(train), &TypedLoss::<_, D::Target, _>::new(loss));
        let mut search = RateSearch::default();
        let result = self.on_copy(net.network(), |trainer, copy| {
            let trainer = trainer.schedule_steps(Rising);
            let mut trainer = trainer.on_step(|step| search.add(step.learning_rate, step.loss));
            trainer.fit_until(SEARCH_STEPS, copy, train, loss).map(drop)
        });
        match result {
            Err(
                TrainError::Loss { .. } | TrainError::Gradient { .. } | TrainError::Weight { .. },
            ) => {}
            result => result?,
        }
        Ok(search)
    }

    /// Trains a copy of `net` on the first batch of `train` alone for `steps` steps, and returns the loss of each: a network
    /// that cannot overfit one batch has a mistake in its layers, its data, its loss or its learning rate.
    ///
    /// ```
    /// # use unrolled_runtime::{Network, data::Data, loss::CrossEntropy, optim::*, train::*};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     net: Box<N>, train: Data<[f32; 4], u32>,
    /// # ) -> Result<(), TrainError> {
    /// let mut trainer = Trainer::new(Adam::new(1e-3)).batch(16);
    /// let losses = trainer.overfit_one_batch(&net, &train, &CrossEntropy::new(), 200)?;
    /// assert!(losses[199] < 0.01 * losses[0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Network and trainer stay as they are, as does an optimiser with [`state`](Optimizer::state). The steps have the
    /// optimiser's learning rate, and the clipping and the seed of the trainer. Losses are those of training mode, with
    /// `Dropout`.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn overfit_one_batch<D, L, K>(
        &mut self,
        net: &impl AsNetwork<K, Net = N>,
        train: &D,
        loss: &L,
        steps: usize,
    ) -> Result<Vec<f64>, TrainError>
    where
        D: Dataset<Input: SameInput<N::Input>, Target: SameTarget<Target>>,
        L: Loss<N::Output, Target: LossTarget<D::Target>>,
    {
        let (train, loss) = (&TypedData::new(train), &TypedLoss::<_, D::Target, _>::new(loss));
        let first = FirstSamples::<N, _>::new(DataSet::Training, train, self.core.batch)?;
        let key = RngKey::new(self.core.seed);
        let sample = |i| first.get(i, key.fold_in(i as u64));
        let batch: Data<_, _> = (0..first.len()).map(sample).collect();
        let mut losses = Vec::with_capacity(steps);
        self.on_copy(net.network(), |trainer, copy| {
            let mut trainer = trainer.accumulate(1);
            (trainer.core.carry_state, trainer.core.drop_last) = (false, false);
            let mut trainer = trainer.on_step(|step| losses.push(step.loss));
            trainer.fit_until(steps, copy, &batch, loss).map(drop)
        })?;
        Ok(losses)
    }

    /// Calls `f` with a trainer of the same settings and a copy of `net`. The optimiser is restored afterwards.
    fn on_copy<R>(
        &mut self,
        net: &N,
        f: impl FnOnce(Trainer<'_, &mut O, N, Target>, &mut Box<N>) -> R,
    ) -> R {
        let (rate, state) = (self.optimizer.learning_rate(), self.optimizer.state());
        let mut copy = N::zeros();
        copy.as_floats_mut().copy_from_slice(net.as_floats());
        let mut trainer = Trainer::new(&mut self.optimizer).batch(self.core.batch).quiet();
        trainer.core.seed = self.core.seed;
        trainer.core.accumulate = self.core.accumulate;
        trainer.core.drop_last = self.core.drop_last;
        trainer.core.clip = self.core.clip;
        trainer.core.carry_state = self.core.carry_state;
        let result = f(trainer, &mut copy);
        self.optimizer.set_learning_rate(rate);
        self.optimizer.set_state(state).expect("its own state");
        result
    }
}

/// The first samples of a data set.
pub(super) struct FirstSamples<'a, N: Network, Target> {
    data: DynData<'a, N, Target>,
    most: usize,
}

impl<'a, N: Network, Target> FirstSamples<'a, N, Target> {
    /// The first `most` samples of `data`, if they have as many inputs as targets.
    pub(super) fn new(
        set: DataSet,
        data: DynData<'a, N, Target>,
        most: usize,
    ) -> Result<Self, TrainError> {
        data.check().map_err(|source| TrainError::Data { data: set, source })?;
        Ok(Self { data, most })
    }
}

impl<N: Network, Target> Dataset for FirstSamples<'_, N, Target> {
    type Input = N::Input;
    type Target = Target;

    fn len(&self) -> usize {
        self.data.len().min(self.most)
    }

    fn get(&self, i: usize, key: RngKey) -> (N::Input, Target) {
        self.data.get(i, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suggested_rate_is_where_the_loss_falls_fastest() {
        let losses = |f: fn(usize) -> f64| RateSearch {
            losses: (0..30).map(|i| (10_f64.powi(i as i32 - 20), f(i))).collect(),
        };
        // A fall by 1 in step 17, and a larger one among the skipped steps.
        let search =
            losses(|i| 9.0 - 5.0 * f64::from(u8::from(i > 3)) - f64::from(u8::from(i > 17)));
        assert_eq!(search.suggestion(), Some(1e-3));
        assert_eq!(search.to_string(), "suggested learning rate: 1.0e-3");
        let rising = losses(|i| i as f64);
        assert_eq!(rising.suggestion(), None);
        assert!(rising.to_string().starts_with("no learning rate lowers the loss"));
        assert_eq!(RateSearch::default().suggestion(), None);
    }

    #[test]
    fn a_search_ends_where_the_loss_diverges_or_after_its_steps() {
        let mut search = RateSearch::default();
        let steps = (0..).take_while(|i| search.add(1.0, f64::from(*i)).is_continue()).count();
        // Smoothed: 0, 0.1, .. and the lowest one is 0, which has no multiples.
        assert_eq!(steps + 1, SEARCH_STEPS);
        let mut search = RateSearch::default();
        assert!(search.add(1.0, 1.0).is_continue() && search.add(1.0, 100.0).is_break());
    }

    #[test]
    fn rates_rise_to_the_largest() {
        let rates = [0, SEARCH_STEPS - 1].map(|done| Rising.rate(0.0, done));
        assert!((rates[0] - 1e-7).abs() < 1e-15 && (rates[1] - 10.0).abs() < 1e-9, "{rates:?}");
    }
}
