//! Metrics against scikit-learn.

// The expected values: tests/reference/metrics.py.

use super::*;

const SAMPLES: usize = 60;

/// Quarters, so that many scores are equal.
fn scores(i: usize) -> [f32; 5] {
    std::array::from_fn(|c| ((7 * i + 13 * c + 5 * i * c) % 23) as f32 / 4.0 - 2.5)
}

fn class(i: usize) -> u32 {
    ((i * i + 3 * i + i / 7) % 5) as u32
}

fn labels(i: usize) -> [f32; 5] {
    std::array::from_fn(|c| f32::from(u8::from((i + i / 4 + c).is_multiple_of(3))))
}

/// Checks the value of all samples, added after others that are forgotten.
#[track_caller]
fn check<const C: usize, Target>(
    mut metric: impl Metric<[f32; C], Target>,
    scores: fn(usize) -> [f32; C],
    target: fn(usize) -> Target,
    expected: f64,
) {
    metric.add(&scores(1), &target(2));
    metric.reset();
    for i in 0..SAMPLES {
        metric.add(&scores(i), &target(i));
    }
    let found = metric.value();
    assert!((found - expected).abs() < 1e-5, "{}: {found}, expected {expected}", metric.name());
}

#[test]
fn accuracies() {
    check(Accuracy::new(), scores, class, 0.216_666_666_666_666_67);
    check(Accuracy::top(2), scores, class, 0.383_333_333_333_333_36);
    check(Accuracy::top(3), scores, class, 0.6);
    check(Accuracy::top(5), scores, class, 1.0);
    check(Accuracy::new(), scores, labels, 0.533_333_333_333_333_3);
}

#[test]
fn averages_of_classes() {
    check(Precision::macro_average(), scores, class, 0.209_914_529_914_529_9);
    check(Recall::macro_average(), scores, class, 0.212_515_262_515_262_5);
    check(F1::macro_average(), scores, class, 0.210_384_141_262_701_97);
    check(Precision::micro_average(), scores, class, 0.216_666_666_666_666_67);
    check(Recall::micro_average(), scores, class, 0.216_666_666_666_666_67);
    check(F1::micro_average(), scores, class, 0.216_666_666_666_666_67);
    check(IoU::macro_average(), scores, class, 0.119_257_213_374_860_44);
    check(IoU::micro_average(), scores, class, 0.121_495_327_102_803_74);
    check(IoU::macro_average(), scores, labels, 0.290_150_258_385_174_94);
    check(IoU::micro_average(), scores, labels, 0.289_340_101_522_842_6);
}

#[test]
fn averages_of_labels() {
    check(Precision::macro_average(), scores, labels, 0.370_107_526_881_720_44);
    check(Recall::macro_average(), scores, labels, 0.570_000_000_000_000_1);
    check(F1::macro_average(), scores, labels, 0.448_784_313_725_490_2);
    check(Precision::micro_average(), scores, labels, 0.370_129_870_129_870_14);
    check(Recall::micro_average(), scores, labels, 0.57);
    check(F1::micro_average(), scores, labels, 0.448_818_897_637_795_26);
}

#[test]
fn rankings() {
    let pair = |i| *scores(i).first_chunk::<2>().expect("five scores");
    check(RocAuc::new(), pair, |i| class(i) % 2, 0.455_433_455_433_455_4);
    check(AveragePrecision::new(), pair, |i| class(i) % 2, 0.332_396_469_131_661_93);
    let three =
        |i| std::array::from_fn(|c| ((7919 * i + 4729 * c + 3571 * i * c) % 10007) as f32 / 1000.0);
    check::<3, _>(RocAuc::new(), three, |i| class(i) % 3, 0.451_791_213_104_040_7);
    check::<3, _>(AveragePrecision::new(), three, |i| class(i) % 3, 0.325_302_015_467_944_74);
    check(RocAuc::new(), scores, labels, 0.513_625);
    check(AveragePrecision::new(), scores, labels, 0.365_900_646_255_764);
}

#[test]
fn perplexity() {
    check(Perplexity::new(), scores, class, 11.703_116_774_105_84);
}

#[test]
fn errors_of_numbers() {
    let predicted = |i| scores(i).map(|score| 1000.0 + score);
    let target = |i| std::array::from_fn(|c| 1000.0 + ((3 * i + 11 * c) % 17) as f32 / 4.0);
    check::<5, [f32; 5]>(MeanAbsoluteError::new(), predicted, target, 2.310_833_333_333_333_5);
    check::<5, [f32; 5]>(R2::new(), predicted, target, -4.064_218_679_176_65);
}

#[test]
fn sequences_count_step_by_step() {
    let mut metric = Accuracy::new().ignore_index(1);
    // Two valid steps of three; the second one is ignored.
    let y = [0.0, 1.0, 1.0, 0.0];
    Metric::<[[f32; 2]; 3], _>::add(&mut metric, &y, &[0, 1, 0]);
    assert_eq!(Metric::<[[f32; 2]; 3], [u32; 3]>::value(&metric), 0.0);
    Metric::<[[f32; 2]; 3], _>::add(&mut metric, &y[2..], &[0, 0, 0]);
    assert_eq!(Metric::<[[f32; 2]; 3], [u32; 3]>::value(&metric), 0.5);
    let mut errors = MeanAbsoluteError::new();
    Metric::<[[f32; 1]; 3], _>::add(&mut errors, &[1.0, 2.0], &[[0.0], [0.0], [9.0]]);
    assert_eq!(Metric::<[[f32; 1]; 3], [[f32; 1]; 3]>::value(&errors), 1.5);
}

#[test]
fn values_are_shown_and_found_by_name() {
    let values = MetricValues::new(&[("F1 (macro)", 0.5), ("R2", -1.0)]);
    assert_eq!(values.to_string(), ", F1 (macro) 0.5000, R2 -1.0000");
    assert_eq!((values.get("R2"), values.get("recall (micro)")), (Some(-1.0), None));
}
