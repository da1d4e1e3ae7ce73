//! Helpers for the tests of layers: a training step of a single node, in shards as in
//! [`loss_and_gradients`](crate::step::loss_and_gradients), and its comparison with finite differences.

use crate::contract::{
    Backward, Forward, InPlaceNode, Infer, Node, Pass, Spec, TrainInPlaceNode, TrainNode,
};
use crate::kernels::reference::{self, Groups};
use crate::memory::{Frozen, InferCtx, ShardCut, Shards, StateMut, TiedWeight, TrainCtx};
use crate::ranks::Division;
use crate::system::RngKey;
use crate::types::{Lengths, Steps, Weights, widen};
use std::marker::PhantomData;
use unrolled_shape::half::to_half;

/// One test of a node: its weights, inputs and output gradient.
pub(crate) struct Trial<S, T> {
    /// The weights.
    pub(crate) node: Box<T>,
    /// The samples of each input.
    pub(crate) x: Vec<Vec<f32>>,
    /// The gradient of the output: the tested loss is the sum of `d_y * y`.
    pub(crate) d_y: Vec<f32>,
    /// The number of samples.
    pub(crate) batch: usize,
    /// The number of samples in a full shard.
    pub(crate) capacity: usize,
    /// The step of finite differences: large for linear layers, small for others.
    pub(crate) step: f32,
    /// The lengths of the samples; empty if all are full.
    pub(crate) lengths: Vec<u32>,
    /// The states with which the samples begin; empty if they have none.
    pub(crate) state: Vec<f32>,
    /// The largest error of finite differences, relative to the largest gradient.
    pub(crate) tolerance: f64,
    spec: PhantomData<S>,
}

/// The results of a training step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    /// The output.
    pub(crate) y: Vec<f32>,
    /// The gradient of each input.
    pub(crate) d_x: Vec<Vec<f32>>,
    /// The gradient of the weights.
    pub(crate) d_weights: Vec<f32>,
    /// The states afterwards.
    pub(crate) state: Vec<f32>,
}

/// `len` values in `[-1, 1)` that depend only on `seed`.
pub(crate) fn random(len: usize, seed: u64) -> Vec<f32> {
    let key = RngKey::new(seed);
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

    /// Inference on the whole batch.
    pub(crate) fn infer(&self) -> Vec<f32> {
        self.infer_samples(0, self.batch)
    }

    fn infer_samples(&self, first: usize, n: usize) -> Vec<f32> {
        self.infer_by(first, n, |call| self.node.infer(call))
    }

    /// What `infer` computes of some samples.
    fn infer_by(&self, first: usize, n: usize, infer: impl FnOnce(Infer<'_>)) -> Vec<f32> {
        let mut y = vec![f32::NAN; n * S::OUT];
        let (mut workspace, mut scratch) =
            (vec![f32::NAN; n * T::WORKSPACE], vec![f32::NAN; T::SCRATCH]);
        let steps = self.steps(first, n);
        let mut state = self.states_of(first, n).to_vec();
        let ctx = InferCtx {
            workspace: &mut workspace,
            scratch: &mut scratch,
            lengths: Lengths::Given(&steps),
            state: StateMut::new(&mut state, T::STATE),
            tied: TiedWeight::NONE,
        };
        infer(Infer { n, x: &self.inputs(first, n), y: &mut y, ctx });
        y
    }

    /// Compares inference from weights in half precision with that of the widened weights, bit for bit.
    #[track_caller]
    pub(crate) fn check_halves(&mut self) {
        let halves = self.node.as_floats().iter().map(|float| to_half(*float));
        let halves: Vec<[u8; 2]> = halves.map(u16::to_le_bytes).collect();
        widen(&halves, self.node.as_floats_mut());
        let mut widened = vec![f32::NAN; T::WIDENED];
        let infer = |call: Infer<'_>| T::infer_half(&halves, &mut widened, call);
        let found = self.infer_by(0, self.batch, infer);
        assert_eq!(found, self.infer(), "inference from halves and from floats");
    }

    /// The lengths of some samples.
    fn steps(&self, first: usize, n: usize) -> [Steps<'_>; 1] {
        match self.lengths.get(first..first + n) {
            Some(lengths) => [Steps::Given(lengths)],
            None => [Steps::Full],
        }
    }

    /// The states of some samples.
    fn states_of(&self, first: usize, n: usize) -> &[f32] {
        self.state.get(first * T::STATE..(first + n) * T::STATE).unwrap_or(&[])
    }

    fn inputs(&self, first: usize, n: usize) -> Vec<&[f32]> {
        let lens = S::INPUTS.iter().map(|shape| shape.len());
        self.x.iter().zip(lens).map(|(x, len)| &x[first * len..(first + n) * len]).collect()
    }

    /// A training step. Memory that is not written yet holds NaN.
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

    /// The central difference of the loss for the change that `shift` makes.
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
                "gradient of {what}, element {i}: expected {expected}, found {found}"
            );
        }
    }

    /// Checks that inference has the bits of the training forward pass, for the whole batch and for single samples: for
    /// layers that do the same in both.
    #[track_caller]
    pub(crate) fn check_inference(&mut self) {
        let y = self.train().y;
        assert_eq!(self.infer(), y, "inference and training");
        for sample in 0..self.batch {
            let y = &y[sample * S::OUT..(sample + 1) * S::OUT];
            assert_eq!(self.infer_samples(sample, 1), y, "sample {sample} alone");
        }
    }
}

/// Checks a normalisation of these sizes against the naive kernel; `lens` are the elements of weight and bias.
#[track_caller]
pub(crate) fn check_normalisation<S: Spec, T: TrainNode<S>>(lens: [usize; 2], g: Groups) {
    let mut trial = Trial::<S, T>::random();
    let (weight, bias) = trial.node.as_floats().split_at(lens[0]);
    let (x, d_y) = (&trial.x[0], &trial.d_y);
    let mut y = vec![f32::NAN; x.len()];
    reference::group_norm(&g, x, weight, bias, &mut y);
    let (mut d_x, mut d_weights) = (y.clone(), vec![0.0; T::LEN]);
    let (d_weight, d_bias) = d_weights.split_at_mut(lens[0]);
    assert_eq!(d_bias.len(), lens[1]);
    reference::group_norm_backward(&g, [x, weight, d_y], &mut d_x, d_weight, d_bias);
    let found = trial.train();
    let pairs = [(found.y, y), (found.d_x[0].clone(), d_x), (found.d_weights, d_weights)];
    for (found, expected) in pairs {
        for (found, expected) in found.iter().zip(&expected) {
            let scale = expected.abs().max(1.0);
            assert!((found - expected).abs() <= 3e-6 * scale, "{found} {expected}");
        }
    }
}

/// Checks that a sequence of `valid` steps has the same results at `S` as at `Short`, which has exactly so many steps,
/// that the input after its end is ignored, and that outputs and input gradients are zero there.
///
/// The gradients of the last `rounded` weights are equal up to rounding only: sums over the rows of all samples, whose parts
/// begin at other rows where rows of zeros are between the samples.
#[track_caller]
pub(crate) fn check_lengths<S: Spec, Short: Spec, T: TrainNode<S> + TrainNode<Short>>(
    valid: usize,
    rounded: usize,
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
    let exact = found.d_weights.len() - rounded;
    assert_eq!(found.d_weights[..exact], expected.d_weights[..exact]);
    for (found, expected) in found.d_weights.iter().zip(&expected.d_weights).skip(exact) {
        let scale = expected.abs().max(1.0);
        assert!((found - expected).abs() <= 1e-6 * scale, "{found} {expected}");
    }
    assert_eq!(long.infer(), found.y);
    for sample in 0..long.batch {
        let y = &found.y[sample * S::OUT..(sample + 1) * S::OUT];
        assert_eq!(y[..Short::OUT], expected.y[sample * Short::OUT..][..Short::OUT]);
        let d_x = &found.d_x[0][sample * S::IN..(sample + 1) * S::IN];
        assert_eq!(d_x[..Short::IN], expected.d_x[0][sample * Short::IN..][..Short::IN]);
        assert!(y[Short::OUT..].iter().chain(&d_x[Short::IN..]).all(|value| *value == 0.0));
    }
}

/// A running training step.
struct Step<'a, S, T> {
    trial: &'a mut Trial<S, T>,
    prepared: Vec<f32>,
    saved: Vec<Vec<f32>>,
    scratch: Vec<f32>,
    // Of each shard: its sums, then its deferred values.
    stored: Vec<f32>,
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
            stored: vec![f32::NAN; shards * stride],
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
                let all = Self::all(&self.stored, self.trial.batch, self.trial.capacity);
                self.trial.node.combine_forward(phase, all, &mut self.prepared);
            }
        }
        for phase in (0..T::PHASES).rev().filter(|_| backward) {
            (0..shards).for_each(|shard| self.backward(phase, shard));
            if phase > 0 {
                let all = Self::all(&self.stored, self.trial.batch, self.trial.capacity);
                self.trial.node.combine_backward(phase, all, &mut self.prepared);
            }
        }
        let mut begin = 0;
        for task in (0..T::GRADIENT_TASKS).filter(|_| backward) {
            let end = T::gradient_end(task);
            let all = Self::all(&self.stored, self.trial.batch, self.trial.capacity);
            let d_weights = &mut self.outcome.d_weights[begin..end];
            T::gradient(task, all, d_weights);
            // As of a layer that is applied again: onto the gradient of its first application.
            let mut twice = d_weights.to_vec();
            T::gradient(task, all.adding(), &mut twice);
            let scale = d_weights.iter().fold(1e-30, |most: f32, d| most.max(d.abs()));
            let is_twice = |(twice, d): (&f32, &f32)| (twice - 2.0 * d).abs() <= 1e-5 * scale;
            let finite = d_weights.iter().all(|d| d.is_finite());
            assert!(!finite || twice.iter().zip(&*d_weights).all(is_twice), "task {task} adds");
            begin = end;
        }
        assert!(!backward || begin == T::LEN, "gradient tasks write all of the gradient");
        self.outcome
    }

    fn all(stored: &[f32], batch: usize, capacity: usize) -> Shards<'_> {
        let cut = ShardCut::whole(batch, capacity);
        Shards::new(stored, cut, Division::WHOLE, T::SHARD_SUMS, T::DEFERRED)
    }

    fn pass(&self, shard: usize) -> Pass<'static> {
        let Trial { batch, capacity, .. } = *self.trial;
        let first = shard * capacity;
        let n = capacity.min(batch - first);
        Pass { n, first, batch, key: RngKey::new(5), training: true, frozen: false, observer: None }
    }

    fn forward(&mut self, phase: usize, shard: usize) {
        let pass = self.pass(shard);
        let (trial, outcome) = (&*self.trial, &mut self.outcome);
        let steps = trial.steps(pass.first, pass.n);
        let state = pass.first * T::STATE..(pass.first + pass.n) * T::STATE;
        let state = outcome.state.get_mut(state).unwrap_or_default();
        let mut memory = ShardMemory {
            prepared: &self.prepared,
            saved: &mut self.saved[shard],
            scratch: &mut self.scratch,
            stored: stored_of::<S, T>(&mut self.stored, trial.capacity, shard),
        };
        let ctx = TrainCtx {
            lengths: Lengths::Given(&steps),
            state: StateMut::new(state, T::STATE),
            ..memory.ctx::<S, T>(pass.n)
        };
        let y = &mut outcome.y[pass.first * S::OUT..(pass.first + pass.n) * S::OUT];
        let x = &trial.inputs(pass.first, pass.n);
        trial.node.forward_shard(Forward { pass: &pass, phase, x, y, ctx });
    }

    fn backward(&mut self, phase: usize, shard: usize) {
        let pass = self.pass(shard);
        let (trial, outcome) = (&*self.trial, &mut self.outcome);
        let steps = trial.steps(pass.first, pass.n);
        let mut memory = ShardMemory {
            prepared: &self.prepared,
            saved: &mut self.saved[shard],
            scratch: &mut self.scratch,
            stored: stored_of::<S, T>(&mut self.stored, trial.capacity, shard),
        };
        let ctx = TrainCtx { lengths: Lengths::Given(&steps), ..memory.ctx::<S, T>(pass.n) };
        let out = pass.first * S::OUT..(pass.first + pass.n) * S::OUT;
        let x = trial.inputs(pass.first, pass.n);
        let lens = S::INPUTS.iter().map(|shape| shape.len());
        let d_x = outcome.d_x.iter_mut().zip(lens);
        let mut d_x: Vec<_> = d_x
            .map(|(d_x, len)| Some(&mut d_x[pass.first * len..(pass.first + pass.n) * len]))
            .collect();
        // A node may overwrite `d_y`, and all its phases get the same one.
        let d_y = &mut trial.d_y.clone()[out.clone()];
        let (y, d_x) = (&outcome.y[out], &mut d_x[..]);
        trial.node.backward_shard(Backward { pass: &pass, phase, x: &x, y, d_y, d_x, ctx });
    }
}

/// The stored values of one shard.
fn stored_of<S: Spec, T: TrainNode<S>>(
    all: &mut [f32],
    capacity: usize,
    shard: usize,
) -> &mut [f32] {
    let stride = Shards::stride(capacity, T::SHARD_SUMS, T::DEFERRED);
    &mut all[shard * stride..(shard + 1) * stride]
}

/// The memory of one shard.
struct ShardMemory<'a> {
    prepared: &'a [f32],
    saved: &'a mut [f32],
    scratch: &'a mut [f32],
    /// Shard sums, then deferred values.
    stored: &'a mut [f32],
}

impl ShardMemory<'_> {
    /// The context of a call with `n` samples.
    fn ctx<S: Spec, T: TrainNode<S>>(&mut self, n: usize) -> TrainCtx<'_> {
        let (shard_sums, deferred) = self.stored.split_at_mut(T::SHARD_SUMS);
        TrainCtx {
            saved: &mut self.saved[..n * T::SAVED],
            scratch: self.scratch,
            deferred: &mut deferred[..n * T::DEFERRED],
            shard_sums,
            prepared: self.prepared,
            lengths: Lengths::Full,
            state: StateMut::none(),
            tied: TiedWeight::NONE,
            frozen: Frozen::NONE,
        }
    }
}

/// A layer that works in place as a [`Node`], for a [`Trial`].
#[repr(transparent)]
pub(crate) struct OutOfPlace<T>(T);

// SAFETY: `repr(transparent)` over weights.
unsafe impl<T: Weights> Weights for OutOfPlace<T> {}

impl<S: Spec, T: InPlaceNode<S>> Node<S> for OutOfPlace<T> {
    fn infer(&self, Infer { n, x, y, .. }: Infer<'_>) {
        y.copy_from_slice(x[0]);
        self.0.infer(n, y);
    }
}

impl<S: Spec, T: TrainInPlaceNode<S>> TrainNode<S> for OutOfPlace<T> {
    fn forward_shard(&self, Forward { pass, x, y, .. }: Forward<'_>) {
        y.copy_from_slice(x[0]);
        self.0.forward(pass, y);
    }

    fn backward_shard(&self, Backward { pass, y, d_y, d_x, .. }: Backward<'_, '_>) {
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
            // All inputs have the lengths of the first one.
            const STEPS: &'static [Option<unrolled_shape::StepsOf>] =
                &[Some(unrolled_shape::StepsOf::input(0)); Self::INPUTS.len()];
        }
    };
}

pub(crate) use spec;

/// Structs that `network!` defines can derive these traits if all layers have them.
#[test]
fn layers_implement_the_common_traits() {
    use crate::layers::*;
    fn check<T: Clone + std::fmt::Debug + PartialEq + Send + Sync>() {}
    check::<(Add, AvgPool1d, AvgPool2d, BatchNorm<1>, Concat, Conv1d<1, 1, 1>)>();
    check::<(Conv2d<1, 1, 1, 1>, ConvTranspose2d<1, 1, 1, 1, 1>, Dense<1, 1>, Dropout, ELU)>();
    check::<(Embedding<1, 1>, GELU, GlobalAvgPool, GlobalMaxPool, GroupNorm<1>, GRU<1>)>();
    check::<(HardSwish, InstanceNorm<1>, LayerNorm<1>, LeakyReLU, LogSoftmax, LSTM<1>)>();
    check::<(MaxPool1d, MaxPool2d, Mul, MultiHeadAttention<1>, PositionalEmbedding<1, 1>)>();
    check::<(PositionalEncoding, PReLU<1>, ReLU, RMSNorm<1>, RNN<1>, Scale<1>, Sigmoid, SiLU)>();
    check::<(CELU, HardSigmoid, HardTanh, Identity, LogSigmoid, Mish, ReLU6, SELU, Softsign)>();
    check::<(Threshold, Softmax, Softplus, Tanh, TiedDense<1, 1>, Upsample, WNConv1d<1, 1, 1>)>();
    check::<(WNConv2d<1, 1, 1, 1>, WNDense<1, 1>, WSConv2d<1, 1, 1, 1>)>();
    check::<(SNConv1d<1, 1, 1>, SNConv2d<1, 1, 1, 1>, SNDense<1, 1>)>();
}
