//! `Embedding`: PyTorch's `nn.Embedding`.

use crate::arguments::arguments;
use crate::checks::at_most;
use crate::error::ShapeError;
use crate::row::{Channels, Flow, Flows, Inputs, Row, Size};
use crate::rules::helpers::{attempt, count, few_enough_weights};
use crate::shape::{MAX_RANK, Shape};
use crate::tensors::{LayerAxis, TensorSink};
use crate::text::Text;

arguments! {
    /// A trained vector for each token, looked up by the token's index.
    pub struct Embedding {
        /// The number of tokens; indices are less than it.
        vocabulary: Number,
        /// The number of features of a token.
        dimension: Number,
        /// The index of the padding token, whose features are 0 and not trained, except by a layer that shares
        /// the weight.
        padding_index: Number or "none",
    }
}

impl Embedding {
    /// `[..] -> [.., dimension]`, from token indices to features.
    ///
    /// # Errors
    /// When an argument is 0, the padding index is not a token, or sizes are too large.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(count("vocabulary", "tokens", self.vocabulary));
        attempt!(count("dimension", "features", self.dimension));
        attempt!(few_enough_weights("vocabulary", &[self.vocabulary, self.dimension]));
        attempt!(self.check_vocabulary());
        let input = inputs[0];
        let mut axes = [0; MAX_RANK];
        if input.rank() == MAX_RANK {
            let message = Text::of("adds an axis, but its input ").shape(input).text(" has ");
            let message = message.number(MAX_RANK).text(" already, the maximum");
            return Err(ShapeError::layer(message));
        }
        let mut axis = 0;
        while axis < input.rank() {
            axes[axis] = input.dim(axis);
            axis += 1;
        }
        axes[axis] = self.dimension;
        at_most(Shape::new(axes.split_at(axis + 1).0), "gives ")
    }

    /// The number of trained parameters: the features of each token.
    #[must_use]
    pub const fn params(&self, _inputs: &[Shape]) -> usize {
        self.vocabulary * self.dimension
    }

    /// The tensors of its weights in files.
    pub fn tensors(&self, _inputs: &[Shape], sink: &mut TensorSink<'_>) {
        let (tokens, features) = (self.vocabulary, self.dimension);
        let axes = [LayerAxis::plain(tokens, features), LayerAxis::plain(features, 1)];
        sink.floats("weight", 0, &axes);
    }

    const fn check_vocabulary(&self) -> Result<(), ShapeError> {
        // Inputs hold indices as `u32`.
        const MOST: usize = u32::MAX as usize;
        if self.vocabulary > MOST {
            let message =
                Text::of("has ").number(self.vocabulary).text(" tokens, but can have at most ");
            return Err(ShapeError::argument("vocabulary", message.number(MOST)));
        }
        match self.padding_index {
            Some(index) if index >= self.vocabulary => {
                let message = Text::of("has a padding index of ").number(index).text(", but its ");
                let message =
                    message.number(self.vocabulary).text(" tokens have the indices 0 to ");
                let message = message.number(self.vocabulary - 1);
                let help = Text::of("use one of these indices, or a larger vocabulary");
                Err(ShapeError::argument("padding_index", message).help(help))
            }
            _ => Ok(()),
        }
    }
}

/// The row of `Embedding`.
pub static ROW: Row = Row {
    name: "Embedding",
    stem: "embedding",
    summary: "trained vector for each token, looked up by its index",
    parameters: Embedding::PARAMETERS,
    positional: 2,
    inputs: Inputs::Indices,
    rule: |inputs, values| Embedding::from_values(values).output(inputs),
    params: Some(|inputs, values| Embedding::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| Embedding::from_values(values).tensors(inputs, sink)),
    sizes: &[Size::Argument("vocabulary"), Size::Argument("dimension")],
    weight: Some([Size::Argument("vocabulary"), Size::Argument("dimension")]),
    flows: Flows { leading: Flow::Compute, last: Flow::Argument("dimension"), keeps_rank: false },
    channels: Channels::Last,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const WORDS: Embedding = Embedding { vocabulary: 5000, dimension: 32, padding_index: Some(0) };

    #[test]
    fn adds_an_axis_of_features() {
        const INPUT: Shape = Shape::new(&[64]);
        const OUTPUT: Shape = crate::error::expect(WORDS.output(&[INPUT]), "Embedding", "");
        assert_eq!(OUTPUT, Shape::new(&[64, 32]));
        assert_eq!(WORDS.output(&[Shape::new(&[3, 4])]).unwrap(), Shape::new(&[3, 4, 32]));
        assert_eq!(WORDS.params(&[INPUT]), 160_000);
    }

    #[test]
    fn refuses_a_padding_index_that_is_no_token() {
        let layer = Embedding { padding_index: Some(5000), ..WORDS };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[64])]));
        assert_eq!(blame, Blame::Argument("padding_index"));
        assert_eq!(
            words,
            "layer `it` has a padding index of 5000, but its 5000 tokens have the indices 0 to 4999\n  \
             = help: use one of these indices, or a larger vocabulary"
        );
        let layer = Embedding { padding_index: None, ..WORDS };
        assert!(layer.output(&[Shape::new(&[64])]).is_ok());
    }

    #[test]
    fn refuses_an_empty_vocabulary() {
        let layer = Embedding { vocabulary: 0, ..WORDS };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[64])]));
        assert_eq!(blame, Blame::Argument("vocabulary"));
        assert_eq!(words, "layer `it` has 0 tokens, but needs at least 1");
    }

    #[test]
    fn refuses_an_axis_too_many() {
        let (blame, _) = refusal(WORDS.output(&[Shape::new(&[1; MAX_RANK])]));
        assert_eq!(blame, Blame::Layer);
    }
}
