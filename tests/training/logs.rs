//! `metrics.csv` and `report.svg`.

use super::threads::data;
use crate::common::temporary;
use std::fs;
use std::path::Path;
use unrolled::optim::schedule::StepDecay;
use unrolled::prelude::*;
use unrolled::train::TrainError;

network! { struct Small(8x8x2) -> 3 { Flatten, Dense(16), ReLU, Dense(3) } }

#[test]
fn a_run_is_written_as_a_table_and_as_curves() {
    let folder = temporary("logs/run");
    fs::remove_dir_all(&folder).ok();
    let (train, valid) = (data(40, 1), data(20, 2));
    let history = Trainer::new(Adam::new(0.5))
        .epochs(12)
        .schedule_epochs(StepDecay::new(2, 0.5))
        .validate(&valid)
        .metric(F1::macro_average())
        .log_dir(&folder)
        .quiet()
        .fit(&mut Small::new(1), &train, &CrossEntropy::new())
        .expect("sound data");
    let table = fs::read_to_string(folder.join("metrics.csv")).expect("written");
    let lines: Vec<&str> = table.lines().collect();
    let head = "epoch,learning_rate,training_loss,training_accuracy,validation_loss,\
                validation_accuracy,F1 (macro),seconds,gradient_norm/dense,gradient_norm/dense_2";
    assert_eq!((lines.len(), lines[0]), (13, head));
    for (line, epoch) in lines[1..].iter().zip(&history.epochs) {
        let numbers: Vec<f64> =
            line.split(',').map(|cell| cell.parse().expect("a number")).collect();
        let validation = epoch.validation.expect("validated");
        let expected = [
            epoch.number as f64,
            epoch.learning_rate,
            epoch.training.loss,
            epoch.training.accuracy.expect("a classification"),
            validation.loss,
            validation.accuracy.expect("a classification"),
            epoch.metrics.get("F1 (macro)").expect("a metric"),
        ];
        assert_eq!(numbers[..7], expected);
        let norms = &history.gradient_norms[epoch.number - 1];
        assert_eq!(norms.epoch, epoch.number);
        assert_eq!(numbers[8..], [norms.layers[0].1, norms.layers[1].1]);
    }
    let report = fs::read_to_string(folder.join("report.svg")).expect("written");
    assert!(report.starts_with("<svg xmlns=") && report.ends_with("</svg>\n"));
    // Training and validation twice, the metric, the learning rate, and the gradient norms of two layers.
    assert_eq!(report.matches("<polyline").count(), 8);
    assert_eq!(report.matches("<circle").count(), 8 * 12);
    for part in [
        ">loss<",
        ">accuracy<",
        ">F1 (macro)<",
        ">learning rate<",
        ">training<",
        ">gradient norm, log10<",
        "12 epochs in",
        ">Dense(16)<",
        ">2115<",
    ] {
        assert!(report.contains(part), "{part}");
    }
    assert_eq!(report.matches('<').count(), report.matches('>').count());
    assert!(history.overfitting().is_none() || report.contains("the network overfits"));
    assert!(!report.contains("NaN") && !report.contains("href"), "of its own");
    check_events(&folder, &["weights/dense", "gradients/dense_2", "loss/validation"]);
}

/// Checks that there is one event file with a record for each epoch, in which these tags occur.
/// scripts/check_tensorboard.py compares its values.
fn check_events(folder: &Path, tags: &[&str]) {
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let files: Vec<_> =
        files.filter(|file| file.to_string_lossy().contains("events.out.tfevents.")).collect();
    let [file] = &files[..] else { panic!("one file: {files:?}") };
    let bytes = fs::read(file).expect("readable");
    let (mut rest, mut records) = (&bytes[..], 0);
    while let Some((len, _)) = rest.split_first_chunk() {
        // The length and its checksum, the event and its checksum.
        let (event, after) = rest[12..].split_at(u64::from_le_bytes(*len) as usize);
        let contains = |tag: &str| event.windows(tag.len()).any(|part| part == tag.as_bytes());
        assert!(records == 0 || tags.iter().all(|tag| contains(tag)), "event {records}");
        (rest, records) = (&after[4..], records + 1);
    }
    assert_eq!(records, 1 + 12, "the version and the epochs");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named() {
    let file = temporary("logs/file");
    fs::write(&file, "").expect("written");
    let mut trainer = Trainer::new(SGD::new(0.1)).log_dir(&file).quiet();
    let error = trainer.fit(&mut Small::new(1), &data(8, 1), &CrossEntropy::new());
    let error = error.expect_err("a file");
    assert!(matches!(&error, TrainError::Log { path, .. } if *path == file), "{error}");
}
