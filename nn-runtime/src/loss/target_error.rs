//! [`TargetError`]: a target that a loss cannot be computed for.

use std::borrow::Cow;

/// A target that a loss refuses: what was expected and what was found.
///
/// Losses of your own report their reasons through [`Other`](Self::Other), into which strings convert:
///
/// ```
/// # use unrolled_runtime::loss::TargetError;
/// fn check(target: f32) -> Result<(), TargetError> {
///     if target > 0.0 { Ok(()) } else { Err(format!("expected a price, found {target}").into()) }
/// }
/// assert_eq!(check(-1.0).unwrap_err().to_string(), "expected a price, found -1");
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// A class index that the network has no output for.
    #[error(
        "expected a class index below {classes}, the number of the network's outputs, found {found}"
    )]
    Class {
        /// The number of classes.
        classes: usize,
        /// The class index of the target.
        found: u32,
    },
    /// Class weights of a loss for another number of classes.
    #[error("expected {classes} class weights, found {found}")]
    ClassWeights {
        /// The number of classes.
        classes: usize,
        /// The number of weights.
        found: usize,
    },
    /// Positive weights of a loss for another number of labels.
    #[error("expected {labels} positive weights, one for each label, found {found}")]
    PosWeights {
        /// The number of labels: the length of the output's last axis.
        labels: usize,
        /// The number of weights.
        found: usize,
    },
    /// A value that is infinite or NaN.
    #[error("expected finite values, found {found} at index {index}")]
    NotFinite {
        /// The index of the value in the target.
        index: usize,
        /// The value.
        found: f32,
    },
    /// A value outside its range.
    #[error("expected values from {least} to {most}, found {found} at index {index}")]
    OutOfRange {
        /// The lower end of the range.
        least: f32,
        /// The upper end of the range.
        most: f32,
        /// The index of the value in the target.
        index: usize,
        /// The value.
        found: f32,
    },
    /// A value other than the two that a binary target can have.
    #[error("expected values of {first} or {second}, found {found} at index {index}")]
    NotBinary {
        /// One of the allowed values.
        first: f32,
        /// The other one.
        second: f32,
        /// The index of the value in the target.
        index: usize,
        /// The value.
        found: f32,
    },
    /// A blank of [`CTC`](super::CTC) that the network has no output for.
    #[error(
        "expected a blank below {classes}, the number of the network's outputs, found {found}: `CTC::blank` sets it"
    )]
    BlankClass {
        /// The number of classes.
        classes: usize,
        /// The class index of the blank.
        found: u32,
    },
    /// A label of [`CTC`](super::CTC) that is the blank.
    #[error(
        "expected labels other than {blank}, the blank, found it at index {index}: leave it out, or set another blank \
         with `CTC::blank`"
    )]
    Blank {
        /// The class index of the blank.
        blank: u32,
        /// The index of the label.
        index: usize,
    },
    /// Labels of [`CTC`](super::CTC) that have no alignment with the steps of the output.
    #[error(
        "expected labels that fit into the {steps} steps of the output, found {labels} labels, which need {needed}: one \
         for each label, and one for a blank between equal neighbours"
    )]
    TooManyLabels {
        /// The number of labels.
        labels: usize,
        /// The least number of steps.
        needed: usize,
        /// The number of steps of the output.
        steps: usize,
    },
    /// A share of a [`MixedTarget`](super::MixedTarget) that is not a fraction.
    #[error("expected a share from 0 to 1, found {found}")]
    Share {
        /// The share of the second target.
        found: f32,
    },
    /// The target of one of several outputs.
    #[error("output `{output}`: {why}")]
    Output {
        /// The name of the output.
        output: &'static str,
        /// What is wrong with its target.
        #[source]
        why: Box<TargetError>,
    },
    /// A reason in the words of a user's own loss.
    #[error("{0}")]
    Other(Cow<'static, str>),
}

impl From<String> for TargetError {
    fn from(why: String) -> Self {
        Self::Other(why.into())
    }
}

impl From<&'static str> for TargetError {
    fn from(why: &'static str) -> Self {
        Self::Other(why.into())
    }
}

/// Refuses a target with a value that is not finite.
pub(super) fn check_finite(target: &[f32]) -> Result<(), TargetError> {
    match target.iter().position(|t| !t.is_finite()) {
        Some(index) => Err(TargetError::NotFinite { index, found: target[index] }),
        None => Ok(()),
    }
}

/// Refuses a target with a value outside of `least..=most`. NaN is outside.
pub(super) fn check_range(target: &[f32], least: f32, most: f32) -> Result<(), TargetError> {
    match target.iter().position(|t| !(least..=most).contains(t)) {
        Some(index) => Err(TargetError::OutOfRange { least, most, index, found: target[index] }),
        None => Ok(()),
    }
}

/// Refuses a target with a value other than these two.
pub(super) fn check_binary(target: &[f32], [first, second]: [f32; 2]) -> Result<(), TargetError> {
    match target.iter().position(|t| *t != first && *t != second) {
        Some(index) => Err(TargetError::NotBinary { first, second, index, found: target[index] }),
        None => Ok(()),
    }
}
