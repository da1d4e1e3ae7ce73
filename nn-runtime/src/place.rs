//! Stations at their places: what expanded code calls, one line for each station and direction.

use crate::kernels::Instructions;
use crate::memory::{Memory, Part, Shards, WorkMemory};
use crate::station::{InPlaceStation, Pass, PooledStation, Spec, Station, Streaming};
use crate::{Owner, Streams, Tensor, Tied};
use nn_shape::rules::max_pool2d::MaxPool2d;
use std::marker::PhantomData;

/// Layer `T` as the station `S` of a network, with its share of the network's memory and weights.
pub struct Place<S, T> {
    part: Part,
    station: PhantomData<fn() -> (S, T)>,
}

impl<S: Spec, T: Station<S>> Place<S, T> {
    /// The station with this share.
    #[must_use]
    pub const fn at(part: Part) -> Self {
        Self { part, station: PhantomData }
    }

    /// Where its numbers begin among the network's.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.part.weights.offset
    }

    /// See [`Station::PHASES`].
    #[must_use]
    pub const fn phases(&self) -> usize {
        T::PHASES
    }

    /// See [`Station::initialise`].
    pub fn initialise(&self, layer: &mut T, streams: Streams) {
        layer.initialise(streams.of::<S>());
    }

    /// See [`Station::tensors`]; as those of the network.
    pub fn tensors(&self) -> impl Iterator<Item = Tensor> {
        let offset = self.offset();
        T::tensors().into_iter().map(move |tensor| tensor.inside(S::NAME, offset))
    }

    /// The tensors of the weight that it has from `owner`, under its own name: files have them twice.
    pub fn tied_tensors<O: Spec, W: Station<O> + Owner>(
        &self,
        owner: &Place<O, W>,
    ) -> impl Iterator<Item = Tensor> {
        let offset = owner.offset();
        let weight = W::tensors().into_iter().filter(|tensor| tensor.offset < W::WEIGHT_LEN);
        weight.map(move |tensor| Tensor { shared: true, ..tensor.inside(S::NAME, offset) })
    }

    /// See [`Station::check`].
    ///
    /// # Errors
    /// What was expected and what was found.
    pub fn check(&self, x: &[&[f32]]) -> Result<(), String> {
        T::check(x)
    }

    /// See [`Station::prepare`].
    pub fn prepare(&self, layer: &T, shared: &mut [f32]) {
        layer.prepare(&mut shared[self.part.shared.range(1)]);
    }

    /// See [`Station::infer`] and [`Station::infer_inlined`].
    #[inline(always)]
    pub fn infer<I: Instructions>(
        &self,
        isa: I,
        layer: &T,
        n: usize,
        x: &[&[f32]],
        y: &mut [f32],
        memory: &mut WorkMemory<'_>,
    ) {
        let memory = memory.part(n * T::WORK, &self.part);
        if I::INLINE {
            layer.infer_inlined(isa, n, x, y, memory);
        } else {
            layer.infer(n, x, y, memory);
        }
    }

    /// See [`PooledStation::infer_pooled`]; with the spec of the pool.
    pub fn infer_pooled<P: Spec<Arguments = MaxPool2d>>(
        &self,
        layer: &T,
        n: usize,
        x: &[&[f32]],
        y: &mut [f32],
        memory: &mut WorkMemory<'_>,
    ) where
        T: PooledStation<S>,
    {
        layer.infer_pooled::<P>(n, x, y, memory.part(n * T::WORK, &self.part));
    }

    /// See [`Streaming::step`].
    #[inline(always)]
    pub fn step<I: Instructions>(
        &self,
        isa: I,
        layer: &T,
        x: &[&[f32]],
        y: &mut [f32],
        memory: &mut WorkMemory<'_>,
    ) where
        T: Streaming<S>,
    {
        layer.step(isa, x, y, memory.part(T::STEP_WORK, &self.part));
    }

    /// See [`Station::forward`].
    pub fn forward(
        &self,
        layer: &T,
        pass: &Pass,
        phase: usize,
        x: &[&[f32]],
        y: &mut [f32],
        memory: &mut Memory<'_>,
    ) {
        layer.forward(&pass.of::<S>(), phase, x, y, memory.part(pass.n, &self.part));
    }

    /// See [`Station::combine_forward`].
    pub fn combine_forward(
        &self,
        layer: &mut T,
        phase: usize,
        shards: Shards<'_>,
        shared: &mut [f32],
    ) {
        let shared = &mut shared[self.part.shared.range(1)];
        layer.combine_forward(phase, shards.part(&self.part), shared);
    }

    /// See [`Station::backward`].
    #[expect(clippy::too_many_arguments, reason = "those of `Station::backward`")]
    pub fn backward(
        &self,
        layer: &T,
        pass: &Pass,
        phase: usize,
        x: &[&[f32]],
        y: &[f32],
        d_y: &mut [f32],
        d_x: &mut [Option<&mut [f32]>],
        memory: &mut Memory<'_>,
    ) {
        let memory = memory.part(pass.n, &self.part);
        layer.backward(&pass.of::<S>(), phase, x, y, d_y, d_x, memory);
    }

    /// See [`Station::combine_backward`].
    pub fn combine_backward(
        &self,
        layer: &T,
        phase: usize,
        shards: Shards<'_>,
        shared: &mut [f32],
    ) {
        let shared = &mut shared[self.part.shared.range(1)];
        layer.combine_backward(phase, shards.part(&self.part), shared);
    }

    /// Whether task `task` of the network is one of this station or of those before it.
    #[must_use]
    pub const fn reaches_task(&self, task: usize) -> bool {
        task < self.part.tasks.end()
    }

    /// See [`Station::gradient_end`]; `task` and the end are counted as the network counts them.
    #[must_use]
    pub fn gradient_end(&self, task: usize) -> usize {
        self.offset() + T::gradient_end(task - self.part.tasks.offset)
    }

    /// Where piece `task` of the gradient begins among its own numbers; `task` is counted as the network
    /// counts.
    fn gradient_begin(&self, task: usize) -> usize {
        match task - self.part.tasks.offset {
            0 => 0,
            task => T::gradient_end(task - 1),
        }
    }

    /// See [`Station::gradient`]; `task` is counted as the network counts.
    pub fn gradient(&self, task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
        T::gradient(task - self.part.tasks.offset, shards.part(&self.part), d_weights);
    }
}

impl<S: Spec, T: Tied<S>> Place<S, T> {
    /// Adds to piece `task` of the gradient of `owner`, whose weight it has: see [`Tied::add_gradient`].
    pub fn add_gradient<O: Spec, W: Station<O> + Owner>(
        &self,
        owner: &Place<O, W>,
        task: usize,
        shards: Shards<'_>,
        d_weights: &mut [f32],
    ) {
        let begin = owner.gradient_begin(task);
        // Behind the weight the owner may have others, such as its bias.
        let len = W::WEIGHT_LEN.saturating_sub(begin).min(d_weights.len());
        if len > 0 {
            T::add_gradient(W::LAYOUT, begin, shards.part(&self.part), &mut d_weights[..len]);
        }
    }
}

/// Layer `T`, which works in place, as the station `S` of a network.
pub struct InPlace<S, T> {
    station: PhantomData<fn() -> (S, T)>,
}

impl<S: Spec, T: InPlaceStation<S>> InPlace<S, T> {
    /// Somewhere in the network.
    pub const ANYWHERE: Self = Self { station: PhantomData };

    /// See [`InPlaceStation::infer`] and [`InPlaceStation::infer_inlined`].
    #[inline(always)]
    pub fn infer<I: Instructions>(&self, isa: I, layer: &T, n: usize, y: &mut [f32]) {
        if I::INLINE {
            layer.infer_inlined(isa, n, y);
        } else {
            layer.infer(n, y);
        }
    }

    /// See [`InPlaceStation::forward`].
    pub fn forward(&self, layer: &T, pass: &Pass, y: &mut [f32]) {
        layer.forward(&pass.of::<S>(), y);
    }

    /// See [`InPlaceStation::backward`].
    pub fn backward(&self, layer: &T, pass: &Pass, y: &[f32], d: &mut [f32]) {
        layer.backward(&pass.of::<S>(), y, d);
    }
}
