//! [`FloatMath`]: functions of floating-point numbers that `core` lacks, from the crate `libm`.

/// The methods of `f32` and `f64` that only `std` has, under the same names. Imported where the feature `std` is off.
pub(crate) trait FloatMath: Sized {
    fn sqrt(self) -> Self;
    fn ln(self) -> Self;
    fn powf(self, exponent: Self) -> Self;
    fn powi(self, exponent: i32) -> Self;
    fn sin_cos(self) -> (Self, Self);
    fn mul_add(self, factor: Self, addend: Self) -> Self;
}

macro_rules! float_math {
    ($Float:ident: $sqrt:ident, $ln:ident, $powf:ident, $sincos:ident, $fma:ident) => {
        impl FloatMath for $Float {
            fn sqrt(self) -> Self {
                libm::$sqrt(self)
            }
            fn ln(self) -> Self {
                libm::$ln(self)
            }
            fn powf(self, exponent: Self) -> Self {
                libm::$powf(self, exponent)
            }
            fn powi(self, exponent: i32) -> Self {
                // `libm` has no function for integer exponents.
                libm::$powf(self, exponent as Self)
            }
            fn sin_cos(self) -> (Self, Self) {
                libm::$sincos(self)
            }
            fn mul_add(self, factor: Self, addend: Self) -> Self {
                libm::$fma(self, factor, addend)
            }
        }
    };
}

float_math!(f32: sqrtf, logf, powf, sincosf, fmaf);
float_math!(f64: sqrt, log, pow, sincos, fma);
