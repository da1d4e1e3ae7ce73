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
    ///
    /// With a `projection`, `h = o tanh(c) P` (Sak, Senior and Beaufays, 2014). `state` and `cell` are values that `h` and
    /// `c` of all cells begin with, PyTorch's `h_0` and `c_0`: `[cells * features]`, layer by layer, forward before
    /// backward. Such a layer remembers nothing from one chunk to the next.
    LSTM, lstm::LSTM, |arguments| Cell::Lstm
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Node, Spec};
    use crate::layers::recurrent::testing::{check_ragged, ragged, trial};
    use crate::layers::testing::spec;

    spec!(Plain: lstm::LSTM {
        units: 3, layers: 1, bidirectional: false, dropout: 0.0, bias: true, output: lstm::Output::Sequence, state: None, projection: None, cell: None,
        names: lstm::Names::Layer,
    }, [&[4, 2]] -> &[4, 3]);
    spec!(Deep: lstm::LSTM {
        units: 2, layers: 3, bidirectional: true, dropout: 0.25, bias: true, output: lstm::Output::Sequence, state: None, projection: None, cell: None,
        names: lstm::Names::Layer,
    }, [&[3, 3]] -> &[3, 4]);
    spec!(Last: lstm::LSTM {
        units: 2, layers: 2, bidirectional: true, dropout: 0.0, bias: false, output: lstm::Output::Last, state: None, projection: None, cell: None,
        names: lstm::Names::Layer,
    }, [&[4, 3]] -> &[4]);
    spec!(Projected: lstm::LSTM {
        units: 3, layers: 2, bidirectional: false, dropout: 0.0, bias: true, output: lstm::Output::Sequence, state: None,
        projection: Some(2), cell: None, names: lstm::Names::Layer,
    }, [&[4, 2]] -> &[4, 2]);
    spec!(Given: lstm::LSTM {
        units: 3, layers: 1, bidirectional: false, dropout: 0.0, bias: true, output: lstm::Output::Sequence,
        state: Some(1), projection: None, cell: Some(2), names: lstm::Names::Layer,
    }, [&[4, 2], &[3], &[3]] -> &[4, 3]);
    spec!(OfCell: lstm::LSTM {
        units: 3, layers: 2, bidirectional: true, dropout: 0.0, bias: false, output: lstm::Output::Last,
        state: None, projection: Some(2), cell: Some(1), names: lstm::Names::Layer,
    }, [&[4, 2], &[12]] -> &[4]);
    spec!(All: lstm::LSTM {
        units: 3, layers: 2, bidirectional: true, dropout: 0.0, bias: true, output: lstm::Output::Last,
        state: Some(1), projection: Some(2), cell: Some(2), names: lstm::Names::Layer,
    }, [&[4, 2], &[8], &[12]] -> &[4]);

    const PLAIN: usize = Plain::ARGUMENTS.weights(Plain::INPUT);
    const DEEP: usize = Deep::ARGUMENTS.weights(Deep::INPUT);
    const LAST: usize = Last::ARGUMENTS.weights(Last::INPUT);
    const PROJECTED: usize = Projected::ARGUMENTS.weights(Projected::INPUT);
    const GIVEN: usize = Given::ARGUMENTS.weights(Given::INPUT);
    const CELL: usize = OfCell::ARGUMENTS.weights(OfCell::INPUT);
    const ALL: usize = All::ARGUMENTS.weights(All::INPUT);

    #[test]
    fn gradients_agree_with_finite_differences() {
        trial::<Plain, LSTM<PLAIN>>().check_gradients();
        trial::<Deep, LSTM<DEEP>>().check_gradients();
        trial::<Last, LSTM<LAST>>().check_gradients();
        trial::<Projected, LSTM<PROJECTED>>().check_gradients();
        trial::<Given, LSTM<GIVEN>>().check_gradients();
        trial::<OfCell, LSTM<CELL>>().check_gradients();
        trial::<All, LSTM<ALL>>().check_gradients();
    }

    #[test]
    fn inference_equals_training() {
        trial::<Plain, LSTM<PLAIN>>().check_inference();
        trial::<Last, LSTM<LAST>>().check_inference();
        trial::<Projected, LSTM<PROJECTED>>().check_inference();
        trial::<All, LSTM<ALL>>().check_inference();
    }

    #[test]
    fn sequences_of_different_lengths_have_the_bits_of_single_ones() {
        check_ragged::<Plain, LSTM<PLAIN>>();
        check_ragged::<Last, LSTM<LAST>>();
        check_ragged::<Projected, LSTM<PROJECTED>>();
        check_ragged::<Given, LSTM<GIVEN>>();
        check_ragged::<All, LSTM<ALL>>();
    }

    #[test]
    fn gradients_of_different_lengths_agree_with_finite_differences() {
        ragged::<Plain, LSTM<PLAIN>>().check_gradients();
        ragged::<Deep, LSTM<DEEP>>().check_gradients();
        ragged::<Projected, LSTM<PROJECTED>>().check_gradients();
        ragged::<OfCell, LSTM<CELL>>().check_gradients();
        ragged::<All, LSTM<ALL>>().check_gradients();
    }

    #[test]
    fn layers_that_begin_with_values_remember_nothing() {
        assert_eq!(<LSTM<PLAIN> as Node<Plain>>::STATE, 2 * 3);
        assert_eq!(<LSTM<PROJECTED> as Node<Projected>>::STATE, 2 * (2 + 3));
        assert_eq!(<LSTM<GIVEN> as Node<Given>>::STATE, 0);
    }
}
