//! `report.svg`: the curves of a run.

use super::chart::{Chart, Curve, HEIGHT, drawing, escaped, text};
use super::table::{Layers, ROW, shortened};
use crate::train::history::{Epoch, History};

/// The curves of a run, a table of the layers, and what the run warns about, as a drawing of its own.
pub(super) fn report(history: &History, layers: &Layers) -> String {
    let gradients = GradientCurves::of(history);
    let mut charts = charts(history);
    charts.extend(gradients.chart());
    let lines = lines(history);
    let below = HEIGHT * charts.len() as f64;
    let table = below + ROW * (lines.len() + 1) as f64;
    let height = table + layers.height();
    drawing(height, |svg| {
        for (nth, chart) in charts.iter().enumerate() {
            chart.write(HEIGHT * nth as f64, svg);
        }
        for (nth, line) in lines.iter().enumerate() {
            text(svg, [16.0, below + ROW * (nth + 1) as f64], "start", &escaped(line));
        }
        layers.write(table, svg);
    })
}

/// The layers whose gradient norms are drawn: as many as the legend has room for, from the first to the last one.
const MAX_CURVES: usize = 3;

/// The gradient norms of some layers, as logarithms: those of layers differ by powers of 10.
struct GradientCurves {
    title: String,
    /// Names, and points by epoch.
    curves: Vec<(String, Vec<(f64, f64)>)>,
}

impl GradientCurves {
    fn of(history: &History) -> Self {
        let layers = history.gradient_norms.first().map_or(0, |norms| norms.layers.len());
        let count = layers.min(MAX_CURVES);
        let curve = |nth: usize| {
            let layer = nth * (layers - 1) / (count - 1).max(1);
            let points = history
                .gradient_norms
                .iter()
                .filter_map(|norms| Some((norms.epoch as f64, norms.layers.get(layer)?.1.log10())));
            let name = shortened(&history.gradient_norms[0].layers[layer].0, 17);
            (name, points.collect())
        };
        let of = if layers > count { format!(" ({count} of {layers})") } else { String::new() };
        let title = format!("gradient norm, log10{of}");
        Self { title, curves: (0..count).map(curve).collect() }
    }

    fn chart(&self) -> Option<Chart<'_>> {
        let curves = self.curves.iter();
        let curves = curves.map(|(name, points)| Curve { name, points: points.clone() }).collect();
        (!self.curves.is_empty()).then_some(Chart { title: &self.title, curves })
    }
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

/// The result of a run and its warnings in lines.
fn lines(history: &History) -> Vec<String> {
    let overfitting = history.overfitting().map(|warning| warning.to_string());
    let health = history.health.iter().flat_map(|health| &health.warnings);
    let all = result(history).into_iter().chain(overfitting);
    all.chain(health.map(ToString::to_string)).flat_map(|line| wrapped(&line)).collect()
}

/// `12 epochs in 3.4 s; lowest loss in epoch 9: loss 0.1234, accuracy 96.50%`
fn result(history: &History) -> Option<String> {
    let best =
        history.epochs.iter().min_by(|a, b| a.watched().loss.total_cmp(&b.watched().loss))?;
    let seconds: f64 = history.epochs.iter().map(|epoch| epoch.seconds).sum();
    let set = if best.validation.is_some() { "validation" } else { "training" };
    Some(format!(
        "{} epochs in {seconds:.1} s; lowest {set} loss in epoch {}: {}",
        history.epochs.len(),
        best.number,
        best.watched()
    ))
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
