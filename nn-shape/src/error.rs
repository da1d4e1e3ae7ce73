//! [`ShapeError`]: what is wrong, how a size was computed, how to fix it.

use crate::shape::Shape;
use crate::text::Text;

/// The part of the user's code that a mistake points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The layer itself: its input does not suit it.
    Layer,
    /// One argument, by its name in [`Parameter::name`](crate::arguments::Parameter::name).
    Argument(&'static str),
    /// One branch of a join, counted from 0.
    Branch(usize),
}

/// Why a layer does not fit where it is.
#[derive(Clone, Copy, Debug)]
pub struct ShapeError {
    /// The part of the user's code that the message points at.
    pub blame: Blame,
    /// The subject of the sentence, such as `the network`; empty where it is the layer itself.
    pub about: Text,
    /// Expected and found, as the rest of a sentence that begins with ``layer `conv1` `` or with
    /// `about`, such as `takes height x width x channels, but gets 1600`.
    pub message: Text,
    /// How a size was computed, such as `(28 + 2*0 - 3)/1 + 1 = 26`; may be empty.
    pub how: Text,
    /// How to fix it, in the imperative, without a full stop; may be empty.
    pub help: Text,
}

impl ShapeError {
    /// The consequence of a mistake that is reported elsewhere. It has no message and is not reported.
    pub const LOST: Self = Self::layer(Text::new());

    /// A mistake of the layer's input.
    #[must_use]
    pub const fn layer(message: Text) -> Self {
        Self::at(Blame::Layer, message)
    }

    /// A mistake of one argument.
    #[must_use]
    pub const fn argument(name: &'static str, message: Text) -> Self {
        Self::at(Blame::Argument(name), message)
    }

    /// A mistake of one branch, counted from 0.
    #[must_use]
    pub const fn branch(nth: usize, message: Text) -> Self {
        Self::at(Blame::Branch(nth), message)
    }

    const fn at(blame: Blame, message: Text) -> Self {
        Self { blame, about: Text::new(), message, how: Text::new(), help: Text::new() }
    }

    /// Makes something else than the layer the subject of the sentence.
    #[must_use]
    pub const fn about(mut self, about: Text) -> Self {
        self.about = about;
        self
    }

    /// Adds how a size was computed.
    #[must_use]
    pub const fn how(mut self, how: Text) -> Self {
        self.how = how;
        self
    }

    /// Adds how to fix it.
    #[must_use]
    pub const fn help(mut self, help: Text) -> Self {
        self.help = help;
        self
    }
}

/// The whole message about the layer `name`, as the macro and constants report it.
///
/// ```text
/// layer `conv1` has a kernel of 5, but its input is only 3 high
///   = note: (3 + 2*0 - 5)/1 + 1 is less than 1
///   = help: ...
///   = trace: 28x28x1 -conv1-> 26x26x32
/// ```
#[must_use]
pub const fn explain(name: &str, error: &ShapeError, trace: &str) -> Text {
    let about = if error.about.is_empty() { Text::of("layer ").quoted(name) } else { error.about };
    let mut text = about.text(" ").append(&error.message);
    if !error.how.is_empty() {
        text = text.text("\n  = note: ").append(&error.how);
    }
    if !error.help.is_empty() {
        text = text.text("\n  = help: ").append(&error.help);
    }
    if !trace.is_empty() {
        // The last layers of a long trace are those near the mistake.
        text = text.text("\n  = trace: ").end_of(trace);
    }
    text
}

/// The path to a layer, for [`explain`]: the shape at its beginning, then the name and the output shape of
/// each layer.
///
/// ```text
/// 28x28x1 -conv1-> 26x26x32 -MaxPool2d-> 13x13x32
/// ```
#[must_use]
pub const fn trace(input: Shape, steps: &[(&str, Shape)]) -> Text {
    let mut text = Text::new().shape(input);
    let mut i = 0;
    while i < steps.len() {
        let step = Text::of(" -").text(steps[i].0).text("-> ").shape(steps[i].1);
        text = text.making_room(step.as_str().len()).append(&step);
        i += 1;
    }
    text
}

/// The shape, or a panic with the reason why there is none. Constants in expanded code call it with the
/// user's own token as the caller, where rustc then reports the error. [`ShapeError::LOST`] is not reported.
///
/// # Panics
/// With the message of [`explain`] when `result` is an error.
#[must_use]
#[track_caller]
pub const fn expect(result: Result<Shape, ShapeError>, name: &str, trace: &str) -> Shape {
    match result {
        Ok(shape) => shape,
        Err(error) if error.message.is_empty() => Shape::new(&[]),
        Err(error) => panic!("{}", explain(name, &error, trace).as_str()),
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use crate::error::{Blame, ShapeError, explain};
    use crate::shape::Shape;
    use std::string::{String, ToString};

    /// What an error blames, and its message as people read it about a layer named `it`.
    #[track_caller]
    pub(crate) fn refusal(result: Result<Shape, ShapeError>) -> (Blame, String) {
        let error = result.expect_err("should be refused");
        (error.blame, explain("it", &error, "").as_str().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: Shape = Shape::new(&[28, 28, 1]);

    #[test]
    fn explains_in_order() {
        const ERROR: ShapeError = ShapeError::layer(Text::of("is wrong"))
            .how(Text::of("1 + 1 = 2"))
            .help(Text::of("fix it"));
        const TEXT: Text = explain("conv1", &ERROR, "28x28x1");
        assert_eq!(
            TEXT.as_str(),
            "layer `conv1` is wrong\n  = note: 1 + 1 = 2\n  = help: fix it\n  = trace: 28x28x1"
        );
        let bare = ShapeError::layer(Text::of("is wrong")).about(Text::of("the network"));
        assert_eq!(explain("conv1", &bare, "").as_str(), "the network is wrong");
    }

    #[test]
    fn traces_the_way() {
        const TRACE: Text = trace(
            IMAGE,
            &[("conv1", Shape::new(&[26, 26, 32])), ("MaxPool2d", Shape::new(&[13, 13, 32]))],
        );
        assert_eq!(TRACE.as_str(), "28x28x1 -conv1-> 26x26x32 -MaxPool2d-> 13x13x32");
    }

    #[test]
    fn long_ways_lose_their_beginning() {
        let steps = [("a_layer_with_a_name_of_some_length", IMAGE); 100];
        let text = trace(IMAGE, &steps);
        assert!(text.as_str().starts_with("..."));
        assert!(text.as_str().ends_with(" -a_layer_with_a_name_of_some_length-> 28x28x1"));
        let error = ShapeError::layer(Text::of("is wrong"));
        let whole = explain("it", &error, text.as_str());
        assert!(whole.as_str().starts_with("layer `it` is wrong\n  = trace: ..."));
        assert!(whole.as_str().ends_with("-> 28x28x1"));
    }
}
