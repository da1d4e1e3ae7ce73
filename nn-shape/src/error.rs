//! [`ShapeError`]: what is wrong, how the number came about, how to mend it.

use crate::Text;

/// What a mistake is pointed at in the user's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The layer itself: its input does not suit it.
    Layer,
    /// One argument, by its name in [`Parameter::name`](crate::Parameter::name).
    Argument(&'static str),
    /// One branch of a join, counted from 0.
    Branch(usize),
}

/// Why a layer cannot stand where it stands.
#[derive(Clone, Copy, Debug)]
pub struct ShapeError {
    /// What the message is pointed at.
    pub blame: Blame,
    /// What the sentence is about, such as `the network`; empty where it is the layer itself.
    pub about: Text,
    /// Expected and found, as the rest of a sentence that begins with ``layer `conv1` `` or with
    /// `about`, such as `takes height x width x channels, but gets 1600`.
    pub message: Text,
    /// How a number came about, such as `(28 + 2*0 - 3)/1 + 1 = 26`; may be empty.
    pub how: Text,
    /// How to mend it, in the imperative, without a full stop; may be empty.
    pub help: Text,
}

impl ShapeError {
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

    /// Says how a number came about.
    #[must_use]
    pub const fn how(mut self, how: Text) -> Self {
        self.how = how;
        self
    }

    /// Says how to mend it.
    #[must_use]
    pub const fn help(mut self, help: Text) -> Self {
        self.help = help;
        self
    }
}

/// The whole message about the layer `name`, as the macro and constants say it.
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
        text = text.text("\n  = trace: ").text(trace);
    }
    text
}
