//! [`Dtype`]: the types of floats that weights are written as.

use core::fmt;
use unrolled_shape::half::{MAX_HALF, to_brain_float, to_half};

/// The type of the floats in a file of weights, with its name in safetensors headers. PyTorch's names are `torch.float32`,
/// `torch.float16` and `torch.bfloat16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dtype {
    /// Single precision, the type of weights in memory: exact.
    F32,
    /// Half precision, 10 bits of fraction: values up to 65504, steps of 2⁻²⁴ below 6.1e-5.
    F16,
    /// The upper half of single precision, 7 bits of fraction: the range of `F32`.
    BF16,
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A float in a file.
pub(super) enum Encoded {
    /// Of four bytes.
    Four([u8; 4]),
    /// Of two bytes.
    Two([u8; 2]),
}

impl Dtype {
    /// The size of a float in bytes.
    pub(super) const fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
        }
    }

    /// The float of this type that is nearest to `float`; of two, the one with an even fraction.
    pub(super) fn encode(self, float: f32) -> Encoded {
        match self {
            Self::F32 => Encoded::Four(float.to_le_bytes()),
            Self::F16 => Encoded::Two(to_half(float).to_le_bytes()),
            Self::BF16 => Encoded::Two(to_brain_float(float).to_le_bytes()),
        }
    }

    /// Whether `float` is finite and rounds to infinity.
    pub(super) fn overflows(self, float: f32) -> bool {
        let infinity = match self {
            Self::F32 => return false,
            Self::F16 => to_half(f32::INFINITY) == to_half(float.abs()),
            Self::BF16 => to_brain_float(f32::INFINITY) == to_brain_float(float.abs()),
        };
        infinity && float.is_finite()
    }

    /// The largest finite value.
    pub(super) const fn max(self) -> f32 {
        match self {
            Self::F32 => f32::MAX,
            Self::F16 => MAX_HALF,
            Self::BF16 => f32::from_bits(0x7f7f_0000),
        }
    }

    /// The next smaller type that has larger values.
    pub(super) const fn of_larger_range(self) -> Self {
        match self {
            Self::F16 => Self::BF16,
            Self::F32 | Self::BF16 => Self::F32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finite_values_that_round_to_infinity_overflow() {
        assert!(!Dtype::F16.overflows(-65519.99) && Dtype::F16.overflows(-65520.0));
        assert!(!Dtype::BF16.overflows(3.39e38) && Dtype::BF16.overflows(f32::MIN));
        assert!(!Dtype::F32.overflows(f32::MAX));
        for dtype in [Dtype::F32, Dtype::F16, Dtype::BF16] {
            assert!(!dtype.overflows(f32::INFINITY) && !dtype.overflows(f32::NAN));
            assert!(!dtype.overflows(dtype.max()));
        }
    }
}
