//! [`Parameters`]: weights with their names in files.

use super::weights::{Weights, len_of_fields};
#[cfg(feature = "std")]
use unrolled_weights::{Axis, Tensor};

/// The fields of a hand-written layer: `f32`, arrays of it, and structs of such fields. `#[derive(Weights)]` implements
/// this trait together with [`Weights`].
///
/// Each field is one tensor in files, with the field's name and the array's axes; fields of a nested struct are named
/// `outer.inner`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hold weights",
    label = "expected `f32`, an array of it, or a struct with `#[derive(Weights)]`",
    note = "weights are `f32` and nothing else, so that an optimiser sees them as one slice"
)]
pub trait Parameters: Weights {
    /// Its name in errors: that of the struct.
    const NAME: &'static str = "weights";

    /// The number of its trained elements. They come first; those after them are buffers, the fields from the first one with
    /// `#[weights(buffer)]` on.
    const TRAINED: usize =
        if Self::BUFFERS == usize::MAX { Self::LEN } else { Self::BUFFERS / size_of::<f32>() };

    /// The offset of its first buffer in bytes, or `usize::MAX` if it has none. Apart from `TRAINED`, since `LEN` is checked with
    /// it.
    #[doc(hidden)]
    const BUFFERS: usize = usize::MAX;

    /// The fields of a struct with the derive.
    #[doc(hidden)]
    const FIELDS: &'static [Field] = &[];

    /// Names and layouts of its tensors. A number or an array alone has an empty name.
    #[cfg(feature = "std")]
    #[must_use]
    fn named_tensors() -> Vec<Tensor> {
        Self::FIELDS.iter().flat_map(Field::tensors).collect()
    }
}

/// A field of a struct with `#[derive(Weights)]`, which holds `f32`s alone by the bound of [`Field::of`].
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "std"), expect(dead_code, reason = "without files, names are not read"))]
pub struct Field {
    name: &'static str,
    /// Its offset in the struct.
    bytes: usize,
    /// The number of its elements.
    len: usize,
    /// Whether some of them are buffers.
    has_buffers: bool,
    #[cfg(feature = "std")]
    tensors: fn() -> Vec<Tensor>,
}

impl Field {
    /// The field `name` of type `F`, whose offset in its struct is `bytes`.
    #[must_use]
    pub const fn of<F: Parameters>(name: &'static str, bytes: usize) -> Self {
        Self {
            name,
            bytes,
            len: F::LEN,
            has_buffers: F::BUFFERS < usize::MAX,
            #[cfg(feature = "std")]
            tensors: F::named_tensors,
        }
    }

    /// Its tensors, as seen from its struct.
    #[cfg(feature = "std")]
    fn tensors(&self) -> impl Iterator<Item = Tensor> {
        let Self { name, bytes, .. } = *self;
        let inside = move |tensor: Tensor| tensor.inside(name, bytes / size_of::<f32>());
        (self.tensors)().into_iter().map(inside)
    }
}

/// The `LEN` of a struct with `#[derive(Weights)]`.
///
/// # Panics
/// When its fields do not fill it: another macro has changed it. When a field that is trained contains buffers.
#[must_use]
#[track_caller]
pub const fn len_of_weights<P: Parameters>() -> usize {
    let mut fields = 0;
    let mut nth = 0;
    while nth < P::FIELDS.len() {
        let field = &P::FIELDS[nth];
        assert!(
            !field.has_buffers || field.bytes >= P::BUFFERS,
            "a trained field contains buffers: write `#[weights(buffer)]` above it, or move its buffers into this struct"
        );
        fields += field.len;
        nth += 1;
    }
    len_of_fields::<P>(fields)
}

#[diagnostic::do_not_recommend]
impl Parameters for f32 {
    #[cfg(feature = "std")]
    fn named_tensors() -> Vec<Tensor> {
        vec![Tensor::new("", 0, Vec::new())]
    }
}

#[diagnostic::do_not_recommend]
impl<T: Parameters, const N: usize> Parameters for [T; N] {
    // Buffers between trained elements: no more than that there are some is known of the array.
    const BUFFERS: usize = if T::BUFFERS < usize::MAX { 0 } else { usize::MAX };

    #[cfg(feature = "std")]
    fn named_tensors() -> Vec<Tensor> {
        array_tensors::<T>(N)
    }
}

/// The tensors of `len` consecutive values of `T`.
#[cfg(feature = "std")]
pub(crate) fn array_tensors<T: Parameters>(len: usize) -> Vec<Tensor> {
    let mut tensors = T::named_tensors();
    for tensor in &mut tensors {
        // An array adds an outer axis to the tensors of its elements, so that arrays of structs become one tensor per
        // field.
        tensor.axes.insert(0, Axis::plain(len, T::LEN));
    }
    tensors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_tensors_with_an_axis_for_each_bracket() {
        let tensors = <[[f32; 3]; 2]>::named_tensors();
        let axes = vec![Axis::plain(2, 3), Axis::plain(3, 1)];
        assert_eq!(tensors, [Tensor::new("", 0, axes)]);
        assert_eq!(tensors[0].clone().inside("weight", 7).name, "weight");
        assert_eq!(tensors[0].clone().inside("weight", 7).inside("mix", 5).name, "mix.weight");
        assert_eq!(tensors[0].clone().inside("weight", 7).inside("mix", 5).offset, 12);
    }
}
