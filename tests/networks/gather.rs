//! `Gather`: steps of a sequence by indices, a second input of the network.

use crate::common::{gradient, random_values, same_on_all_threads};
use unrolled::prelude::*;
use unrolled::{BatchError, InputError, check_gradients};

network! {
    /// The features of some words of a sentence.
    struct Entities(text: 6, places: 2) -> 3 {
        text => Embedding(9, 4), LSTM(5),
        picked: Gather(places),
        Flatten, Dense(3),
    }

    /// Gradients of real inputs.
    struct Picked(series: 5x2, order: 7) -> 4 {
        read: series => Dense(3), Tanh, Gather(order),
        Add { {}, { Dense(3), Tanh } },
        GRU(4, output = last),
    }
}

const TEXT: [u32; 6] = [1, 8, 3, 0, 3, 2];

#[test]
fn reads_steps_by_their_indices() {
    let net = Entities::new(1);
    let found = net.forward((&TEXT, &[4, 1]));
    assert_eq!(found, net.forward((&TEXT, &[4, 1])));
    assert_ne!(found, net.forward((&TEXT, &[1, 4])));
    let mut workspace = [f32::NAN; Entities::WORKSPACE_LEN];
    assert_eq!(net.forward_in(&mut workspace, &(TEXT, [4, 1])), found);
}

#[test]
fn indices_of_no_step_are_errors() {
    let mut net = Entities::new(1);
    let why = InputError::Step { layer: "picked", index: 6, place: 1, steps: 6 };
    let expected = BatchError::Input { index: 1, why };
    let inputs = [(TEXT, [5, 0]), (TEXT, [0, 6])];
    assert_eq!(Entities::check_inputs(&inputs), Err(expected.clone()));
    assert_eq!(Entities::check_inputs(&inputs[..1]), Ok(()));
    let (mut d_net, loss) = (Entities::zeros(), CrossEntropy::new());
    let found = net.loss_and_gradients(&loss, &inputs, &[0, 1], &mut d_net, RngKey::new(1));
    assert_eq!(found, Err(expected));
}

fn batch() -> (Vec<<Picked as Network>::Input>, Vec<[f32; 4]>) {
    let one = |i: u32| {
        let order = std::array::from_fn(|k| (i + 3 * k as u32) % 5);
        (random_values(i.into()), order)
    };
    let inputs: Vec<_> = (0..9).map(one).collect();
    (inputs, (0..9).map(|i| random_values(100 + i)).collect())
}

#[test]
fn gradients_agree_with_finite_differences() {
    let (inputs, targets) = batch();
    let check = check_gradients(&*Picked::new(3), &MeanSquaredError, &inputs, &targets).unwrap();
    assert!(check.worst < 1e-3, "{check}");
}

#[test]
fn gradients_have_the_same_bits_on_any_number_of_threads() {
    let (inputs, targets) = batch();
    same_on_all_threads(|| gradient(&mut *Picked::new(3), &MeanSquaredError, &inputs, &targets));
}
