//! Reinforcement learning: a network that balances a pole on a cart.
//!
//! ```text
//! cargo run --release --example dqn
//! ```
//!
//! Introduces **targets that the network makes itself**: a deep Q-network (DQN; Mnih and others, 2015). The network estimates the
//! return of each action, the sum of the rewards that follow. Its target is the reward of one step and the return of the best
//! next action, discounted. Three additions keep that stable. Steps are drawn at random from those remembered. A second network,
//! an average (`Ema`) of the trained one, estimates the targets. And the trained network chooses the next action of the target
//! (double DQN; van Hasselt, Guez and Silver, 2016). `TrainPass` trains: the only output with a gradient is that of the action
//! that was taken.
//!
//! The cart-pole (Barto, Sutton and Anderson, 1983) has the constants of Gymnasium's `CartPole-v0`. An episode ends when the
//! pole falls, the cart leaves the track, or after 200 steps. It is solved by an average of 195 steps over 100 episodes.

mod common;
#[path = "common/noise.rs"]
mod noise;

use common::{Options, claim};
use noise::Noise;
use std::array::from_fn;
use std::error::Error;
use std::process::ExitCode;
use unrolled::prelude::*;

network! {
    /// The expected return of each action.
    pub struct Returns(4) -> 2 { Dense(64), ReLU, Dense(64), ReLU, Dense(2) }
}

/// Position and speed of the cart, angle and angular speed of the pole.
type State = [f32; 4];

/// What happened in one step.
#[derive(Clone, Copy)]
struct Transition {
    state: State,
    action: usize,
    next: State,
    /// Whether the pole fell, so that no reward follows.
    failed: bool,
}

/// Steps of the longest episode.
const LONGEST: usize = 200;
/// Episodes between two tests.
const EPISODES: usize = 20;
/// Episodes of a test.
const TESTED: usize = 100;
/// Transitions of a training step.
const BATCH: usize = 64;
/// Transitions in memory.
const REMEMBERED: usize = 20_000;
/// Steps before training begins.
const UNTRAINED: usize = 1000;
/// Steps after which hardly any action is random.
const EXPLORING: f32 = 5000.0;
/// What a reward is worth one step later.
const DISCOUNT: f32 = 0.99;

fn main() -> ExitCode {
    common::start("dqn", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let key = RngKey::new(options.seed);
    let mut noise = Noise::new(options.seed);
    let random = mean_steps(key, |_| either(&mut noise));
    println!("random actions: {random:.1} steps, the mean of {TESTED} episodes");
    // One of many tests can be good by chance: training goes on until one is better than what is claimed.
    let (episodes, goal) = if options.quick { (300, 5.0 * random) } else { (1000, 199.0) };
    let mut agent = Agent::new(options.seed);
    for episode in (EPISODES..=episodes).step_by(EPISODES) {
        for _ in 0..EPISODES {
            agent.train_in_an_episode()?;
        }
        let mean = mean_steps(key.fold_in(episode as u64), |state| best(&agent.net.forward(state)));
        println!("episode {episode}: {mean:.1} steps");
        if mean >= goal {
            break;
        }
    }
    let mean = mean_steps(key.fold_in(0), |state| best(&agent.net.forward(state)));
    println!("{TESTED} other episodes: {mean:.2} steps");
    if options.quick {
        return claim("that is three times as many as with random actions", mean > 3.0 * random);
    }
    claim("that is at least 195", mean >= 195.0)
}

/// The mean number of steps of episodes in which `action` chooses the actions.
fn mean_steps(key: RngKey, mut action: impl FnMut(&State) -> usize) -> f64 {
    let steps = (0..TESTED).map(|episode| {
        let mut cart = CartPole::new(key.fold_in(episode as u64));
        while !cart.is_over() {
            cart.push(action(&cart.state));
        }
        cart.steps
    });
    steps.sum::<usize>() as f64 / TESTED as f64
}

/// The action with the larger return.
fn best([left, right]: &[f32; 2]) -> usize {
    usize::from(right > left)
}

/// A random action.
fn either(noise: &mut Noise) -> usize {
    usize::from(noise.uniform() < 0.5)
}

/// The network, and what its training needs.
struct Agent {
    net: Box<Returns>,
    target: Ema<Returns>,
    pass: TrainPass<Returns>,
    d_net: Box<Returns>,
    optimizer: Adam,
    memory: Vec<Transition>,
    /// All steps so far.
    steps: usize,
    noise: Noise,
}

impl Agent {
    fn new(seed: u64) -> Self {
        let net = Returns::new(seed);
        Self {
            target: Ema::new(&net, 0.995),
            net,
            pass: TrainPass::new(BATCH),
            d_net: Returns::zeros(),
            optimizer: Adam::new(5e-4),
            memory: Vec::new(),
            steps: 0,
            noise: Noise::new(seed + 1),
        }
    }

    /// One episode, with a training step after each of its steps.
    fn train_in_an_episode(&mut self) -> Result<(), Box<dyn Error>> {
        let mut cart = CartPole::new(RngKey::new(self.steps as u64));
        while !cart.is_over() {
            let state = cart.state;
            let random = (1.0 - self.steps as f32 / EXPLORING).max(0.01);
            let action = if self.noise.uniform() < random {
                either(&mut self.noise)
            } else {
                best(&self.net.forward(&state))
            };
            cart.push(action);
            self.remember(Transition {
                state,
                action,
                next: cart.state,
                failed: cart.has_failed(),
            });
            if self.steps > UNTRAINED {
                self.train()?;
            }
        }
        Ok(())
    }

    /// Remembers a transition in place of the oldest one.
    fn remember(&mut self, transition: Transition) {
        match self.memory.get_mut(self.steps % REMEMBERED) {
            Some(oldest) => *oldest = transition,
            None => self.memory.push(transition),
        }
        self.steps += 1;
    }

    /// One training step.
    fn train(&mut self) -> Result<(), Box<dyn Error>> {
        let count = self.memory.len() as f32;
        let batch: [Transition; BATCH] =
            from_fn(|_| self.memory[(count * self.noise.uniform()) as usize]);
        let next = batch.map(|transition| transition.next);
        let [mut chosen_by, mut returns] = [[[0.0; 2]; BATCH]; 2];
        self.net.forward_batch(&next, &mut chosen_by);
        self.target.net().forward_batch(&next, &mut returns);

        let states = batch.map(|transition| transition.state);
        // The network has no layers with random values.
        let outputs = self.pass.forward(&mut self.net, &states, RngKey::new(0))?;
        let mut d_outputs = [[0.0; 2]; BATCH];
        for (i, Transition { action, failed, .. }) in batch.into_iter().enumerate() {
            let following = if failed { 0.0 } else { returns[i][best(&chosen_by[i])] };
            let error = outputs[i][action] - (1.0 + DISCOUNT * following);
            // The gradient of the Huber loss.
            d_outputs[i][action] = error.clamp(-1.0, 1.0) / BATCH as f32;
        }
        self.pass.backward(&self.net, &d_outputs, &mut self.d_net, None)?;
        self.optimizer.update(&mut self.net, &self.d_net);
        self.target.update(&self.net);
        Ok(())
    }
}

/// An episode.
struct CartPole {
    state: State,
    steps: usize,
}

impl CartPole {
    /// Almost at rest.
    fn new(key: RngKey) -> Self {
        Self { state: from_fn(|i| 0.1 * key.uniform(i as u64) - 0.05), steps: 0 }
    }

    /// Whether the pole leans by more than 12 degrees, or the cart has left the track.
    fn has_failed(&self) -> bool {
        let [x, _, angle, _] = self.state;
        x.abs() > 2.4 || angle.abs() > 12.0_f32.to_radians()
    }

    fn is_over(&self) -> bool {
        self.has_failed() || self.steps == LONGEST
    }

    /// Pushes the cart to the left (0) or to the right (1) for 20 ms.
    fn push(&mut self, action: usize) {
        // Metres, kilograms, seconds and newtons. The length is that of half the pole.
        const GRAVITY: f32 = 9.8;
        const CART: f32 = 1.0;
        const POLE: f32 = 0.1;
        const LENGTH: f32 = 0.5;
        const TIME: f32 = 0.02;
        let [x, v, angle, w] = self.state;
        let force = if action == 1 { 10.0 } else { -10.0 };
        let (sine, cosine) = angle.sin_cos();
        let push = (force + POLE * LENGTH * w * w * sine) / (CART + POLE);
        let inertia = LENGTH * (4.0 / 3.0 - POLE * cosine * cosine / (CART + POLE));
        let d_w = (GRAVITY * sine - cosine * push) / inertia;
        let d_v = push - POLE * LENGTH * d_w * cosine / (CART + POLE);
        self.state = [x + TIME * v, v + TIME * d_v, angle + TIME * w, w + TIME * d_w];
        self.steps += 1;
    }
}
