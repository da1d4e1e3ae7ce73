//! [`Muon`]: PyTorch's `optim.Muon`, with AdamW for the weights that are no matrices.

use super::adam;
use super::moments::{Decay, Moments, moment_rate, moment_settings};
use super::newton_schulz::NewtonSchulz;
use super::optimizer::{Divisible, Optimizer, TrainedRange};
use super::pattern::{GroupsError, Pattern};
use super::state::{OptimizerState, StateError};
use super::update::flush_tiny;
use crate::hyper::{Range, checked};
use crate::kernels::dispatch::dispatch;
use crate::types::Tensor;
use std::ops;

/// Momentum orthogonalised by Newton-Schulz (Jordan et al., 2024): the step of a weight matrix is its Nesterov momentum with
/// all singular values set to about 1, so that directions with small gradients count as much as others. PyTorch's
/// `optim.Muon`, in 32-bit floats instead of bfloat16.
///
/// Matrices are the weights with two axes in files, such as those of `Dense` and of recurrent layers. [`AdamW`](super::AdamW)
/// updates all others, biases and convolutions among them, at 0.015 times the learning rate, with betas 0.9 and 0.95 and eps
/// 1e-10: [`adamw_rate`](Self::adamw_rate), [`betas`](Self::betas) and [`eps`](Self::eps) are for these. The paper recommends
/// it for embeddings and for the last layer, too:
///
/// ```
/// use unrolled_runtime::optim::Muon;
///
/// let optimizer = Muon::new(0.02).adamw(["tokens", "head"]);
/// ```
///
/// Weight decay is decoupled, as in `AdamW`; its default is 0.1.
#[derive(Clone, Debug)]
pub struct Muon {
    /// The mean of the gradient is also the momentum of matrices.
    moments: Moments,
    momentum: f64,
    adamw_rate: f64,
    adamw: Vec<Pattern>,
    /// The matrices in ascending order, once they are known.
    matrices: Option<Vec<Matrix>>,
    /// The index of the first element that a step is passed.
    first: usize,
    /// What a step updates: matrices, and the ranges of all other weights.
    stepped: Vec<(Matrix, TrainedRange)>,
    others: Vec<TrainedRange>,
    /// The step of a matrix.
    direction: Vec<f32>,
    newton_schulz: NewtonSchulz,
}

/// A weight with two axes.
#[derive(Clone, Debug)]
struct Matrix {
    range: ops::Range<usize>,
    /// Elements of a row in memory, which may be a column in files.
    columns: usize,
    /// The factor of its learning rate.
    ratio: f64,
}

impl Matrix {
    fn of(tensor: &Tensor) -> Option<Self> {
        let [outputs, inputs] = tensor.axes.as_slice() else { return None };
        let columns = if inputs.stride == 1 { inputs.len } else { outputs.len };
        let ratio = (outputs.len as f64 / inputs.len as f64).max(1.0).sqrt();
        Some(Self { range: tensor.range(), columns, ratio })
    }
}

impl Muon {
    /// An optimiser with learning rate `rate`; the reference implementation has 0.02. The momentum is 0.95.
    ///
    /// # Panics
    /// If `rate` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        let mut moments = Moments::new("Muon", rate, Decay::Weights);
        let settings = &mut moments.settings;
        (settings.betas, settings.eps, settings.weight_decay) = ((0.9, 0.95), 1e-10, 0.1);
        Self {
            moments,
            momentum: 0.95,
            adamw_rate: 0.015,
            adamw: Vec::new(),
            matrices: None,
            first: 0,
            stepped: Vec::new(),
            others: Vec::new(),
            direction: Vec::new(),
            newton_schulz: NewtonSchulz::default(),
        }
    }

    /// Sets the momentum of matrices.
    ///
    /// # Panics
    /// If it is not a number of at least 0 and below 1.
    #[must_use]
    #[track_caller]
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = checked("Muon: momentum", momentum, Range::Decay);
        self
    }

    /// Lets AdamW update the weights whose names match one of `patterns` (see [`Groups`](super::Groups)), although they are
    /// matrices. A pattern that matches no weight is an error at the first step.
    #[must_use]
    pub fn adamw<P: AsRef<str>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        self.adamw.extend(patterns.into_iter().map(|pattern| Pattern::new(pattern.as_ref())));
        self
    }

    /// Sets the factor on the learning rate for the weights that AdamW updates.
    ///
    /// # Panics
    /// If `factor` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn adamw_rate(mut self, factor: f64) -> Self {
        self.adamw_rate = checked("Muon: factor of AdamW's rate", factor, Range::NonNegative);
        self
    }

    moment_settings!();

    /// Divides the trained ranges into matrices and other weights.
    fn divide(&mut self, trained: &[TrainedRange]) {
        let matrices = self.matrices.as_ref().expect(
            "`Muon` has to know which weights are matrices: call `update` or, before `step`, `prepare`",
        );
        self.stepped.clear();
        self.others.clear();
        for whole in trained {
            let mut begin = whole.range.start;
            let mut push = |range: ops::Range<usize>| {
                if !range.is_empty() {
                    let rate = whole.rate * self.adamw_rate;
                    self.others.push(TrainedRange { range, rate, ..*whole });
                }
            };
            for matrix in matrices {
                // A step is passed whole tensors.
                let Some(start) = matrix.range.start.checked_sub(self.first) else { continue };
                let end = start + matrix.range.len();
                if whole.range.start <= start && end <= whole.range.end {
                    push(begin..start);
                    begin = end;
                    let range = TrainedRange { range: start..end, ..*whole };
                    self.stepped.push((matrix.clone(), range));
                }
            }
            push(begin..whole.range.end);
        }
    }

    /// Updates the matrices.
    fn step_matrices(&mut self, weights: &mut [f32], gradient: &[f32]) {
        let settings = self.moments.settings;
        for (matrix, TrainedRange { range, rate, decay }) in &self.stepped {
            let rate = settings.rate * rate;
            let decay = if *decay { settings.weight_decay } else { 0.0 };
            self.direction.resize(range.len(), 0.0);
            let mean = &mut self.moments.mean[range.clone()];
            let shares = [(1.0 - self.momentum) as f32, self.momentum as f32];
            look_ahead(shares, mean, &gradient[range.clone()], &mut self.direction);
            self.newton_schulz.orthogonalize(matrix.columns, &mut self.direction);
            let factors = [(1.0 - rate * decay) as f32, (rate * matrix.ratio) as f32];
            descend(factors, &mut weights[range.clone()], &self.direction);
        }
    }
}

impl Optimizer for Muon {
    /// # Panics
    /// Before [`prepare`](Optimizer::prepare), which [`update`](super::OptimizerExt::update) calls.
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[TrainedRange]) {
        self.moments.begin_step(weights.len());
        self.divide(trained);
        self.step_matrices(weights, gradient);
        adam::advance(&mut self.moments, weights, gradient, &self.others);
    }

    moment_rate!();

    fn divisible(&self) -> Divisible {
        Divisible::ByTensor
    }

    fn settings(&self) -> Vec<(String, f64)> {
        let mut all = self.moments.settings.listed();
        all.push(("momentum".to_owned(), self.momentum));
        all.push(("factor of AdamW's rate".to_owned(), self.adamw_rate));
        let adamw =
            self.adamw.iter().map(|pattern| (format!("AdamW for `{}`", pattern.as_str()), 1.0));
        all.extend(adamw);
        all
    }

    fn state(&self) -> OptimizerState {
        self.moments.state()
    }

    fn set_state(&mut self, state: OptimizerState) -> Result<(), StateError> {
        self.moments.set_state(state)
    }

    fn set_first(&mut self, first: usize) {
        self.first = first;
    }

    fn prepare(&mut self, tensors: fn() -> Vec<Tensor>) -> Result<(), GroupsError> {
        if self.matrices.is_some() {
            return Ok(());
        }
        let tensors = tensors();
        for pattern in &self.adamw {
            if !tensors.iter().any(|tensor| pattern.matches(&tensor.name)) {
                return Err(GroupsError::new("Muon", pattern, &tensors));
            }
        }
        let by_adamw = |tensor: &Tensor| self.adamw.iter().any(|p| p.matches(&tensor.name));
        // A weight that several layers share is one, under any of its names.
        let excluded: Vec<_> = tensors.iter().filter(|t| by_adamw(t)).map(Tensor::range).collect();
        let matrices = tensors.iter().filter(|tensor| !tensor.shared).filter_map(Matrix::of);
        let mut matrices: Vec<_> =
            matrices.filter(|matrix| !excluded.contains(&matrix.range)).collect();
        matrices.sort_unstable_by_key(|matrix| matrix.range.start);
        self.matrices = Some(matrices);
        Ok(())
    }
}

dispatch! {
    /// Moves the mean of the gradient, and writes Nesterov's momentum to `direction`.
    fn look_ahead(shares: [f32; 2], mean: &mut [f32], g: &[f32], direction: &mut [f32]) {
        let [share, momentum] = shares;
        for ((m, g), d) in mean.iter_mut().zip(g).zip(direction) {
            let mean = flush_tiny(*m + share * (g - *m));
            (*m, *d) = (mean, g + momentum * (mean - g));
        }
    }

    fn descend(factors: [f32; 2], w: &mut [f32], direction: &[f32]) {
        let [keep, rate] = factors;
        for (w, direction) in w.iter_mut().zip(direction) {
            *w = keep * *w - rate * direction;
        }
    }
}
