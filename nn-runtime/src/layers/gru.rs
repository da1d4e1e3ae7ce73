//! [`GRU`]: PyTorch's `nn.GRU`.

use super::recurrent::recurrent_layer;
use crate::kernels::recurrent::Cell;
use unrolled_shape::rules::gru;

recurrent_layer! {
    /// Gated recurrent units (Cho and others, 2014): `[steps, inputs] -> [steps, units]`.
    ///
    /// At each step `r, z = sigmoid(x W + b + h U + b')`, `n = tanh(x W + b + r (h U + b'))`, then
    /// `h = (1 - z) n + z h`. The outputs of the backward direction follow those of the forward
    /// direction. `state` is a value that `h` of all cells begins with, PyTorch's `h_0`: `[cells * units]`, layer by layer,
    /// forward before backward. Such a layer remembers nothing from one chunk to the next.
    GRU, gru::GRU, |arguments| Cell::Gru
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Spec;
    use crate::layers::recurrent::testing::{check_ragged, ragged, trial};
    use crate::layers::testing::spec;

    spec!(Plain: gru::GRU {
        units: 3, layers: 1, bidirectional: false, dropout: 0.0, bias: true, output: gru::Output::Sequence, state: None,
        names: gru::Names::Layer,
    }, [&[4, 2]] -> &[4, 3]);
    spec!(Deep: gru::GRU {
        units: 2, layers: 2, bidirectional: true, dropout: 0.25, bias: false, output: gru::Output::Last, state: None,
        names: gru::Names::Layer,
    }, [&[3, 3]] -> &[4]);
    spec!(Both: gru::GRU {
        units: 2, layers: 3, bidirectional: true, dropout: 0.0, bias: true, output: gru::Output::Sequence, state: None,
        names: gru::Names::Layer,
    }, [&[3, 3]] -> &[3, 4]);

    const PLAIN: usize = Plain::ARGUMENTS.weights(Plain::INPUT);
    const DEEP: usize = Deep::ARGUMENTS.weights(Deep::INPUT);
    const BOTH: usize = Both::ARGUMENTS.weights(Both::INPUT);
    spec!(Given: gru::GRU {
        units: 2, layers: 2, bidirectional: true, dropout: 0.0, bias: true, output: gru::Output::Last, state: Some(1),
        names: gru::Names::Layer,
    }, [&[3, 3], &[8]] -> &[4]);
    const GIVEN: usize = Given::ARGUMENTS.weights(Given::INPUT);

    #[test]
    fn gradients_agree_with_finite_differences() {
        trial::<Plain, GRU<PLAIN>>().check_gradients();
        trial::<Deep, GRU<DEEP>>().check_gradients();
        trial::<Given, GRU<GIVEN>>().check_gradients();
    }

    #[test]
    fn inference_equals_training() {
        trial::<Plain, GRU<PLAIN>>().check_inference();
    }

    #[test]
    fn sequences_of_different_lengths_have_the_bits_of_single_ones() {
        check_ragged::<Plain, GRU<PLAIN>>();
        check_ragged::<Both, GRU<BOTH>>();
        check_ragged::<Given, GRU<GIVEN>>();
    }

    #[test]
    fn gradients_of_different_lengths_agree_with_finite_differences() {
        ragged::<Plain, GRU<PLAIN>>().check_gradients();
        ragged::<Deep, GRU<DEEP>>().check_gradients();
        ragged::<Given, GRU<GIVEN>>().check_gradients();
    }
}
