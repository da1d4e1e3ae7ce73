//! [`OptimizerExt`]: one step for any network.

use super::optimizer::{Optimizer, TrainedRange, UntouchedRows};
use super::sparse_gradient::SparseGradient;
use crate::contract::Network;
use crate::memory::ranges_in;
use crate::order::NetworkInfo;
use crate::types::WeightSlice;
use std::cell::RefCell;
use std::ops::{Deref, DerefMut, Range};
use std::slice;

thread_local! {
    /// The trained ranges of a network, in memory that is kept from one step to the next.
    static TRAINED: RefCell<Vec<TrainedRange>> = const { RefCell::new(Vec::new()) };
}

/// Updates any [`Network`].
pub trait OptimizerExt: Optimizer {
    /// One step: updates the trained weights of `net` from the gradient `d_net`. Running statistics stay. Both are
    /// networks, boxes of them, or references to them.
    ///
    /// ```
    /// # use unrolled_runtime::{BatchError, Network, RngKey, TrainingExt, loss::CrossEntropy, optim::*};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<N>, xs: &[[f32; 4]], classes: &[u32],
    /// # ) -> Result<(), BatchError> {
    /// let mut optimizer = Adam::new(1e-3);
    /// let mut d_net = N::zeros();
    /// for step in 0..100 {
    ///     net.loss_and_gradients(&CrossEntropy::new(), xs, classes, &mut d_net, RngKey::new(step))?;
    ///     optimizer.update(&mut net, &d_net);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// If the optimiser was used for another network before, or chooses weights by names that the network does not
    /// have: see [`Groups::check`](super::Groups::check). If it is [`lazy`](super::AdamLike::lazy): it needs
    /// [`update_sparse`](Self::update_sparse).
    #[doc(alias("step"))]
    #[track_caller]
    fn update<P, K, D, L>(&mut self, net: &mut P, d_net: &D)
    where
        P: AsNetworkMut<K>,
        D: AsNetwork<L, Net = P::Net>,
    {
        assert!(
            self.untouched_rows() != UntouchedRows::LeftOut,
            "a lazy optimiser needs to know the rows that samples have: call `update_sparse` with the gradient of \
            `loss_and_sparse_gradients`, or use a `Trainer`"
        );
        let (net, d_net) = (net.network_mut().as_floats_mut(), d_net.network().as_floats());
        let info = NetworkInfo::of::<P::Net>();
        let (mut optimizer, all) = (self, 0..info.len);
        let part = UpdatedPart { share: all.clone(), touched: slice::from_ref(&all) };
        update_part(&mut optimizer, &info, net, d_net, &part);
    }

    /// As [`update`](Self::update), with a gradient that knows the rows of embeddings which samples have. Where the optimiser
    /// does not update others ([`untouched_rows`](Optimizer::untouched_rows)), the time does not depend on their number.
    ///
    /// # Panics
    /// As [`update`](Self::update).
    #[track_caller]
    fn update_sparse<P, K>(&mut self, net: &mut P, d_net: &SparseGradient<P::Net>)
    where
        P: AsNetworkMut<K>,
    {
        let info = NetworkInfo::of::<P::Net>();
        let (mut optimizer, all) = (self, 0..info.len);
        let touched = updated_ranges(&optimizer, d_net.touched(), &all);
        let part = UpdatedPart { share: all.clone(), touched };
        let (net, d_net) = (net.network_mut().as_floats_mut(), d_net.as_floats());
        update_part(&mut optimizer, &info, net, d_net, &part);
    }
}

/// The ranges that a step updates, of a gradient that has touched the ranges `touched` of `all` elements.
pub(crate) fn updated_ranges<'a>(
    optimizer: &dyn Optimizer,
    touched: &'a [Range<usize>],
    all: &'a Range<usize>,
) -> &'a [Range<usize>] {
    match optimizer.untouched_rows() {
        UntouchedRows::Updated => slice::from_ref(all),
        UntouchedRows::Unchanged | UntouchedRows::LeftOut => touched,
    }
}

/// The elements of a network that a step updates.
pub(crate) struct UpdatedPart<'a> {
    /// All that the optimiser ever sees of the network.
    pub(crate) share: Range<usize>,
    /// The ranges of elements whose gradient can be other than zero, in ascending order. Those of an optimiser that updates
    /// others are all.
    pub(crate) touched: &'a [Range<usize>],
}

/// As [`OptimizerExt::update`], of a part of the elements.
#[track_caller]
pub(crate) fn update_part(
    optimizer: &mut dyn Optimizer,
    info: &NetworkInfo,
    net: &mut [f32],
    d_net: &[f32],
    part: &UpdatedPart<'_>,
) {
    if let Err(error) = optimizer.prepare(info.tensors) {
        panic!("{error}");
    }
    let share = part.share.clone();
    with_trained_ranges(info, part, |trained| {
        optimizer.step(&mut net[share.clone()], &d_net[share], trained);
    });
}

/// Calls `f` with the ranges of the trained weights of a part, from its beginning.
pub(super) fn with_trained_ranges<T>(
    info: &NetworkInfo,
    part: &UpdatedPart<'_>,
    f: impl FnOnce(&[TrainedRange]) -> T,
) -> T {
    let UpdatedPart { share, touched } = part;
    let mut trained = TRAINED.take();
    trained.clear();
    info.for_each_trained_range(&mut |range| {
        let (begin, end) = (range.start.max(share.start), range.end.min(share.end));
        if begin < end {
            let inside = ranges_in(touched, begin..end);
            trained.extend(inside.map(|it| (it.start - share.start..it.end - share.start).into()));
        }
    });
    let result = f(&trained);
    TRAINED.set(trained);
    result
}

impl<O: Optimizer + ?Sized> OptimizerExt for O {}

/// A network, or a pointer to one. `Kind` distinguishes the implementations, which could overlap without it: a box
/// could be a network of its own. The compiler infers it, since no type is both.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a network",
    label = "expected a network, a box of one, or a reference to one"
)]
pub trait AsNetwork<Kind> {
    /// The network's type.
    type Net: Network;
    /// The network.
    fn network(&self) -> &Self::Net;
}

/// The same for networks that can be changed.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a network that can be changed",
    label = "expected a network, a box of one, or a mutable reference to one"
)]
pub trait AsNetworkMut<Kind>: AsNetwork<Kind> {
    /// The network.
    fn network_mut(&mut self) -> &mut Self::Net;
}

/// The kind of a network itself.
#[doc(hidden)]
#[derive(Debug)]
pub enum Itself {}
/// The kind of a pointer to a network.
#[doc(hidden)]
#[derive(Debug)]
pub enum Pointer {}

impl<N: Network> AsNetwork<Itself> for N {
    type Net = N;
    fn network(&self) -> &N {
        self
    }
}

impl<N: Network> AsNetworkMut<Itself> for N {
    fn network_mut(&mut self) -> &mut N {
        self
    }
}

impl<P: Deref<Target: Network + Sized>> AsNetwork<Pointer> for P {
    type Net = P::Target;
    fn network(&self) -> &P::Target {
        self
    }
}

impl<P: DerefMut<Target: Network + Sized>> AsNetworkMut<Pointer> for P {
    fn network_mut(&mut self) -> &mut P::Target {
        self
    }
}
