//! Losses that take more than one value of a target at a time.

use crate::common::random;
use unrolled::loss::{
    BatchLoss, CTC, Dice, GaussianNLL, LabelSequence, Loss, Mixed, MixedTarget, NTXent, Weighted,
};
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

    /// Sequences of fewer than 5 steps have no output.
    #[allow(softmax_at_output)]
    struct Short(..8x3) -> 4x3 { Conv1d(3, kernel = 5), LogSoftmax }

    struct Double(3) -> (class: 4, place: 2) { class: Dense(4), Tanh, place: Dense(2) }

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
        (steps(&[0, 1, 1, 0, 2]), LabelSequence::<3>::new(&[1, 2])),
        (steps(&[2, 0, 2]), LabelSequence::new(&[2, 2])),
        (steps(&[0, 0, 1, 2, 0, 1]), LabelSequence::new(&[1, 2, 1])),
        (steps(&[0, 0]), LabelSequence::new(&[])),
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
fn sequences_without_output_steps_have_no_gradient() {
    fn of_one<L: Loss<[[f32; 3]; 4]>>(loss: &L, target: L::Target) -> f32 {
        let short = Sequence::new(&[[0.5, -0.5, 0.25]; 3]).expect("up to 8 steps");
        let (mut net, mut d_net) = (Short::new(1), Short::zeros());
        let key = RngKey::new(1);
        let found = net.loss_and_gradients(loss, &[short], &[target], &mut d_net, key);
        assert!(d_net.params().iter().all(|d| *d == 0.0), "{:?}", d_net.params());
        found.expect("a sound target")
    }
    let labels = |labels: &[u32]| LabelSequence::<2>::new(labels).expect("up to 2");
    assert_eq!(of_one(&CTC::new(), labels(&[])), 0.0);
    assert_eq!(of_one(&CTC::new(), labels(&[1])), f32::INFINITY);
    assert_eq!(of_one(&CTC::new().zero_infinity(), labels(&[1])), 0.0);
    assert_eq!(of_one(&Dice::new().with_logits(), [[1.0; 3]; 4]), 0.0);
}

/// The loss and the gradients of a network on three samples.
fn found<N: Network, L: Loss<N::Output>>(
    loss: &L,
    inputs: &[N::Input; 3],
    targets: &[L::Target; 3],
) -> (f32, Vec<f32>) {
    let (mut net, mut d_net) = (N::new(1), N::zeros());
    let loss = net.loss_and_gradients(loss, inputs, targets, &mut d_net, RngKey::new(1));
    (loss.expect("sound targets"), d_net.params().to_vec())
}

#[test]
fn a_factor_applies_to_a_loss_of_several_outputs() {
    let (xs, ts) = ([[0.5], [-1.0], [0.25]], [[1.0], [0.5], [-0.5]]);
    let (loss, d) = found::<Normal, _>(&GaussianNLL::new(), &xs, &ts);
    let half = found::<Normal, _>(&Weighted::new(GaussianNLL::new(), 0.5), &xs, &ts);
    assert_eq!(half, (0.5 * loss, d.iter().map(|d| 0.5 * d).collect()));

    let xs = [[0.5, -0.5, 0.25], [1.0, 0.0, -0.75], [0.125, 0.5, -1.0]];
    let ts = [(1, [0.5, -0.5]), (3, [0.0, 0.25]), (0, [1.0, 0.5])];
    let classes = CrossEntropy::new().class_weights(&[1.0, 2.0, 0.5, 3.0]);
    let all = Weighted::new((classes.clone(), MeanSquaredError.weighted(2.0)), 0.5);
    let each = (classes.weighted(0.5), MeanSquaredError);
    assert_eq!(found::<Double, _>(&all, &xs, &ts), found::<Double, _>(&each, &xs, &ts));
    let [all, each] = [
        Double::new(1).evaluate(&data(&xs, &ts), &all).expect("sound data"),
        Double::new(1).evaluate(&data(&xs, &ts), &each).expect("sound data"),
    ];
    assert_eq!(all, each);
}

fn data<X: Copy, T: Copy>(inputs: &[X], targets: &[T]) -> Data<X, T> {
    Data { inputs: inputs.to_vec(), targets: targets.to_vec() }
}

#[test]
fn mixtures_have_losses_of_several_outputs() {
    const fn mix<T: Copy>(first: T, second: T, share: f32) -> MixedTarget<T> {
        MixedTarget { first, second, share }
    }
    let xs = [[0.5, -0.5, 0.25], [1.0, 0.0, -0.75], [0.125, 0.5, -1.0]];
    let ts = [
        mix((1, [0.5, -0.5]), (2, [0.0, 1.0]), 0.25),
        mix((3, [0.0, 0.25]), (0, [0.5, 0.5]), 0.0),
        mix((0, [1.0, 0.5]), (3, [-1.0, 0.5]), 0.75),
    ];
    let classes = CrossEntropy::new().class_weights(&[1.0, 2.0, 0.5, 3.0]);
    let loss = Mixed((classes.clone(), MeanSquaredError.weighted(2.0)));
    let net = Double::new(1);
    let slopes = unrolled::check_gradients(&*net, &loss, &xs, &ts).expect("sound targets");
    assert!(slopes.worst < 2e-3, "{slopes}");
    // The same as mixtures of each output.
    let each = (Mixed(classes), Mixed(MeanSquaredError.weighted(2.0)));
    let apart = ts.map(|MixedTarget { first, second, share }| {
        (mix(first.0, second.0, share), mix(first.1, second.1, share))
    });
    assert_eq!(found::<Double, _>(&loss, &xs, &ts), found::<Double, _>(&each, &xs, &apart));
    let score = net.evaluate(&data(&xs, &ts), &loss).expect("sound data");
    assert_eq!(score, net.evaluate(&data(&xs, &apart), &each).expect("sound data"));

    let (xs, ts) = ([[0.5], [-1.0], [0.25]], [1.0, 0.5, -0.5].map(|t| mix([t], [0.0], 0.25)));
    let gaussian = Mixed(GaussianNLL::new());
    let slopes = unrolled::check_gradients(&*Normal::new(1), &gaussian, &xs, &ts);
    assert!(slopes.as_ref().expect("sound targets").worst < 2e-3, "{slopes:?}");
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
