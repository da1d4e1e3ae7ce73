//! Which stations inference computes together, as [`Fusion`] of their rows says.

use crate::network::{Layer, Network, Station};
use nn_shape::{Condition, Fusion};

/// A station whose output goes straight into a pool, so that it is never there as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pooled {
    /// The station.
    pub(crate) station: usize,
    /// The one between them, if there is one: it comes behind the pool instead.
    pub(crate) between: Option<usize>,
    /// The pool.
    pub(crate) pool: usize,
}

impl Pooled {
    /// Whether the output of station `station` is nowhere.
    pub(crate) fn hides(&self, station: usize) -> bool {
        self.station == station || self.between == Some(station)
    }
}

/// All of them. `only_reader` gives the station that alone reads what a station gives, which is not the output
/// of the network.
pub(crate) fn pooled(
    network: &Network,
    only_reader: impl Fn(usize) -> Option<usize>,
) -> Vec<Pooled> {
    let behind = |station: usize| {
        let reader = only_reader(station)?;
        Some((reader, &network.stations[reader]))
    };
    let from = |station: usize| {
        let Fusion::Pooled(condition) = fusion(&network.stations[station]) else { return None };
        let (mut pool, mut it) = behind(station)?;
        let mut between = None;
        if let Fusion::Monotone = fusion(it) {
            between = Some(pool);
            (pool, it) = behind(pool)?;
        }
        let Fusion::Largest(fitting) = fusion(it) else { return None };
        let agreed =
            holds(network, &network.stations[station], condition) && holds(network, it, fitting);
        agreed.then_some(Pooled { station, between, pool })
    };
    (0..network.stations.len()).filter_map(from).collect()
}

fn fusion(station: &Station) -> Fusion {
    match &station.layer {
        Layer::Known { row, .. } => row.fusion,
        Layer::Custom(_) => Fusion::None,
    }
}

/// Whether `condition` holds: not where a size is a constant of the user's.
fn holds(network: &Network, station: &Station, condition: Condition) -> bool {
    let Layer::Known { arguments, .. } = &station.layer else { return false };
    let inputs: Option<Vec<_>> =
        station.inputs.iter().map(|input| network.values[input.0].dims.known()).collect();
    let values: Option<Vec<_>> = arguments.iter().map(|argument| argument.value.known()).collect();
    matches!((inputs, values), (Some(inputs), Some(values)) if condition(&inputs, &values))
}

#[cfg(test)]
mod tests {
    use super::Pooled;
    use crate::plan::plan;
    use crate::tests::network;

    /// What is computed together in the network of these lines.
    #[track_caller]
    fn pooled(header: &str, lines: &str) -> Vec<Pooled> {
        plan(&network(&format!("pub struct Net{header} {{ {lines} }}"))).pooled
    }

    #[test]
    fn a_pool_takes_a_convolution_in_with_a_relu_between() {
        let lines =
            "Conv2d(4, kernel = 3), ReLU, MaxPool2d(2), Conv2d(5, kernel = 2), MaxPool2d(2)";
        let expected = [
            Pooled { station: 0, between: Some(1), pool: 2 },
            Pooled { station: 3, between: None, pool: 4 },
        ];
        assert_eq!(pooled("(14x14x1) -> 2x2x5", lines), expected);
    }

    #[test]
    fn a_value_that_somebody_else_reads_is_there() {
        let lines = "seen: Conv2d(4, kernel = 3), ReLU, MaxPool2d(2), GlobalAvgPool, \
                     Add { {}, seen => { GlobalAvgPool } }";
        assert_eq!(pooled("(14x14x1) -> 4", lines), []);
        let lines = "Conv2d(4, kernel = 3), seen: ReLU, MaxPool2d(2), GlobalAvgPool, \
                     Add { {}, seen => { GlobalAvgPool } }";
        assert_eq!(pooled("(14x14x1) -> 4", lines), []);
    }

    #[test]
    fn other_layers_stay_by_themselves() {
        for (between, pool) in [
            ("Tanh,", "MaxPool2d(2)"),
            ("BatchNorm,", "MaxPool2d(2)"),
            ("", "MaxPool2d(2, stride = 1)"),
            ("", "MaxPool2d(2, padding = 1)"),
            ("", "MaxPool2d(2, dilation = 3)"),
            ("", "AvgPool2d(2)"),
        ] {
            let lines = format!("Conv2d(4, kernel = 3), {between} {pool}, GlobalAvgPool");
            assert_eq!(pooled("(14x14x1) -> 4", &lines), [], "{lines}");
        }
        for convolution in ["Conv2d(8, kernel = 3, groups = 4)", "Conv2d(2000, kernel = 3)"] {
            let lines = format!("{convolution}, MaxPool2d(2), GlobalAvgPool, Dense(1)");
            assert_eq!(pooled("(14x14x8) -> 1", &lines), [], "{lines}");
        }
    }

    /// Whether a window has room is not known while expanding.
    #[test]
    fn sizes_of_the_users_stay_by_themselves() {
        let lines = "Conv2d(FILTERS, kernel = 3), MaxPool2d(2), GlobalAvgPool";
        assert_eq!(pooled("<const FILTERS: usize>(14x14x1) -> FILTERS", lines), []);
    }
}
