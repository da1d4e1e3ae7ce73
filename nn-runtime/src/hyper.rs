//! The ranges of hyper-parameters, and the message that refuses a value outside its range.
//!
//! Setters call these functions, so that a bad value panics on the line that sets it instead of showing up as a
//! loss of NaN hours later.

use std::fmt::Display;

/// The values that a hyper-parameter may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Range {
    /// `[0, inf)`
    NonNegative,
    /// `[0, inf]`: infinity switches a bound off, as in `clip_grad_norm_(.., inf)`.
    NonNegativeOrInfinite,
    /// `(0, inf)`
    Positive,
    /// `[0, 1]`
    Fraction,
    /// `[0, 1)`: the decay of an exponential moving average, which would never forget at 1.
    Decay,
}

impl Range {
    /// Whether `value` is in the range. NaN is in none.
    fn contains(self, value: f64) -> bool {
        match self {
            Self::NonNegative => value >= 0.0 && value.is_finite(),
            Self::NonNegativeOrInfinite => value >= 0.0,
            Self::Positive => value > 0.0 && value.is_finite(),
            Self::Fraction => (0.0..=1.0).contains(&value),
            Self::Decay => (0.0..1.0).contains(&value),
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Self::NonNegative => "a finite number of at least 0",
            Self::NonNegativeOrInfinite => "a number of at least 0",
            Self::Positive => "a finite number above 0",
            Self::Fraction => "a number from 0 to 1",
            Self::Decay => "a number of at least 0 and below 1",
        }
    }
}

/// Returns `value` if it is in `range`. `name` is the type and the parameter: `SGD: learning rate`.
///
/// # Panics
/// If it is not, with the range.
#[track_caller]
pub(crate) fn checked<T: Copy + Display + Into<f64>>(
    name: impl Display,
    value: T,
    range: Range,
) -> T {
    if !range.contains(value.into()) {
        refuse(&name, &value, range.expected());
    }
    value
}

/// Returns `count` if it is at least 1.
///
/// # Panics
/// If it is 0.
#[track_caller]
pub(crate) fn at_least_one(name: &str, count: usize) -> usize {
    if count == 0 {
        refuse(&name, &count, "a whole number of at least 1");
    }
    count
}

/// Panics with the message of all refusals.
#[track_caller]
#[cold]
pub(crate) fn refuse(name: &dyn Display, value: &dyn Display, expected: &str) -> ! {
    panic!("{name} {value} is not allowed: expected {expected}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_their_ends_and_no_nan() {
        use Range::{Decay, Fraction, NonNegative, NonNegativeOrInfinite, Positive};
        for (range, inside, outside) in [
            (NonNegative, [0.0, 1e300], [-1e-9, f64::INFINITY]),
            (NonNegativeOrInfinite, [0.0, f64::INFINITY], [-1e-9, f64::NEG_INFINITY]),
            (Positive, [1e-300, 1e300], [0.0, f64::INFINITY]),
            (Fraction, [0.0, 1.0], [-1e-9, 1.000_001]),
            (Decay, [0.0, 0.999_999], [-1e-9, 1.0]),
        ] {
            assert!(inside.iter().all(|value| range.contains(*value)), "{range:?}");
            assert!(outside.iter().all(|value| !range.contains(*value)), "{range:?}");
            assert!(!range.contains(f64::NAN), "{range:?}");
        }
    }

    #[test]
    #[should_panic(
        expected = "SGD: learning rate -0.1 is not allowed: expected a finite number of at least 0"
    )]
    fn a_message_names_the_parameter_the_value_and_the_range() {
        checked("SGD: learning rate", -0.1_f32, Range::NonNegative);
    }
}
