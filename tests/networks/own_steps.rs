//! Hand-written layers that run step by step, alone and in networks.
#![forbid(unsafe_code)]

use crate::common::{bits, random_values};
use unrolled::prelude::*;
use unrolled::{RngKey, StepsOf, check_gradients, check_streaming, init};

/// How far an average moves with each step.
const RATE: f32 = 0.3;

/// Exponential moving average: `[T, C] -> [T, C]`.
#[derive(Weights)]
struct Ema<const T: usize, const C: usize>;

impl<const T: usize, const C: usize> Layer for Ema<T, C> {
    type Input = [[f32; C]; T];
    type Output = [[f32; C]; T];
    const OUTPUT_STEPS: Option<StepsOf> = Some(StepsOf::input(0));
    const STATE: usize = C;

    fn forward(&self, x: &[[f32; C]; T], y: &mut [[f32; C]; T]) {
        let mut average = [0.0; C];
        for (x, y) in x.iter().zip(y) {
            *y = std::array::from_fn(|c| average[c] + RATE * (x[c] - average[c]));
            average = *y;
        }
    }

    fn backward(
        &self,
        _x: &[[f32; C]; T],
        _y: &[[f32; C]; T],
        d_y: &[[f32; C]; T],
        d_x: &mut [[f32; C]; T],
        _d_self: &mut Self,
    ) {
        let mut after = [0.0; C];
        for (d_x, d_y) in d_x.iter_mut().zip(d_y).rev() {
            for c in 0..C {
                let d = d_y[c] + after[c];
                d_x[c] += RATE * d;
                after[c] = d - RATE * d;
            }
        }
    }
}

impl<const T: usize, const C: usize> StreamingLayer for Ema<T, C> {
    fn step(&self, state: &mut [f32], x: &[f32; C], y: &mut [f32; C]) {
        for (state, x) in state.iter_mut().zip(x) {
            *state += RATE * (x - *state);
        }
        y.copy_from_slice(state);
    }
}

/// Causal convolution over `K` steps: `[T, C] -> [T, F]`.
#[derive(Weights)]
#[repr(C)]
struct Causal<const T: usize, const C: usize, const F: usize, const K: usize> {
    weight: [[[f32; F]; C]; K],
    bias: [f32; F],
}

impl<const T: usize, const C: usize, const F: usize, const K: usize> Causal<T, C, F, K> {
    /// Adds what the step that is `K - 1 - k` steps before adds to an output.
    fn add(&self, k: usize, x: &[f32], y: &mut [f32; F]) {
        for (x, weight) in x.iter().zip(&self.weight[k]) {
            for (y, weight) in y.iter_mut().zip(weight) {
                *y += x * weight;
            }
        }
    }
}

impl<const T: usize, const C: usize, const F: usize, const K: usize> Layer for Causal<T, C, F, K> {
    type Input = [[f32; C]; T];
    type Output = [[f32; F]; T];
    const OUTPUT_STEPS: Option<StepsOf> = Some(StepsOf::input(0));
    const STATE: usize = (K - 1) * C;

    fn initialise(&mut self, key: RngKey) {
        init::uniform(self.weight.as_flattened_mut().as_flattened_mut(), 0.7, key);
        self.bias = std::array::from_fn(|f| 0.1 * f as f32);
    }

    fn forward(&self, x: &[[f32; C]; T], y: &mut [[f32; F]; T]) {
        for (t, y) in y.iter_mut().enumerate() {
            *y = self.bias;
            for k in (K - 1).saturating_sub(t)..K {
                self.add(k, &x[t + k + 1 - K], y);
            }
        }
    }

    fn backward(
        &self,
        x: &[[f32; C]; T],
        _y: &[[f32; F]; T],
        d_y: &[[f32; F]; T],
        d_x: &mut [[f32; C]; T],
        d: &mut Self,
    ) {
        for (t, d_y) in d_y.iter().enumerate() {
            for (d, d_y) in d.bias.iter_mut().zip(d_y) {
                *d += d_y;
            }
            for k in (K - 1).saturating_sub(t)..K {
                let at = t + k + 1 - K;
                for c in 0..C {
                    for (f, d_y) in d_y.iter().enumerate() {
                        d.weight[k][c][f] += x[at][c] * d_y;
                        d_x[at][c] += self.weight[k][c][f] * d_y;
                    }
                }
            }
        }
    }
}

impl<const T: usize, const C: usize, const F: usize, const K: usize> StreamingLayer
    for Causal<T, C, F, K>
{
    fn step(&self, state: &mut [f32], x: &[f32; C], y: &mut [f32; F]) {
        *y = self.bias;
        for (k, x) in state.chunks_exact(C).enumerate() {
            self.add(k, x, y);
        }
        self.add(K - 1, x, y);
        state.copy_within(C.min(state.len()).., 0);
        if let Some(last) = state.len().checked_sub(C) {
            state[last..].copy_from_slice(x);
        }
    }
}

/// The product of two sequences with the running sum of the first: `[T, 2], [T, 3] -> [T, 3]`, of several inputs.
#[derive(Weights)]
struct Mixed<const T: usize>;

impl<const T: usize> Layer for Mixed<T> {
    type Input = ([[f32; 2]; T], [[f32; 3]; T]);
    type Output = [[f32; 3]; T];
    const STATE: usize = 1;

    fn forward(&self, (a, b): (&[[f32; 2]; T], &[[f32; 3]; T]), y: &mut [[f32; 3]; T]) {
        let mut sum = 0.0;
        for t in 0..T {
            sum += a[t][0] * a[t][1];
            y[t] = b[t].map(|b| b * sum);
        }
    }

    fn backward(
        &self,
        (a, b): (&[[f32; 2]; T], &[[f32; 3]; T]),
        _y: &[[f32; 3]; T],
        d_y: &[[f32; 3]; T],
        (d_a, d_b): (&mut [[f32; 2]; T], &mut [[f32; 3]; T]),
        _d: &mut Self,
    ) {
        let mut sums = [0.0; T];
        let mut sum = 0.0;
        for (running, a) in sums.iter_mut().zip(a) {
            sum += a[0] * a[1];
            *running = sum;
        }
        // Every later step uses the sum of this one.
        let mut d_sum = 0.0;
        for t in (0..T).rev() {
            for ((d_b, b), d_y) in d_b[t].iter_mut().zip(b[t]).zip(d_y[t]) {
                *d_b += sums[t] * d_y;
                d_sum += b * d_y;
            }
            d_a[t][0] += a[t][1] * d_sum;
            d_a[t][1] += a[t][0] * d_sum;
        }
    }
}

impl<const T: usize> StreamingLayer for Mixed<T> {
    fn step(&self, state: &mut [f32], (a, b): (&[f32; 2], &[f32; 3]), y: &mut [f32; 3]) {
        state[0] += a[0] * a[1];
        *y = b.map(|b| b * state[0]);
    }
}

/// Forgets its state.
#[derive(Weights)]
struct Forgets;

impl Layer for Forgets {
    type Input = [[f32; 2]; 6];
    type Output = [[f32; 2]; 6];
    const STATE: usize = 2;

    fn forward(&self, x: &[[f32; 2]; 6], y: &mut [[f32; 2]; 6]) {
        Ema::<6, 2>.forward(x, y);
    }

    fn backward(
        &self,
        x: &[[f32; 2]; 6],
        y: &[[f32; 2]; 6],
        d_y: &[[f32; 2]; 6],
        d_x: &mut [[f32; 2]; 6],
        _d: &mut Self,
    ) {
        Ema::<6, 2>.backward(x, y, d_y, d_x, &mut Ema);
    }
}

impl StreamingLayer for Forgets {
    fn step(&self, state: &mut [f32], x: &[f32; 2], y: &mut [f32; 2]) {
        state.fill(0.0);
        Ema::<6, 2>.step(state, x, y);
    }
}

network! {
    /// Between layers of the library, of which one has a state.
    struct Filter(12x3) -> 12x2 {
        lstm: LSTM(4), ema: Ema::<12, 4>, conv: Causal::<12, 4, 5, 3>, Tanh, Dense(2),
    }

    /// Networks with such layers inside of another one, in branches and repeats, and applied twice.
    struct Outer(a: 12x3, b: 12x2) -> 12x3 {
        inner: a => Filter,
        both: Add { inner => { Repeat(2) { ema: Ema::<12, 2>, Dense(2) } }, b => { one: Causal::<12, 2, 2, 1> } },
        mixed: Mixed::<12> { both, a },
        smooth: Residual { Ema::<12, 3>, Dense(3) },
        again: mixed => same(inner),
        Add { smooth, again => { Dense(3) } },
    }

    /// Sizes that are const generics.
    struct Generic<const T: usize>([T, 3]) -> [T, 2] {
        ema: Ema::<T, 3>, conv: Causal::<T, 3, 2, 4>,
    }

    /// Sequences that end early.
    struct Ragged(..12x3) -> 12x2 { ema: Ema::<12, 3>, GRU(4), Dense(2) }

    /// Steps of which each is a sequence for its lines.
    struct Nested(5x12x3) -> 5x2 {
        PerStep { filter: Filter, ReLU, Flatten, Dense(2) }, ema: Ema::<5, 2>,
    }
}

fn sequences<const T: usize, const C: usize>(count: u64) -> Vec<[[f32; C]; T]> {
    (0..count).map(|i| random_values(i + 1)).collect()
}

/// Asserts that sequences have the same bits step by step.
#[track_caller]
fn assert_streams<N: Network + unrolled::Streaming<unrolled::Root>>(
    net: &N,
    inputs: &[N::Input],
    steps: usize,
) {
    let check = check_streaming(net, inputs);
    assert_eq!((check.worst, check.steps), (0.0, steps), "{check}");
}

#[test]
fn layers_alone_have_the_bits_of_the_whole_sequence() {
    assert_streams(&Ema::<12, 3>, &sequences(5), 60);
    assert_streams(&*Causal::<12, 3, 5, 4>::new(3), &sequences(5), 60);
    // Of one step, without a state.
    assert_streams(&*Causal::<12, 3, 5, 1>::new(3), &sequences(5), 60);
    let pairs: Vec<_> = sequences(4).into_iter().zip(sequences(4)).collect();
    assert_streams(&Mixed::<7>, &pairs, 28);
}

#[test]
fn networks_have_the_bits_of_the_whole_sequence() {
    assert_streams(&*Filter::new(3), &sequences(5), 60);
    let pairs: Vec<_> = sequences(4).into_iter().zip(sequences(4)).collect();
    assert_streams(&*Outer::new(3), &pairs, 48);
    assert_streams(&*Generic::<9>::new(3), &sequences(5), 45);
    let videos: Vec<[[[f32; 3]; 12]; 5]> = (0..3).map(random_values).collect();
    assert_streams(&*Nested::new(3), &videos, 15);
    let ragged: Vec<Sequence<[f32; 3], 12>> = sequences::<12, 3>(4)
        .iter()
        .zip([12, 1, 7, 3])
        .map(|(x, n)| Sequence::new(&x[..n]).unwrap())
        .collect();
    assert_streams(&*Ragged::new(3), &ragged, 23);
}

/// The methods of the network, with and without an allocator.
#[test]
fn methods_of_networks() {
    let (net, x): (_, [[f32; 3]; 12]) = (Filter::new(3), random_values(1));
    let whole = net.forward(&x);
    let mut state = State::<Filter>::new();
    let mut own_state = [0.0; Filter::STATE_LEN];
    let mut workspace = [f32::NAN; Filter::STEP_WORKSPACE_LEN];
    // Of the LSTM, the average and the convolution.
    assert_eq!(Filter::STATE_LEN, 2 * 4 + 4 + 2 * 4);
    for (step, y) in whole.iter().enumerate() {
        assert_eq!(bits(&net.step(&mut state, &x[step])), bits(y), "step {step}");
        let again = net.step_in(&mut own_state, &mut workspace, &x[step]);
        assert_eq!(bits(&again), bits(y), "step {step}");
    }
    assert_eq!(state.values(), own_state);
    let (a, b): ([[f32; 3]; 12], [[f32; 2]; 12]) = (random_values(1), random_values(2));
    let net = Outer::new(3);
    let (whole, mut state) = (net.forward((&a, &b)), State::<Outer>::new());
    for (step, y) in whole.iter().enumerate() {
        assert_eq!(bits(&net.step(&mut state, (&a[step], &b[step]))), bits(y), "step {step}");
    }
}

#[test]
fn states_are_reset_and_copied() {
    let (net, x): (_, [[f32; 3]; 12]) = (Filter::new(3), random_values(1));
    let whole = net.forward(&x);
    let mut state = State::<Filter>::new();
    for x in &x[..5] {
        net.step(&mut state, x);
    }
    let (mut copy, mut restored) = (state.clone(), State::<Filter>::new());
    restored.values_mut().copy_from_slice(state.values());
    for state in [&mut state, &mut copy, &mut restored] {
        assert_eq!(net.step(state, &x[5]), whole[5]);
    }
    state.reset();
    assert_eq!(net.step(&mut state, &x[0]), whole[0]);
}

/// A layer beside another one that applies the same weights has a state of its own.
#[test]
fn each_application_has_a_state() {
    assert_eq!(Outer::STATE_LEN, 2 * Filter::STATE_LEN + 2 * 2 + 1 + 3);
    // What is applied to each step remembers nothing.
    assert_eq!(Nested::STATE_LEN, 2);
}

#[test]
fn a_wrong_step_is_found() {
    let check = check_streaming(&Forgets, &sequences(2));
    assert!(check.worst > 1e-3 && check.step > 0, "{check}");
    let y = Forgets::forward_of(&sequences(2)[check.sample]);
    assert_eq!(y[check.step][check.element], check.whole);
    assert!(check.to_string().contains(&format!("of step {} of sample", check.step)), "{check}");
}

impl Forgets {
    fn forward_of(x: &[[f32; 2]; 6]) -> [[f32; 2]; 6] {
        let mut y = [[0.0; 2]; 6];
        Layer::forward(&Self, x, &mut y);
        y
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    fn check<N: Network>(inputs: &[N::Input], targets: &[N::Output])
    where
        MeanSquaredError: Loss<N::Output, Target = N::Output>,
    {
        let check = check_gradients(&*N::new(3), &MeanSquaredError, inputs, targets).unwrap();
        assert!(check.worst < 1e-3 && check.unsure * 2 < check.tried, "{check}");
    }
    check::<Filter>(&sequences(5), &sequences(5));
    check::<Generic<9>>(&sequences(5), &sequences(5));
    let pairs: Vec<_> = sequences(4).into_iter().zip(sequences(4)).collect();
    check::<Outer>(&pairs, &sequences(4));
}
