//! [`Weighted`], and tuples of losses for networks with several outputs.

use super::binary_cross_entropy::BinaryCrossEntropyWithLogits;
use super::cosine_similarity::CosineSimilarity;
use super::cross_entropy::CrossEntropy;
use super::ctc::CTC;
use super::dice::Dice;
use super::focal::{BinaryFocalWithLogits, Focal};
use super::hinge::Hinge;
use super::huber::Huber;
use super::kl_divergence::KLDivergence;
use super::loss_sum::{LossSum, LossSums};
use super::loss_trait::{Loss, OneOutput, OutputSample, add_sample};
use super::mean_absolute_error::MeanAbsoluteError;
use super::mean_squared_error::MeanSquaredError;
use super::multi_margin::MultiMargin;
use super::nll::NLL;
use super::poisson_nll::PoissonNLL;
use super::quantile::Quantile;
use super::target_error::TargetError;
use crate::hyper::{Range, checked};
use crate::types::{Outputs, Values};

/// A loss times a factor, its weight in the sum of the losses of several outputs.
///
/// ```
/// # use unrolled_runtime::{Network, RngKey, TrainingExt, loss::*};
/// # fn example<N: Network<Input = [f32; 4], Output = Y>, Y>(mut net: Box<N>, mut d_net: Box<N>)
/// # where Y: unrolled_runtime::Outputs<Each = ([f32; 10], [f32; 2])> {
/// // A network with `-> (digit: 10, place: 2)`:
/// let loss = (CrossEntropy::new(), MeanSquaredError.weighted(0.3));
/// let targets = [(7_u32, [0.5, -0.5])];
/// net.loss_and_gradients(&loss, &[[0.0; 4]], &targets, &mut d_net, RngKey::new(1));
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighted<L> {
    loss: L,
    factor: f32,
}

impl<L> Weighted<L> {
    /// `loss` times `factor`.
    ///
    /// # Panics
    /// If `factor` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(loss: L, factor: f32) -> Self {
        Self { loss, factor: checked("Weighted: factor", factor, Range::NonNegative) }
    }
}

#[diagnostic::do_not_recommend]
impl<Output: Values, L: Loss<Output>> Loss<Output> for Weighted<L> {
    type Target = L::Target;

    fn applies(&self) -> Option<&'static str> {
        self.loss.applies()
    }

    fn check(&self, target: &Self::Target) -> Result<(), TargetError> {
        self.loss.check(target)
    }

    fn sample(&self, y: &[f32], target: &Self::Target, scale: f32, d_y: &mut [f32]) -> f64 {
        f64::from(self.factor) * self.loss.sample(y, target, self.factor * scale, d_y)
    }

    fn weight(&self, target: &Self::Target, steps: usize) -> f64 {
        self.loss.weight(target, steps)
    }

    fn correct(&self, y: &[f32], target: &Self::Target) -> (usize, usize) {
        self.loss.correct(y, target)
    }

    fn add_weights(&self, target: &Self::Target, steps: &[usize], weights: &mut [f64]) {
        self.loss.add_weights(target, steps, weights);
    }

    fn accumulate(&self, sample: OutputSample<'_, Self::Target>, sums: &mut LossSums) {
        let mut own = LossSums::default();
        sample.scaled(self.factor, |sample| self.loss.accumulate(sample, &mut own));
        for (sum, own) in sums.0.iter_mut().zip(own.0) {
            *sum = sum.with(&LossSum { loss: f64::from(self.factor) * own.loss, ..own });
        }
    }
}

/// `loss.weighted(0.3)` for losses.
macro_rules! weighted {
    ($($Loss:ty $(where $MAX:ident)?),* $(,)?) => {
        $(impl $(<const $MAX: usize>)? $Loss {
            /// This loss times `factor`, its weight in the sum of the losses of several outputs.
            ///
            /// # Panics
            /// If `factor` is not a finite number of at least 0.
            #[must_use]
            #[track_caller]
            pub fn weighted(self, factor: f32) -> Weighted<Self> {
                Weighted::new(self, factor)
            }
        })*
    };
}

weighted!(
    BinaryCrossEntropyWithLogits,
    BinaryFocalWithLogits,
    CTC<MAX> where MAX,
    CosineSimilarity,
    CrossEntropy,
    Dice,
    Focal,
    Hinge,
    Huber,
    KLDivergence,
    MeanAbsoluteError,
    MeanSquaredError,
    MultiMargin,
    NLL,
    PoissonNLL,
    Quantile,
);

/// Losses for networks of one number of outputs, and the trait that demands this number.
macro_rules! losses_of_outputs {
    ($Count:ident: $($L:ident $O:ident $nth:tt),*) => {
        /// The types of as many outputs. `Outputs<Each = (A, B)>` would demand the same, but the compiler reports a mismatch
        /// of associated types in its own words.
        #[doc(hidden)]
        pub trait $Count {
            $(type $O: Values;)*
        }

        impl<$($O: Values),*> $Count for ($($O,)*) {
            $(type $O = $O;)*
        }

        /// One loss for each output of a network: the sum of their means over the batch.
        #[diagnostic::do_not_recommend]
        impl<Output, $($L),*> Loss<Output> for ($($L,)*)
        where
            Output: Outputs<Each: $Count>,
            $($L: Loss<<Output::Each as $Count>::$O>),*
        {
            type Target = ($($L::Target,)*);

            fn check(&self, target: &Self::Target) -> Result<(), TargetError> {
                $(
                    let checked = self.$nth.check(&target.$nth);
                    checked.map_err(|why| TargetError::Output {
                        output: Output::NAMES[$nth],
                        why: Box::new(why),
                    })?;
                )*
                Ok(())
            }

            /// For outputs all of whose steps are valid.
            fn sample(&self, y: &[f32], target: &Self::Target, scale: f32, d_y: &mut [f32]) -> f64 {
                let (mut rest, mut d_rest) = (y, d_y);
                let mut sum = 0.0;
                $(
                    let (y, d_y);
                    (y, rest) = rest.split_at(<<Output::Each as $Count>::$O as Values>::LEN);
                    (d_y, d_rest) = d_rest.split_at_mut(<<Output::Each as $Count>::$O as Values>::LEN);
                    sum += self.$nth.sample(y, &target.$nth, scale, d_y);
                )*
                debug_assert!(rest.is_empty() && d_rest.is_empty(), "as many values as the outputs");
                sum
            }

            fn add_weights(&self, target: &Self::Target, steps: &[usize], weights: &mut [f64]) {
                $(weights[$nth] += self.$nth.weight(&target.$nth, steps[$nth]);)*
            }

            fn accumulate(&self, sample: OutputSample<'_, Self::Target>, sums: &mut LossSums) {
                let OutputSample { y, target, steps, scales, d_y } = sample;
                let (mut rest, mut d_rest) = (y, d_y);
                $(
                    let (y, d_y);
                    (y, rest) = rest.split_at(<<Output::Each as $Count>::$O as Values>::LEN);
                    (d_y, d_rest) = d_rest.split_at_mut(<<Output::Each as $Count>::$O as Values>::LEN);
                    let (valid, scale) = (steps[$nth], scales[$nth]);
                    let one = OneOutput { y, target: &target.$nth, steps: valid, scale, d_y };
                    add_sample(&self.$nth, one, &mut sums.0[$nth]);
                )*
                debug_assert!(rest.is_empty() && d_rest.is_empty(), "as many values as the outputs");
            }
        }
    };
}

losses_of_outputs!(TwoOutputs: A X 0, B Y 1);
losses_of_outputs!(ThreeOutputs: A X 0, B Y 1, C Z 2);
losses_of_outputs!(FourOutputs: A X 0, B Y 1, C Z 2, D W 3);
losses_of_outputs!(FiveOutputs: A X 0, B Y 1, C Z 2, D W 3, E V 4);
losses_of_outputs!(SixOutputs: A X 0, B Y 1, C Z 2, D W 3, E V 4, F U 5);
losses_of_outputs!(SevenOutputs: A X 0, B Y 1, C Z 2, D W 3, E V 4, F U 5, G T 6);
losses_of_outputs!(EightOutputs: A X 0, B Y 1, C Z 2, D W 3, E V 4, F U 5, G T 6, H S 7);
