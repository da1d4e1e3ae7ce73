//! [`line`]: values as text.

/// A line of a name and the bits of values.
pub(crate) fn line(name: &str, values: &[f32]) -> String {
    let bits: Vec<_> = values.iter().map(|value| format!("{:08x}", value.to_bits())).collect();
    format!("{name} {}\n", bits.join(" "))
}
