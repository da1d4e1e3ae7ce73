//! The kernels against their naive twin, on random sizes, with all instructions that this machine has.

use super::reference::{Gradients, StackPass};
use super::{Cell, Stack, StackBackward, StackForward, StackStep};
use crate::kernels::Isa;
use crate::layers::testing::random;
use crate::memory::StateMut;
use crate::system::RngKey;
use crate::types::Steps;
use unrolled_shape::rules::recurrent::Recurrent;

/// A stack with its weights and a batch, all of which follow from a seed.
struct Case {
    stack: Stack,
    n: usize,
    weights: Vec<f32>,
    x: Vec<f32>,
    d_y: Vec<f32>,
    /// Empty if sequences begin with zeros.
    state: Vec<f32>,
    /// Whether the states are values that gradients flow into, and are not carried to the next chunk.
    is_given: bool,
    /// Empty if sequences are full.
    lengths: Vec<u32>,
}

/// The results of a training step.
struct Outcome {
    y: Vec<f32>,
    state: Vec<f32>,
    d_x: Vec<f32>,
    d_weights: Vec<f32>,
    /// The gradients of the states that sequences begin with, sample by sample; empty unless they are given.
    d_state: Vec<f32>,
}

impl Case {
    fn new(cell: Cell, seed: u64) -> Self {
        let key = RngKey::new(seed);
        let any =
            |what: u64, from: usize, to: usize| from + key.bits(what) as usize % (to - from + 1);
        let (steps, n) = (any(0, 1, 6), any(1, 1, 5));
        let gates = match cell {
            Cell::Tanh | Cell::Relu => 1,
            Cell::Gru => 3,
            Cell::Lstm => 4,
        };
        // A few are wide enough for panels.
        let wide = if seed.is_multiple_of(8) { 128 } else { 0 };
        let (inputs, units, layers) = (any(2, 1, 35), wide + any(3, 1, 35), any(4, 1, 3));
        let (directions, bias) = (any(5, 1, 2), any(6, 0, 2) > 0);
        let projects = cell == Cell::Lstm && units > 1 && any(10, 0, 1) > 0;
        let projection = if projects { any(11, 1, units - 1) } else { 0 };
        let sizes = Recurrent { gates, inputs, units, layers, directions, bias, projection };
        let last = any(7, 0, 1) > 0;
        let stack = Stack { cell, sizes, steps, last, dropout: 0.0 };
        // No gate is saturated, and nothing grows from step to step.
        let size = 1.0 / (units as f32).sqrt();
        let weights = random(sizes.weights(), seed + 1).iter().map(|w| w * size).collect();
        let lengths = (0..n as u64).map(|i| key.fold_in(9).bits(i) as u32 % (steps as u32 + 1));
        Self {
            stack,
            n,
            weights,
            x: random(n * stack.input_len(), seed + 2),
            d_y: random(n * if last { 1 } else { steps } * sizes.width(), seed + 3),
            state: random(n * stack.state() * any(8, 0, 1), seed + 4),
            is_given: any(12, 0, 1) > 0,
            lengths: lengths.filter(|_| any(9, 0, 1) > 0).collect(),
        }
    }

    fn steps(&self) -> Steps<'_> {
        if self.lengths.is_empty() { Steps::Full } else { Steps::Given(&self.lengths) }
    }

    /// The factor of dropout for element `i` of the output of `layer`.
    fn keep(layer: usize, i: usize) -> f32 {
        [0.0, 0.5, 2.0][(layer + i) % 3]
    }

    fn drop(&self, layer: usize, values: &mut [f32]) {
        for sample in values.chunks_exact_mut(self.stack.steps * self.stack.sizes.width()) {
            sample.iter_mut().enumerate().for_each(|(i, value)| *value *= Self::keep(layer, i));
        }
    }

    /// `h` and `c` of all samples apart, as values that states begin with.
    fn initial(&self) -> [Vec<f32>; 2] {
        let (sizes, len) = (self.stack.sizes, self.stack.state());
        let mut parts = [vec![], vec![]];
        for state in self.state.chunks_exact(len).filter(|_| self.is_given) {
            let (h, c) = state.split_at(sizes.cells() * sizes.outputs());
            parts[0].extend_from_slice(h);
            parts[1].extend_from_slice(c);
        }
        parts
    }

    /// The gradients of `h` and `c`, side by side for each sample.
    fn joined(&self, [d_h, d_c]: [&[f32]; 2]) -> Vec<f32> {
        let [h, c] = [d_h, d_c].map(|d| d.len() / self.n);
        let samples = (0..self.n).map(|i| [&d_h[i * h..(i + 1) * h], &d_c[i * c..(i + 1) * c]]);
        samples.flatten().flatten().copied().collect()
    }

    /// A training step of the kernels; memory that was not written yet holds NaN.
    fn train(&self) -> Outcome {
        let Self { stack, n, weights, x, .. } = self;
        let mut saved = vec![f32::NAN; n * stack.saved()];
        let mut scratch = vec![f32::NAN; stack.scratch()];
        let (mut y, mut state) = (vec![f32::NAN; self.d_y.len()], self.state.clone());
        let (mut d_x, mut d_weights) = (vec![f32::NAN; x.len()], vec![f32::NAN; weights.len()]);
        let drop = |layer: usize, values: &mut [f32]| self.drop(layer, values);
        let carried = if self.is_given { &mut [][..] } else { &mut state[..] };
        let carry = StateMut::new(carried, stack.state());
        let initial = self.initial();
        let [mut d_h, mut d_c] = initial.each_ref().map(|it| vec![f32::NAN; it.len()]);
        let forward = StackForward {
            weights,
            lengths: self.steps(),
            x,
            y: &mut y,
            initial: initial.each_ref().map(|it| (!it.is_empty()).then_some(&it[..])),
            state: carry,
            memory: &mut saved,
            scratch: &mut scratch,
        };
        stack.forward(forward, drop);
        let mut transposed = vec![f32::NAN; weights.len()];
        stack.transpose(weights, &mut transposed);
        let backward = StackBackward {
            transposed: &transposed,
            lengths: self.steps(),
            x,
            d_y: &self.d_y,
            d_x: Some(&mut d_x),
            d_initial: [&mut d_h, &mut d_c].map(|d| (!d.is_empty()).then_some(&mut d[..])),
            d_weights: &mut d_weights,
            saved: &mut saved,
        };
        stack.backward(backward, drop);
        let d_state = self.joined([&d_h, &d_c]);
        Outcome { y, state, d_x, d_weights, d_state }
    }

    /// Inference by the kernels.
    fn infer(&self) -> [Vec<f32>; 2] {
        let Self { stack, n, weights, x, .. } = self;
        let mut workspace = vec![f32::NAN; n * stack.workspace()];
        let mut scratch = vec![f32::NAN; stack.scratch()];
        let (mut y, mut state) = (vec![f32::NAN; self.d_y.len()], self.state.clone());
        let carried = if self.is_given { &mut [][..] } else { &mut state[..] };
        let carry = StateMut::new(carried, stack.state());
        let initial = self.initial();
        stack.infer(StackForward {
            weights,
            lengths: self.steps(),
            x,
            y: &mut y,
            initial: initial.each_ref().map(|it| (!it.is_empty()).then_some(&it[..])),
            state: carry,
            memory: &mut workspace,
            scratch: &mut scratch,
        });
        [y, state]
    }

    /// The twin's pass of sample `sample`.
    fn pass<'a>(
        &'a self,
        weights: &'a [f64],
        sample: usize,
        keep: impl Fn(usize, usize) -> f64,
    ) -> StackPass<'a> {
        let valid = self.steps().valid(sample, self.stack.steps);
        let (x, state) = (part(&self.x, self.n, sample), part(&self.state, self.n, sample));
        StackPass::forward(&self.stack, weights, valid, &x, &state, keep)
    }

    /// Compares `found` with the results of the twin for all samples.
    #[track_caller]
    fn check(&self, what: &str, found: &[f32], twin: &[f64]) {
        assert_eq!(found.len(), twin.len(), "{what}: {self}");
        let largest = twin.iter().fold(1.0, |largest: f64, value| largest.max(value.abs()));
        for (i, (found, twin)) in found.iter().zip(twin).enumerate() {
            let distance = (f64::from(*found) - twin).abs();
            assert!(
                distance <= 4e-6 * largest,
                "{what}, element {i}: expected {twin}, found {found}: {self}"
            );
        }
    }
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (carries, is_given) = (!self.state.is_empty(), self.is_given);
        write!(f, "{:?}, {:?}, {} samples", Isa::best(), self.stack, self.n)?;
        write!(f, " of {:?} steps, carries: {carries}, given: {is_given}", self.lengths)
    }
}

/// The values of sample `sample` of `n`.
fn part(all: &[f32], n: usize, sample: usize) -> Vec<f64> {
    let len = all.len() / n;
    all[sample * len..(sample + 1) * len].iter().map(|value| f64::from(*value)).collect()
}

fn for_all(mut f: impl FnMut(Case)) {
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
        isa.with(|| {
            for cell in [Cell::Tanh, Cell::Relu, Cell::Lstm, Cell::Gru] {
                (0..60).for_each(|seed| f(Case::new(cell, seed)));
            }
        });
    }
}

#[test]
fn training_agrees_with_its_twin() {
    for_all(|case| {
        let keep = |layer: usize, i: usize| f64::from(Case::keep(layer, i));
        let found = case.train();
        let (mut y, mut state, mut d_x, mut d_state) = (vec![], vec![], vec![], vec![]);
        let weights = part(&case.weights, 1, 0);
        let mut d_weights = vec![0.0; weights.len()];
        for sample in 0..case.n {
            let pass = case.pass(&weights, sample, keep);
            let gradients = pass.backward(&part(&case.d_y, case.n, sample), keep);
            y.extend(pass.y);
            state.extend(pass.state);
            d_x.extend(gradients.d_x);
            d_state.extend(gradients.d_state);
            d_weights.iter_mut().zip(gradients.d_weights).for_each(|(sum, d)| *sum += d);
        }
        case.check("y", &found.y, &y);
        case.check("d_x", &found.d_x, &d_x);
        case.check("d_weights", &found.d_weights, &d_weights);
        if !case.state.is_empty() && case.is_given {
            case.check("d_state", &found.d_state, &d_state);
        } else if !case.state.is_empty() {
            case.check("state", &found.state, &state);
        }
    });
}

#[test]
fn inference_agrees_with_its_twin() {
    for_all(|case| {
        let [found, found_carried] = case.infer();
        let weights = part(&case.weights, 1, 0);
        let (mut y, mut state) = (vec![], vec![]);
        for sample in 0..case.n {
            let pass = case.pass(&weights, sample, |_, _| 1.0);
            y.extend(pass.y);
            state.extend(pass.state);
        }
        case.check("y", &found, &y);
        if !case.state.is_empty() && !case.is_given {
            case.check("state", &found_carried, &state);
        }
    });
}

/// Step by step: the state is all that is passed from one step to the next.
#[test]
fn steps_agree_with_their_twin() {
    for_all(|mut case| {
        case.stack.sizes.directions = 1;
        case.stack.last = true;
        case.weights.truncate(case.stack.sizes.weights());
        let mut workspace = vec![f32::NAN; case.stack.workspace()];
        let mut scratch = vec![f32::NAN; case.stack.scratch()];
        let one_step = Stack { steps: 1, ..case.stack };
        let mut state = random(case.stack.state(), 5);
        let (weights, mut twin_state) = (part(&case.weights, 1, 0), part(&state, 1, 0));
        for x in case.x.chunks_exact(case.stack.sizes.inputs) {
            let mut y = vec![f32::NAN; case.stack.sizes.outputs()];
            case.stack.step(StackStep {
                weights: &case.weights,
                x,
                y: &mut y,
                state: &mut state,
                workspace: &mut workspace,
                scratch: &mut scratch,
            });
            let x = part(x, 1, 0);
            let pass = StackPass::forward(&one_step, &weights, 1, &x, &twin_state, |_, _| 1.0);
            case.check("y", &y, &pass.y);
            case.check("state", &state, &pass.state);
            twin_state = pass.state;
        }
    });
}

/// The twin itself must be right: its gradients are the slopes of its output.
#[test]
fn gradients_of_the_twin_are_slopes() {
    for cell in [Cell::Tanh, Cell::Relu, Cell::Lstm, Cell::Gru] {
        for seed in 0..6 {
            let case = Case::new(cell, seed);
            let keep = |layer: usize, i: usize| f64::from(Case::keep(layer, i));
            let [weights, x, d_y, state] = [
                part(&case.weights, 1, 0),
                part(&case.x, case.n, 0),
                part(&case.d_y, case.n, 0),
                part(&case.state, case.n, 0),
            ];
            let valid = case.steps().valid(0, case.stack.steps);
            let loss = |weights: &[f64], x: &[f64], state: &[f64]| {
                let pass = StackPass::forward(&case.stack, weights, valid, x, state, keep);
                pass.y.iter().zip(&d_y).map(|(y, d)| y * d).sum()
            };
            let Gradients { d_x, d_weights, d_state } =
                case.pass(&weights, 0, keep).backward(&d_y, keep);
            check_slopes("x", &d_x, &x, |x| loss(&weights, x, &state));
            check_slopes("weight", &d_weights, &weights, |weights| loss(weights, &x, &state));
            if !state.is_empty() {
                check_slopes("state", &d_state, &state, |state| loss(&weights, &x, state));
            }
        }
    }
}

/// Compares about fifty elements of a gradient with the slopes of `f` at `x`.
#[track_caller]
fn check_slopes(what: &str, gradient: &[f64], x: &[f64], f: impl Fn(&[f64]) -> f64) {
    const STEP: f64 = 1e-6;
    for i in (0..x.len()).step_by(1 + x.len() / 50) {
        let at = |by: f64| {
            let mut x = x.to_vec();
            x[i] += by;
            f(&x)
        };
        let slope = (at(STEP) - at(-STEP)) / (2.0 * STEP);
        let d = gradient[i];
        assert!((d - slope).abs() < 1e-8, "{what} {i}: gradient {d}, slope {slope}");
    }
}
