//! Losses that take more than one value of a target at a time.

use crate::common::random;
use unrolled::loss::{BatchLoss, CTC, GaussianNLL, Labels, NTXent};
use unrolled::prelude::*;

network! {
    struct Normal(x: 1) -> (mean: 1, var: 1) {
        mean: Dense(1),
        raw: x => Dense(1),
        var: Softplus,
    }

    // `CTC` takes log-probabilities.
    #[allow(softmax_at_output)]
    struct Speech(..6x3) -> 6x3 { Dense(3), LogSoftmax }

    struct Embedder(3) -> 2 { Dense(16), Tanh, Dense(2) }
}

#[test]
fn mean_and_variance_of_noise_are_learnt() {
    // Uniform noise of width 2 has the variance 1/3.
    let sample = |i: usize| (random(1, 2 * i), random(1, 2 * i + 1));
    let samples = (0..600).map(sample).map(|(x, noise)| ([x], [3.0 * x + 1.0 + noise]));
    let data: Data<[f32; 1], [f32; 1]> = samples.collect();
    let mut net = Normal::new(1);
    let history = Trainer::new(Adam::new(0.05))
        .epochs(30)
        .quiet()
        .fit(&mut net, &data, &GaussianNLL::new())
        .expect("sound data");
    let names: Vec<_> = history.epochs[29].training.outputs().map(|output| output.name).collect();
    assert_eq!(names, ["mean"], "one loss of both");
    for x in [-0.5, 0.5] {
        let y = net.forward(&[x]);
        assert!((y.mean[0] - 3.0 * x - 1.0).abs() < 0.1, "{x}: {y:?}");
        assert!((y.var[0] - 1.0 / 3.0).abs() < 0.1, "{x}: {y:?}");
    }
}

#[test]
fn labels_without_their_steps_are_learnt() {
    // Each step shows a class; 0 is the blank. The labels say which classes occur, not where.
    let steps = |classes: &[u32]| {
        let rows =
            classes.iter().map(|c| std::array::from_fn(|i| f32::from(u8::from(i as u32 == *c))));
        Sequence::<[f32; 3], 6>::new(&rows.collect::<Vec<_>>()).expect("up to 6 steps")
    };
    let samples = [
        (steps(&[0, 1, 1, 0, 2]), Labels::<3>::new(&[1, 2])),
        (steps(&[2, 0, 2]), Labels::new(&[2, 2])),
        (steps(&[0, 0, 1, 2, 0, 1]), Labels::new(&[1, 2, 1])),
        (steps(&[0, 0]), Labels::new(&[])),
    ];
    let data: Data<_, _> =
        samples.into_iter().map(|(x, labels)| (x, labels.expect("up to 3"))).collect();
    let mut net = Speech::new(1);
    let history = Trainer::new(Adam::new(0.1))
        .epochs(60)
        .quiet()
        .fit(&mut net, &data, &CTC::new())
        .expect("sound data");
    assert!(history.epochs[59].training.loss < 0.1, "{history}");
    let y = net.forward(&steps(&[1, 0, 2]));
    let largest = y.map(|y| (0..3).max_by(|a, b| y[*a].total_cmp(&y[*b])).expect("3 classes"));
    assert_eq!(largest[..3], [1, 0, 2]);
}

#[test]
fn a_loss_over_a_batch_makes_pairs_similar() {
    let (mut net, mut d_net, loss) = (Embedder::new(1), Embedder::zeros(), NTXent::new(0.5));
    // Two noisy copies of each of 8 points.
    let inputs: Vec<[f32; 3]> = (0..16)
        .map(|i| std::array::from_fn(|j| random(1, 3 * (i % 8) + j) + 0.05 * random(2, 3 * i + j)))
        .collect();
    let (mut pass, mut optimizer) = (TrainPass::<Embedder>::new(16), Adam::new(0.02));
    let mut d_outputs = vec![[0.0; 2]; 16];
    let mut losses = Vec::new();
    for step in 0..100 {
        let outputs = pass.forward(&mut net, &inputs, RngKey::new(step)).expect("16 inputs");
        losses.push(loss.loss_and_gradient(outputs, &mut d_outputs).expect("pairs"));
        pass.backward(&net, &d_outputs, &mut d_net, None).expect("after forward");
        optimizer.update(&mut net, &d_net);
    }
    assert!(losses[99] < 0.75 * losses[0], "{} {}", losses[0], losses[99]);
}
