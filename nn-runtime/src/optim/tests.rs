//! All optimisers against PyTorch's values, and what they have in common.

use super::update::{CHUNK, flush_tiny};
use super::*;
use crate::system::parallel::{whatever_the_work, with_threads};
use crate::types::{Axis, Tensor};
use std::array;
use std::ops::Range;

/// The ranges of four trained weights among six.
const TRAINED: [Range<usize>; 2] = [0..2, 3..5];

/// Twelve steps as in `scripts/optimizers.py`.
fn weights_after_twelve_steps(mut optimizer: impl Optimizer, trained: &[TrainedRange]) -> [f32; 4] {
    let mut weights = [0.5, -1.0, 7.0, 2.0, 0.0, 7.0];
    for step in 0..12 {
        let mut gradient = [f32::NAN; 6];
        for (i, weight) in TRAINED.into_iter().flatten().enumerate() {
            let slope = (f64::from(step) + 2.0 * i as f64).sin();
            gradient[weight] = slope as f32 + 0.1 * weights[weight];
        }
        optimizer.step(&mut weights, &gradient, trained);
    }
    let [a, b, still, c, d, still_too] = weights;
    assert_eq!((still, still_too), (7.0, 7.0), "not trained");
    [a, b, c, d]
}

#[track_caller]
fn check(optimizer: impl Optimizer, expected: [f64; 4]) {
    check_ranges(optimizer, &TRAINED.map(TrainedRange::from), expected);
}

#[track_caller]
fn check_ranges(optimizer: impl Optimizer, trained: &[TrainedRange], expected: [f64; 4]) {
    let found = weights_after_twelve_steps(optimizer, trained);
    for (found, expected) in found.into_iter().zip(expected) {
        assert!((f64::from(found) - expected).abs() < 1e-6, "found {found}, expected {expected}");
    }
}

#[test]
fn sgd_agrees_with_pytorch() {
    let sgd = SGD::new(0.1);
    check(sgd.clone(), [0.412753712736, -0.830527133957, 1.756718424824, -0.042498326837]);
    check(
        sgd.clone().weight_decay(0.05),
        [0.391627203764, -0.777787795435, 1.646807818463, -0.038486381464],
    );
    check(
        sgd.clone().momentum(0.9),
        [-0.310026273779, -0.431473570789, 1.520206867710, -0.494631187202],
    );
    check(
        sgd.clone().momentum(0.8).dampening(0.3).weight_decay(0.05),
        [0.038916089053, -0.623873193535, 1.478928494311, -0.209084167708],
    );
    check(
        sgd.momentum(0.9).nesterov().weight_decay(0.05),
        [-0.263195190027, -0.119407639209, 0.823956653165, -0.382504879130],
    );
}

#[test]
fn adam_agrees_with_pytorch() {
    let adam = Adam::new(0.05);
    check(adam.clone(), [0.271108133125, -0.982660496456, 2.052065234647, -0.079316875380]);
    check(
        adam.clone().betas(0.8, 0.95).eps(1e-3).weight_decay(0.1),
        [0.271082550879, -0.899374806612, 1.904671316813, -0.067509591669],
    );
    check(
        adam.betas(0.8, 0.9).amsgrad(),
        [0.294732309021, -0.965091078162, 2.021257322005, -0.067887840683],
    );
}

#[test]
fn adamw_agrees_with_pytorch() {
    let adamw = AdamW::new(0.05);
    check(adamw.clone(), [0.269083267777, -0.976594949275, 2.039783171094, -0.079120201803]);
    check(
        adamw.weight_decay(0.2).amsgrad(),
        [0.232888689213, -0.867542249433, 1.818839365300, -0.075458657659],
    );
}

#[test]
fn rmsprop_agrees_with_pytorch() {
    let rmsprop = RMSprop::new(0.02);
    check(RMSprop::new(0.05), [-0.337041188151, -0.707483858391, 1.807133843810, -0.073997682854]);
    check(
        rmsprop.clone().alpha(0.9).eps(1e-3).weight_decay(0.1).momentum(0.8),
        [-0.144594508814, -0.759832363418, 1.847105883666, -0.106218216234],
    );
    check(
        rmsprop.clone().alpha(0.95).centered(),
        [0.305067009180, -0.944461725655, 1.975860826713, -0.020676054222],
    );
    check(
        rmsprop.alpha(0.9).eps(1e-4).weight_decay(0.05).momentum(0.7).centered(),
        [-0.013521054844, -0.846299182061, 1.946750368867, -0.091165102056],
    );
}

#[test]
fn adagrad_agrees_with_pytorch() {
    check(Adagrad::new(0.1), [0.290238747245, -0.944454300749, 1.979955315096, -0.022831388045]);
    check(
        Adagrad::new(0.2).lr_decay(0.05).weight_decay(0.1).initial_accumulator_value(0.3).eps(1e-3),
        [0.259363615395, -0.829933003613, 1.784647659456, -0.093549659287],
    );
}

#[test]
fn nadam_agrees_with_pytorch() {
    let nadam = NAdam::new(0.05);
    check(nadam.clone(), [0.370014959244, -0.934672221507, 1.936392032630, -0.020714039360]);
    check(
        nadam.clone().betas(0.8, 0.95).eps(1e-3).weight_decay(0.1).momentum_decay(0.1),
        [0.342928240317, -0.862788362696, 1.817890372913, -0.023525121803],
    );
    check(
        nadam.weight_decay(0.2).decoupled_weight_decay(),
        [0.327990119928, -0.824230486201, 1.710421343722, -0.018431053795],
    );
}

#[test]
fn radam_agrees_with_pytorch() {
    let radam = RAdam::new(0.05);
    check(radam.clone(), [0.400160959814, -1.019076096561, 2.070866393596, -0.057768269479]);
    check(
        radam.clone().betas(0.8, 0.9).eps(1e-3).weight_decay(0.1),
        [0.367821342999, -0.938657842391, 1.940954491623, -0.065513684110],
    );
    check(
        radam.betas(0.8, 0.9).weight_decay(0.2).decoupled_weight_decay(),
        [0.339940132462, -0.868010463312, 1.793685307243, -0.061982568477],
    );
}

#[test]
fn lion_agrees_with_its_definition() {
    let lion = Lion::new(0.05);
    check(lion.clone(), [0.4, -1.0, 2.0, 0.0]);
    check(
        lion.betas(0.7, 0.9).weight_decay(0.2),
        [0.356570349160, -0.783587884154, 1.764206365678, -0.096088261273],
    );
}

#[test]
fn lamb_agrees_with_its_definition() {
    /// Tensors of `len` elements each, in the trained ranges.
    fn tensors(len: usize) -> Vec<Tensor> {
        let begins = TRAINED.into_iter().flat_map(|range| range.step_by(len));
        begins.map(|begin| Tensor::new("", begin, vec![Axis::plain(len, 1)])).collect()
    }
    let mut lamb = LAMB::new(0.05);
    lamb.prepare(|| tensors(2)).expect("any tensors");
    check(lamb, [0.190212199521, -0.871996374819, 1.720872255735, -0.307388571550]);
    let mut lamb = LAMB::new(0.05).betas(0.8, 0.95).eps(1e-3).weight_decay(0.2);
    lamb.prepare(|| tensors(1)).expect("any tensors");
    check_ranges(
        lamb,
        &groups(),
        [0.485149866619, -0.806391680610, 1.459184945865, 0.042290314613],
    );
}

/// A matrix of 3 rows and 2 columns, two other weights, and a matrix of 2 rows and 3 columns, stored column by column.
fn muon_tensors() -> Vec<Tensor> {
    vec![
        Tensor::new("a.weight", 0, vec![Axis::plain(3, 2), Axis::plain(2, 1)]),
        Tensor::new("a.bias", 6, vec![Axis::plain(2, 1)]),
        Tensor::new("b.weight", 8, vec![Axis::plain(2, 1), Axis::plain(3, 2)]),
    ]
}

/// Twelve steps as in `scripts/optimizers.py`.
fn muon_steps(optimizer: &mut impl Optimizer, trained: &[TrainedRange]) -> [f32; 14] {
    optimizer.prepare(muon_tensors).expect("all patterns match");
    let mut weights = array::from_fn(|i| (i as f32).cos());
    for step in 0..12 {
        let slope = |i: usize| (f64::from(step) + 2.0 * i as f64).sin() as f32;
        let gradient: [f32; 14] = array::from_fn(|i| slope(i) + 0.1 * weights[i]);
        optimizer.step(&mut weights, &gradient, trained);
    }
    weights
}

#[test]
fn muon_agrees_with_pytorch() {
    #[track_caller]
    fn check(mut muon: Muon, trained: &[TrainedRange], expected: [f64; 14]) {
        let found = muon_steps(&mut muon, trained);
        for (found, expected) in found.into_iter().zip(expected) {
            let difference = (f64::from(found) - expected).abs();
            // Small singular values, and their rounding errors, grow up to 480-fold in a step.
            assert!(difference < 1e-5, "found {found}, expected {expected}");
        }
    }
    let all = [(0..14).into()];
    check(
        Muon::new(0.02),
        &all,
        [
            0.904173812514,
            0.517833897014,
            -0.321050359804,
            -0.979157277673,
            -0.622322357519,
            0.369413398533,
            0.959176833754,
            0.752568987156,
            -0.061162527019,
            -0.877477544054,
            -0.823194491587,
            0.080742687234,
            0.793926808467,
            0.798936053137,
        ],
    );
    let muon = Muon::new(0.05).momentum(0.8).weight_decay(0.2).adamw_rate(0.5);
    check(
        muon,
        &all,
        [
            0.826357223923,
            0.526672965587,
            -0.282544804521,
            -0.916772901694,
            -0.591170798981,
            0.317467461470,
            0.851774602178,
            0.627186654211,
            -0.064180270007,
            -0.879463879301,
            -0.755996000569,
            0.114629740250,
            0.735618726346,
            0.740773991908,
        ],
    );
    let groups = [
        TrainedRange { rate: 0.1, ..(0..6).into() },
        (6..8).into(),
        TrainedRange { decay: false, ..(8..14).into() },
    ];
    check(
        Muon::new(0.05),
        &groups,
        [
            0.975061142027,
            0.534042955092,
            -0.391819498964,
            -0.987019947884,
            -0.645920647933,
            0.305587845388,
            0.957687370142,
            0.750571345829,
            0.051681325518,
            -0.886516412484,
            -0.849889032726,
            0.192962591695,
            0.776878851809,
            0.699295473959,
        ],
    );
}

#[test]
fn muon_leaves_chosen_matrices_to_adamw() {
    let trained = [(0..14).into()];
    let mut muon = Muon::new(0.1).adamw(["a"]);
    let adamw = AdamW::new(0.1 * 0.015).betas(0.9, 0.95).eps(1e-10).weight_decay(0.1);
    let (found, expected) = (muon_steps(&mut muon, &trained), muon_steps(&mut { adamw }, &trained));
    assert_eq!(found[..8], expected[..8]);
    let all = muon_steps(&mut Muon::new(0.1), &trained);
    assert_eq!(found[8..], all[8..]);
    assert_ne!(found[..6], all[..6]);
    let error = Muon::new(0.1).adamw(["c"]).prepare(muon_tensors).unwrap_err();
    assert!(error.to_string().starts_with("Muon: no weight of the network matches `c`"), "{error}");
}

#[test]
fn many_chunks_have_the_same_bits_on_any_number_of_threads() {
    let len = 5 * CHUNK + 123;
    let gradient: Vec<f32> = (0..len).map(|i| (i as f32).sin()).collect();
    let ranges = [3..CHUNK + 1, 2 * CHUNK..len - 1];
    let trained = ranges.clone().map(TrainedRange::from);
    let after = |threads| {
        let mut weights: Vec<f32> = (0..len).map(|i| (i as f32).cos()).collect();
        let mut optimizer = AdamW::new(0.01);
        let mut steps = || {
            for _ in 0..3 {
                optimizer.step(&mut weights, &gradient, &trained);
            }
        };
        with_threads(threads, || whatever_the_work(&mut steps));
        weights
    };
    let one = after(1);
    assert!(one == after(2) && one == after(7));
    for (i, w) in one.iter().enumerate() {
        let moved = *w != (i as f32).cos();
        assert_eq!(moved, ranges.iter().any(|range| range.contains(&i)), "weight {i}");
    }
}

#[test]
#[should_panic(expected = "stays with one network")]
fn an_optimiser_refuses_a_second_network() {
    let mut optimizer = Adam::new(0.1);
    optimizer.step(&mut [0.0; 3], &[1.0; 3], &[]);
    optimizer.step(&mut [0.0; 4], &[1.0; 4], &[]);
}

#[test]
fn the_learning_rate_can_be_set() {
    let mut optimizer = SGD::new(0.1);
    optimizer.set_learning_rate(0.5);
    let mut weights = [1.0];
    optimizer.step(&mut weights, &[1.0], &[(0..1).into()]);
    assert_eq!((optimizer.learning_rate(), weights), (0.5, [0.5]));
}

#[test]
fn the_state_of_an_ended_gradient_decays_to_zero() {
    let decay = |optimizer: &mut dyn Optimizer, steps: usize| {
        let (mut weights, trained) = ([1.0], [(0..1).into()]);
        optimizer.step(&mut weights, &[1.0], &trained);
        (0..steps).for_each(|_| optimizer.step(&mut weights, &[0.0], &trained));
    };
    let mut adam = Adam::new(0.1).betas(0.9, 0.99);
    decay(&mut adam, 9_000);
    let shown = format!("{adam:?}");
    assert!(shown.contains("mean: [0.0], square: [0.0]"), "{shown}");
    let mut sgd = SGD::new(0.1).momentum(0.9);
    decay(&mut sgd, 900);
    let shown = format!("{sgd:?}");
    assert!(shown.contains("velocity: [0.0]"), "{shown}");
    let mut rmsprop = RMSprop::new(0.1).momentum(0.9).centered();
    decay(&mut rmsprop, 9_000);
    let shown = format!("{rmsprop:?}");
    assert!(shown.contains("square: [0.0], mean: [0.0], velocity: [0.0]"), "{shown}");
}

#[test]
fn values_that_are_not_finite_are_not_flushed() {
    assert!(flush_tiny(f32::NAN).is_nan());
    assert_eq!(flush_tiny(f32::NEG_INFINITY), f32::NEG_INFINITY);
    assert_eq!([1e-35, -1e-35].map(flush_tiny), [1e-35, -1e-35]);
}

/// A tenth of the learning rate for the first weight, no decay for the second.
fn groups() -> [TrainedRange; 3] {
    [
        TrainedRange { rate: 0.1, ..(0..1).into() },
        TrainedRange { decay: false, ..(1..2).into() },
        (3..5).into(),
    ]
}

#[test]
fn groups_agree_with_pytorch() {
    check_ranges(
        SGD::new(0.1).momentum(0.9).weight_decay(0.1),
        &groups(),
        [0.377862753983, -0.431473570789, 0.617042184976, -0.399606516703],
    );
    check_ranges(
        Adam::new(0.05).weight_decay(0.1),
        &groups(),
        [0.473445256685, -0.982660496456, 1.930827743638, -0.077985894499],
    );
    check_ranges(
        AdamW::new(0.05).weight_decay(0.2).amsgrad(),
        &groups(),
        [0.470613185849, -0.982660496456, 1.818839365300, -0.075458657659],
    );
    check_ranges(
        NAdam::new(0.05).weight_decay(0.1),
        &groups(),
        [0.484017376655, -0.934672221507, 1.841226585979, -0.019422867919],
    );
    check_ranges(
        RAdam::new(0.05).betas(0.8, 0.9).weight_decay(0.2).decoupled_weight_decay(),
        &groups(),
        [0.482697794781, -0.982374350037, 1.793685307243, -0.061982568477],
    );
    check_ranges(
        Lion::new(0.05).weight_decay(0.2),
        &groups(),
        [0.484172252069, -1.0, 1.764206365678, 0.002911738727],
    );
    check_ranges(
        RMSprop::new(0.02).momentum(0.8).weight_decay(0.1),
        &groups(),
        [0.273733743337, -0.717727982665, 1.492664515738, -0.272963402514],
    );
    check_ranges(
        Adagrad::new(0.2).lr_decay(0.05).weight_decay(0.1),
        &groups(),
        [0.453178066029, -0.936398519648, 1.866439093602, -0.037209931995],
    );
}

/// All optimisers, with the settings that need the most values.
fn all_optimizers() -> Vec<Box<dyn Optimizer>> {
    let mut lamb = LAMB::new(0.1);
    lamb.prepare(|| vec![Tensor::new("", 0, vec![Axis::plain(3, 1)])]).expect("any tensors");
    let mut muon = Muon::new(0.1);
    let matrix = || vec![Tensor::new("", 0, vec![Axis::plain(1, 2), Axis::plain(2, 1)])];
    muon.prepare(matrix).expect("any tensors");
    vec![
        Box::new(lamb),
        Box::new(muon),
        Box::new(SGD::new(0.1)),
        Box::new(SGD::new(0.1).momentum(0.9).dampening(0.5)),
        Box::new(Adam::new(0.1).amsgrad()),
        Box::new(AdamW::new(0.1)),
        Box::new(NAdam::new(0.1).momentum_decay(0.1)),
        Box::new(RAdam::new(0.1).betas(0.8, 0.9)),
        Box::new(Lion::new(0.1)),
        Box::new(RMSprop::new(0.1)),
        Box::new(RMSprop::new(0.1).momentum(0.9)),
        Box::new(RMSprop::new(0.1).momentum(0.9).centered()),
        Box::new(Adagrad::new(0.1).lr_decay(0.1)),
        Box::new(LBFGS::new(0.1).history_size(2)),
    ]
}

#[test]
fn an_optimiser_continues_from_the_state_of_another_to_the_same_bits() {
    let trained = [(0..3).into()];
    let step = |optimizer: &mut dyn Optimizer, weights: &mut [f32; 3]| {
        let gradient = weights.map(|w| 0.3 * w - 0.1);
        optimizer.step(weights, &gradient, &trained);
    };
    for (mut through, mut resumed) in all_optimizers().into_iter().zip(all_optimizers()) {
        let mut weights = [0.5, -1.0, 2.0];
        (0..3).for_each(|_| step(&mut through, &mut weights));
        let (state, mut copy) = (through.state(), weights);
        resumed.set_state(state.clone()).expect("the state of the same optimiser");
        assert_eq!(resumed.state(), state);
        for _ in 0..3 {
            step(&mut through, &mut weights);
            step(&mut resumed, &mut copy);
        }
        assert_eq!(copy, weights, "{}", state.optimizer);
        // The state of a new optimiser: as at the beginning.
        let new = OptimizerState::new(state.optimizer.clone(), 0);
        resumed.set_state(new.clone()).expect("a state without values");
        assert_eq!(resumed.state(), new);
    }
}

#[test]
fn states_that_do_not_fit_are_refused() {
    let mut adam = Adam::new(0.1);
    adam.step(&mut [0.0; 3], &[1.0; 3], &[(0..3).into()]);
    let before = adam.state();
    let mut sgd = SGD::new(0.1).momentum(0.9);
    sgd.step(&mut [0.0; 3], &[1.0; 3], &[(0..3).into()]);
    let refused = |optimizer: &mut dyn Optimizer, state: OptimizerState| {
        optimizer.set_state(state).unwrap_err().to_string()
    };
    assert_eq!(
        refused(&mut adam, sgd.state()),
        "expected the state of the optimiser `Adam`, found that of `SGD`"
    );
    assert_eq!(
        refused(&mut SGD::new(0.1), sgd.state()),
        "expected a state of `SGD` with the values none, found `momentum_buffer`: is the optimiser made with the same \
         settings?"
    );
    let longer = OptimizerState::new("Adam", 1).with("exp_avg", &[0.0; 4]);
    assert_eq!(
        refused(&mut adam, longer.clone()),
        "expected a state of `Adam` with the values `exp_avg`, `exp_avg_sq`, found `exp_avg`: is the optimiser made \
         with the same settings?"
    );
    let longer = longer.with("exp_avg_sq", &[0.0; 4]);
    assert_eq!(
        refused(&mut adam, longer),
        "expected 3 elements of `exp_avg`, as many as the network has, found 4"
    );
    assert_eq!(adam.state(), before);
}

#[test]
fn pointers_to_optimisers_are_optimisers() {
    fn descend(mut optimizer: impl Optimizer) -> [f32; 1] {
        let mut weights = [1.0];
        optimizer.set_learning_rate(0.5);
        optimizer.step(&mut weights, &[1.0], &[(0..1).into()]);
        weights
    }
    let mut sgd = SGD::new(0.1).momentum(0.5);
    assert_eq!(descend(&mut sgd), [0.5]);
    let mut boxed: Box<dyn Optimizer> = Box::new(sgd);
    assert_eq!((boxed.learning_rate(), boxed.state().values.len()), (0.5, 1));
    // The velocity is 0.5 + 1.
    assert_eq!(descend(&mut *boxed), [0.25]);
    assert_eq!(descend(boxed), [1.0 - 0.5 * 1.75]);
}
