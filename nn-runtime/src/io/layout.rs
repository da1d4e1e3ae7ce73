//! The indices of a tensor's elements in memory, in the order of files.

use crate::types::Axis;
use crate::types::Tensor;
use unrolled_shape::Shape;

/// The tensor's shape in files.
pub(super) fn shape(tensor: &Tensor) -> Vec<usize> {
    tensor.axes.iter().map(|axis| axis.len).collect()
}

/// Calls `f` with the index of each element of the tensor among those of the network, in the file's order.
pub(super) fn for_each_index(tensor: &Tensor, mut f: impl FnMut(usize)) {
    let axes: Vec<Vec<usize>> = tensor.axes.iter().map(steps).collect();
    visit(&axes, tensor.offset, &mut f);
}

fn visit(axes: &[Vec<usize>], base: usize, f: &mut impl FnMut(usize)) {
    match axes {
        [] => f(base),
        [last] => last.iter().for_each(|step| f(base + step)),
        [first, rest @ ..] => first.iter().for_each(|step| visit(rest, base + step, f)),
    }
}

/// The distance in memory of each index of an axis from the first, in the file's order.
fn steps(axis: &Axis) -> Vec<usize> {
    if axis.features.is_empty() {
        return (0..axis.len).map(|i| i * axis.stride).collect();
    }
    let mut steps = Vec::with_capacity(axis.len);
    for part in axis.features {
        let begin = steps.len();
        steps.extend(channels_first(part).map(|i| (begin + i) * axis.stride));
    }
    assert_eq!(steps.len(), axis.len, "the parts of an axis cover the axis");
    steps
}

/// The indices of the elements of a channels-last value, in channels-first order.
fn channels_first(shape: &Shape) -> impl Iterator<Item = usize> {
    let channels = shape.dims().last().copied().unwrap_or(1);
    let pixels = shape.len() / channels.max(1);
    (0..channels).flat_map(move |c| (0..pixels).map(move |pixel| pixel * channels + c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indices(tensor: &Tensor) -> Vec<usize> {
        let mut all = Vec::new();
        for_each_index(tensor, |index| all.push(index));
        all
    }

    #[test]
    fn strides_transpose() {
        let tensor = Tensor::new("weight", 10, vec![Axis::plain(2, 1), Axis::plain(3, 2)]);
        assert_eq!(indices(&tensor), [10, 12, 14, 11, 13, 15]);
    }

    #[test]
    fn a_single_value_has_no_axes() {
        assert_eq!(indices(&Tensor::new("count", 5, vec![])), [5]);
    }

    #[test]
    fn flattened_parts_go_from_channels_last_to_channels_first() {
        // 1x2x3 flattened, then two plain features; neighbouring features are two elements apart.
        const PARTS: &[Shape] = &[Shape::new(&[1, 2, 3]), Shape::new(&[2])];
        let tensor = Tensor::new("weight", 0, vec![Axis { len: 8, stride: 2, features: PARTS }]);
        assert_eq!(indices(&tensor), [0, 6, 2, 8, 4, 10, 12, 14]);
    }
}
