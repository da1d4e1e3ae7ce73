//! [`OfOutput`]: a metric of one of several outputs.

use super::metric::Metric;
use crate::types::{Outputs, Values};

/// A metric of the output `NTH`, counted from 0, of a network with several outputs, whose targets are a tuple. Of an output
/// that is a ragged sequence all steps count.
///
/// ```
/// # use unrolled_runtime::{Network, Outputs, data::Data, loss::*, optim::*, train::*};
/// # fn example<N: Network<Input = [f32; 4], Output = Y>, Y>(
/// #     mut net: Box<N>, train: Data<[f32; 4], (u32, [f32; 2])>,
/// # ) -> Result<(), TrainError>
/// # where Y: Outputs<Each = ([f32; 10], [f32; 2])> {
/// // A network with `-> (digit: 10, place: 2)`:
/// let history = Trainer::new(Adam::new(1e-3))
///     .metric(OfOutput::<_, 0>::new("digit: top 3", Accuracy::top(3)))
///     .metric(OfOutput::<_, 1>::new("place: R2", R2::new()))
///     .fit(&mut net, &train, &(CrossEntropy::new(), MeanSquaredError))?;
/// println!("{:?}", history.epochs[9].metrics.get("place: R2"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfOutput<M, const NTH: usize> {
    name: &'static str,
    metric: M,
}

impl<M, const NTH: usize> OfOutput<M, NTH> {
    /// `metric` of the output `NTH`, called `name` in tables.
    #[must_use]
    pub const fn new(name: &'static str, metric: M) -> Self {
        Self { name, metric }
    }
}

/// Tuples with an element `NTH`: of the types of outputs, and of targets. It cannot be implemented for other types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no element {NTH}",
    note = "`OfOutput::<_, NTH>` is for networks with several outputs, of which the first one is 0"
)]
pub trait NthOutput<const NTH: usize>: sealed::Sealed {
    /// The type of the element.
    type Of;

    /// The element.
    fn nth(&self) -> &Self::Of;
}

/// The lengths of outputs.
pub trait OutputLens: sealed::Sealed {
    /// The number of elements of each output.
    const LENS: &'static [usize];
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! nth_outputs {
    ($all:tt: $($T:ident $nth:tt),*) => {
        impl<$($T),*> sealed::Sealed for ($($T,)*) {}

        impl<$($T: Values),*> OutputLens for ($($T,)*) {
            const LENS: &'static [usize] = &[$($T::LEN),*];
        }

        $(nth_outputs!(@nth $all $T $nth);)*
    };
    (@nth ($($T:ident)*) $Of:ident $nth:tt) => {
        impl<$($T),*> NthOutput<$nth> for ($($T,)*) {
            type Of = $Of;

            fn nth(&self) -> &$Of {
                &self.$nth
            }
        }
    };
}

nth_outputs!((A B): A 0, B 1);
nth_outputs!((A B C): A 0, B 1, C 2);
nth_outputs!((A B C D): A 0, B 1, C 2, D 3);
nth_outputs!((A B C D E): A 0, B 1, C 2, D 3, E 4);
nth_outputs!((A B C D E F): A 0, B 1, C 2, D 3, E 4, F 5);
nth_outputs!((A B C D E F G): A 0, B 1, C 2, D 3, E 4, F 5, G 6);
nth_outputs!((A B C D E F G H): A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

impl<Output, Target, M, const NTH: usize> Metric<Output, Target> for OfOutput<M, NTH>
where
    Output: Outputs<Each: NthOutput<NTH, Of: Values> + OutputLens>,
    Target: NthOutput<NTH>,
    M: Metric<<Output::Each as NthOutput<NTH>>::Of, Target::Of>,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn add(&mut self, y: &[f32], target: &Target) {
        let lens = Output::Each::LENS;
        let begin = lens[..NTH].iter().sum::<usize>();
        self.metric.add(&y[begin..][..lens[NTH]], target.nth());
    }

    fn value(&self) -> f64 {
        self.metric.value()
    }

    fn reset(&mut self) {
        self.metric.reset();
    }
}
