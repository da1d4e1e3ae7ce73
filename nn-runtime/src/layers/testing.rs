//! What tests of layers share: one training step of a single node, led through shards as
//! [`loss_and_gradients`](crate::step::loss_and_gradients) does it, and its comparison with finite
//! differences.

use crate::contract::{
    Backward, Forward, InPlaceNode, Infer, Node, Pass, Spec, TrainInPlaceNode, TrainNode,
};
use crate::kernels::reference::{self, Groups};
use crate::memory::{InferCtx, Shards, StateMut, TiedWeight, TrainCtx};
use crate::system::RngKey;
use crate::types::{Lengths, Steps, Weights};
use std::marker::PhantomData;

/// A node with weights, inputs and an output gradient: the material of one test.
pub(crate) struct Trial<S, T> {
    /// The weights.
    pub(crate) node: Box<T>,
    /// All samples, one run of numbers for each input.
    pub(crate) x: Vec<Vec<f32>>,
    /// The gradient of the output: the tested loss is the sum of `d_y * y`.
    pub(crate) d_y: Vec<f32>,
    /// How many samples.
    pub(crate) batch: usize,
    /// How many samples in a shard.
    pub(crate) capacity: usize,
    /// The step of finite differences. Linear layers allow large ones, curved ones small ones.
    pub(crate) step: f32,
    /// How long the samples are; empty where they are full.
    pub(crate) lengths: Vec<u32>,
    /// What the samples carry; empty where they carry nothing.
    pub(crate) state: Vec<f32>,
    /// How far finite differences may be off, in units of the largest gradient.
    pub(crate) tolerance: f64,
    spec: PhantomData<S>,
}

/// What a training step gives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    /// The output.
    pub(crate) y: Vec<f32>,
    /// The gradient of each input.
    pub(crate) d_x: Vec<Vec<f32>>,
    /// The gradient of the weights.
    pub(crate) d_weights: Vec<f32>,
    /// What the samples carry afterwards.
    pub(crate) state: Vec<f32>,
}

/// `len` numbers in `[-1, 1)` that depend on `stream` alone.
pub(crate) fn random(len: usize, stream: u64) -> Vec<f32> {
    let key = RngKey::new(stream);
    (0..len).map(|i| 2.0 * key.uniform(i as u64) - 1.0).collect()
}

impl<S: Spec, T: TrainNode<S>> Trial<S, T> {
    /// A trial with random weights, inputs and output gradient. The last shard is not full.
    pub(crate) fn random() -> Self {
        let (batch, capacity) = (5, 2);
        let mut node = T::zeros();
        node.as_floats_mut().copy_from_slice(&random(T::LEN, 1));
        let x = S::INPUTS.iter().zip(2..).map(|(shape, i)| random(batch * shape.len(), i));
        Self {
            node,
            x: x.collect(),
            d_y: random(batch * S::OUT, 100),
            batch,
            capacity,
            lengths: Vec::new(),
            state: Vec::new(),
            step: 0.25,
            tolerance: 1e-4,
            spec: PhantomData,
        }
    }

    /// The trial with another step and tolerance of finite differences.
    pub(crate) fn with_step(self, step: f32, tolerance: f64) -> Self {
        Self { step, tolerance, ..self }
    }

    /// The whole batch at inference.
    pub(crate) fn infer(&self) -> Vec<f32> {
        self.infer_samples(0, self.batch)
    }

    fn infer_samples(&self, first: usize, n: usize) -> Vec<f32> {
        let mut y = vec![f32::NAN; n * S::OUT];
        let (mut workspace, mut scratch) =
            (vec![f32::NAN; n * T::WORKSPACE], vec![f32::NAN; T::SCRATCH]);
        let steps = self.steps(first, n);
        let mut state = self.carried_of(first, n).to_vec();
        let ctx = InferCtx {
            workspace: &mut workspace,
            scratch: &mut scratch,
            lengths: Lengths::Given(&steps),
            state: StateMut::new(&mut state, T::STATE),
            tied: TiedWeight::NONE,
        };
        self.node.infer(Infer { n, x: &self.inputs(first, n), y: &mut y, ctx });
        y
    }

    /// The lengths of some samples.
    fn steps(&self, first: usize, n: usize) -> [Steps<'_>; 1] {
        match self.lengths.get(first..first + n) {
            Some(lengths) => [Steps::Given(lengths)],
            None => [Steps::Full],
        }
    }

    /// What some samples carry.
    fn carried_of(&self, first: usize, n: usize) -> &[f32] {
        self.state.get(first * T::STATE..(first + n) * T::STATE).unwrap_or(&[])
    }

    fn inputs(&self, first: usize, n: usize) -> Vec<&[f32]> {
        let lens = S::INPUTS.iter().map(|shape| shape.len());
        self.x.iter().zip(lens).map(|(x, len)| &x[first * len..(first + n) * len]).collect()
    }

    /// A training step. Memory that nobody has written holds NaN.
    pub(crate) fn train(&mut self) -> Outcome {
        Step::<S, T>::new(self).run(true)
    }

    fn loss(&mut self) -> f64 {
        let y = Step::<S, T>::new(self).run(false).y;
        y.iter().zip(&self.d_y).map(|(y, d)| f64::from(*y) * f64::from(*d)).sum()
    }

    /// Compares all gradients with finite differences of the training forward pass.
    #[track_caller]
    pub(crate) fn check_gradients(&mut self) {
        // Forward may update running statistics: every evaluation begins with the same ones.
        let weights = self.node.as_floats().to_vec();
        let outcome = self.train();
        let mut numeric = Vec::new();
        for i in 0..T::LEN {
            numeric.push(self.difference(|trial, by| {
                trial.node.as_floats_mut().copy_from_slice(&weights);
                trial.node.as_floats_mut()[i] += by;
            }));
        }
        self.check_close("weights", &outcome.d_weights, &numeric);
        for (input, d_x) in outcome.d_x.iter().enumerate() {
            let mut numeric = Vec::new();
            for i in 0..d_x.len() {
                let x = self.x[input][i];
                numeric.push(self.difference(|trial, by| {
                    trial.node.as_floats_mut().copy_from_slice(&weights);
                    trial.x[input][i] = x + by;
                }));
                self.x[input][i] = x;
            }
            self.check_close(&format!("input {input}"), d_x, &numeric);
        }
        self.node.as_floats_mut().copy_from_slice(&weights);
    }

    /// The central difference of the loss along what `shift` changes.
    fn difference(&mut self, mut shift: impl FnMut(&mut Self, f32)) -> f64 {
        let step = self.step;
        shift(self, step);
        let above = self.loss();
        shift(self, -step);
        let below = self.loss();
        (above - below) / (2.0 * f64::from(step))
    }

    #[track_caller]
    fn check_close(&self, what: &str, found: &[f32], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        let scale = expected.iter().fold(1.0, |max: f64, e| max.max(e.abs()));
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            let distance = (f64::from(*found) - expected).abs();
            assert!(
                distance <= self.tolerance * scale,
                "gradient of {what}, number {i}: expected {expected}, found {found}"
            );
        }
    }

    /// Checks that inference gives the bits of the training forward pass, for the whole batch and
    /// for single samples: for layers that do the same in both.
    #[track_caller]
    pub(crate) fn check_inference(&mut self) {
        let y = self.train().y;
        assert_eq!(self.infer(), y, "inference and training");
        for sample in 0..self.batch {
            let y = &y[sample * S::OUT..(sample + 1) * S::OUT];
            assert_eq!(self.infer_samples(sample, 1), y, "sample {sample} by itself");
        }
    }
}

/// Checks a normalisation of groups of channels, whose weights and biases are `lens`, against its naive
/// twin: of `groups` groups, over `positions` positions at a time.
#[track_caller]
pub(crate) fn check_normalisation<S: Spec, T: TrainNode<S>>(
    lens: [usize; 2],
    (positions, groups): (usize, usize),
    centred: bool,
    eps: f64,
) {
    let mut trial = Trial::<S, T>::random();
    let g = Groups { positions, channels: S::INPUT.last(), groups, centred, eps };
    let (weight, bias) = trial.node.as_floats().split_at(lens[0]);
    let (x, d_y) = (&trial.x[0], &trial.d_y);
    let mut y = vec![f32::NAN; x.len()];
    reference::group_norm(&g, x, weight, bias, &mut y);
    let (mut d_x, mut d_weights) = (y.clone(), vec![0.0; T::LEN]);
    let (d_weight, d_bias) = d_weights.split_at_mut(lens[0]);
    assert_eq!(d_bias.len(), lens[1]);
    reference::group_norm_backward(&g, x, weight, d_y, &mut d_x, d_weight, d_bias);
    let found = trial.train();
    let pairs = [(found.y, y), (found.d_x[0].clone(), d_x), (found.d_weights, d_weights)];
    for (found, expected) in pairs {
        for (found, expected) in found.iter().zip(&expected) {
            let scale = expected.abs().max(1.0);
            assert!((found - expected).abs() <= 3e-6 * scale, "{found} {expected}");
        }
    }
}

/// Checks that a sequence of `valid` steps at `S` gives what it gives at `Short`, which has room for no
/// more, and zeros behind them, whatever stands there; the same backward.
#[track_caller]
pub(crate) fn check_lengths<S: Spec, Short: Spec, T: TrainNode<S> + TrainNode<Short>>(
    valid: usize,
) {
    let mut long = Trial::<S, T>::random();
    let mut short = Trial::<Short, T>::random();
    long.lengths = vec![valid as u32; long.batch];
    for sample in 0..long.batch {
        let short_x = &mut short.x[0][sample * Short::IN..][..Short::IN];
        short_x.copy_from_slice(&long.x[0][sample * S::IN..][..Short::IN]);
        long.x[0][sample * S::IN + Short::IN..(sample + 1) * S::IN].fill(f32::NAN);
        let short_d_y = &mut short.d_y[sample * Short::OUT..][..Short::OUT];
        short_d_y.copy_from_slice(&long.d_y[sample * S::OUT..][..Short::OUT]);
    }
    let (found, expected) = (long.train(), short.train());
    assert_eq!(found.d_weights, expected.d_weights);
    assert_eq!(long.infer(), found.y);
    for sample in 0..long.batch {
        let y = &found.y[sample * S::OUT..(sample + 1) * S::OUT];
        assert_eq!(y[..Short::OUT], expected.y[sample * Short::OUT..][..Short::OUT]);
        let d_x = &found.d_x[0][sample * S::IN..(sample + 1) * S::IN];
        assert_eq!(d_x[..Short::IN], expected.d_x[0][sample * Short::IN..][..Short::IN]);
        assert!(y[Short::OUT..].iter().chain(&d_x[Short::IN..]).all(|value| *value == 0.0));
    }
}

/// One step on its way.
struct Step<'a, S, T> {
    trial: &'a mut Trial<S, T>,
    prepared: Vec<f32>,
    saved: Vec<Vec<f32>>,
    scratch: Vec<f32>,
    // Of each shard: partial results, then what is kept.
    left: Vec<f32>,
    outcome: Outcome,
}

impl<'a, S: Spec, T: TrainNode<S>> Step<'a, S, T> {
    fn new(trial: &'a mut Trial<S, T>) -> Self {
        let (batch, capacity) = (trial.batch, trial.capacity);
        let shards = batch.div_ceil(capacity);
        let stride = Shards::stride(capacity, T::SHARD_SUMS, T::DEFERRED);
        let d_x = S::INPUTS.iter().map(|shape| vec![f32::NAN; batch * shape.len()]).collect();
        Self {
            prepared: vec![f32::NAN; T::PREPARED],
            saved: vec![vec![f32::NAN; capacity * T::SAVED]; shards],
            scratch: vec![f32::NAN; T::TRAIN_SCRATCH],
            left: vec![f32::NAN; shards * stride],
            outcome: Outcome {
                y: vec![f32::NAN; batch * S::OUT],
                d_x,
                d_weights: vec![f32::NAN; T::LEN],
                state: trial.state.clone(),
            },
            trial,
        }
    }

    fn run(mut self, backward: bool) -> Outcome {
        let shards = self.saved.len();
        self.trial.node.prepare(&mut self.prepared);
        for phase in 0..T::PHASES {
            (0..shards).for_each(|shard| self.forward(phase, shard));
            if phase + 1 < T::PHASES {
                let all = Self::all(&self.left, self.trial.batch, self.trial.capacity);
                self.trial.node.combine_forward(phase, all, &mut self.prepared);
            }
        }
        for phase in (0..T::PHASES).rev().filter(|_| backward) {
            (0..shards).for_each(|shard| self.backward(phase, shard));
            if phase > 0 {
                let all = Self::all(&self.left, self.trial.batch, self.trial.capacity);
                self.trial.node.combine_backward(phase, all, &mut self.prepared);
            }
        }
        let mut begin = 0;
        for task in (0..T::GRADIENT_TASKS).filter(|_| backward) {
            let end = T::gradient_end(task);
            let all = Self::all(&self.left, self.trial.batch, self.trial.capacity);
            T::gradient(task, all, &mut self.outcome.d_weights[begin..end]);
            begin = end;
        }
        assert!(!backward || begin == T::LEN, "gradient tasks write all of the gradient");
        self.outcome
    }

    fn all(left: &[f32], batch: usize, capacity: usize) -> Shards<'_> {
        Shards::new(left, batch, capacity, T::SHARD_SUMS, T::DEFERRED)
    }

    fn pass(&self, shard: usize) -> Pass {
        let Trial { batch, capacity, .. } = *self.trial;
        let first = shard * capacity;
        Pass { n: capacity.min(batch - first), first, batch, key: RngKey::new(5) }
    }

    fn forward(&mut self, phase: usize, shard: usize) {
        let pass = self.pass(shard);
        let Self { trial, prepared, saved, scratch, left, outcome } = self;
        let steps = trial.steps(pass.first, pass.n);
        let state = pass.first * T::STATE..(pass.first + pass.n) * T::STATE;
        let ctx = TrainCtx {
            lengths: Lengths::Given(&steps),
            state: StateMut::new(outcome.state.get_mut(state).unwrap_or_default(), T::STATE),
            ..memory_of::<S, T>(&pass, trial.capacity, shard, prepared, saved, scratch, left)
        };
        let y = &mut outcome.y[pass.first * S::OUT..(pass.first + pass.n) * S::OUT];
        let x = &trial.inputs(pass.first, pass.n);
        trial.node.forward(Forward { pass: &pass, phase, x, y, ctx });
    }

    fn backward(&mut self, phase: usize, shard: usize) {
        let pass = self.pass(shard);
        let Self { trial, prepared, saved, scratch, left, outcome } = self;
        let steps = trial.steps(pass.first, pass.n);
        let ctx = TrainCtx {
            lengths: Lengths::Given(&steps),
            ..memory_of::<S, T>(&pass, trial.capacity, shard, prepared, saved, scratch, left)
        };
        let out = pass.first * S::OUT..(pass.first + pass.n) * S::OUT;
        let x = trial.inputs(pass.first, pass.n);
        let lens = S::INPUTS.iter().map(|shape| shape.len());
        let d_x = outcome.d_x.iter_mut().zip(lens);
        let mut d_x: Vec<_> = d_x
            .map(|(d_x, len)| Some(&mut d_x[pass.first * len..(pass.first + pass.n) * len]))
            .collect();
        // A phase before the last one may change it for the next: it gets the same memory again.
        let d_y = &mut trial.d_y.clone()[out.clone()];
        let (y, d_x) = (&outcome.y[out], &mut d_x[..]);
        trial.node.backward(Backward { pass: &pass, phase, x: &x, y, d_y, d_x, ctx });
    }
}

fn memory_of<'a, S: Spec, T: TrainNode<S>>(
    pass: &Pass,
    capacity: usize,
    shard: usize,
    prepared: &'a [f32],
    saved: &'a mut [Vec<f32>],
    scratch: &'a mut [f32],
    left: &'a mut [f32],
) -> TrainCtx<'a> {
    let stride = Shards::stride(capacity, T::SHARD_SUMS, T::DEFERRED);
    let left = &mut left[shard * stride..(shard + 1) * stride];
    let (shard_sums, deferred) = left.split_at_mut(T::SHARD_SUMS);
    TrainCtx {
        saved: &mut saved[shard][..pass.n * T::SAVED],
        scratch,
        deferred: &mut deferred[..pass.n * T::DEFERRED],
        shard_sums,
        prepared,
        lengths: Lengths::Full,
        state: StateMut::none(),
        tied: TiedWeight::NONE,
    }
}

/// A layer that works in place, as a node of its own, so that it can be put to a [`Trial`].
#[repr(transparent)]
pub(crate) struct OutOfPlace<T>(T);

// SAFETY: the same numbers.
unsafe impl<T: Weights> Weights for OutOfPlace<T> {}

impl<S: Spec, T: InPlaceNode<S>> Node<S> for OutOfPlace<T> {
    fn infer(&self, Infer { n, x, y, .. }: Infer<'_>) {
        y.copy_from_slice(x[0]);
        self.0.infer(n, y);
    }
}

impl<S: Spec, T: TrainInPlaceNode<S>> TrainNode<S> for OutOfPlace<T> {
    fn forward(&self, Forward { pass, x, y, .. }: Forward<'_>) {
        y.copy_from_slice(x[0]);
        self.0.forward(pass, y);
    }

    fn backward(&self, Backward { pass, y, d_y, d_x, .. }: Backward<'_, '_>) {
        let Some(d_x) = &mut d_x[0] else { return };
        d_x.copy_from_slice(d_y);
        self.0.backward(pass, y, d_x);
    }
}

/// Defines a [`Spec`] for a test:
/// `spec!(Fc: dense::Dense { units: 3, bias: true, weight: None }, [&[4]] -> &[3]);`
macro_rules! spec {
    ($Name:ident : $($Arguments:ident)::+ { $($field:ident : $value:expr),* $(, $(..$rest:expr)?)? },
     [$($input:expr),+] -> $output:expr) => {
        struct $Name;
        impl $crate::contract::Spec for $Name {
            type Arguments = unrolled_shape::rules::$($Arguments)::+;
            const ARGUMENTS: Self::Arguments = unrolled_shape::rules::$($Arguments)::+ { $($field: $value,)* $($(..$rest)?)? };
            const INPUTS: &'static [unrolled_shape::Shape] = &[$(unrolled_shape::Shape::new($input)),+];
            const OUTPUT: unrolled_shape::Shape = unrolled_shape::Shape::new($output);
            const NAME: &'static str = "it";
            // Where there are lengths at all, they are those of all inputs.
            const STEPS: &'static [Option<unrolled_shape::StepsOf>] =
                &[Some(unrolled_shape::StepsOf::input(0)); Self::INPUTS.len()];
        }
    };
}

pub(crate) use spec;
