//! [`Labels`]: targets that are classes.

use crate::types::Values;

/// What a prediction should have been.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Truth<'a> {
    /// One of several classes, by its index.
    Class(u32),
    /// Yes (1) or no (0) for each of several labels.
    Each(&'a [f32]),
}

/// Targets for outputs that are scores of classes:
///
/// - outputs `[f32; C]` with a class index, `u32`, as for [`CrossEntropy`](crate::loss::CrossEntropy);
/// - outputs `[f32; C]` with an answer for each label, `[f32; C]` of 0 and 1, as for
///   [`BinaryCrossEntropyWithLogits`](crate::loss::BinaryCrossEntropyWithLogits): a positive score is a prediction of
///   yes;
/// - sequences and images of them.
#[diagnostic::on_unimplemented(
    message = "targets of type `{Self}` are no classes for outputs of type `{Output}`",
    note = "outputs `[f32; C]` have targets `u32` (one class) or `[f32; C]` (labels), sequences arrays of them"
)]
pub trait Labels<Output: Values> {
    /// The number of classes.
    const CLASSES: usize;

    /// Calls `f` with the scores and the truth of each prediction in `y`.
    fn for_each(&self, y: &[f32], f: &mut dyn FnMut(&[f32], Truth<'_>));
}

impl<const C: usize> Labels<[f32; C]> for u32 {
    const CLASSES: usize = C;

    fn for_each(&self, y: &[f32], f: &mut dyn FnMut(&[f32], Truth<'_>)) {
        f(y, Truth::Class(*self));
    }
}

impl<const C: usize> Labels<[f32; C]> for [f32; C] {
    const CLASSES: usize = C;

    fn for_each(&self, y: &[f32], f: &mut dyn FnMut(&[f32], Truth<'_>)) {
        f(y, Truth::Each(self));
    }
}

impl<Output: Values, T: Labels<Output>, const N: usize> Labels<[Output; N]> for [T; N] {
    const CLASSES: usize = T::CLASSES;

    fn for_each(&self, y: &[f32], f: &mut dyn FnMut(&[f32], Truth<'_>)) {
        for (y, target) in y.chunks_exact(Output::LEN).zip(self) {
            target.for_each(y, f);
        }
    }
}
