//! `metrics.csv` and `report.svg`.

use super::threads::data;
use crate::common::temporary;
use std::fs;
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
                validation_accuracy,F1 (macro),seconds";
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
    }
    let report = fs::read_to_string(folder.join("report.svg")).expect("written");
    assert!(report.starts_with("<svg xmlns=") && report.ends_with("</svg>\n"));
    // Training and validation twice, the metric, and the learning rate.
    assert_eq!(report.matches("<polyline").count(), 6);
    assert_eq!(report.matches("<circle").count(), 6 * 12);
    for part in [">loss<", ">accuracy<", ">F1 (macro)<", ">learning rate<", ">training<"] {
        assert!(report.contains(part), "{part}");
    }
    assert_eq!(report.matches('<').count(), report.matches('>').count());
    assert!(history.overfitting().is_none() || report.contains("the network overfits"));
    assert!(!report.contains("NaN") && !report.contains("href"), "of its own");
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
