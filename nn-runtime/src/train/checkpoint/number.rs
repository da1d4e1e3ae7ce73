//! [`Number`]: floats in JSON.

use serde::{Deserialize, Serialize};

/// A float in JSON, which has no infinity and no NaN: these are strings. Finite ones are read with the bits that were
/// written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Number {
    Finite(f64),
    Other(NotFinite),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum NotFinite {
    #[serde(rename = "inf")]
    Infinity,
    #[serde(rename = "-inf")]
    NegativeInfinity,
    #[serde(rename = "nan")]
    Nan,
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        if value.is_finite() {
            Self::Finite(value)
        } else if value.is_nan() {
            Self::Other(NotFinite::Nan)
        } else if value > 0.0 {
            Self::Other(NotFinite::Infinity)
        } else {
            Self::Other(NotFinite::NegativeInfinity)
        }
    }
}

impl From<Number> for f64 {
    fn from(number: Number) -> Self {
        match number {
            Number::Finite(value) => value,
            Number::Other(NotFinite::Infinity) => Self::INFINITY,
            Number::Other(NotFinite::NegativeInfinity) => Self::NEG_INFINITY,
            Number::Other(NotFinite::Nan) => Self::NAN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_keep_their_bits() {
        let values = [0.1, -0.0, 5e-324, f64::MAX, 1.0 / 3.0, f64::INFINITY, f64::NEG_INFINITY];
        for value in values {
            let text = serde_json::to_string(&Number::from(value)).expect("JSON");
            let read: Number = serde_json::from_str(&text).expect("a number");
            assert_eq!(f64::from(read).to_bits(), value.to_bits(), "{text}");
        }
        let text = serde_json::to_string(&Number::from(f64::NAN)).expect("JSON");
        let read: Number = serde_json::from_str(&text).expect("a number");
        assert!(f64::from(read).is_nan(), "{text}");
    }
}
