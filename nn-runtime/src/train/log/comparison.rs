//! [`Comparison`]: several runs in one chart.

use super::chart::{Chart, Curve, HEIGHT, drawing};
use crate::train::history::{Epoch, History};

/// A chart that compares runs, such as those with several learning rates: a curve over the epochs for each.
///
/// ```
/// # use unrolled_runtime::train::{Comparison, History};
/// # fn example(runs: &[(&str, History)]) -> std::io::Result<()> {
/// let mut comparison = Comparison::new("validation loss");
/// for (name, history) in runs {
///     comparison.add(*name, history, |epoch| Some(epoch.validation?.loss));
/// }
/// std::fs::write("learning_rates.svg", comparison.to_svg())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Comparison {
    title: String,
    curves: Vec<(String, Vec<(f64, f64)>)>,
}

impl Comparison {
    /// A chart without curves.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), curves: Vec::new() }
    }

    /// Adds the curve of a run: `value` of each epoch. Epochs without a value, or with one that is not finite, are left out.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        history: &History,
        value: impl Fn(&Epoch) -> Option<f64>,
    ) {
        let points = history.epochs.iter();
        let points = points.filter_map(|epoch| Some((epoch.number as f64, value(epoch)?)));
        self.curves.push((name.into(), points.collect()));
    }

    /// The chart as an SVG file. Without points it is empty.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let curves =
            self.curves.iter().map(|(name, points)| Curve { name, points: points.clone() });
        let chart = Chart { title: &self.title, curves: curves.collect() };
        drawing(HEIGHT, |svg| chart.write(0.0, svg))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::history::tests::history;

    #[test]
    fn each_run_has_a_curve() {
        let history = history(&[(1.0, 0.9), (0.5, 0.6)]);
        let mut comparison = Comparison::new("loss");
        comparison.add("one", &history, |epoch| Some(epoch.training.loss));
        comparison.add("two", &history, |epoch| Some(2.0 * epoch.training.loss));
        comparison.add("none", &history, |_| None);
        let svg = comparison.to_svg();
        assert_eq!(svg.matches("<circle").count(), 2 * history.epochs.len());
        assert!(
            [">loss<", ">one<", ">two<", "</svg>"].iter().all(|part| svg.contains(part)),
            "{svg}"
        );
        assert!(!Comparison::new("").to_svg().contains("<text"));
    }
}
