//! [`Dtype`]: the types of floats that weights are written as.

use core::fmt;

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
            Self::F16 => 65504.0,
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

/// The bits of an infinite `f32`. Those of a NaN are larger, without the sign.
const INFINITY: u32 = f32::INFINITY.to_bits();

/// Rounds to half precision (IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits).
fn to_half(float: f32) -> u16 {
    /// The bits of 2¹⁶, above all halves.
    const ABOVE: u32 = 65536.0_f32.to_bits();
    /// The bits of 2⁻¹⁴, the smallest normal half.
    const NORMAL: u32 = (1.0_f32 / 16384.0).to_bits();
    let magnitude = float.abs().to_bits();
    let half = if magnitude > INFINITY {
        0x7e00
    } else if magnitude >= ABOVE {
        0x7c00
    } else if magnitude >= NORMAL {
        // The exponent is too large by the difference of the biases, 127 - 15.
        rounded(magnitude, 13) - ((127 - 15) << 10)
    } else {
        // Subnormal halves are multiples of 2⁻²⁴, as are the values of an `f32` from 0.5 to 1: the addition rounds.
        (f32::from_bits(magnitude) + 0.5).to_bits() - 0.5_f32.to_bits()
    };
    with_sign(half, float)
}

/// Rounds to 1 sign, 8 exponent and 7 fraction bits.
fn to_brain_float(float: f32) -> u16 {
    let magnitude = float.abs().to_bits();
    let brain_float = if magnitude > INFINITY { 0x7fc0 } else { rounded(magnitude, 16) };
    with_sign(brain_float, float)
}

/// `bits` without the last `count`, rounded to the nearest, of two to the even one. A carry increments the exponent.
const fn rounded(bits: u32, count: u32) -> u32 {
    let last = bits >> count & 1;
    (bits + (1 << (count - 1)) - 1 + last) >> count
}

/// 15 bits of a magnitude with the sign of `float`.
const fn with_sign(magnitude: u32, float: f32) -> u16 {
    (magnitude | float.to_bits() >> 31 << 15) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of 15 bits, by the definition of floats with `fraction` bits of fraction.
    fn value(bits: u32, fraction: i32) -> f64 {
        let bias = (1 << (14 - fraction)) - 1;
        let exponent = (bits >> fraction) as i32;
        let ulp = 2_f64.powi(exponent.max(1) - bias - fraction);
        let hidden = if exponent == 0 { 0 } else { 1 << fraction };
        f64::from((bits & ((1 << fraction) - 1)) + hidden) * ulp
    }

    /// Every value is kept; between two neighbours, values round to the nearer one, and their mean to the even one.
    fn check(to: fn(f32) -> u16, fraction: i32, infinity: u32) {
        for low in 0..infinity {
            // Above the largest value, rounding is as if exponents went on.
            let [value, next] = [low, low + 1].map(|bits| value(bits, fraction));
            let float = value as f32;
            assert_eq!(f64::from(float), value);
            assert_eq!(u32::from(to(float)), low, "{float}");
            assert_eq!(u32::from(to(-float)), low | 0x8000, "{float}");
            let mean = ((value + next) / 2.0) as f32;
            assert_eq!(f64::from(mean) * 2.0, value + next);
            let even = low + (low & 1);
            assert_eq!(u32::from(to(mean)), even, "{mean}");
            assert_eq!(u32::from(to(mean.next_down())), low, "below {mean}");
            assert_eq!(u32::from(to(mean.next_up())), low + 1, "above {mean}");
        }
        assert_eq!(u32::from(to(f32::INFINITY)), infinity);
        assert_eq!(u32::from(to(f32::NEG_INFINITY)), infinity | 0x8000);
        assert!(u32::from(to(f32::NAN)) > infinity);
        assert!(u32::from(to(f32::from_bits(0x7f80_0001))) > infinity, "a NaN of the last bit");
    }

    #[test]
    fn floats_round_to_the_nearest_and_to_the_even_one() {
        check(to_half, 10, 0x7c00);
        check(to_brain_float, 7, 0x7f80);
    }

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
