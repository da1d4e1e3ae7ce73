//! `report.svg`: the curves of a run.

use super::chart::{Chart, Curve, HEIGHT, WIDTH, escaped, text};
use crate::train::history::{Epoch, History};
use std::fmt::Write;

/// Loss, accuracy, metrics and learning rate of a run, and what it warns about, as a drawing of its own.
pub(super) fn report(history: &History) -> String {
    let charts = charts(history);
    let warnings = warnings(history);
    let below = HEIGHT * charts.len() as f64;
    let height = below + 16.0 * warnings.len() as f64 + 16.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for (nth, chart) in charts.iter().enumerate() {
        chart.write(HEIGHT * nth as f64, &mut svg);
    }
    for (nth, line) in warnings.iter().enumerate() {
        text(&mut svg, [16.0, below + 16.0 * (nth + 1) as f64], "start", &escaped(line));
    }
    let _ = writeln!(svg, "</svg>");
    svg
}

/// The charts that have values.
fn charts(history: &History) -> Vec<Chart<'static>> {
    let curve = |name, value: &dyn Fn(&Epoch) -> Option<f64>| Curve {
        name,
        points: history
            .epochs
            .iter()
            .filter_map(|epoch| Some((epoch.number as f64, value(epoch)?)))
            .collect(),
    };
    let mut charts = vec![
        Chart {
            title: "loss",
            curves: vec![
                curve("training", &|epoch| Some(epoch.training.loss)),
                curve("validation", &|epoch| Some(epoch.validation?.loss)),
            ],
        },
        Chart {
            title: "accuracy",
            curves: vec![
                curve("training", &|epoch| epoch.training.accuracy),
                curve("validation", &|epoch| epoch.validation?.accuracy),
            ],
        },
    ];
    let metrics = history.epochs.first().into_iter().flat_map(|epoch| epoch.metrics.iter());
    charts.extend(metrics.map(|metric| Chart {
        title: metric.name,
        curves: vec![curve(metric.name, &|epoch| epoch.metrics.get(metric.name))],
    }));
    let rate = curve("learning rate", &|epoch| Some(epoch.learning_rate));
    charts.push(Chart { title: "learning rate", curves: vec![rate] });
    for chart in &mut charts {
        chart.curves.retain(|curve| !curve.points.is_empty());
    }
    charts.retain(|chart| !chart.curves.is_empty());
    charts
}

/// The longest line that fits the width.
const MAX_LINE: usize = 100;

/// The warnings of a run in lines.
fn warnings(history: &History) -> Vec<String> {
    let overfitting = history.overfitting().map(|warning| warning.to_string());
    let health = history.health.iter().flat_map(|health| &health.warnings);
    let all = overfitting.into_iter().chain(health.map(ToString::to_string));
    all.flat_map(|warning| wrapped(&warning)).collect()
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < MAX_LINE => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
