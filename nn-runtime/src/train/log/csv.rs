//! `metrics.csv`: one row per epoch.

use crate::train::history::{Epoch, History, Score};
use std::fmt::Write;

/// The record of a run as a table. Cells without a value are empty.
pub(super) fn csv(history: &History) -> String {
    let mut text = String::from(
        "epoch,learning_rate,training_loss,training_accuracy,validation_loss,validation_accuracy",
    );
    if let Some(first) = history.epochs.first() {
        for metric in first.metrics.iter() {
            text.push(',');
            text += &quoted(metric.name);
        }
    }
    text += ",seconds";
    let layers = history.gradient_norms.first().map_or(&[][..], |norms| &norms.layers);
    for (layer, _) in layers {
        text.push(',');
        text += &quoted(&format!("gradient_norm/{layer}"));
    }
    text.push('\n');
    for epoch in &history.epochs {
        add_row(epoch, &mut text);
        add_gradient_norms(history, epoch.number, layers.len(), &mut text);
        text.push('\n');
    }
    text
}

/// Cells of an epoch's gradient norms, empty for an epoch of a run that this one resumes.
fn add_gradient_norms(history: &History, epoch: usize, layers: usize, text: &mut String) {
    match history.gradient_norms.iter().find(|norms| norms.epoch == epoch) {
        Some(norms) => norms.layers.iter().for_each(|(_, norm)| {
            let _ = write!(text, ",{norm}");
        }),
        None => (0..layers).for_each(|_| text.push(',')),
    }
}

fn add_row(epoch: &Epoch, text: &mut String) {
    let of = |score: Option<&Score>| {
        [score.map(|score| score.loss), score.and_then(|score| score.accuracy)]
    };
    let [loss, accuracy] = of(Some(&epoch.training));
    let [validation_loss, validation_accuracy] = of(epoch.validation.as_ref());
    let numbers = [Some(epoch.learning_rate), loss, accuracy, validation_loss, validation_accuracy];
    let metrics = epoch.metrics.iter().map(|metric| Some(metric.value));
    *text += &epoch.number.to_string();
    for number in numbers.into_iter().chain(metrics) {
        text.push(',');
        if let Some(number) = number {
            // The shortest text that is read as the same number.
            let _ = write!(text, "{number}");
        }
    }
    let _ = write!(text, ",{:.3}", epoch.seconds);
}

/// A cell, in quotation marks if it contains a character that separates cells.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn names_are_quoted_where_they_must_be() {
        assert_eq!(quoted("F1 (macro)"), "F1 (macro)");
        assert_eq!(quoted(r#"recall, of "yes""#), r#""recall, of ""yes""""#);
    }
}
