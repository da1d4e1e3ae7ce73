//! [`RNN`]: PyTorch's `nn.RNN`.

use super::recurrent::recurrent_layer;
use crate::kernels::recurrent::Cell;
use unrolled_shape::rules::rnn;

recurrent_layer! {
    /// A simple recurrent network (Elman, 1990): `[steps, inputs] -> [steps, units]`.
    ///
    /// At each step `h = tanh(x W + b + h U + b')`, or `max(.., 0)`. The outputs of the backward direction
    /// follow those of the forward direction. `state` is a value that `h` of all cells begins with, PyTorch's `h_0`:
    /// `[cells * units]`, layer by layer, forward before backward. Such a layer remembers nothing from one chunk to the
    /// next.
    RNN, rnn::RNN, |arguments| match arguments.nonlinearity {
        rnn::Nonlinearity::Relu => Cell::Relu,
        rnn::Nonlinearity::Tanh => Cell::Tanh,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Spec;
    use crate::layers::recurrent::testing::{check_ragged, ragged, trial};
    use crate::layers::testing::spec;

    spec!(Tanh: rnn::RNN {
        units: 3, layers: 1, nonlinearity: rnn::Nonlinearity::Tanh, bidirectional: true, dropout: 0.0, bias: true,
        output: rnn::Output::Sequence, state: None, names: rnn::Names::Layer,
    }, [&[4, 2]] -> &[4, 6]);
    spec!(Deep: rnn::RNN {
        units: 3, layers: 4, nonlinearity: rnn::Nonlinearity::Tanh, bidirectional: false, dropout: 0.25, bias: false,
        output: rnn::Output::Last, state: None, names: rnn::Names::Layer,
    }, [&[3, 2]] -> &[3]);
    spec!(Relu: rnn::RNN {
        units: 3, layers: 2, nonlinearity: rnn::Nonlinearity::Relu, bidirectional: false, dropout: 0.0, bias: true,
        output: rnn::Output::Sequence, state: None, names: rnn::Names::Layer,
    }, [&[4, 2]] -> &[4, 3]);

    const TANH: usize = Tanh::ARGUMENTS.weights(Tanh::INPUT);
    const DEEP: usize = Deep::ARGUMENTS.weights(Deep::INPUT);
    const RELU: usize = Relu::ARGUMENTS.weights(Relu::INPUT);
    spec!(Given: rnn::RNN {
        units: 2, layers: 2, nonlinearity: rnn::Nonlinearity::Tanh, bidirectional: true, dropout: 0.0, bias: true, output: rnn::Output::Last, state: Some(1),
        names: rnn::Names::Layer,
    }, [&[3, 3], &[8]] -> &[4]);
    const GIVEN: usize = Given::ARGUMENTS.weights(Given::INPUT);

    #[test]
    fn gradients_agree_with_finite_differences() {
        trial::<Tanh, RNN<TANH>>().check_gradients();
        trial::<Deep, RNN<DEEP>>().check_gradients();
        trial::<Given, RNN<GIVEN>>().check_gradients();
        // Steps so small that none crosses a kink of `max`.
        trial::<Relu, RNN<RELU>>().with_step(1e-3, 2e-3).check_gradients();
    }

    #[test]
    fn inference_equals_training() {
        trial::<Tanh, RNN<TANH>>().check_inference();
        trial::<Relu, RNN<RELU>>().check_inference();
    }

    #[test]
    fn sequences_of_different_lengths_have_the_bits_of_single_ones() {
        check_ragged::<Tanh, RNN<TANH>>();
        check_ragged::<Relu, RNN<RELU>>();
        check_ragged::<Given, RNN<GIVEN>>();
    }

    #[test]
    fn gradients_of_different_lengths_agree_with_finite_differences() {
        ragged::<Tanh, RNN<TANH>>().check_gradients();
        ragged::<Deep, RNN<DEEP>>().check_gradients();
        ragged::<Given, RNN<GIVEN>>().check_gradients();
    }
}
