//! What the layers with spectral normalisation share: their buffers, and the names of their tensors in files.

use crate::arguments::words;
use crate::tensors::{LayerAxis, TensorSink};

words! {
    /// The names of the weights in files.
    pub enum Names {
        /// `parametrizations`: `parametrizations.weight.original`, `parametrizations.weight.0._u` and `_v`, as
        /// `torch.nn.utils.parametrizations.spectral_norm`.
        Parametrizations = "parametrizations",
        /// `weight_orig`: `weight_orig`, `weight_u` and `weight_v`, as the older `torch.nn.utils.spectral_norm`.
        WeightOrig = "weight_orig",
    }
}

/// The sizes of the weight as a matrix, and of the layer without normalisation.
pub(crate) struct Spectral {
    /// Rows: outputs.
    pub(crate) outputs: usize,
    /// Columns: the weights of one output.
    pub(crate) rest: usize,
    /// Weights and bias.
    pub(crate) params: usize,
}

impl Spectral {
    /// The elements of `u` and `v`.
    pub(crate) const fn buffers(&self) -> usize {
        self.outputs.saturating_add(self.rest)
    }

    /// The tensors of a layer with spectral normalisation, from those of the layer without, which `plain` lists. The weight is
    /// the first one; `u` and `v` come after its elements.
    pub(crate) fn tensors(
        &self,
        names: Names,
        plain: impl FnOnce(&mut TensorSink<'_>),
        sink: &mut TensorSink<'_>,
    ) {
        let [weight, u, v] = match names {
            Names::Parametrizations => [
                "parametrizations.weight.original",
                "parametrizations.weight.0._u",
                "parametrizations.weight.0._v",
            ],
            Names::WeightOrig => ["weight_orig", "weight_u", "weight_v"],
        };
        plain(&mut TensorSink::new(&mut |tensor| {
            if tensor.offset > 0 {
                return sink.floats(tensor.name, tensor.offset, tensor.axes);
            }
            sink.floats(weight, 0, tensor.axes);
            sink.floats(u, self.params, &tensor.axes[..1]);
            // That of a dense layer has the order of its inputs. That of a kernel is in PyTorch's order in memory, too.
            let rest = match tensor.axes {
                [_, inputs] => LayerAxis { stride: 1, ..*inputs },
                _ => LayerAxis::plain(self.rest, 1),
            };
            sink.floats(v, self.params + self.outputs, &[rest]);
        }));
    }
}
