//! [`Role`]: what the warnings about common mistakes have to know of a layer.

/// What a layer does with the values that pass through it, as far as a warning depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// None of the others.
    Other,
    /// A linear map of all features, with weights: `Dense`.
    Dense,
    /// A linear map of a window that moves over the input, with weights.
    Convolution,
    /// The transpose of a convolution.
    TransposedConvolution,
    /// A maximum or an average over a window that moves over the input.
    Pool,
    /// A nonlinear function of each element.
    Activation(Activation),
    /// Probabilities of classes. Logarithms of them are what some losses take: `NLL`, `CTC`.
    Softmax,
    /// Zeroes elements in training.
    Dropout,
    /// Subtracts a mean from each channel, so that a bias before it has no effect.
    ChannelNorm,
    /// Multiplies by factors.
    Scale,
    /// Depends on the position of each step: a recurrent layer, an encoding of positions.
    Positions,
    /// Attention of each step to others. It does not know their positions, unless its argument `rotary` or
    /// `alibi` is true.
    Attention,
}

/// A kind of activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `max(x, 0)`: outputs below 0 are not possible, and where the output is 0 the gradient is, too.
    ReLU,
    /// `x` above 0, another function below: the variants of ReLU.
    Rectifier,
    /// Between 0 and 1: a probability.
    Sigmoid,
    /// Any other.
    Smooth,
}
