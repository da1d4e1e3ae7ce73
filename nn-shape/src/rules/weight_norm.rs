//! What the layers with weight normalisation share: the names of their weights in files.

use crate::arguments::words;
use crate::tensors::{LayerAxis, TensorSink};

words! {
    /// The names of the weights in files.
    pub enum Names {
        /// `parametrizations`: `parametrizations.weight.original0` and `original1`, as
        /// `torch.nn.utils.parametrizations.weight_norm`.
        Parametrizations = "parametrizations",
        /// `weight_g`: `weight_g` and `weight_v`, as the older `torch.nn.utils.weight_norm`.
        WeightG = "weight_g",
    }
}

impl Names {
    /// The tensors of a layer with weight normalisation, from those of the layer without, which `plain` lists: `g`, whose
    /// first element is `gain`, and `v` in place of the weight, which is the first one.
    pub(crate) fn tensors(
        self,
        gain: usize,
        plain: impl FnOnce(&mut TensorSink<'_>),
        sink: &mut TensorSink<'_>,
    ) {
        let [g, v] = match self {
            Self::Parametrizations => {
                ["parametrizations.weight.original0", "parametrizations.weight.original1"]
            }
            Self::WeightG => ["weight_g", "weight_v"],
        };
        plain(&mut TensorSink::new(&mut |tensor| {
            if tensor.offset > 0 {
                return sink.floats(tensor.name, tensor.offset, tensor.axes);
            }
            // An entry for each output, and axes of one entry in place of the others.
            let mut axes = [LayerAxis::plain(1, 1); 4];
            axes[0] = tensor.axes[0];
            sink.floats(g, gain, &axes[..tensor.axes.len()]);
            sink.floats(v, 0, tensor.axes);
        }));
    }
}
