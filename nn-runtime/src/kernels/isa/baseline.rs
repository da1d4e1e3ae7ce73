//! [`Baseline`]: the token of the instructions that every machine of the target has. It is chosen at compile time.

#[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
pub(crate) use super::neon::Baseline;
#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"),
    all(target_arch = "wasm32", target_feature = "simd128"),
)))]
pub(crate) use super::portable::Baseline;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use super::simd128::Baseline;
#[cfg(target_arch = "x86_64")]
pub(crate) use super::x86::Baseline;
