//! [`CTC`]: PyTorch's `nn.CTCLoss`.

use super::loss_trait::Loss;
use super::target_error::TargetError;
use crate::types::SequenceError;
use std::cell::RefCell;
use std::ops::Range;

thread_local! {
    /// The forward and backward variables, kept so that a repeated step does not allocate.
    static VARIABLES: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

/// Connectionist temporal classification (Graves et al., 2006): the negative logarithm of the probability of a sequence
/// of labels, summed over all its alignments with the steps of the output, divided by the number of labels. For speech
/// and handwriting, where the labels are known but not their steps.
///
/// Outputs are log-probabilities of classes for each step, `[[f32; C]; T]`, as of `LogSoftmax`. One of the classes is
/// the blank, 0 by default, which no label is. The target is a [`LabelSequence`] of up to `MAX` labels. Of a ragged
/// output only the valid steps count.
///
/// ```
/// # use unrolled_runtime::{Network, SequenceError, TrainingExt, data::Data, loss::{CTC, LabelSequence}};
/// # fn example<N: Network<Input = [[f32; 8]; 50], Output = [[f32; 27]; 50]>>(
/// #     mut net: Box<N>, input: [[f32; 8]; 50],
/// # ) -> Result<(), SequenceError> {
/// let word = LabelSequence::<20>::new(&[3, 1, 20])?; // the 0 is the blank
/// let loss = net.evaluate(&Data::from_iter([(input, word)]), &CTC::new());
/// # Ok(())
/// # }
/// ```
///
/// Each sample has the same weight, whatever its number of steps: PyTorch's `reduction="mean"`. Labels that do not fit
/// into the output's shape are refused; those that do not fit into the valid steps of a sequence have an infinite loss,
/// or none ([`zero_infinity`](Self::zero_infinity)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CTC<const MAX: usize> {
    blank: u32,
    zero_infinity: bool,
}

impl<const MAX: usize> CTC<MAX> {
    /// The blank is class 0.
    #[must_use]
    pub const fn new() -> Self {
        Self { blank: 0, zero_infinity: false }
    }

    /// Sets the class index of the blank.
    #[must_use]
    pub const fn blank(self, blank: u32) -> Self {
        Self { blank, ..self }
    }

    /// Sequences that are too short for their labels have the loss 0 and no gradient, instead of an infinite loss.
    #[must_use]
    pub const fn zero_infinity(self) -> Self {
        Self { zero_infinity: true, ..self }
    }
}

/// Up to `MAX` labels, the target of [`CTC`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelSequence<const MAX: usize> {
    len: u32,
    /// Zeros after the end.
    all: [u32; MAX],
}

impl<const MAX: usize> LabelSequence<MAX> {
    /// These labels; none is an utterance of silence.
    ///
    /// # Errors
    /// When there are more than `MAX`.
    pub fn new(labels: &[u32]) -> Result<Self, SequenceError> {
        if labels.len() > MAX {
            return Err(SequenceError::TooLong { most: MAX, found: labels.len() });
        }
        let mut all = [0; MAX];
        all[..labels.len()].copy_from_slice(labels);
        Ok(Self { len: labels.len() as u32, all })
    }

    /// The labels.
    #[must_use]
    pub fn as_slice(&self) -> &[u32] {
        &self.all[..self.len as usize]
    }
}

/// The least number of steps that the labels have an alignment with: a blank must separate equal neighbours.
fn needed_steps(labels: &[u32]) -> usize {
    labels.len() + labels.windows(2).filter(|pair| pair[0] == pair[1]).count()
}

#[diagnostic::do_not_recommend]
impl<const C: usize, const T: usize, const MAX: usize> Loss<[[f32; C]; T]> for CTC<MAX> {
    type Target = LabelSequence<MAX>;

    fn check(&self, target: &LabelSequence<MAX>) -> Result<(), TargetError> {
        let labels = target.as_slice();
        if self.blank as usize >= C {
            return Err(TargetError::BlankClass { classes: C, found: self.blank });
        }
        if let Some(found) = labels.iter().find(|label| **label as usize >= C) {
            return Err(TargetError::Class { classes: C, found: *found });
        }
        if let Some(index) = labels.iter().position(|label| *label == self.blank) {
            return Err(TargetError::Blank { blank: self.blank, index });
        }
        let needed = needed_steps(labels);
        if needed > T {
            return Err(TargetError::TooManyLabels { labels: labels.len(), needed, steps: T });
        }
        Ok(())
    }

    fn sample(&self, y: &[f32], target: &LabelSequence<MAX>, scale: f32, d_y: &mut [f32]) -> f64 {
        let lattice = Lattice { y, classes: C, labels: target.as_slice(), blank: self.blank };
        // Taken out while in use, and not borrowed, so that nothing can panic.
        let mut variables = VARIABLES.take();
        variables.resize(lattice.steps() * lattice.positions() + lattice.positions(), 0.0);
        let divisor = f64::from(target.len.max(1));
        let loss = lattice.loss_and_gradient(&mut variables, f64::from(scale) / divisor, d_y);
        VARIABLES.set(variables);
        if self.zero_infinity && loss == f64::INFINITY {
            d_y.fill(0.0);
            return 0.0;
        }
        loss / divisor
    }

    fn weight(&self, _: &LabelSequence<MAX>, _: usize) -> f64 {
        1.0
    }
}

/// The alignments of labels with steps: paths through the positions blank, label, blank, label, .., blank. The variables
/// are those of the paper's section 4.1, as logarithms.
struct Lattice<'a> {
    /// Log-probabilities, `[steps, classes]`.
    y: &'a [f32],
    classes: usize,
    labels: &'a [u32],
    blank: u32,
}

impl Lattice<'_> {
    const fn steps(&self) -> usize {
        self.y.len() / self.classes
    }

    const fn positions(&self) -> usize {
        2 * self.labels.len() + 1
    }

    /// The class at a position.
    const fn class(&self, position: usize) -> usize {
        let class = if position.is_multiple_of(2) { self.blank } else { self.labels[position / 2] };
        class as usize
    }

    /// The log-probability of the class at a position.
    fn log_p(&self, step: usize, position: usize) -> f64 {
        f64::from(self.y[step * self.classes + self.class(position)])
    }

    /// The positions from which a path reaches `position` in one step: itself, the one before, and the label before the
    /// blank before, unless it is the same label.
    fn before(&self, position: usize) -> Range<usize> {
        let skips =
            position % 2 == 1 && position >= 3 && self.class(position) != self.class(position - 2);
        position.saturating_sub(if skips { 2 } else { 1 })..position + 1
    }

    /// The last positions of a path: the last label or the blank after it.
    fn last(&self) -> Range<usize> {
        self.positions().saturating_sub(2)..self.positions()
    }

    /// The negative logarithm of the probability of all paths, and its gradient times `scale`.
    fn loss_and_gradient(&self, variables: &mut [f64], scale: f64, d_y: &mut [f32]) -> f64 {
        let (steps, positions) = (self.steps(), self.positions());
        if steps == 0 {
            // The only path is the empty one.
            return if self.labels.is_empty() { 0.0 } else { f64::INFINITY };
        }
        let (alpha, beta) = variables.split_at_mut(steps * positions);
        self.forward(alpha);
        let last = &alpha[(steps - 1) * positions..][self.last()];
        let log_likelihood = last.iter().copied().fold(f64::NEG_INFINITY, add_logs);
        // `beta` of the last step: nothing follows it.
        beta.fill(f64::NEG_INFINITY);
        beta[self.last()].fill(0.0);
        d_y.fill(0.0);
        for step in (0..steps).rev() {
            if step + 1 < steps {
                self.backward(step, beta);
            }
            let d_y = &mut d_y[step * self.classes..][..self.classes];
            for (position, beta) in beta.iter().enumerate() {
                let posterior = alpha[step * positions + position] + beta - log_likelihood;
                d_y[self.class(position)] -= (scale * posterior.exp()) as f32;
            }
        }
        -log_likelihood
    }

    /// `alpha[step, position]`: the probability of all paths to a position, its class included.
    fn forward(&self, alpha: &mut [f64]) {
        let positions = self.positions();
        alpha[..positions].fill(f64::NEG_INFINITY);
        for (position, alpha) in alpha[..positions.min(2)].iter_mut().enumerate() {
            *alpha = self.log_p(0, position);
        }
        for step in 1..self.steps() {
            let (before, here) = alpha.split_at_mut(step * positions);
            let before = &before[(step - 1) * positions..];
            for (position, alpha) in here[..positions].iter_mut().enumerate() {
                let paths = before[self.before(position)].iter().copied();
                *alpha = paths.fold(f64::NEG_INFINITY, add_logs) + self.log_p(step, position);
            }
        }
    }

    /// `beta[position]`: the probability of all paths from a position, its class excluded. Turns that of `step + 1` into
    /// that of `step`, in place: a position depends on itself and later ones.
    fn backward(&self, step: usize, beta: &mut [f64]) {
        for position in 0..beta.len() {
            let after = position..beta.len().min(position + 3);
            let paths = after.filter(|next| self.before(*next).contains(&position));
            let terms = paths.map(|next| beta[next] + self.log_p(step + 1, next));
            beta[position] = terms.fold(f64::NEG_INFINITY, add_logs);
        }
    }
}

/// `log(exp(a) + exp(b))`. NaN stays NaN.
fn add_logs(a: f64, b: f64) -> f64 {
    if a == f64::NEG_INFINITY {
        return b;
    }
    if b == f64::NEG_INFINITY {
        return a;
    }
    let (less, more) = if a < b { (a, b) } else { (b, a) };
    more + (less - more).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;
    use crate::types::Values;

    /// Log-probabilities of three classes in five steps.
    const Y: [[f32; 3]; 5] = [
        [-0.5, -1.25, -2.0],
        [-3.0, -0.25, -1.5],
        [-1.0, -1.25, -1.0],
        [-0.25, -2.0, -3.5],
        [-1.5, -2.0, -0.5],
    ];

    fn labels(labels: &[u32]) -> LabelSequence<4> {
        LabelSequence::new(labels).unwrap()
    }

    fn sample(loss: CTC<4>, y: &[f32], given: &[u32], d_y: &mut [f32]) -> f64 {
        Loss::<[[f32; 3]; 5]>::sample(&loss, y, &labels(given), 1.0, d_y)
    }

    // Expected values: scripts/losses.py, PyTorch in float64.
    #[test]
    fn agrees_with_pytorch() {
        check(&CTC::new(), &Y, &labels(&[1, 2]), 0.5824447833395148);
        check(&CTC::new(), &Y, &labels(&[1, 1, 2]), 1.2460060274415772);
        check(&CTC::new(), &Y, &labels(&[]), 6.25);
        check(&CTC::new().blank(2), &Y, &labels(&[0, 1, 0]), 0.3426530052964627);
    }

    #[test]
    fn a_shorter_sequence_has_the_loss_of_its_valid_steps() {
        let mut d_y = [f32::NAN; 9];
        let y = &Y.as_floats()[..9];
        let loss = sample(CTC::new(), y, &[1, 2], &mut d_y);
        assert!((loss - 0.5885973592317727).abs() < 1e-6, "{loss}");
        // The posteriors of all classes of a step add up to 1, and the loss is divided by the number of labels.
        for d_y in d_y.chunks(3) {
            assert!((d_y.iter().sum::<f32>() + 0.5).abs() < 1e-6, "{d_y:?}");
        }
    }

    #[test]
    fn the_sum_over_all_paths_is_that_of_the_definition() {
        // All 3^4 sequences of classes, collapsed: repeated classes once, then without blanks.
        let y = &Y.as_floats()[..12];
        let mut probability = 0.0;
        for path in 0..81_usize {
            let classes: Vec<usize> = (0..4).map(|step| path / 3_usize.pow(step) % 3).collect();
            let mut collapsed = classes.clone();
            collapsed.dedup();
            collapsed.retain(|class| *class != 0);
            if collapsed == [2, 1] {
                let logs = classes.iter().enumerate().map(|(step, c)| f64::from(y[3 * step + c]));
                probability += logs.sum::<f64>().exp();
            }
        }
        let mut d_y = [0.0; 12];
        let loss = sample(CTC::new(), y, &[2, 1], &mut d_y);
        assert!((2.0 * loss + probability.ln()).abs() < 1e-12, "{loss} {probability}");
    }

    #[test]
    fn labels_without_any_path_have_an_infinite_loss_or_none() {
        let mut d_y = [f32::NAN; 6];
        let y = &Y.as_floats()[..6];
        assert_eq!(sample(CTC::new(), y, &[1, 1], &mut d_y), f64::INFINITY);
        assert_eq!(
            (sample(CTC::new().zero_infinity(), y, &[1, 1], &mut d_y), d_y),
            (0.0, [0.0; 6])
        );
        // As have labels without any step.
        assert_eq!(sample(CTC::new(), &[], &[1], &mut []), f64::INFINITY);
        assert_eq!(sample(CTC::new().zero_infinity(), &[], &[1], &mut []), 0.0);
        assert_eq!(sample(CTC::new(), &[], &[], &mut []), 0.0);
    }

    #[test]
    fn nan_is_a_loss_of_nan_and_minus_infinity_an_impossible_class() {
        let mut y = Y;
        let mut d_y = [f32::NAN; 15];
        y[2] = [f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY];
        let loss = sample(CTC::new(), y.as_floats(), &[1, 2], &mut d_y);
        assert!(loss.is_finite() && d_y.iter().all(|d| d.is_finite()), "{loss} {d_y:?}");
        y[2][1] = f32::NAN;
        let loss = sample(CTC::new(), y.as_floats(), &[1, 2], &mut d_y);
        assert!(loss.is_nan(), "{loss}");
    }

    #[test]
    fn bad_labels_are_named() {
        let refused = |loss: CTC<4>, given: &[u32]| {
            Loss::<[[f32; 3]; 5]>::check(&loss, &labels(given)).unwrap_err().to_string()
        };
        assert_eq!(
            refused(CTC::new(), &[1, 3]),
            TargetError::Class { classes: 3, found: 3 }.to_string()
        );
        assert_eq!(
            refused(CTC::new().blank(7), &[1]),
            "expected a blank below 3, the number of the network's outputs, found 7: `CTC::blank` sets it"
        );
        assert_eq!(
            refused(CTC::new(), &[1, 0]),
            "expected labels other than 0, the blank, found it at index 1: leave it out, or set another blank with \
             `CTC::blank`"
        );
        assert_eq!(
            refused(CTC::new(), &[1, 1, 1, 1]),
            "expected labels that fit into the 5 steps of the output, found 4 labels, which need 7: one for each label, \
             and one for a blank between equal neighbours"
        );
        let error = LabelSequence::<2>::new(&[1, 2, 1]).unwrap_err();
        assert_eq!(error, SequenceError::TooLong { most: 2, found: 3 });
    }
}
