//! `#[derive(Weights)]`, in a crate that forbids unsafe code.
#![forbid(unsafe_code)]

use unrolled_macros::Weights;
use unrolled_runtime::{Axis, Parameters, Tensor, WeightSlice, Weights};

/// Represents a crate in which `unrolled` has another name.
mod renamed {
    pub(crate) mod __private {
        pub(crate) use unrolled_runtime::{Field, Parameters, Weights, len_of_weights};
    }
}

#[derive(Weights)]
#[repr(C)]
#[weights(crate = renamed)]
struct Mine<const N: usize> {
    scale: f32,
    weight: [[f32; N]; 2],
    r#type: [f32; 3],
}

#[derive(Weights)]
#[repr(C)]
#[weights(crate = crate::derive::renamed)]
struct Outer<const N: usize>([Mine<N>; 2], [f32; N])
where
    Mine<N>: Sized;

#[derive(Weights)]
#[weights(crate = renamed)]
struct Nothing;

fn tensor(name: &str, offset: usize, axes: &[(usize, usize)]) -> Tensor {
    let axes = axes.iter().map(|&(len, stride)| Axis::plain(len, stride));
    Tensor::new(name, offset, axes.collect())
}

#[test]
fn fields_are_tensors() {
    let expected = [
        tensor("scale", 0, &[]),
        tensor("weight", 1, &[(2, 5), (5, 1)]),
        tensor("type", 11, &[(3, 1)]),
    ];
    assert_eq!(Mine::<5>::named_tensors(), expected);
    assert_eq!(Mine::<5>::LEN, 14);
    assert_eq!(Mine::<5>::NAME, "Mine");
}

#[test]
fn nested_structs_have_paths() {
    let expected = [
        tensor("0.scale", 0, &[(2, 8)]),
        tensor("0.weight", 1, &[(2, 8), (2, 2), (2, 1)]),
        tensor("0.type", 5, &[(2, 8), (3, 1)]),
        tensor("1", 16, &[(2, 1)]),
    ];
    assert_eq!(Outer::<2>::named_tensors(), expected);
}

#[test]
fn a_struct_without_fields() {
    assert_eq!(Nothing::named_tensors(), []);
    assert_eq!(Nothing::LEN, 0);
}

#[test]
fn values_are_the_fields_in_order() {
    let mut mine = Mine::<2>::zeros();
    let floats = mine.as_floats_mut();
    floats.copy_from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    assert_eq!(
        (mine.scale, mine.weight, mine.r#type),
        (1.0, [[2.0, 3.0], [4.0, 5.0]], [6.0, 7.0, 8.0])
    );
}
