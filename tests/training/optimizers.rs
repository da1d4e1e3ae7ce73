//! Optimisers on whole networks: one step, parameter groups, state in files.

use crate::common::temporary;
use unrolled::optim::{Ema, OptimizerState, Swa, TrainedRange};
use unrolled::prelude::*;

network! {
    /// Layers with names to choose by.
    #[allow(bias_before_batch_norm)]
    struct Net(4) -> 3 {
        stem: Dense(6, bias = false), BatchNorm, ReLU,
        encoder: Repeat(2) { Dense(6), LayerNorm, Tanh },
        head: Dense(3),
    }
}

const INPUTS: [[f32; 4]; 4] =
    [[0.5, -1.0, 0.25, 2.0], [-0.5, 1.5, 0.75, 0.0], [1.0, 0.0, -0.25, -1.0], [0.0, 0.5, 1.0, 1.0]];
const TARGETS: [u32; 4] = [0, 1, 2, 1];

/// Five steps, and the network afterwards.
fn trained_with(optimizer: &mut dyn Optimizer) -> Box<Net> {
    let mut net = Net::new(3);
    steps(&mut net, optimizer, 5);
    net
}

fn steps(net: &mut Net, optimizer: &mut dyn Optimizer, count: usize) {
    let mut d_net = Net::zeros();
    for _ in 0..count {
        net.loss_and_gradients(&CrossEntropy::new(), &INPUTS, &TARGETS, &mut d_net, RngKey::new(1))
            .unwrap();
        optimizer.update(net, &d_net);
    }
}

/// The weights of the tensors whose names `is_chosen`.
fn chosen(net: &Net, is_chosen: impl Fn(&str) -> bool) -> Vec<f32> {
    let tensors = Net::tensors().into_iter().filter(|tensor| is_chosen(&tensor.name));
    let range = |tensor: unrolled::Tensor| {
        tensor.offset..tensor.offset + tensor.axes.iter().map(|axis| axis.len).product::<usize>()
    };
    tensors.flat_map(|tensor| net.params()[range(tensor)].to_vec()).collect()
}

#[test]
fn an_update_is_a_step_on_all_trained_weights() {
    let updated = trained_with(&mut AdamW::new(0.01));
    let (mut net, mut d_net, mut adam) = (Net::new(3), Net::zeros(), AdamW::new(0.01));
    let trained: Vec<TrainedRange> =
        Net::trained().into_iter().map(|(_, range)| range.into()).collect();
    for _ in 0..5 {
        net.loss_and_gradients(&CrossEntropy::new(), &INPUTS, &TARGETS, &mut d_net, RngKey::new(1))
            .unwrap();
        adam.step(net.params_mut(), d_net.params(), &trained);
    }
    assert_eq!(updated.params(), net.params());
}

#[test]
fn frozen_weights_keep_their_bits_and_others_move() {
    let optimizer = AdamW::new(0.01).weight_decay(0.5);
    let net = trained_with(&mut Groups::new(optimizer).freeze("stem").freeze("*norm*"));
    let new = Net::new(3);
    let is_frozen = |name: &str| name.starts_with("stem") || name.contains("norm.weight");
    assert_eq!(chosen(&net, is_frozen), chosen(&new, is_frozen));
    let moved = |name: &str| chosen(&net, |it| it == name) != chosen(&new, |it| it == name);
    assert!(moved("encoder.0.dense.weight") && moved("head.bias"));
}

#[test]
fn groups_are_separate_optimisers_with_their_settings() {
    let adam = |rate: f64, decay| AdamW::new(rate).weight_decay(decay);
    let mut groups = Groups::new(adam(0.01, 0.5)).rate("encoder", 0.1).no_decay(["*.bias"]);
    let (mut net, mut d_net) = (Net::new(3), Net::zeros());
    net.loss_and_gradients(&CrossEntropy::new(), &INPUTS, &TARGETS, &mut d_net, RngKey::new(1))
        .unwrap();
    let start = net.clone_boxed();
    groups.update(&mut net, &d_net);
    for (name, rate, decay) in [
        ("stem.weight", 0.01, 0.5),
        ("head.bias", 0.01, 0.0),
        ("encoder.1.dense.weight", 0.001, 0.5),
        ("encoder.1.dense.bias", 0.001, 0.0),
    ] {
        let mut alone = start.clone_boxed();
        adam(rate, decay).update(&mut *alone, &d_net);
        assert_eq!(chosen(&net, |it| it == name), chosen(&alone, |it| it == name), "{name}");
    }
}

#[test]
fn a_trainer_refuses_patterns_without_weights_before_training() {
    let data = Data { inputs: INPUTS.to_vec(), targets: TARGETS.to_vec() };
    let optimizer: Box<dyn Optimizer> = Box::new(Groups::new(SGD::new(0.1)).freeze("steam"));
    let mut net = Net::new(3);
    let error = Trainer::new(optimizer).quiet().fit(&mut net, &data, &CrossEntropy::new());
    assert_eq!(
        error.unwrap_err().to_string(),
        "Groups: no weight of the network matches `steam`; the closest names are `stem`, `head`, `encoder`"
    );
    assert_eq!(net.params(), Net::new(3).params());
}

#[test]
fn a_saved_optimiser_continues_to_the_same_bits() {
    let [net_path, adam_path] =
        ["net", "adam"].map(|name| temporary(&format!("optimizers/{name}.safetensors")));
    let (mut net, mut adam) = (Net::new(3), AdamW::new(0.01).amsgrad());
    steps(&mut net, &mut adam, 3);
    net.save(&net_path).unwrap();
    Net::save_optimizer(&adam, &adam_path).unwrap();
    steps(&mut net, &mut adam, 2);

    let (mut loaded, mut resumed) = (Net::load(&net_path).unwrap(), AdamW::new(0.01).amsgrad());
    Net::load_optimizer(&mut resumed, &adam_path).unwrap();
    assert_eq!(resumed.state().steps, 3);
    steps(&mut loaded, &mut resumed, 2);
    assert_eq!(loaded.params(), net.params());

    let error = Net::load_optimizer(&mut SGD::new(0.1), &adam_path).unwrap_err().to_string();
    assert!(
        error.ends_with("expected the state of the optimiser `SGD`, found that of `AdamW`"),
        "{error}"
    );
    let error = Net::load_optimizer(&mut resumed, &net_path).unwrap_err().to_string();
    assert!(error.contains("has no state of an optimiser"), "{error}");
}

#[test]
fn files_name_values_after_weights() {
    let path = temporary("optimizers/sgd.safetensors");
    let mut sgd = SGD::new(0.1).momentum(0.9);
    trained_with(&mut sgd);
    Net::save_optimizer(&sgd, &path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let names = Net::tensors().into_iter().map(|tensor| tensor.name);
    let trained = names.filter(|name| !name.contains("running_") && !name.contains("num_batches"));
    let mut expected: Vec<String> = trained.map(|name| format!("{name}.momentum_buffer")).collect();
    let mut found = file.names();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(file.tensor("head.weight.momentum_buffer").unwrap().shape(), [3, 6]);
    // Before the first step there are no values.
    Net::save_optimizer(&SGD::new(0.1).momentum(0.9), &path).unwrap();
    Net::load_optimizer(&mut sgd, &path).unwrap();
    assert_eq!(sgd.state(), OptimizerState::new("SGD", 0));
}

#[test]
fn networks_are_updated_through_any_pointer() {
    fn in_generic_code<N: Network>(net: &mut N, d_net: &N, optimizer: &mut dyn Optimizer) {
        optimizer.update(net, d_net);
    }
    fn by_any(mut optimizer: impl Optimizer, net: &mut Net, d_net: &Net) {
        optimizer.update(net, d_net);
    }
    let (mut net, mut d_net) = (Net::new(3), Net::zeros());
    d_net.head.bias.fill(1.0);
    let mut boxed: Box<dyn Optimizer> = Box::new(SGD::new(0.5));
    boxed.update(&mut net, &d_net);
    boxed.update(&mut *net, &*d_net);
    let mut reference = &mut *net;
    boxed.update(&mut reference, &&*d_net);
    by_any(&mut boxed, reference, &d_net);
    in_generic_code(reference, &d_net, &mut *boxed);
    let moved = Net::new(3).head.bias.map(|bias| bias - 5.0 * 0.5);
    for (found, expected) in net.head.bias.iter().zip(moved) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
}

#[test]
fn averages_agree_with_pytorch() {
    let mut net = Net::new(3);
    let (mut ema, mut swa) = (Ema::new(&net, 0.9), Swa::new(&net));
    for weights in [[1.0, 2.0], [0.5, -1.0], [3.0, 4.0], [-2.0, 0.25]] {
        net.head.bias[..2].copy_from_slice(&weights);
        net.batch_norm.running_mean[0] = weights[0];
        ema.update(&net);
        swa.update(&net);
    }
    // By `torch.optim.swa_utils.AveragedModel`.
    for (found, expected) in [(ema.net(), [0.8395, 1.762]), (swa.net(), [0.625, 1.3125])] {
        for (found, expected) in found.head.bias.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        // Running statistics are those of the last network.
        assert_eq!(found.batch_norm.running_mean[0], -2.0);
        assert_eq!(found.stem.weight, net.stem.weight);
    }
}
