//! Floats of two bytes: rounding to them, and reading them.

/// The largest finite value of half precision.
pub const MAX_HALF: f32 = 65504.0;

/// The bits of an infinite `f32`. Those of a NaN are larger, without the sign.
const INFINITY: u32 = f32::INFINITY.to_bits();

/// Rounds to half precision (IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits).
#[must_use]
pub fn to_half(float: f32) -> u16 {
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
#[must_use]
pub fn to_brain_float(float: f32) -> u16 {
    let magnitude = float.abs().to_bits();
    let brain_float = if magnitude > INFINITY { 0x7fc0 } else { rounded(magnitude, 16) };
    with_sign(brain_float, float)
}

/// Converts half precision (IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits) exactly.
#[must_use]
pub fn from_half(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let magnitude = u32::from(bits & 0x7fff);
    if magnitude >= 0x7c00 {
        // Infinity and NaN: the largest exponent, the same fraction.
        return f32::from_bits(sign | 0x7f80_0000 | (magnitude & 0x3ff) << 13);
    }
    // The bits, shifted to their positions in an `f32`, have an exponent that is too small by the difference of the
    // biases, 127 - 15. Multiplying by 2^112 corrects it, also for subnormal values.
    let scale = f32::from_bits((127 + 127 - 15) << 23);
    f32::from_bits(sign | magnitude << 13) * scale
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
    fn every_half_is_what_its_definition_says() {
        for bits in 0..=u16::MAX {
            let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff));
            let magnitude = match exponent {
                0 => fraction / 1024.0 * 2_f64.powi(-14),
                31 if fraction == 0.0 => f64::INFINITY,
                31 => f64::NAN,
                _ => (1.0 + fraction / 1024.0) * 2_f64.powi(exponent - 15),
            };
            let expected = if bits >> 15 == 1 { -magnitude } else { magnitude };
            let found = f64::from(from_half(bits));
            assert!(
                found == expected || found.is_nan() && expected.is_nan(),
                "{bits:#06x}: {found}"
            );
            assert_eq!(found.is_sign_negative(), bits >> 15 == 1, "{bits:#06x}");
        }
    }
}
