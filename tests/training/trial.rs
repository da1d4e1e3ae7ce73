//! Short runs before the long one: the search for a learning rate, one batch, one step.

use super::threads::{Image, data};
use crate::common::{bits, temporary};
use unrolled::data::Dataset;
use unrolled::prelude::*;
use unrolled::train::{DataSet, TrainError};
use unrolled::{BatchError, RngKey};

network! { struct Small(8x8x2) -> 3 { Flatten, Dense(16), ReLU, Dense(3) } }

#[test]
fn a_search_suggests_a_rate_that_trains_and_changes_nothing() {
    let (samples, loss) = (data(60, 1), CrossEntropy::new());
    let mut net = Small::new(1);
    let before = bits(net.params());
    let mut trainer = Trainer::new(Adam::new(0.5)).batch(20).epochs(30).quiet();
    let search = trainer.find_learning_rate(&*net, &samples, &loss).expect("sound data");
    let rate = search.suggestion().expect("a loss that falls");
    assert!((1e-4..1.0).contains(&rate), "{search}");
    assert!(search.losses.len() > 20 && search.losses.is_sorted_by(|a, b| a.0 < b.0));
    assert_eq!(bits(net.params()), before);
    // The next run is that of a new trainer.
    let mut found = |mut trainer: Trainer<'_, Adam, Small, u32>| {
        net = Small::new(1);
        let history = trainer.fit(&mut net, &samples, &loss).expect("sound data");
        (history.epochs[29].training.loss, bits(net.params()))
    };
    let (loss, weights) = found(trainer);
    assert!(weights == found(Trainer::new(Adam::new(0.5)).batch(20).epochs(30).quiet()).1);
    let (suggested, _) = found(Trainer::new(Adam::new(rate)).batch(20).epochs(30).quiet());
    assert!(suggested < loss && suggested < 0.9, "{rate}: {suggested}, {loss}");
}

#[test]
fn one_batch_is_overfit() {
    let (samples, net) = (data(60, 1), Small::new(1));
    let mut trainer = Trainer::new(Adam::new(1e-2)).batch(10).drop_last(true);
    let losses = trainer.overfit_one_batch(&*net, &samples, &CrossEntropy::new(), 150);
    let losses = losses.expect("sound data");
    assert!(losses.len() == 150 && losses[149] < 0.05 * losses[0], "{} {}", losses[0], losses[149]);
    assert!(bits(net.params()) == bits(Small::new(1).params()));
    let none = Data::<Image, u32>::default();
    let error = trainer.overfit_one_batch(&*net, &none, &CrossEntropy::new(), 1).unwrap_err();
    assert!(error.to_string().contains(&BatchError::Empty.to_string()), "{error}");
}

#[test]
fn short_runs_refuse_other_numbers_of_targets() {
    let mut samples = data(60, 1);
    samples.targets.truncate(5);
    let expected = BatchError::Targets { inputs: 60, targets: 5 };
    let (mut net, loss) = (Small::new(1), CrossEntropy::new());
    let mut trainer = Trainer::new(Adam::new(1e-2)).batch(10).quiet();
    let error = trainer.overfit_one_batch(&*net, &samples, &loss, 1).unwrap_err();
    assert_eq!(error, TrainError::Data { data: DataSet::Training, source: expected.clone() });
    // Also where the first step has its targets.
    for batch in [5, 10] {
        let mut trainer = Trainer::new(Adam::new(1e-2)).batch(batch).fast_dev_run(true).quiet();
        let error = trainer.fit(&mut net, &samples, &loss).unwrap_err();
        assert_eq!(error, TrainError::Data { data: DataSet::Training, source: expected.clone() });
    }
}

#[test]
fn a_fast_run_is_one_step_without_files() {
    let folder = temporary("trial/run");
    std::fs::remove_dir_all(&folder).ok();
    let (train, valid) = (data(60, 1), data(30, 2));
    let loaded = std::sync::atomic::AtomicUsize::new(0);
    let counted = train.map(|image, class, _: RngKey| {
        loaded.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        (image, class)
    });
    let mut steps = 0;
    let mut net = Small::new(1);
    let history = Trainer::new(SGD::new(0.1))
        .batch(10)
        .accumulate(2)
        .epochs(5)
        .validate(&valid)
        .checkpoint(&folder)
        .log_dir(&folder)
        .fast_dev_run(true)
        .on_step(|_| steps += 1)
        .quiet()
        .fit(&mut net, &counted, &CrossEntropy::new())
        .expect("sound data");
    assert_eq!((steps, history.epochs.len(), folder.exists()), (1, 1, false));
    assert!(history.epochs[0].validation.is_some());
    assert_eq!(loaded.into_inner(), 20);
    assert!(bits(net.params()) != bits(Small::new(1).params()));
}
