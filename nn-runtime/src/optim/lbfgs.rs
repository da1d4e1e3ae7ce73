//! [`LBFGS`]: PyTorch's `optim.LBFGS`.

use super::curvature::{Curvature, dot};
use super::extension::{AsNetworkMut, UpdatedPart, with_trained_ranges};
use super::optimizer::{Optimizer, TrainedRange, settings};
use super::state::{OptimizerState, StateError};
use super::strong_wolfe::{Line, Trial};
use crate::contract::Network;
use crate::hyper::{Range, at_least_one, checked};
use crate::order::NetworkInfo;
use crate::types::zeros_on_line;
use std::slice;

/// Limited-memory BFGS (Liu and Nocedal, 1989), a quasi-Newton method for small problems whose loss has no noise: the loss of
/// the whole training set, without dropout. It needs far fewer steps than others, each of several evaluations, and memory for
/// twice `history_size` gradients.
///
/// A step evaluates loss and gradient at several points, so that [`update_with`](Self::update_with) has a function that
/// computes them:
///
/// ```
/// # use unrolled_runtime::{BatchError, Network, RngKey, TrainingExt, loss::MeanSquaredError, optim::LBFGS};
/// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
/// #     mut net: Box<N>, xs: &[[f32; 4]], ys: &[[f32; 2]],
/// # ) -> Result<(), BatchError> {
/// let mut lbfgs = LBFGS::new(1.0).strong_wolfe();
/// for _ in 0..10 {
///     let loss = lbfgs.update_with(&mut net, |net, d_net| {
///         net.loss_and_gradients(&MeanSquaredError, xs, ys, d_net, RngKey::new(1))
///     })?;
///     println!("{loss}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// As an [`Optimizer`], in a trainer whose batch is the training set, it makes one iteration without a line search in each step:
/// PyTorch's with `max_iter=1`. There is one learning rate for all weights and no weight decay, as in PyTorch.
#[derive(Clone, Debug)]
pub struct LBFGS {
    rate: f64,
    max_iter: usize,
    max_eval: Option<usize>,
    tolerance_grad: f64,
    tolerance_change: f64,
    history_size: usize,
    strong_wolfe: bool,
    curvature: Curvature,
}

impl LBFGS {
    const NAME: &str = "LBFGS";

    /// An optimiser with learning rate `rate`, the length of a step in directions; 1 is PyTorch's default. The first step is at
    /// most `rate` long in the sum of its elements. With [`strong_wolfe`](Self::strong_wolfe) it is the first length that is
    /// tried.
    ///
    /// # Panics
    /// If `rate` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        Self {
            rate: checked("LBFGS: learning rate", rate, Range::NonNegative),
            max_iter: 20,
            max_eval: None,
            tolerance_grad: 1e-7,
            tolerance_change: 1e-9,
            history_size: 100,
            strong_wolfe: false,
            curvature: Curvature::default(),
        }
    }

    /// Sets the largest number of iterations of [`update_with`](Self::update_with); 20 is the default.
    ///
    /// # Panics
    /// If it is 0.
    #[must_use]
    #[track_caller]
    pub fn max_iter(mut self, count: usize) -> Self {
        self.max_iter = at_least_one("LBFGS: max_iter", count);
        self
    }

    /// Sets the number of evaluations after which [`update_with`](Self::update_with) begins no further iteration; 1.25 times
    /// `max_iter` is the default.
    ///
    /// # Panics
    /// If it is 0.
    #[must_use]
    #[track_caller]
    pub fn max_eval(mut self, count: usize) -> Self {
        self.max_eval = Some(at_least_one("LBFGS: max_eval", count));
        self
    }

    /// Sets the largest magnitude of an element of the gradient at which the weights are taken to be optimal; 1e-7 is the
    /// default.
    ///
    /// # Panics
    /// If it is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn tolerance_grad(mut self, tolerance: f64) -> Self {
        self.tolerance_grad = checked("LBFGS: tolerance_grad", tolerance, Range::NonNegative);
        self
    }

    /// Sets the change of the loss, and of the weights, below which there is no further iteration; 1e-9 is the default.
    ///
    /// # Panics
    /// If it is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn tolerance_change(mut self, tolerance: f64) -> Self {
        self.tolerance_change = checked("LBFGS: tolerance_change", tolerance, Range::NonNegative);
        self
    }

    /// Sets the number of steps that are remembered; 100 is the default.
    ///
    /// # Panics
    /// If it is 0.
    #[must_use]
    #[track_caller]
    pub fn history_size(mut self, count: usize) -> Self {
        self.history_size = at_least_one("LBFGS: history_size", count);
        self
    }

    /// Searches along each direction for a point that meets the strong Wolfe conditions, instead of a step of fixed length:
    /// PyTorch's `line_search_fn="strong_wolfe"`. Recommended with [`update_with`](Self::update_with).
    #[must_use]
    pub const fn strong_wolfe(mut self) -> Self {
        self.strong_wolfe = true;
        self
    }

    /// One step of up to `max_iter` iterations: updates the trained weights of `net`, and returns the loss before. `evaluate`
    /// returns the loss and writes its gradient to the second network; it must compute the same function in all calls. The step
    /// ends early where `max_eval` or one of the tolerances says so. Running statistics move in each evaluation.
    ///
    /// A loss that is not finite counts as a high one in a line search, which then looks nearer to the start. At the start of
    /// an iteration it ends the step.
    ///
    /// # Errors
    /// Those of `evaluate`. The weights are then those of the last iteration that was complete.
    ///
    /// # Panics
    /// If it was used for another network before.
    pub fn update_with<P, K, E>(
        &mut self,
        net: &mut P,
        evaluate: impl FnMut(&mut P::Net, &mut P::Net) -> Result<f32, E>,
    ) -> Result<f32, E>
    where
        P: AsNetworkMut<K>,
    {
        let mut objective = NetworkLoss {
            net: net.network_mut(),
            d_net: zeros_on_line::<P::Net>(),
            evaluate,
            error: None,
        };
        let info = NetworkInfo::of::<P::Net>();
        let all = 0..info.len;
        let part = UpdatedPart { share: all.clone(), touched: slice::from_ref(&all) };
        let loss = with_trained_ranges(&info, &part, |trained| {
            Descent::new(&mut objective, trained).run(self)
        });
        match loss {
            Ok(loss) => Ok(loss as f32),
            Err(Stopped) => Err(objective.error.expect("it has stopped because of an error")),
        }
    }

    /// The length of the next step, in directions. The first direction is the gradient, whose scale says nothing.
    fn length(&self, gradient: &[f32]) -> f64 {
        if self.curvature.is_first() {
            let sum: f64 = gradient.iter().map(|g| f64::from(g.abs())).sum();
            (1.0 / sum).min(1.0) * self.rate
        } else {
            self.rate
        }
    }
}

impl Optimizer for LBFGS {
    /// # Panics
    /// With [`strong_wolfe`](LBFGS::strong_wolfe), or a factor on the learning rate of some weights.
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[TrainedRange]) {
        assert!(
            !self.strong_wolfe,
            "LBFGS: `strong_wolfe` evaluates the loss at several points: call `update_with`, or leave it out"
        );
        assert!(
            trained.iter().all(|range| range.rate == 1.0),
            "LBFGS: there is one learning rate for all weights: remove `rate` of `Groups`"
        );
        let gradient = trained_part(gradient, trained);
        if largest(&gradient) <= self.tolerance_grad {
            return;
        }
        let direction = self.curvature.direction(&gradient, self.history_size);
        let length = self.length(&gradient);
        self.curvature.set_step(scaled(&direction, length));
        if dot(&gradient, &direction) <= -self.tolerance_change {
            let start = weights.to_vec();
            set_weights(weights, &start, &direction, length, trained);
        }
    }

    fn learning_rate(&self) -> f64 {
        self.rate
    }

    #[track_caller]
    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = checked("LBFGS: learning rate", rate, Range::NonNegative);
    }

    fn settings(&self) -> Vec<(String, f64)> {
        settings([
            ("tolerance of the gradient", self.tolerance_grad),
            ("tolerance of changes", self.tolerance_change),
            ("history size", self.history_size as f64),
        ])
    }

    fn state(&self) -> OptimizerState {
        self.curvature.state(Self::NAME)
    }

    fn set_state(&mut self, state: OptimizerState) -> Result<(), StateError> {
        self.curvature.set_state(Self::NAME, state)
    }
}

/// What is minimised.
trait Objective {
    fn weights(&mut self) -> &mut [f32];
    /// The loss at these weights, whose gradient [`gradient`](Self::gradient) is then.
    fn loss(&mut self) -> Result<f64, Stopped>;
    fn gradient(&self) -> &[f32];
}

/// An evaluation has failed.
#[derive(Debug)]
struct Stopped;

/// The loss of a network.
struct NetworkLoss<'n, N, F, E> {
    net: &'n mut N,
    d_net: Box<N>,
    evaluate: F,
    /// That of the evaluation which failed.
    error: Option<E>,
}

impl<N: Network, F: FnMut(&mut N, &mut N) -> Result<f32, E>, E> Objective
    for NetworkLoss<'_, N, F, E>
{
    fn weights(&mut self) -> &mut [f32] {
        self.net.as_floats_mut()
    }

    fn loss(&mut self) -> Result<f64, Stopped> {
        match (self.evaluate)(self.net, &mut self.d_net) {
            Ok(loss) => Ok(loss.into()),
            Err(error) => {
                self.error = Some(error);
                Err(Stopped)
            }
        }
    }

    fn gradient(&self) -> &[f32] {
        self.d_net.as_floats()
    }
}

/// A step of several iterations.
struct Descent<'o> {
    objective: &'o mut dyn Objective,
    trained: &'o [TrainedRange],
    evaluations: usize,
}

impl<'o> Descent<'o> {
    fn new(objective: &'o mut dyn Objective, trained: &'o [TrainedRange]) -> Self {
        Self { objective, trained, evaluations: 0 }
    }

    /// The loss and the gradient at the current weights.
    fn evaluate(&mut self) -> Result<(f64, Vec<f32>), Stopped> {
        self.evaluations += 1;
        let loss = self.objective.loss()?;
        Ok((loss, trained_part(self.objective.gradient(), self.trained)))
    }

    /// All iterations; returns the loss before the first one.
    fn run(mut self, optimizer: &mut LBFGS) -> Result<f64, Stopped> {
        let (first_loss, mut gradient) = self.evaluate()?;
        let mut loss = first_loss;
        let max_eval = optimizer.max_eval.unwrap_or(optimizer.max_iter.saturating_mul(5) / 4);
        for iteration in 1..=optimizer.max_iter {
            let magnitude = largest(&gradient);
            if magnitude <= optimizer.tolerance_grad || !(loss + magnitude).is_finite() {
                break;
            }
            let direction = optimizer.curvature.direction(&gradient, optimizer.history_size);
            let slope = dot(&gradient, &direction);
            let first = optimizer.length(&gradient);
            if slope > -optimizer.tolerance_change {
                optimizer.curvature.set_step(scaled(&direction, first));
                break;
            }
            let start = Trial { at: 0.0, loss, slope, gradient };
            let is_last = iteration == optimizer.max_iter;
            let end = if optimizer.strong_wolfe {
                let line = Line {
                    start,
                    first,
                    largest: largest(&direction),
                    tolerance: optimizer.tolerance_change,
                    max_moves: max_eval.saturating_sub(self.evaluations),
                };
                self.search(&line, &direction)?
            } else {
                self.advance(start, first, &direction, is_last)?
            };
            let step = scaled(&direction, end.at);
            let moved = largest(&step);
            optimizer.curvature.set_step(step);
            let change = (end.loss - loss).abs();
            (loss, gradient) = (end.loss, end.gradient);
            let tolerance = optimizer.tolerance_change;
            if self.evaluations >= max_eval || moved <= tolerance || change < tolerance {
                break;
            }
        }
        Ok(first_loss)
    }

    /// Makes the step of the length `at`. The loss after the last one is of no use.
    fn advance(
        &mut self,
        start: Trial,
        at: f64,
        direction: &[f64],
        is_last: bool,
    ) -> Result<Trial, Stopped> {
        let weights = self.objective.weights().to_vec();
        set_weights(self.objective.weights(), &weights, direction, at, self.trained);
        if is_last {
            return Ok(Trial { at, ..start });
        }
        let evaluated = self.evaluate();
        if evaluated.is_err() {
            set_weights(self.objective.weights(), &weights, direction, 0.0, self.trained);
        }
        let (loss, gradient) = evaluated?;
        Ok(Trial { at, loss, gradient, slope: 0.0 })
    }

    /// Makes the step that a line search finds.
    fn search(&mut self, line: &Line, direction: &[f64]) -> Result<Trial, Stopped> {
        let weights = self.objective.weights().to_vec();
        let trained = self.trained;
        let found = line.search(&mut |at| {
            set_weights(self.objective.weights(), &weights, direction, at, trained);
            let (loss, gradient) = self.evaluate()?;
            let loss = if loss.is_finite() { loss } else { f64::INFINITY };
            Ok(Trial { at, loss, slope: dot(&gradient, direction), gradient })
        });
        let at = found.as_ref().map_or(0.0, |trial| trial.at);
        set_weights(self.objective.weights(), &weights, direction, at, trained);
        found
    }
}

/// The trained elements, and zeros at others.
fn trained_part(values: &[f32], trained: &[TrainedRange]) -> Vec<f32> {
    let mut part = vec![0.0; values.len()];
    for TrainedRange { range, .. } in trained {
        part[range.clone()].copy_from_slice(&values[range.clone()]);
    }
    part
}

/// The largest magnitude; NaN if there is one.
fn largest<T: Copy + Into<f64>>(values: &[T]) -> f64 {
    let larger = |a: f64, b: f64| if b > a || b.is_nan() { b } else { a };
    values.iter().fold(0.0, |largest, value| larger(largest, (*value).into().abs()))
}

fn scaled(direction: &[f64], length: f64) -> Vec<f32> {
    direction.iter().map(|d| (d * length) as f32).collect()
}

/// Sets the trained weights to `start + at * direction`.
fn set_weights(
    weights: &mut [f32],
    start: &[f32],
    direction: &[f64],
    at: f64,
    trained: &[TrainedRange],
) {
    for TrainedRange { range, .. } in trained {
        let moved = start[range.clone()].iter().zip(&direction[range.clone()]);
        for (w, (start, d)) in weights[range.clone()].iter_mut().zip(moved) {
            *w = (f64::from(*start) + at * d) as f32;
        }
    }
}
