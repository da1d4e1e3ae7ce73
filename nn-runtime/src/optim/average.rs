//! [`Ema`] and [`Swa`]: averages of the weights of several steps.

use super::extension::AsNetwork;
use super::optimizer::TrainedRange;
use super::update::for_each_trained;
use crate::contract::Network;
use crate::hyper::{Range, checked};
use crate::kernels::dispatch::dispatch;
use crate::order::NetworkInfo;
use crate::types::zeros_on_line;

/// An exponential moving average of a network's weights (Polyak and Juditsky, 1992), which often predicts better than
/// the weights of any step: PyTorch's `AveragedModel` with `get_ema_multi_avg_fn(decay)`.
///
/// ```
/// # use unrolled_runtime::{BatchError, Network, RngKey, TrainingExt, loss::CrossEntropy, optim::*};
/// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
/// #     mut net: Box<N>, xs: &[[f32; 4]], classes: &[u32],
/// # ) -> Result<(), BatchError> {
/// # let (mut optimizer, mut d_net) = (Adam::new(1e-3), N::zeros());
/// let mut ema = Ema::new(&net, 0.999);
/// for step in 0..1000 {
///     net.loss_and_gradients(&CrossEntropy::new(), xs, classes, &mut d_net, RngKey::new(step))?;
///     optimizer.update(&mut net, &d_net);
///     ema.update(&net);
/// }
/// let answer = ema.net().forward(&xs[0]);
/// # Ok(())
/// # }
/// ```
///
/// Running statistics are copied and not averaged, as in PyTorch.
#[derive(Debug)]
pub struct Ema<N> {
    average: Average<N>,
    decay: f64,
}

/// The mean of the weights of several steps, stochastic weight averaging (Izmailov et al., 2018): PyTorch's
/// `AveragedModel`. Call [`update`](Self::update) once per epoch, at the end of training, with a constant or cyclic
/// learning rate.
///
/// Running statistics are copied and not averaged, as in PyTorch.
#[derive(Debug)]
pub struct Swa<N>(Average<N>);

impl<N: Network> Ema<N> {
    /// An average that begins with the weights of `net`. `decay` is the weight of the past: 0.999 remembers about a
    /// thousand steps.
    ///
    /// # Panics
    /// If `decay` is not a number of at least 0 and below 1.
    #[must_use]
    #[track_caller]
    pub fn new<K>(net: &impl AsNetwork<K, Net = N>, decay: f64) -> Self {
        let decay = checked("Ema: decay", decay, Range::Decay);
        Self { average: Average::new(net.network()), decay }
    }

    /// Adds the weights of `net`: `average = decay * average + (1 - decay) * weights`. The first ones replace those
    /// that the average was made with.
    pub fn update(&mut self, net: &N) {
        self.average.add(net, 1.0 - self.decay);
    }

    /// The network with the averaged weights.
    #[must_use]
    pub fn net(&self) -> &N {
        &self.average.net
    }
}

impl<N: Network> Swa<N> {
    /// A mean of no weights: until the first [`update`](Self::update), the network is a copy of `net`.
    #[must_use]
    pub fn new<K>(net: &impl AsNetwork<K, Net = N>) -> Self {
        Self(Average::new(net.network()))
    }

    /// Adds the weights of `net` to the mean.
    pub fn update(&mut self, net: &N) {
        let share = 1.0 / (self.0.count + 1) as f64;
        self.0.add(net, share);
    }

    /// The network with the averaged weights.
    #[must_use]
    pub fn net(&self) -> &N {
        &self.0.net
    }
}

/// A network of averaged weights.
#[derive(Debug)]
struct Average<N> {
    net: Box<N>,
    trained: Vec<TrainedRange>,
    /// How many networks were added.
    count: u64,
}

impl<N: Network> Average<N> {
    fn new(net: &N) -> Self {
        let trained = NetworkInfo::of::<N>().trained_ranges().into_iter();
        let trained = trained.map(|(_, range)| range.into()).collect();
        let mut average = Self { net: zeros_on_line(), trained, count: 0 };
        average.net.as_floats_mut().copy_from_slice(net.as_floats());
        average
    }

    /// Moves the average towards `net` by `share` of the distance.
    fn add(&mut self, net: &N, share: f64) {
        let (average, weights) = (self.net.as_floats_mut(), net.as_floats());
        self.count += 1;
        if self.count == 1 {
            return average.copy_from_slice(weights);
        }
        copy_untrained(average, weights, &self.trained);
        for_each_trained(
            [average],
            weights,
            &self.trained,
            |_| share as f32,
            |share, [a], w| {
                approach(share, a, w);
            },
        );
    }
}

/// Copies what is not in the ranges `trained`, which are in ascending order.
fn copy_untrained(to: &mut [f32], from: &[f32], trained: &[TrainedRange]) {
    let mut begin = 0;
    for range in trained.iter().map(|trained| &trained.range).chain([&(from.len()..from.len())]) {
        to[begin..range.start].copy_from_slice(&from[begin..range.start]);
        begin = range.end;
    }
}

dispatch! {
    fn approach(share: f32, average: &mut [f32], weights: &[f32]) {
        for (a, w) in average.iter_mut().zip(weights) {
            *a += share * (w - *a);
        }
    }
}
