//! The weights of a layer.

/// The weights: matrices have a row for each input and a column for each output.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a> {
    /// `[width, 3 * width]`: of queries, keys and values.
    pub(crate) in_proj: &'a [f32],
    /// `[3 * width]`, or nothing.
    pub(crate) in_bias: &'a [f32],
    /// `[width, width]`
    pub(crate) out_proj: &'a [f32],
    /// `[width]`, or nothing.
    pub(crate) out_bias: &'a [f32],
}
