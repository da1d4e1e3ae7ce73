//! [`LayerTensor`]: the weights of a layer as tensors of files.

use core::fmt::Display;

/// One tensor of a layer's weights: its name in PyTorch, and where its elements are in memory.
#[derive(Clone, Copy)]
pub struct LayerTensor<'a> {
    /// Its name within the layer: `weight`.
    pub name: &'a dyn Display,
    /// The index of its first element among the layer's weights.
    pub offset: usize,
    /// Its axes in the file's order, outermost first; none for a scalar.
    pub axes: &'a [LayerAxis],
    /// The type of its elements in files.
    pub element: Element,
}

/// One axis of a [`LayerTensor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerAxis {
    /// The number of entries.
    pub len: usize,
    /// Elements in memory from one entry to the next.
    pub stride: usize,
    /// The features that its entries belong to.
    pub entries: Entries,
}

/// What the entries of an axis belong to. PyTorch flattens images channels first, so that the entries of features
/// may have another order there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entries {
    /// No features whose order differs.
    Plain,
    /// The features of the layer's first input.
    Input,
    /// The features of its output.
    Output,
    /// The channels of the layer's first input, of whose other axes the tensor's others are. Where PyTorch has the
    /// channels of this input first, this axis is the first one in files.
    Channels,
}

/// The type of a tensor's elements in files; in memory all are `f32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// 32-bit floats.
    F32,
    /// 64-bit integers: counters, such as `num_batches_tracked`.
    I64,
}

impl LayerAxis {
    /// An axis in the same order in memory and in files.
    #[must_use]
    pub const fn plain(len: usize, stride: usize) -> Self {
        Self { len, stride, entries: Entries::Plain }
    }

    /// An axis with an entry for each feature of the input.
    #[must_use]
    pub const fn inputs(len: usize, stride: usize) -> Self {
        Self { len, stride, entries: Entries::Input }
    }

    /// An axis with an entry for each channel of the input, in a tensor of the input's shape.
    #[must_use]
    pub const fn channels(len: usize, stride: usize) -> Self {
        Self { len, stride, entries: Entries::Channels }
    }

    /// An axis with an entry for each feature of the output.
    #[must_use]
    pub const fn outputs(len: usize, stride: usize) -> Self {
        Self { len, stride, entries: Entries::Output }
    }
}

/// Receives the tensors of a layer. This crate has no allocator, so that a rule cannot return a list.
pub struct TensorSink<'a>(&'a mut dyn FnMut(LayerTensor<'_>));

impl<'a> TensorSink<'a> {
    /// A sink that calls `receive` with each tensor.
    pub fn new(receive: &'a mut dyn FnMut(LayerTensor<'_>)) -> Self {
        Self(receive)
    }

    /// A tensor of floats.
    pub fn floats(&mut self, name: impl Display, offset: usize, axes: &[LayerAxis]) {
        (self.0)(LayerTensor { name: &name, offset, axes, element: Element::F32 });
    }

    /// A counter: a scalar of integers.
    pub fn counter(&mut self, name: impl Display, offset: usize) {
        (self.0)(LayerTensor { name: &name, offset, axes: &[], element: Element::I64 });
    }
}

impl core::fmt::Debug for LayerTensor<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} {:?} at {}", self.name, self.axes, self.offset)
    }
}

impl core::fmt::Debug for TensorSink<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TensorSink")
    }
}
