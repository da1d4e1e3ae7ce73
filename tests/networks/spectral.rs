//! Spectral normalisation in whole networks: when `u` and `v` change.

use crate::common::{bits, random, same_on_all_threads};
use unrolled::prelude::*;

network! {
    /// A critic of a GAN, with a layer that is not normalised.
    #[derive(Clone, Debug, PartialEq)]
    struct Critic(6x6x2) -> 3 {
        conv: SNConv2d(4, kernel = 3), LeakyReLU(0.2),
        Residual { inner: SNConv2d(4, kernel = 3, padding = 1, bias = false), Tanh },
        Flatten,
        fc: SNDense(8), Tanh,
        head: Dense(3),
    }

    /// One layer, once and twice.
    struct Once(5) -> 5 { one: SNDense(5), Tanh }
    struct Twice(5) -> 5 { one: SNDense(5), Tanh, two: same(one), Tanh }
}

type Image = <Critic as Network>::Input;

fn images(count: usize) -> (Vec<Image>, Vec<u32>) {
    let image = |i: usize| {
        let mut image = [[[0.0; 2]; 6]; 6];
        let pixels = image.as_flattened_mut().as_flattened_mut().iter_mut();
        pixels.enumerate().for_each(|(j, x)| *x = random(i as u64, j));
        image
    };
    ((0..count).map(image).collect(), (0..count).map(|i| i as u32 % 3).collect())
}

/// `u` and `v` of all layers.
fn vectors(net: &Critic) -> Vec<f32> {
    let inner = net.inner.v.as_flattened().as_flattened();
    let conv = net.conv.v.as_flattened().as_flattened();
    [&net.conv.u[..], conv, &net.inner.u, inner, &net.fc.u, &net.fc.v].concat()
}

#[test]
fn results_do_not_depend_on_threads() {
    let (inputs, targets) = images(61);
    same_on_all_threads(|| {
        let (mut net, mut d_net) = (Critic::new(1), Critic::zeros());
        let (loss, key) = (CrossEntropy::new(), RngKey::new(1));
        let loss = net.loss_and_gradients(&loss, &inputs, &targets, &mut d_net, key).unwrap();
        (loss.to_bits(), bits(net.params()), bits(d_net.params()))
    });
}

#[test]
fn vectors_change_in_training_and_are_not_trained() {
    let (inputs, targets) = images(7);
    let (mut net, mut d_net) = (Critic::new(1), Critic::zeros());
    let before = vectors(&net);
    let (loss, key) = (CrossEntropy::new(), RngKey::new(1));
    net.loss_and_gradients(&loss, &inputs, &targets, &mut d_net, key).unwrap();
    assert_ne!(vectors(&net), before);
    assert!(vectors(&d_net).iter().all(|d| *d == 0.0));
    assert!(d_net.fc.weight.as_flattened().iter().all(|d| *d != 0.0));
    let trained: usize = Critic::trained().iter().map(|(_, range)| range.len()).sum();
    assert_eq!(trained + before.len(), Critic::LEN);
    // Gradients of inputs alone are those of inference.
    let (before, mut d_inputs) = (net.clone(), inputs.clone());
    net.input_gradients(&inputs, |_, d| *d = [1.0; 3], &mut d_inputs).unwrap();
    assert_eq!(*net, *before);
}

#[test]
fn frozen_layers_make_no_iteration() {
    let (inputs, _) = images(7);
    let mut net = Critic::new(1);
    let before = net.clone();
    let forward = |net: &mut Critic, frozen: &[&str]| {
        let mut groups = frozen.iter().fold(Groups::new(SGD::new(0.1)), |it, name| it.freeze(name));
        let mut pass = TrainPass::<Critic>::new(7).frozen_by(&mut groups).unwrap();
        pass.forward(net, &inputs, RngKey::new(1)).unwrap().to_vec()
    };
    let mut expected = [[0.0; 3]; 7];
    net.forward_batch(&inputs, &mut expected);
    assert_eq!(forward(&mut net, &["conv", "inner", "fc"]), expected);
    assert_eq!(*net, *before);
    forward(&mut net, &["conv", "fc"]);
    assert_eq!((&net.conv, &net.fc), (&before.conv, &before.fc));
    assert_ne!(net.inner.u, before.inner.u);
}

#[test]
fn each_application_makes_an_iteration() {
    let inputs = [[0.5, -1.0, 2.0, 0.25, -0.75], [1.0, 0.5, -0.5, 2.0, 0.0]];
    let (mut once, mut twice) = (Once::new(1), Twice::new(1));
    once.one = twice.one.clone();
    // As PyTorch: the second application has the weights of the second iteration.
    let mut first = TrainPass::<Once>::new(2);
    let outputs = first.forward(&mut once, &inputs, RngKey::new(1)).unwrap().to_vec();
    let mut second = TrainPass::<Once>::new(2);
    let expected = second.forward(&mut once, &outputs, RngKey::new(1)).unwrap().to_vec();
    let mut pass = TrainPass::<Twice>::new(2);
    let found = pass.forward(&mut twice, &inputs, RngKey::new(1)).unwrap();
    assert_eq!(found, expected);
    assert_eq!(twice.one, once.one);
    // Each application's gradient is that of its own weights.
    let d_outputs = [[1.0, -0.5, 0.25, 2.0, 1.5], [0.5, 1.0, -1.0, 0.25, 0.75]];
    let (mut d_twice, mut d_once, mut d_first) = (Twice::zeros(), Once::zeros(), Once::zeros());
    pass.backward(&twice, &d_outputs, &mut d_twice, None).unwrap();
    let mut d_middle = outputs.clone();
    second.backward(&once, &d_outputs, &mut d_once, Some(&mut d_middle)).unwrap();
    first.backward(&once, &d_middle, &mut d_first, None).unwrap();
    for (found, parts) in d_twice.params().iter().zip(d_once.params().iter().zip(d_first.params()))
    {
        assert!((found - (parts.0 + parts.1)).abs() < 1e-5, "{found} {parts:?}");
    }
}
