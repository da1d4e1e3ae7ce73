//! Large embeddings: a trainer leaves out rows that no sample has, with the bits of steps that compute all of them.

use crate::common::{bits, same_on_all_threads};
use unrolled::optim::clip_norm;
use unrolled::prelude::*;

/// More elements than a gradient task has, so that some tasks have no rows.
const VOCABULARY: usize = 20_000;

network! {
    struct Words(6) -> 3 { tokens: Embedding(20_000, 8, padding_index = 0), GlobalAvgPool, Dense(3) }

    /// The output layer reads all rows.
    #[allow(large_output_on_stack)]
    struct Tied(6) -> 6x20_000 { tokens: Embedding(20_000, 8), Tanh, Dense(20_000, weight = tokens) }

    /// Two applications of one embedding.
    struct Pair(a: 6, b: 6) -> 3 {
        left: a => { tokens: Embedding(20_000, 8), GlobalAvgPool },
        right: b => same(left),
        Concat { left, right },
        Dense(3),
    }

    /// Weights before those of the embedding, and several after them.
    struct Deep(table: 4, text: 6) -> 3 {
        first: table => Dense(7), Tanh, norm: LayerNorm, features: Dense(5),
        tokens: text => Embedding(20_000, 8), GRU(5, output = last),
        Add { features, {} },
        Dense(3),
    }
}

/// Tokens of step `step`, some of them twice, some also in the step before.
fn tokens(step: u64) -> [u32; 6] {
    let key = RngKey::new(5).fold_in(step);
    let token = |i: u64| (key.bits(i) % VOCABULARY as u64) as u32;
    [token(0), 7, token(1), token(0), step as u32, 0]
}

const STEPS: u64 = 5;

/// An optimiser, and the largest norm of a gradient.
type Settings = (fn() -> Box<dyn Optimizer>, f64);

/// The weights after some steps of a trainer, whose gradient is clipped, and after the same steps with whole gradients.
fn trained<N: Network, L: Loss<N::Output>>(
    loss: &L,
    sample: impl Fn(u64) -> (N::Input, L::Target),
    (optimizer, largest_norm): Settings,
) -> [Vec<u32>; 2]
where
    N::Input: Clone + Sync,
    L::Target: Clone + Sync,
{
    let mut net = N::new(1);
    let mut trainer = Trainer::new(optimizer()).batch(1).clip(Clip::Norm(largest_norm)).quiet();
    for step in 0..STEPS {
        let (input, target) = sample(step);
        let data = Data { inputs: vec![input], targets: vec![target] };
        trainer.fit_epoch(&mut net, &data, loss).unwrap();
    }
    let (mut whole, mut d_net, mut optimizer) = (N::new(1), N::zeros(), optimizer());
    for step in 0..STEPS {
        let (input, target) = sample(step);
        let key = RngKey::new(1);
        whole.loss_and_gradients(loss, &[input], &[target], &mut d_net, key).unwrap();
        clip_norm(&mut *d_net, largest_norm);
        optimizer.update(&mut whole, &d_net);
    }
    [bits(net.params()), bits(whole.params())]
}

#[track_caller]
fn check<N: Network, L: Loss<N::Output>>(loss: &L, sample: impl Fn(u64) -> (N::Input, L::Target))
where
    N::Input: Clone + Sync,
    L::Target: Clone + Sync,
{
    let settings: [Settings; 6] = [
        (|| Box::new(SGD::new(0.5)), 0.3),
        (|| Box::new(SGD::new(0.5).momentum(0.9)), 0.3),
        (|| Box::new(Groups::new(SGD::new(0.5)).rate("*", 0.5)), 0.3),
        (|| Box::new(Adagrad::new(0.1)), 0.3),
        (|| Box::new(Adam::new(0.1)), 0.3),
        // A trainer does not compute the gradient of frozen layers, which would be a part of the norm.
        (|| Box::new(Groups::new(Adagrad::new(0.1)).freeze("*tokens*")), f64::INFINITY),
    ];
    for (i, settings) in settings.into_iter().enumerate() {
        let [found, expected] = same_on_all_threads(|| trained::<N, L>(loss, &sample, settings));
        assert!(found == expected, "optimiser {i}");
        assert!(found != bits(N::new(1).params()), "optimiser {i} has trained");
    }
}

#[test]
fn rows_of_other_tokens_stay() {
    check::<Words, _>(&CrossEntropy::new(), |step| (tokens(step), step as u32 % 3));
}

#[test]
fn rows_are_found_among_other_weights() {
    check::<Deep, _>(&CrossEntropy::new(), |step| {
        (([0.5, -1.0, step as f32, 0.1], tokens(step)), step as u32 % 3)
    });
}

#[test]
fn an_embedding_that_is_applied_twice_has_the_rows_of_both() {
    check::<Pair, _>(&CrossEntropy::new(), |step| {
        ((tokens(step), tokens(step + 100)), step as u32 % 3)
    });
}

#[test]
fn an_embedding_that_another_layer_reads_has_all_rows() {
    check::<Tied, _>(&CrossEntropy::new(), |step| (tokens(step), tokens(step + 100)));
}
