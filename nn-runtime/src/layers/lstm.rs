//! [`LSTM`]: PyTorch's `nn.LSTM`.

use super::recurrent::recurrent_layer;
use crate::kernels::recurrent::Cell;
use unrolled_shape::rules::lstm;

recurrent_layer! {
    /// Long short-term memory (Hochreiter and Schmidhuber, 1997): `[steps, inputs] -> [steps, units]`.
    ///
    /// At each step `i, f, o = sigmoid(x W + b + h U + b')`, `g = tanh(..)`, then `c = f c + i g` and
    /// `h = o tanh(c)`. The outputs of the backward direction follow those of the forward
    /// direction.
    LSTM, lstm::LSTM, |arguments| Cell::Lstm
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::recurrent::testing::{check_ragged, ragged, trial};
    use crate::layers::testing::spec;

    spec!(Plain: lstm::LSTM {
        units: 3, layers: 1, bidirectional: false, dropout: 0.0, bias: true, output: lstm::Output::Sequence,
    }, [&[4, 2]] -> &[4, 3]);
    spec!(Deep: lstm::LSTM {
        units: 2, layers: 3, bidirectional: true, dropout: 0.25, bias: true, output: lstm::Output::Sequence,
    }, [&[3, 3]] -> &[3, 4]);
    spec!(Last: lstm::LSTM {
        units: 2, layers: 2, bidirectional: true, dropout: 0.0, bias: false, output: lstm::Output::Last,
    }, [&[4, 3]] -> &[4]);

    const PLAIN: usize = <Plain as crate::contract::Spec>::ARGUMENTS
        .weights(<Plain as crate::contract::Spec>::INPUT);
    const DEEP: usize =
        <Deep as crate::contract::Spec>::ARGUMENTS.weights(<Deep as crate::contract::Spec>::INPUT);
    const LAST: usize =
        <Last as crate::contract::Spec>::ARGUMENTS.weights(<Last as crate::contract::Spec>::INPUT);

    #[test]
    fn gradients_agree_with_finite_differences() {
        trial::<Plain, LSTM<PLAIN>>().check_gradients();
        trial::<Deep, LSTM<DEEP>>().check_gradients();
        trial::<Last, LSTM<LAST>>().check_gradients();
    }

    #[test]
    fn inference_equals_training() {
        trial::<Plain, LSTM<PLAIN>>().check_inference();
        trial::<Last, LSTM<LAST>>().check_inference();
    }

    #[test]
    fn sequences_of_different_lengths_have_the_bits_of_single_ones() {
        check_ragged::<Plain, LSTM<PLAIN>>();
        check_ragged::<Last, LSTM<LAST>>();
    }

    #[test]
    fn gradients_of_different_lengths_agree_with_finite_differences() {
        ragged::<Plain, LSTM<PLAIN>>().check_gradients();
        ragged::<Deep, LSTM<DEEP>>().check_gradients();
    }
}
