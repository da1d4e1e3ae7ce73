//! The diagnosis of gradients: each problem is provoked in a small network.

use crate::common::{random, same_on_all_threads};
use unrolled::prelude::*;
use unrolled::train::{Health, Warning};

network! {
    /// Each Sigmoid multiplies the gradient by at most a quarter.
    struct Deep(4) -> 2 { Repeat(12) { Dense(6), Sigmoid }, last: Dense(2) }

    /// As deep, with skip connections.
    struct Around(6) -> 2 { Repeat(12) { Residual { Dense(6), Sigmoid } }, last: Dense(2) }

    struct Shallow(4) -> 2 { first: Dense(8), ReLU, last: Dense(2) }

    /// Units that can die, before layers in which the gradient vanishes.
    struct Both(4) -> 2 { first: Dense(8), ReLU, Repeat(12) { Dense(6), Sigmoid }, last: Dense(2) }

    /// Units that are channels, with BatchNorm between them and the ReLU.
    #[allow(bias_before_batch_norm)]
    struct Images(6x6x1) -> 2 {
        conv: Conv2d(4, kernel = 3), bn: BatchNorm, ReLU, GlobalAvgPool, last: Dense(2),
    }

    /// A network with a nested one.
    struct Outer(4) -> 2 { inner: Shallow, Dense(2) }
}

fn data<const N: usize>(count: usize) -> Data<[f32; N], [f32; 2]> {
    Data {
        inputs: (0..count).map(|i| std::array::from_fn(|j| random(1, N * i + j))).collect(),
        targets: (0..count).map(|i| [random(2, i), random(3, i)]).collect(),
    }
}

/// The gradient of one batch, and its diagnosis.
fn health<const N: usize, T>(net: &mut T, data: &Data<[f32; N], [f32; 2]>) -> (Box<T>, Health)
where
    T: Network<Input = [f32; N], Output = [f32; 2]>,
{
    let mut d_net = T::zeros();
    net.loss_and_gradients(
        &MeanSquaredError,
        &data.inputs,
        &data.targets,
        &mut d_net,
        RngKey::new(1),
    )
    .expect("data that fit");
    let health = Health::of(net, &*d_net);
    (d_net, health)
}

#[test]
fn norms_are_those_of_each_layer() {
    let (d_net, health) = health(&mut *Outer::new(1), &data(20));
    let norms = d_net.gradient_norms();
    assert_eq!(norms, health.gradients);
    let names: Vec<&str> = norms.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["inner.first", "inner.last", "dense"]);
    let squares = |values: &[f32]| values.iter().map(|d| f64::from(*d).powi(2)).sum::<f64>();
    let first = squares(d_net.inner.first.weight.as_flattened()) + squares(&d_net.inner.first.bias);
    assert!((norms[0].1 - first.sqrt()).abs() < 1e-9, "{} {first}", norms[0].1);
    assert_eq!(health.warnings, []);
}

#[test]
fn a_vanishing_gradient_is_reported() {
    let (d_net, found) = health(&mut *Deep::new(1), &data(20));
    let [Warning::Vanishing { layer, gradient, later, larger }] = &found.warnings[..] else {
        panic!("{found:?}")
    };
    assert_eq!((layer.as_str(), later.as_str()), ("repeat.0.dense", "last"));
    assert!(*gradient < 1e-4 * *larger);
    let norms = d_net.gradient_norms();
    assert!((norms[0].1 / 30.0_f64.sqrt() - gradient).abs() < 1e-12);
    for part in ["vanishes in the backward pass", "`repeat.0.dense`", "Residual", "BatchNorm"] {
        assert!(found.to_string().contains(part), "{found}");
    }
    // Skip connections keep the gradient.
    assert_eq!(health(&mut *Around::new(1), &data(20)).1.warnings, []);
}

/// Layers that are half dead do not explain a vanishing gradient, so both are reported. Before a dead layer the
/// gradient is zero.
#[test]
fn a_gradient_that_vanishes_before_half_dead_layers_is_reported() {
    let mut net = Both::new(1);
    net.first.bias[..4].fill(-100.0);
    let warnings = health(&mut *net, &data(20)).1.warnings;
    assert!(
        matches!(warnings[..], [Warning::Vanishing { .. }, Warning::DeadUnits { dead: 4..8, .. }]),
        "{warnings:?}"
    );
    net.first.bias.fill(-100.0);
    let warnings = health(&mut *net, &data(20)).1.warnings;
    assert!(matches!(warnings[..], [Warning::DeadUnits { dead: 8, .. }]), "{warnings:?}");
}

#[test]
fn an_exploding_gradient_is_reported() {
    let mut large = data(20);
    large.inputs.iter_mut().flatten().for_each(|x| *x *= 1e3);
    large.targets.iter_mut().flatten().for_each(|t| *t *= 1e3);
    let found = health(&mut *Shallow::new(1), &large).1;
    let [Warning::Exploding { gradient, weights, .. }] = &found.warnings[..] else {
        panic!("{found:?}")
    };
    assert!(*gradient > 100.0 * weights);
    assert!(found.to_string().contains("a mean of 0 and a standard deviation of 1"), "{found}");
    assert_eq!(health(&mut *Shallow::new(1), &data(20)).1.warnings, []);
}

#[test]
fn dead_units_are_reported() {
    let mut net = Shallow::new(1);
    net.first.bias[..5].fill(-100.0);
    let found = health(&mut *net, &data(20)).1;
    let expected = Warning::DeadUnits { layer: "first".into(), dead: 5, units: 8 };
    assert_eq!(found.warnings, [expected]);
    assert!(found.to_string().contains("5 of 8 units of layer `first` are dead"), "{found}");
    // A few dead units are normal.
    net.first.bias[1..5].fill(0.0);
    assert_eq!(health(&mut *net, &data(20)).1.warnings, []);
}

#[test]
fn dead_channels_are_reported() {
    let mut net = Images::new(1);
    net.bn.weight[1..].fill(0.1);
    net.bn.bias[1..].fill(-100.0);
    let images: Vec<[[[f32; 1]; 6]; 6]> =
        (0..8).map(|i| std::array::from_fn(|y| [[(i * y) as f32 / 20.0]; 6])).collect();
    let mut d_net = Images::zeros();
    net.loss_and_gradients(&MeanSquaredError, &images, &[[0.5; 2]; 8], &mut d_net, RngKey::new(1))
        .expect("fit");
    let found = Health::of(&*net, &*d_net);
    assert_eq!(found.warnings, [Warning::DeadUnits { layer: "bn".into(), dead: 3, units: 4 }]);
}

#[test]
fn a_gradient_of_zero_is_not_reported() {
    let net = Shallow::new(1);
    let found = Health::of(&*net, &*Shallow::zeros());
    assert_eq!(found.warnings, []);
    assert!(found.gradients.iter().all(|(_, norm)| *norm == 0.0));
}

#[test]
fn the_trainer_reports_the_health_of_gradients() {
    let data = data(40);
    let train = || {
        let mut net = Shallow::new(1);
        net.first.bias.fill(-100.0);
        let mut trainer = Trainer::new(SGD::new(0.01)).batch(3).epochs(2).quiet();
        trainer.fit(&mut net, &data, &MeanSquaredError).expect("sound data")
    };
    let history = train();
    let in_pool = same_on_all_threads(|| train().health);
    assert_eq!(in_pool, history.health);
    let health = history.health.as_ref().expect("epochs");
    assert_eq!(health.warnings, [Warning::DeadUnits { layer: "first".into(), dead: 8, units: 8 }]);
    assert!(health.gradients[0].1 == 0.0 && health.gradients[1].1 > 0.0, "{health:?}");
    assert!(history.to_string().contains("8 of 8 units of layer `first` are dead"), "{history}");
}

network! {
    /// Early mistakes that the compiler cannot see, and one that it warns about.
    #[allow(softmax_at_output)]
    struct Unscaled(4) -> 2 { Dense(8, bias = false), norm: BatchNorm, ReLU, Dense(2), Softmax }

    struct Scaled(4) -> 2 { BatchNorm, Dense(8), ReLU, Dense(2) }
}

/// The warnings of a short run on inputs times `scale`.
fn warnings_of<N>(scale: f32, batch: usize) -> Vec<Warning>
where
    N: Network<Input = [f32; 4], Output = [f32; 2]>,
{
    let mut train = Data { inputs: data(32).inputs, targets: (0..32).map(|i| i % 2).collect() };
    train.inputs.iter_mut().flatten().for_each(|x| *x *= scale);
    let mut trainer = Trainer::new(SGD::new(1e-6)).batch(batch).epochs(2);
    let history = trainer.fit(&mut N::new(1), &train, &CrossEntropy::new()).expect("data that fit");
    let health = history.health.expect("the health of the last epoch");
    let of_the_run = |warning: &Warning| {
        matches!(
            warning,
            Warning::UnscaledInputs { .. }
                | Warning::SmallBatches { .. }
                | Warning::AppliedTwice { .. }
        )
    };
    health.warnings.into_iter().filter(of_the_run).collect()
}

#[test]
fn data_and_batches_that_do_not_suit_the_network() {
    let warnings = warnings_of::<Unscaled>(100.0, 4);
    let [small, unscaled, twice] = &warnings[..] else { panic!("{warnings:?}") };
    assert_eq!(*small, Warning::SmallBatches { layer: "norm".into(), batch: 4 });
    assert!(
        unscaled
            .to_string()
            .contains("`let standardizer = Standardizer::per_feature(&train.inputs)?;")
    );
    assert_eq!(*twice, Warning::AppliedTwice { layer: "softmax".into(), function: "Softmax" });

    let twice = Warning::AppliedTwice { layer: "softmax".into(), function: "Softmax" };
    assert_eq!(warnings_of::<Unscaled>(1.0, 8), [twice]);
    let net = Unscaled::new(1);
    assert_eq!(
        Health::of_loss(&*net, &CrossEntropy::new()).warnings,
        warnings_of::<Unscaled>(1.0, 8)
    );
    assert_eq!(Health::of_loss(&*net, &BinaryCrossEntropyWithLogits::new()).warnings, []);
    assert_eq!(Health::of_loss(&*Scaled::new(1), &CrossEntropy::new()).warnings, []);
    // `BatchNorm` at the beginning scales the inputs.
    assert_eq!(warnings_of::<Scaled>(100.0, 8), []);
}
