//! [`Groups`]: learning rates, weight decay and freezing by the names of weights.

use super::optimizer::{Divisible, Optimizer, TrainedRange, UntouchedRows};
use super::pattern::{GroupsError, Pattern};
use super::state::{OptimizerState, StateError};
use crate::contract::Network;
use crate::hyper::{self, checked};
use crate::order::file_tensors;
use crate::types::Tensor;
use std::ops::Range;

/// An optimiser with parameter groups: weights chosen by name have another learning rate, no weight decay, or are not
/// trained. The groups are PyTorch's `param_groups`.
///
/// ```
/// use unrolled_runtime::optim::{AdamW, Groups};
///
/// let optimizer = Groups::new(AdamW::new(1e-3))
///     .rate("encoder", 0.1)
///     .no_decay(["*.bias", "*norm*"])
///     .freeze("stem");
/// ```
///
/// A pattern is compared with the names of weights in files, those of
/// [`InferenceExt::tensors`](crate::InferenceExt::tensors). It matches a weight `stage.0.conv.weight` if it matches the
/// whole name or the path of a layer that contains it: `stage`, `stage.0` or `stage.0.conv`. `*` matches any
/// characters, dots included. A weight that several layers share matches under each of its names; the weights of a line that is
/// applied again (`same(left)`) match under those of its first application. Of several calls of
/// [`rate`](Self::rate) that match a weight the last one applies.
///
/// Frozen weights stay as they are, to the bit. A layer is frozen if all of its trained weights are; one without trained
/// weights, if all of its running statistics match. In [`Trainer::fit`](crate::train::Trainer::fit) and in a
/// [`TrainPass`](crate::TrainPass) made with [`frozen_by`](crate::TrainPass::frozen_by), frozen layers cost no backward pass:
///
/// - Their weight gradients are not computed, and are zero, so that clipping does not count them.
/// - The backward pass ends at the first trained layer. Weights train to the same bits as with all gradients.
/// - A frozen `BatchNorm` computes as at inference and keeps its running statistics, like a module in `eval()` mode in
///   PyTorch. `Dropout` has no weights and drops elements as before.
///
/// [`loss_and_gradients`](crate::TrainingExt::loss_and_gradients) does not know the optimiser: it computes the gradients of
/// all layers, of which [`update`](super::OptimizerExt::update) ignores the frozen ones, and moves all running statistics.
#[derive(Clone, Debug)]
pub struct Groups<O> {
    optimizer: O,
    rules: Vec<(Pattern, Rule)>,
    resolved: Option<Vec<(Range<usize>, Rule)>>,
    /// The index of the first element that a step is passed.
    first: usize,
    /// The ranges of the last step, and those that they were divided into.
    whole: Vec<TrainedRange>,
    divided: Vec<TrainedRange>,
}

/// What applies to the weights that match a pattern.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    Rate(f64),
    NoDecay,
    Freeze,
}

/// What the names of settings that are rules begin with.
const RULE: &str = "rule ";

impl<O> Groups<O> {
    /// The weights of a network in one group, with the settings of `optimizer`.
    #[must_use]
    pub const fn new(optimizer: O) -> Self {
        Self {
            optimizer,
            rules: Vec::new(),
            resolved: None,
            first: 0,
            whole: Vec::new(),
            divided: Vec::new(),
        }
    }

    /// Multiplies the learning rate of the weights that match `pattern` by `factor`.
    ///
    /// # Panics
    /// If `factor` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn rate(self, pattern: &str, factor: f64) -> Self {
        let factor =
            checked("Groups: factor of the learning rate", factor, hyper::Range::NonNegative);
        self.with(pattern, Rule::Rate(factor))
    }

    /// Switches weight decay off for the weights that match one of `patterns`.
    #[must_use]
    pub fn no_decay<P: AsRef<str>>(self, patterns: impl IntoIterator<Item = P>) -> Self {
        let with = |it: Self, pattern: P| it.with(pattern.as_ref(), Rule::NoDecay);
        patterns.into_iter().fold(self, with)
    }

    /// Leaves the weights that match `pattern` as they are, and with all weights of a `BatchNorm` its running statistics.
    #[must_use]
    pub fn freeze(self, pattern: &str) -> Self {
        self.with(pattern, Rule::Freeze)
    }

    fn with(mut self, pattern: &str, rule: Rule) -> Self {
        self.rules.push((Pattern::new(pattern), rule));
        self.resolved = None;
        self
    }

    /// Checks that each pattern matches a weight of networks of type `N`.
    ///
    /// # Errors
    /// For the first pattern that matches none.
    pub fn check<N: Network>(&self) -> Result<(), GroupsError> {
        self.resolve(&file_tensors::<N>().tensors).map(drop)
    }

    /// The optimiser itself.
    pub const fn get_ref(&self) -> &O {
        &self.optimizer
    }

    /// The weights that each pattern matches.
    fn resolve(&self, tensors: &[Tensor]) -> Result<Vec<(Range<usize>, Rule)>, GroupsError> {
        let mut resolved = Vec::new();
        for (pattern, rule) in &self.rules {
            let before = resolved.len();
            let found = tensors.iter().filter(|tensor| pattern.matches(&tensor.name));
            resolved.extend(found.map(|tensor| (tensor.range(), *rule)));
            if resolved.len() == before {
                return Err(GroupsError::new("Groups", pattern, tensors));
            }
        }
        Ok(resolved)
    }
}

/// Divides the ranges `whole` where a rule begins or ends, and applies the rules to the parts.
fn divide(whole: &[TrainedRange], rules: &[(Range<usize>, Rule)], parts: &mut Vec<TrainedRange>) {
    parts.clear();
    for whole in whole {
        let inside = |cut: &usize| whole.range.start < *cut && *cut < whole.range.end;
        let cuts = rules.iter().flat_map(|(range, _)| [range.start, range.end]).filter(inside);
        let mut ends: Vec<usize> = cuts.chain([whole.range.end]).collect();
        ends.sort_unstable();
        ends.dedup();
        let mut begin = whole.range.start;
        for end in ends {
            let range = std::mem::replace(&mut begin, end)..end;
            if let Some(part) = with_rules(TrainedRange { range, ..whole.clone() }, rules) {
                push_or_extend(parts, part);
            }
        }
    }
}

/// The range `part` with the rules that apply to it; `None` if it is frozen.
fn with_rules(mut part: TrainedRange, rules: &[(Range<usize>, Rule)]) -> Option<TrainedRange> {
    let mut factor = 1.0;
    for (_, rule) in rules.iter().filter(|(range, _)| range.contains(&part.range.start)) {
        match rule {
            Rule::Rate(rate) => factor = *rate,
            Rule::NoDecay => part.decay = false,
            Rule::Freeze => return None,
        }
    }
    part.rate *= factor;
    Some(part)
}

/// Appends `part`, or extends the last range where `part` continues it: fewer ranges are faster.
fn push_or_extend(parts: &mut Vec<TrainedRange>, part: TrainedRange) {
    match parts.last_mut() {
        Some(last)
            if last.range.end == part.range.start
                && (last.rate, last.decay) == (part.rate, part.decay) =>
        {
            last.range.end = part.range.end;
        }
        _ => parts.push(part),
    }
}

impl<O: Optimizer> Optimizer for Groups<O> {
    /// # Panics
    /// Before [`prepare`](Optimizer::prepare), which [`update`](super::OptimizerExt::update) calls.
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[TrainedRange]) {
        let rules = self.resolved.as_ref().expect(
            "`Groups` finds weights by their names: call `update` or, before `step`, `prepare`",
        );
        // Divided once, so that later steps do not allocate.
        if self.whole != trained {
            self.whole = trained.to_vec();
            let moved = |range: &TrainedRange, by: fn(usize, usize) -> usize| {
                let Range { start, end } = range.range;
                TrainedRange { range: by(start, self.first)..by(end, self.first), ..range.clone() }
            };
            let in_network: Vec<_> =
                trained.iter().map(|range| moved(range, usize::saturating_add)).collect();
            divide(&in_network, rules, &mut self.divided);
            for part in &mut self.divided {
                *part = moved(part, usize::saturating_sub);
            }
        }
        self.optimizer.step(weights, gradient, &self.divided);
    }

    fn learning_rate(&self) -> f64 {
        self.optimizer.learning_rate()
    }

    #[track_caller]
    fn set_learning_rate(&mut self, rate: f64) {
        self.optimizer.set_learning_rate(rate);
    }

    fn settings(&self) -> Vec<(String, f64)> {
        let mut all = self.optimizer.settings();
        // Settings are compared by name: numbers keep the order of the rules, and rules of equal patterns apart.
        let mut number = all.iter().filter(|(name, _)| name.starts_with(RULE)).count();
        for (pattern, rule) in &self.rules {
            number += 1;
            let (what, value) = match rule {
                Rule::Rate(factor) => ("rate", *factor),
                Rule::NoDecay => ("no decay", 1.0),
                Rule::Freeze => ("freeze", 1.0),
            };
            all.push((format!("{RULE}{number} ({what} of `{}`)", pattern.as_str()), value));
        }
        all
    }

    fn state(&self) -> OptimizerState {
        self.optimizer.state()
    }

    fn set_state(&mut self, state: OptimizerState) -> Result<(), StateError> {
        self.optimizer.set_state(state)
    }

    fn prepare(&mut self, tensors: fn() -> Vec<Tensor>) -> Result<(), GroupsError> {
        self.optimizer.prepare(tensors)?;
        if self.resolved.is_none() {
            self.resolved = Some(self.resolve(&tensors())?);
            self.whole.clear();
        }
        Ok(())
    }

    fn untouched_rows(&self) -> UntouchedRows {
        self.optimizer.untouched_rows()
    }

    fn divisible(&self) -> Divisible {
        self.optimizer.divisible()
    }

    fn set_first(&mut self, first: usize) {
        (self.first, self.whole) = (first, Vec::new());
        self.optimizer.set_first(first);
    }

    fn frozen(&self) -> Vec<Range<usize>> {
        let own = self.resolved.iter().flatten().filter(|(_, rule)| *rule == Rule::Freeze);
        let mut all = self.optimizer.frozen();
        all.extend(own.map(|(range, _)| range.clone()));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::SGD;
    use crate::types::Axis;

    fn tensors() -> Vec<Tensor> {
        let of = |name, begin, len| Tensor::new(name, begin, vec![Axis::plain(len, 1)]);
        vec![
            of("stem.weight", 0, 4),
            of("encoder.0.weight", 4, 3),
            of("encoder.0.bias", 7, 1),
            of("norm.weight", 8, 2),
            of("norm.running_mean", 10, 2),
            of("head.weight", 12, 4),
            of("head.bias", 16, 1),
        ]
    }

    fn range(range: Range<usize>, rate: f64, decay: bool) -> TrainedRange {
        TrainedRange { range, rate, decay }
    }

    #[test]
    fn ranges_are_divided_and_frozen_ones_are_left_out() {
        let mut groups = Groups::new(SGD::new(0.1))
            .rate("encoder", 0.1)
            .no_decay(["*.bias", "*norm*"])
            .freeze("stem");
        groups.prepare(tensors).expect("all patterns match");
        let trained = [0..4, 4..8, 8..10, 12..17].map(TrainedRange::from);
        groups.step(&mut [0.0; 17], &[0.0; 17], &trained);
        let expected = [
            range(4..7, 0.1, true),
            range(7..8, 0.1, false),
            range(8..10, 1.0, false),
            range(12..16, 1.0, true),
            range(16..17, 1.0, false),
        ];
        assert_eq!(groups.divided, expected);
        let unchanged = groups.divided.as_ptr();
        groups.step(&mut [0.0; 17], &[0.0; 17], &trained);
        assert_eq!(groups.divided.as_ptr(), unchanged);
    }

    #[test]
    fn the_last_rate_applies_and_nested_groups_multiply() {
        let inner = Groups::new(SGD::new(0.1)).rate("*", 0.5).rate("head", 0.25);
        let mut groups = Groups::new(inner).rate("head.weight", 0.5);
        groups.prepare(tensors).expect("all patterns match");
        groups.step(&mut [0.0; 17], &[0.0; 17], &[(0..17).into()]);
        let expected =
            [range(0..12, 0.5, true), range(12..16, 0.125, true), range(16..17, 0.25, true)];
        assert_eq!(groups.get_ref().divided, expected);
    }

    /// Settings are compared by name.
    #[test]
    fn rules_are_settings_with_their_order() {
        let inner = Groups::new(SGD::new(0.1)).rate("a", 0.1).rate("a", 0.5);
        let own = inner.optimizer.settings().len();
        let settings = Groups::new(inner).freeze("b").no_decay(["c"]).settings();
        let names: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let expected = [
            ("rule 1 (rate of `a`)", 0.1),
            ("rule 2 (rate of `a`)", 0.5),
            ("rule 3 (freeze of `b`)", 1.0),
            ("rule 4 (no decay of `c`)", 1.0),
        ];
        assert_eq!(names[own..], expected);
    }

    #[test]
    fn a_pattern_without_weights_is_refused_with_similar_names() {
        let error = Groups::new(SGD::new(0.1)).freeze("encodr").prepare(tensors).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Groups: no weight of the network matches `encodr`; the closest names are `encoder`, `encoder.0`, `norm`"
        );
    }
}
