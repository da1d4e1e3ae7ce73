//! [`InSteps`] and [`InputsInSteps`]: arrays whose first axis counts the steps of a sequence.

use super::sizes::{Array, Size};
use super::values::{Inputs, Values};

/// A sequence as an array: `[Step; T]`, of which each step is an array or a number.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no steps",
    note = "the first axis counts the steps: `[[f32; 8]; 20]` are 20 steps of 8 values"
)]
pub trait InSteps: Values {
    /// One step.
    type Step: Values;
    /// The number of steps, as a type.
    type Count;
}

impl<T: Values, const N: usize> InSteps for [T; N] {
    type Step = T;
    type Count = [(); N];
}

impl<T: Values, N: Size> InSteps for Array<T, N>
where
    Array<T, N>: Values,
{
    type Step = T;
    type Count = N;
}

/// The inputs of a layer, each of them a sequence with as many steps as `Count` says.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has not the steps of the output",
    note = "each input has one step for each step of the output: the first axes are the same"
)]
pub trait InputsInSteps<Count>: Inputs {
    /// One step of each.
    type Step: Inputs;
}

impl<T: Values, const N: usize> InputsInSteps<[(); N]> for [T; N] {
    type Step = T;
}

impl<T: Values, N: Size> InputsInSteps<N> for Array<T, N>
where
    Array<T, N>: Values,
{
    type Step = T;
}

macro_rules! tuple_in_steps {
    ($($T:ident)*) => {
        impl<Count, $($T: InSteps<Count = Count>),*> InputsInSteps<Count> for ($($T,)*) {
            type Step = ($($T::Step,)*);
        }
    };
}

tuple_in_steps!(A B);
tuple_in_steps!(A B C);
tuple_in_steps!(A B C D);
tuple_in_steps!(A B C D E);
tuple_in_steps!(A B C D E F);
tuple_in_steps!(A B C D E F G);
tuple_in_steps!(A B C D E F G H);
