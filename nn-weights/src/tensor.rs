//! [`Tensor`]: the name and layout of weights in files.

use crate::feature_order::{FeatureOrder, LayerOrder};
use core::ops::Range;
use unrolled_shape::{Element, Entries, LayerAxis, LayerTensor, TensorSink};

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
    pub fn range(&self) -> Range<usize> {
        let len = self.axes.iter().map(|axis| axis.len).product::<usize>();
        let last = self.axes.iter().map(|axis| (axis.len - 1) * axis.stride).sum::<usize>();
        assert_eq!(last + 1, len, "the elements of `{}` are contiguous", self.name);
        self.offset..self.offset + len
    }

    /// The first of its floats among the network's for which `is_found` is true. A counter has none.
    #[must_use]
    pub fn find_float(&self, floats: &[f32], is_found: impl Fn(f32) -> bool) -> Option<f32> {
        let floats = if self.element == Element::F32 { &floats[self.range()] } else { &[] };
        floats.iter().copied().find(|float| is_found(*float))
    }

    /// Whether `shared` is this weight under a second name.
    #[must_use]
    pub fn is_weight_of(&self, shared: &Self) -> bool {
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

/// The tensors that `rule` names, of a layer whose features have these orders. Not generic, since each layer of a network
/// calls it and a program would contain a copy for each.
#[must_use]
pub fn layer_tensors(order: &LayerOrder, rule: &dyn Fn(&mut TensorSink<'_>)) -> Vec<Tensor> {
    let mut tensors = Vec::new();
    let mut receive = |tensor: LayerTensor<'_>| {
        let axis = |axis: &LayerAxis| Axis {
            len: axis.len,
            stride: axis.stride,
            order: match axis.entries {
                Entries::Plain => FeatureOrder::PLAIN,
                Entries::Input | Entries::Channels => order.input.clone(),
                Entries::Output => order.output.clone(),
            },
        };
        let mut axes: Vec<Axis> = tensor.axes.iter().map(axis).collect();
        let channels = tensor.axes.iter().position(|axis| axis.entries == Entries::Channels);
        if let (Some(channels), Some(before)) = (channels, order.axes_before_channels) {
            axes[before..=channels].rotate_right(1);
        }
        let LayerTensor { name, offset, element, .. } = tensor;
        tensors.push(Tensor { element, ..Tensor::new(name.to_string(), offset, axes) });
    };
    rule(&mut TensorSink::new(&mut receive));
    tensors
}
