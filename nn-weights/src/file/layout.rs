//! The indices of a tensor's elements in memory, in the order of files.

use crate::tensor::{Axis, Tensor};

/// The tensor's shape in files.
pub fn shape(tensor: &Tensor) -> Vec<usize> {
    tensor.axes.iter().map(|axis| axis.len).collect()
}

/// Calls `f` with the index of each element of the tensor among those of the network, in the file's order.
pub fn for_each_index(tensor: &Tensor, mut f: impl FnMut(usize)) {
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
    axis.order.indices(axis.len).into_iter().map(|i| i * axis.stride).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature_order::FeatureOrder;
    use unrolled_shape::Shape;

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
    fn an_axis_has_the_order_of_its_features() {
        // 1x2x3 flattened; neighbouring features are two elements apart.
        let order = FeatureOrder::flattened(&Shape::new(&[1, 2, 3]));
        let tensor = Tensor::new("weight", 0, vec![Axis { len: 6, stride: 2, order }]);
        assert_eq!(indices(&tensor), [0, 6, 2, 8, 4, 10]);
    }
}
