//! How a network does on samples, without learning from them.

use super::Score;
use crate::Network;
use crate::Values;
use crate::batch::{Batch, BatchError};
use crate::data::Data;
use crate::loss::{Loss, Tally};
use crate::step::infer_flat;

/// Numbers of outputs that are held at once, and the most samples that have them.
const OUTPUT_NUMBERS: usize = 1 << 20;
const MAX_SAMPLES: usize = 4096;

/// See [`Network::evaluate`].
pub(crate) fn evaluate<N: Network, L: Loss<N::Output>>(
    net: &N,
    data: &Data<N::Input, L::Target>,
    loss: &L,
) -> Result<Score, BatchError> {
    Batch::checked(loss, &data.inputs, &data.targets)?;
    Ok(Score::of(&evaluate_checked(net, data, loss)))
}

/// The loss and the right predictions on all samples, which were checked, in inference mode.
pub(super) fn evaluate_checked<N: Network, L: Loss<N::Output>>(
    net: &N,
    data: &Data<N::Input, L::Target>,
    loss: &L,
) -> Tally {
    let len = N::Output::LEN;
    let at_once = (OUTPUT_NUMBERS / len).clamp(1, MAX_SAMPLES).min(data.len().max(1));
    let mut outputs = vec![0.0; at_once * len];
    let mut unused = vec![0.0; len];
    let mut tally = Tally::default();
    for (inputs, targets) in data.inputs.chunks(at_once).zip(data.targets.chunks(at_once)) {
        let outputs = &mut outputs[..inputs.len() * len];
        infer_flat(net, inputs, outputs);
        for (y, target) in outputs.chunks_exact(len).zip(targets) {
            tally.count(loss, y, target, 1.0, &mut unused);
        }
    }
    tally
}
