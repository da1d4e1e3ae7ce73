//! Lazy Adam beside PyTorch's `SparseAdam` in float64 (`tests/reference/sparse_adam.py`).

use crate::case::{Case, Offsets};
use unrolled::loss::MeanSquaredError;
use unrolled::optim::SparseGradient;
use unrolled::prelude::*;

network! {
    struct Net(4) -> 2 { tokens: Embedding(12, 3), GlobalAvgPool, Dense(2) }
}

#[test]
fn lazy_steps_are_those_of_sparse_adam() {
    let case = Case::read("sparse_adam");
    let offsets = Offsets::of::<Net>(&case);
    let (inputs, targets) = (case.samples::<[u32; 4]>("input"), case.outputs("target"));
    let lazy = || Adam::new(0.05).betas(0.8, 0.95).lazy();

    let mut net: Box<Net> = case.network(&offsets);
    let (mut adam, mut d_net) = (lazy(), SparseGradient::new());
    for (x, y) in inputs.iter().zip(&targets) {
        let (x, y) = (std::slice::from_ref(x), std::slice::from_ref(y));
        let key = RngKey::new(1);
        net.loss_and_sparse_gradients(&MeanSquaredError, x, y, &mut d_net, key).unwrap();
        adam.update_sparse(&mut net, &d_net);
    }
    case.compare_weights("lazy", &offsets, &*net);
    let mut of_trainer: Box<Net> = case.network(&offsets);
    let mut trainer = Trainer::new(lazy()).batch(1).quiet();
    for (input, target) in inputs.iter().zip(&targets) {
        let data = Data { inputs: vec![*input], targets: vec![*target] };
        trainer.fit_epoch(&mut of_trainer, &data, &MeanSquaredError).unwrap();
    }
    assert_eq!(of_trainer.params(), net.params());
}

#[test]
fn other_steps_move_rows_without_a_gradient() {
    let case = Case::read("sparse_adam");
    let start: Box<Net> = case.network(&Offsets::of::<Net>(&case));
    // The second step has no token of the first one.
    let row_after = |optimizer: Adam| {
        let mut net = start.clone_boxed();
        let mut trainer = Trainer::new(optimizer).batch(1).quiet();
        let mut after = [[0.0; 3]; 2];
        for (after, token) in after.iter_mut().zip([1, 2]) {
            let data = Data { inputs: vec![[token; 4]], targets: vec![[1.0, 0.0]] };
            trainer.fit_epoch(&mut net, &data, &MeanSquaredError).unwrap();
            *after = net.tokens.weight[1];
        }
        after
    };
    let [first, second] = row_after(Adam::new(0.05).lazy());
    assert!(first != start.tokens.weight[1] && first == second);
    let [first, second] = row_after(Adam::new(0.05));
    assert!(first != second);
}

#[test]
fn runs_that_add_up_gradients_refuse_it() {
    let data = Data { inputs: vec![[1; 4]; 4], targets: vec![[1.0, 0.0]; 4] };
    let mut net = Net::new(1);
    let mut trainer = Trainer::new(Adam::new(0.05).lazy()).batch(2).accumulate(2).quiet();
    let error = trainer.fit(&mut net, &data, &MeanSquaredError).unwrap_err().to_string();
    assert!(error.starts_with("a lazy optimiser needs the gradient of one batch"), "{error}");
}

#[test]
#[should_panic(expected = "call `update_sparse` with the gradient of `loss_and_sparse_gradients`")]
fn an_update_without_rows_refuses_it() {
    Adam::new(0.05).lazy().update(&mut Net::zeros(), &Net::zeros());
}
