//! [`Tensor`]: the name and layout of weights in files.

use super::feature_order::FeatureOrder;
use core::ops::Range;

/// One tensor of a PyTorch state_dict, and the place of its elements among a network's weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Its name in files: `stage1.0.conv2d.weight`.
    pub name: String,
    /// The index of its first element.
    pub offset: usize,
    /// Its axes in the file's order, outermost first; none for a scalar.
    pub axes: Vec<Axis>,
    /// The type of its elements in files.
    pub element: Element,
    /// Whether it is the weight of another layer under a second name: files contain both.
    pub shared: bool,
}

/// The type of a tensor's elements in files; in memory all are `f32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// 32-bit floats.
    F32,
    /// 64-bit integers: counters, such as `num_batches_tracked`.
    I64,
}

/// One axis of a [`Tensor`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The number of entries.
    pub len: usize,
    /// Elements in memory from one entry to the next.
    pub stride: usize,
    /// The order of its entries in files.
    pub order: FeatureOrder,
}

impl Axis {
    /// An axis in the same order in memory and in files.
    #[must_use]
    pub const fn plain(len: usize, stride: usize) -> Self {
        Self { len, stride, order: FeatureOrder::PLAIN }
    }
}

impl Tensor {
    /// A tensor of floats.
    #[must_use]
    pub fn new(name: impl Into<String>, offset: usize, axes: Vec<Axis>) -> Self {
        Self { name: name.into(), offset, axes, element: Element::F32, shared: false }
    }

    /// The indices of its elements among those of the network.
    ///
    /// # Panics
    /// If they are not contiguous, which those of no layer are.
    #[must_use]
    pub(crate) fn range(&self) -> Range<usize> {
        let len = self.axes.iter().map(|axis| axis.len).product::<usize>();
        let last = self.axes.iter().map(|axis| (axis.len - 1) * axis.stride).sum::<usize>();
        assert_eq!(last + 1, len, "the elements of `{}` are contiguous", self.name);
        self.offset..self.offset + len
    }

    /// Whether `shared` is this weight under a second name.
    #[must_use]
    pub(crate) fn is_weight_of(&self, shared: &Self) -> bool {
        self.offset == shared.offset && self.axes == shared.axes
    }

    /// The same tensor as part of the layer or field `prefix`, whose weights begin at `offset`.
    #[must_use]
    pub fn inside(mut self, prefix: &str, offset: usize) -> Self {
        // A field that is a number or an array is one tensor without a name: it gets that of the field alone.
        if self.name.is_empty() {
            self.name = prefix.to_owned();
        } else if !prefix.is_empty() {
            self.name = format!("{prefix}.{}", self.name);
        }
        self.offset += offset;
        self
    }
}
