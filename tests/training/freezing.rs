//! Frozen layers: no gradients, no backward pass below the first trained layer, `BatchNorm` as at inference.

use crate::common::same_on_all_threads;
use unrolled::prelude::*;

network! {
    /// A layer of `Mixed` that has layers of its own.
    struct Body(6x6x4) -> 6x6x4 { conv: Conv2d(4, kernel = 3, padding = 1), GroupNorm(2), ReLU }
}

network! {
    /// Nodes of all kinds before and after each other.
    struct Mixed(6x6x2) -> 3 {
        conv: Conv2d(4, kernel = 3, padding = 1), ReLU,
        inner: Residual { conv: Conv2d(4, kernel = 3, padding = 1), ReLU, Dropout(0.2) },
        body: Body,
        MaxPool2d(2), Flatten -> 36,
        steps: Reshape(6x6), rnn: GRU(5), Flatten -> 30,
        fc1: Dense(8), ReLU,
        fc2: Dense(3),
    }
}

network! {
    /// The front of `Whole`.
    struct Front(6x6x2) -> 3x3x4 { conv: Conv2d(4, kernel = 3, padding = 1, bias = false), bn: BatchNorm, ReLU, MaxPool2d(2) }
}

network! {
    /// The rest of `Whole`.
    struct Head(3x3x4) -> 3 { conv: Conv2d(5, kernel = 2, bias = false), bn: BatchNorm, ReLU, Flatten, fc: Dense(3) }
}

network! {
    /// Two networks in one.
    struct Whole(6x6x2) -> 3 { front: Front, head: Head }
}

network! {
    /// A weight with two readers, and a bias beside it.
    struct Tied(3) -> 3x5 {
        tokens: Embedding(5, 4), LayerNorm, fc: Dense(4), Tanh, head: Dense(5, weight = tokens),
    }
}

type Image = [[[f32; 2]; 6]; 6];

const SAMPLES: usize = 7;

fn images() -> Vec<Image> {
    let mut images = vec![[[[0.0; 2]; 6]; 6]; SAMPLES];
    let values = images.as_flattened_mut().as_flattened_mut().as_flattened_mut();
    for (i, value) in values.iter_mut().enumerate() {
        *value = 2.0 * RngKey::new(1).uniform(i as u64) - 1.0;
    }
    images
}

fn d_outputs() -> Vec<[f32; 3]> {
    let value = |i| RngKey::new(2).uniform(i as u64) - 0.5;
    (0..SAMPLES).map(|i| [value(3 * i), value(3 * i + 1), value(3 * i + 2)]).collect()
}

/// The gradients of the weights and, if requested, of the inputs. The layers that match `frozen` are.
fn gradients<N: Network<Input = Image, Output = [f32; 3]>>(
    net: &N,
    frozen: &[&str],
    with_d_inputs: bool,
) -> (Box<N>, Vec<Image>) {
    let groups = frozen.iter().fold(Groups::new(SGD::new(0.1)), |it, pattern| it.freeze(pattern));
    let mut pass = TrainPass::<N>::new(SAMPLES).frozen_by(&mut { groups }).unwrap();
    let (mut net, mut d_net, mut d_inputs) = (net.clone_boxed(), N::zeros(), images());
    // What is not written shows.
    d_net.params_mut().fill(f32::NAN);
    pass.forward(&mut net, &images(), RngKey::new(3)).unwrap();
    let asked = with_d_inputs.then_some(&mut d_inputs[..]);
    pass.backward(&net, &d_outputs(), &mut d_net, asked).unwrap();
    (d_net, d_inputs)
}

#[test]
fn trained_weights_have_the_gradients_of_a_step_that_trains_all() {
    let net = Mixed::new(4);
    let layers = ["conv", "inner", "body", "rnn", "fc1", "fc2"];
    let choices = (0..6).map(|end| &layers[..end]).chain((1..6).map(|begin| &layers[begin..]));
    let (all, d_inputs) = gradients(&*net, &[], true);
    for frozen in choices.chain([&["body.conv", "inner"][..], &["body.group_norm"], &["rnn"]]) {
        for with_d_inputs in [false, true] {
            let (found, found_inputs) = gradients(&*net, frozen, with_d_inputs);
            for (name, range) in Mixed::trained() {
                let is_frozen =
                    frozen.iter().any(|it| name == *it || name.starts_with(&format!("{it}.")));
                let (found, all) = (&found.params()[range.clone()], &all.params()[range]);
                let zeros = vec![0.0; all.len()];
                assert_eq!(
                    found,
                    if is_frozen { &zeros } else { all },
                    "{name} without {frozen:?}"
                );
            }
            assert!(!with_d_inputs || found_inputs == d_inputs, "without {frozen:?}");
        }
    }
}

#[test]
fn a_shared_weight_has_the_gradients_of_all_its_readers() {
    let gradients = |frozen: &[&str]| {
        let groups = frozen.iter().fold(Groups::new(SGD::new(0.1)), |it, name| it.freeze(name));
        let mut pass = TrainPass::<Tied>::new(2).frozen_by(&mut { groups }).unwrap();
        let (mut net, mut d_net) = (Tied::new(8), Tied::zeros());
        pass.forward(&mut net, &[[0, 3, 1], [4, 3, 3]], RngKey::new(1)).unwrap();
        let d_output = [[0.5, -1.0, 0.25, 0.0, 2.0], [1.0, 0.5, 0.0, -0.5, 0.25], [0.125; 5]];
        pass.backward(&net, &[d_output, d_output], &mut d_net, None).unwrap();
        d_net
    };
    let (all, zeros) = (gradients(&[]), Tied::zeros());
    // The weight is frozen under each of its names.
    for frozen in [&["head.bias"][..], &["fc"], &["fc", "head.bias"], &["tokens"], &["head"]] {
        let found = gradients(frozen);
        for (name, range) in Tied::trained() {
            let is_frozen = match name.as_str() {
                "tokens" => frozen == ["tokens"] || frozen == ["head"],
                "head" => frozen.contains(&"head.bias") || frozen == ["head"],
                name => frozen.contains(&name),
            };
            let expected = if is_frozen { &zeros } else { &all };
            assert_eq!(
                found.params()[range.clone()],
                expected.params()[range],
                "{name} without {frozen:?}"
            );
        }
    }
}

#[test]
fn a_trainer_trains_to_the_bits_of_steps_with_all_gradients() {
    let data = Data { inputs: images(), targets: vec![0_u32, 1, 2, 1, 0, 2, 2] };
    let groups = || Groups::new(AdamW::new(0.01)).freeze("conv").freeze("inner").freeze("rnn");
    let trained = same_on_all_threads(|| {
        let mut net = Mixed::new(4);
        let mut trainer = Trainer::new(groups()).batch(4).epochs(2).quiet();
        let history = trainer.fit(&mut net, &data, &CrossEntropy::new()).unwrap();
        let health = history.health.unwrap();
        assert_eq!(health.warnings, [], "about trained layers alone");
        assert!(health.gradients.iter().all(|(name, _)| !name.starts_with("inner")));
        net.params().to_vec()
    });
    // The same with an optimiser that does not say what it freezes.
    struct Silent<O>(O);
    impl<O: Optimizer> Optimizer for Silent<O> {
        fn step(
            &mut self,
            weights: &mut [f32],
            gradient: &[f32],
            trained: &[unrolled::optim::TrainedRange],
        ) {
            self.0.step(weights, gradient, trained);
        }
        fn learning_rate(&self) -> f64 {
            self.0.learning_rate()
        }
        fn set_learning_rate(&mut self, rate: f64) {
            self.0.set_learning_rate(rate);
        }
        fn prepare(
            &mut self,
            tensors: fn() -> Vec<unrolled::Tensor>,
        ) -> Result<(), unrolled::optim::GroupsError> {
            self.0.prepare(tensors)
        }
    }
    let mut net = Mixed::new(4);
    let mut trainer = Trainer::new(Silent(groups())).batch(4).epochs(2).quiet();
    trainer.fit(&mut net, &data, &CrossEntropy::new()).unwrap();
    assert_eq!(trained, net.params());
    assert_ne!(Mixed::new(4).params(), net.params());
}

#[test]
fn a_network_on_a_frozen_front_trains_as_on_its_outputs_at_inference() {
    let mut whole = Whole::new(5);
    whole.front.bn.running_mean = [0.3, -0.2, 0.1, 0.0];
    whole.front.bn.running_var = [0.5, 2.0, 1.0, 1.5];
    let before = whole.front.clone_boxed();
    let mut head = whole.head.clone_boxed();
    let mut features = vec![[[[0.0; 4]; 3]; 3]; SAMPLES];
    before.forward_batch(&images(), &mut features);

    let mut groups = Groups::new(SGD::new(0.1)).freeze("front");
    let mut pass = TrainPass::<Whole>::new(SAMPLES).frozen_by(&mut groups).unwrap();
    let outputs = pass.forward(&mut whole, &images(), RngKey::new(3)).unwrap().to_vec();
    let mut d_whole = Whole::zeros();
    pass.backward(&whole, &d_outputs(), &mut d_whole, None).unwrap();

    let mut alone = TrainPass::<Head>::new(SAMPLES);
    assert_eq!(outputs, alone.forward(&mut head, &features, RngKey::new(3)).unwrap());
    let mut d_head = Head::zeros();
    alone.backward(&head, &d_outputs(), &mut d_head, None).unwrap();
    assert_eq!(d_whole.head.params(), d_head.params());
    assert_eq!(d_whole.front.params(), [0.0; Front::LEN]);
    assert_eq!(whole.front.params(), before.params(), "running statistics");
    assert_eq!(whole.head.params(), head.params(), "running statistics of a trained `BatchNorm`");
    assert_ne!(head.bn.running_mean, [0.0; 5]);
}

/// The sum of `d_outputs` times outputs of `net`, whose second `BatchNorm` is frozen.
fn loss(net: &Whole) -> f64 {
    let mut groups = Groups::new(SGD::new(0.1)).freeze("head.bn");
    let mut pass = TrainPass::<Whole>::new(SAMPLES).frozen_by(&mut groups).unwrap();
    let mut net = net.clone_boxed();
    let outputs = pass.forward(&mut net, &images(), RngKey::new(3)).unwrap();
    let terms = outputs.as_flattened().iter().zip(d_outputs().as_flattened().to_vec());
    terms.map(|(y, d)| f64::from(*y) * f64::from(d)).sum()
}

#[test]
fn gradients_pass_through_a_frozen_batch_norm() {
    let mut net = Whole::new(6);
    net.head.bn.running_mean = [0.1, -0.1, 0.2, 0.0, 0.3];
    net.head.bn.running_var = [0.5, 2.0, 1.0, 1.5, 0.25];
    let (d_net, _) = gradients(&*net, &["head.bn"], false);
    let largest = d_net.params().iter().fold(0.0_f32, |max, d| max.max(d.abs()));
    // Weights on both sides of the layer: of the first convolution and `BatchNorm`, the second convolution, and the last layer.
    for at in [0, 40, 71, 73, 100, Whole::LEN - 5] {
        let difference = |step: f32| {
            let mut moved = net.clone_boxed();
            moved.params_mut()[at] += step;
            loss(&moved)
        };
        let step = 1e-3;
        let numeric = (difference(step) - difference(-step)) / (2.0 * f64::from(step));
        let error = (numeric - f64::from(d_net.params()[at])).abs() / f64::from(largest);
        assert!(error < 2e-3, "weight {at}: {numeric} and {}", d_net.params()[at]);
    }
}
