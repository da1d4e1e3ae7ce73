//! Weight tying: a layer that uses the weight of an earlier one (Press and Wolf, 2017).

/// How a weight matrix is stored in memory. PyTorch, and its files, have one row per output: `nn.Linear.weight` is
/// `[out_features, in_features]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightLayout {
    /// As in PyTorch: one row per output, or per token of an `Embedding`.
    RowPerOutput,
    /// Transposed: one row per input, as `Dense` stores its weight.
    RowPerInput,
}

/// The weight that a layer uses of another one.
#[derive(Clone, Copy, Debug)]
pub struct TiedWeight<'a> {
    /// Its elements.
    pub values: &'a [f32],
    /// How they are stored.
    pub layout: WeightLayout,
}

impl<'a> TiedWeight<'a> {
    /// For layers with weights of their own, which never read it.
    pub const NONE: Self = Self { values: &[], layout: WeightLayout::RowPerOutput };

    /// The weight of `owner`.
    pub(crate) fn of<O: WeightOwner>(owner: &'a O) -> Self {
        Self { values: owner.weight(), layout: O::LAYOUT }
    }
}

/// A layer whose weight other layers can use. The weight comes first among its elements.
pub trait WeightOwner {
    /// The number of elements of its weight.
    const WEIGHT_LEN: usize;
    /// How they are stored.
    const LAYOUT: WeightLayout;

    /// The weight.
    fn weight(&self) -> &[f32];
}
