//! L-BFGS on a network and on Rosenbrock's function, beside PyTorch in float64 (`tests/reference/lbfgs.py`).

use crate::case::{Case, Offsets};
use crate::common::temporary;
use std::convert::Infallible;
use unrolled::loss::MeanSquaredError;
use unrolled::prelude::*;

network! {
    struct Net(3) -> 1 { Dense(4), Tanh, Dense(1) }

    /// Two numbers, as weight and bias.
    struct Point(1) -> 1 { Dense(1) }
}

struct Reference {
    case: Case,
    offsets: Offsets,
    inputs: Vec<[f32; 3]>,
    targets: Vec<[f32; 1]>,
}

impl Reference {
    fn new() -> Self {
        let case = Case::read("lbfgs");
        let (inputs, targets) = (case.samples("input"), case.outputs("target"));
        Self { offsets: Offsets::of::<Net>(&case), case, inputs, targets }
    }

    fn net(&self) -> Box<Net> {
        self.case.network(&self.offsets)
    }

    fn evaluate(&self, net: &mut Net, d_net: &mut Net) -> Result<f32, unrolled::BatchError> {
        let key = RngKey::new(1);
        net.loss_and_gradients(&MeanSquaredError, &self.inputs, &self.targets, d_net, key)
    }

    /// One step.
    fn step(&self, net: &mut Net, lbfgs: &mut LBFGS) -> f32 {
        lbfgs.update_with(net, |net, d_net| self.evaluate(net, d_net)).unwrap()
    }

    fn compare(&self, name: &str, mut lbfgs: LBFGS) {
        let mut net = self.net();
        let steps = self.case.values(&format!("{name}.losses")).len();
        let losses: Vec<f32> = (0..steps).map(|_| self.step(&mut net, &mut lbfgs)).collect();
        self.case.compare(&format!("{name}.losses"), losses);
        self.compare_weights(name, &net);
    }

    fn compare_weights(&self, name: &str, net: &Net) {
        let tensors = self.offsets.tensors.iter();
        let places = tensors.flat_map(|tensor| self.offsets.of_tensor(&tensor.name));
        self.case.compare(&format!("{name}.weights"), places.map(|place| net.params()[place]));
    }
}

#[test]
fn steps_on_a_network_are_those_of_pytorch() {
    let reference = Reference::new();
    let wolfe = || LBFGS::new(1.0).strong_wolfe();
    reference.compare("fixed", LBFGS::new(0.5).max_iter(3));
    reference.compare("fixed_short_history", LBFGS::new(0.25).max_iter(4).history_size(2));
    reference.compare("iterations", LBFGS::new(0.4).max_iter(1));
    reference.compare("wolfe", wolfe().max_iter(4));
    let short = LBFGS::new(3.0).max_iter(3).history_size(2).strong_wolfe();
    reference.compare("wolfe_short_history", short);
    reference.compare("wolfe_max_eval", LBFGS::new(0.05).max_iter(4).max_eval(3).strong_wolfe());
    reference.compare("tolerance_grad", wolfe().max_iter(9).tolerance_grad(0.1));
    reference.compare("tolerance_change", wolfe().max_iter(9).tolerance_change(0.05));
}

#[test]
fn updates_are_steps_of_one_iteration() {
    let reference = Reference::new();
    let (mut net, mut d_net) = (reference.net(), Net::zeros());
    let mut lbfgs = LBFGS::new(0.4);
    for _ in 0..5 {
        reference.evaluate(&mut net, &mut d_net).unwrap();
        lbfgs.update(&mut net, &d_net);
    }
    reference.compare_weights("iterations", &net);
}

/// Rosenbrock's function and its gradient.
fn rosenbrock(net: &mut Point, d_net: &mut Point) -> Result<f32, Infallible> {
    let [x, y] = [net.params()[0], net.params()[1]].map(f64::from);
    let (a, b) = (1.0 - x, y - x * x);
    let gradient = [-2.0 * a - 400.0 * b * x, 200.0 * b];
    d_net.params_mut().copy_from_slice(&gradient.map(|g| g as f32));
    Ok((a * a + 100.0 * b * b) as f32)
}

/// The points after each step, of two numbers each.
fn points(mut lbfgs: LBFGS, steps: usize) -> Vec<f32> {
    let mut net = Point::zeros();
    net.params_mut().copy_from_slice(&[-1.2, 1.0]);
    let step = |_| {
        lbfgs.update_with(&mut net, rosenbrock).unwrap();
        net.params().to_vec()
    };
    (0..steps).flat_map(step).collect()
}

#[test]
fn steps_on_rosenbrocks_function_are_those_of_pytorch() {
    let case = Case::read("lbfgs");
    case.compare("rosenbrock.wolfe", points(LBFGS::new(1.0).max_iter(3).strong_wolfe(), 4));
    case.compare("rosenbrock.fixed", points(LBFGS::new(0.2).max_iter(3), 6));
    let [x, y] = points(LBFGS::new(1.0).strong_wolfe(), 4)[6..] else { panic!("two numbers") };
    assert!((x - 1.0).abs() < 1e-4 && (y - 1.0).abs() < 1e-4, "the minimum: {x}, {y}");
}

#[test]
fn a_saved_state_continues_to_the_same_bits() {
    let reference = Reference::new();
    let path = temporary("lbfgs/state.safetensors");
    let new = || LBFGS::new(1.0).max_iter(8).strong_wolfe();
    let (mut net, mut lbfgs) = (reference.net(), new());
    // More values than other optimisers have.
    for _ in 0..3 {
        reference.step(&mut net, &mut lbfgs);
    }
    Net::save_optimizer(&lbfgs, &path).unwrap();
    assert!(lbfgs.state().values.len() > 16, "{}", lbfgs.state().values.len());

    let (mut loaded, mut resumed) = (net.clone_boxed(), new());
    Net::load_optimizer(&mut resumed, &path).unwrap();
    assert_eq!(resumed.state(), lbfgs.state());
    let losses = [(&mut net, &mut lbfgs), (&mut loaded, &mut resumed)]
        .map(|(net, lbfgs)| reference.step(net, lbfgs));
    assert_eq!(losses[0], losses[1]);
    assert_eq!(loaded.params(), net.params());
}

#[test]
fn an_error_leaves_the_weights_of_the_last_iteration() {
    let reference = Reference::new();
    for lbfgs in [LBFGS::new(0.3), LBFGS::new(1.0).strong_wolfe()] {
        for failing in 1..8 {
            let (mut net, mut lbfgs, mut calls) = (reference.net(), lbfgs.clone(), 0);
            let mut seen = vec![net.params().to_vec()];
            let result = lbfgs.update_with(&mut net, |net, d_net| {
                calls += 1;
                if calls == failing {
                    return Err("no loss");
                }
                seen.push(net.params().to_vec());
                Ok(reference.evaluate(net, d_net).unwrap())
            });
            assert_eq!((result, calls), (Err("no loss"), failing));
            assert!(seen.iter().any(|weights| weights == net.params()), "call {failing}");
            // It goes on afterwards.
            let before = reference.step(&mut net, &mut lbfgs);
            assert!(reference.step(&mut net, &mut lbfgs) < before);
        }
    }
}

#[test]
fn a_search_stays_where_the_loss_is_finite() {
    // The loss of one weight is infinite above 0.5, and least there.
    let mut net = Point::zeros();
    let mut lbfgs = LBFGS::new(1.0).strong_wolfe();
    let evaluate = |net: &mut Point, d_net: &mut Point| {
        let x = net.params()[0];
        d_net.params_mut().copy_from_slice(&[-1.0 / (0.6 - x), 0.0]);
        Ok::<_, Infallible>(if x > 0.5 { f32::NAN } else { (0.6 - x).ln() })
    };
    lbfgs.update_with(&mut net, evaluate).unwrap();
    assert!(net.params()[0] > 0.4 && net.params()[0] <= 0.5, "{:?}", net.params());
    // Nothing can be done about a first one.
    net.params_mut()[0] = 0.55;
    assert!(lbfgs.update_with(&mut net, evaluate).unwrap().is_nan());
    assert_eq!(net.params()[0], 0.55);
}

#[test]
fn without_bounds_and_tolerances_a_step_ends() {
    let unbounded = || LBFGS::new(1.0).tolerance_change(0.0).max_iter(usize::MAX).strong_wolfe();
    let mut net = Point::zeros();
    // It ends at the minimum,
    let parabola = |net: &mut Point, d_net: &mut Point| {
        let x = net.params()[0] - 3.0;
        d_net.params_mut().copy_from_slice(&[2.0 * x, 0.0]);
        Ok::<_, Infallible>(x * x)
    };
    unbounded().update_with(&mut net, parabola).unwrap();
    assert!((net.params()[0] - 3.0).abs() < 1e-5, "{:?}", net.params());
    // and where no point on the line is better, since the gradient is wrong.
    let wrong = |net: &mut Point, d_net: &mut Point| {
        d_net.params_mut().copy_from_slice(&[-1.0, 0.0]);
        Ok::<_, Infallible>(net.params()[0])
    };
    assert_eq!(unbounded().max_eval(1000).update_with(&mut net, wrong).unwrap(), net.params()[0]);
}

#[test]
#[should_panic(
    expected = "`strong_wolfe` evaluates the loss at several points: call `update_with`"
)]
fn an_update_without_losses_has_no_line_search() {
    LBFGS::new(1.0).strong_wolfe().update(&mut Net::zeros(), &Net::zeros());
}

#[test]
#[should_panic(expected = "there is one learning rate for all weights: remove `rate` of `Groups`")]
fn rates_of_groups_are_refused() {
    let mut groups = Groups::new(LBFGS::new(1.0)).rate("dense", 0.5);
    groups.update(&mut Net::zeros(), &Net::zeros());
}

#[test]
#[should_panic(expected = "LBFGS: tolerance_grad -1 is not allowed: expected a finite number")]
fn bad_settings_are_refused_where_they_are_set() {
    let _ = LBFGS::new(1.0).tolerance_grad(-1.0);
}
