//! What is checked between layers, outside of any one layer's rule: arrows, headers, shortcuts.
//!
//! Plain data in, [`ShapeError`] out, all `const fn`: the macro and constants in expanded code say
//! the same words. [`explain`](crate::explain) makes the whole message of each.

use crate::{Shape, ShapeError, Text};

/// The most numbers a value may hold: sums and products of a few such counts still fit.
pub(crate) const MOST: usize = if usize::BITS >= 64 { 1 << 40 } else { 1 << 28 };

/// A layer that has an arrow: `Flatten -> 1600`.
#[derive(Clone, Copy, Debug)]
pub struct Arrow<'a> {
    /// What the layer is called: its name, or its kind where it has none.
    pub layer: &'a str,
    /// What goes into it (the first branch of a join).
    pub input: Shape,
    /// What comes out of it.
    pub output: Shape,
    /// How that came about, as [`Row::how`](crate::registry::Row::how) says it; may be empty.
    pub how: Text,
    /// What its arrow says.
    pub declared: Shape,
    /// Whether it gives the same numbers another shape and does nothing else, as `Flatten` does.
    pub view: bool,
    /// The named layer that reads its output; empty where there is none.
    pub reader: &'a str,
}

/// The shape that comes out of a layer, after its arrow agreed.
///
/// ```text
/// layer `fc1` takes 1568 values, but `Flatten` gives 5x5x64 = 1600
/// layer `conv2` gives 11x11x64, but its arrow says 12x12x64
/// ```
///
/// # Errors
/// When the arrow says another shape.
pub const fn arrow(arrow: &Arrow) -> Result<Shape, ShapeError> {
    if arrow.declared.same(&arrow.output) {
        return Ok(arrow.output);
    }
    let flattens = arrow.view && arrow.output.rank() == 1;
    let gives = if flattens {
        Text::of("gives ").shape_and_len(arrow.input)
    } else {
        Text::of("gives ").shape(arrow.output)
    };
    let error = if flattens && arrow.declared.rank() == 1 && !arrow.reader.is_empty() {
        let message =
            Text::of("takes ").shape(arrow.declared).text(" values, but ").quoted(arrow.layer);
        ShapeError::layer(message.text(" ").append(&gives)).about(layer(arrow.reader))
    } else {
        let message = gives.text(", but its arrow says ").shape(arrow.declared);
        ShapeError::layer(message).about(layer(arrow.layer)).how(arrow.how)
    };
    let noun = if arrow.output.rank() == 1 { "size" } else { "shape" };
    let help = Text::of("write `-> ").shape(arrow.output).text("`, or drop the arrow and let the ");
    Err(error.help(help.text(noun).text(" be inferred")))
}

/// The shape that goes into a network, as its header says it.
///
/// ```text
/// the network takes 0x28x1, but every axis needs at least 1
/// ```
///
/// # Errors
/// When an axis is 0, there is no axis, or the count of numbers is absurd.
pub const fn header_input(declared: Shape) -> Result<Shape, ShapeError> {
    let network = Text::of("the network");
    if declared.rank() == 0 {
        let message = Text::of("takes a shape without axes, but needs at least one axis");
        return Err(ShapeError::layer(message).about(network));
    }
    let mut axis = 0;
    while axis < declared.rank() {
        if declared.dim(axis) == 0 {
            let message = Text::of("takes ").shape(declared);
            let message = message.text(", but every axis needs at least 1");
            return Err(ShapeError::layer(message).about(network));
        }
        axis += 1;
    }
    match at_most(declared, "takes ") {
        Ok(shape) => Ok(shape),
        Err(error) => Err(error.about(network)),
    }
}

/// The shape that comes out of a network, after its header agreed.
///
/// ```text
/// the network gives 12, but its header promises 10
/// ```
///
/// # Errors
/// When the header says another shape.
pub const fn header_output(output: Shape, promised: Shape) -> Result<Shape, ShapeError> {
    if promised.same(&output) {
        return Ok(output);
    }
    let message = Text::of("gives ").shape(output);
    let message = message.text(", but its header promises ").shape(promised);
    let help = Text::of("write `-> ").shape(output);
    let help = help.text("` in the header, or let the last layer give ").shape(promised);
    Err(ShapeError::layer(message).about(Text::of("the network")).help(help))
}

/// What goes into a layer that takes one shape only: a network used as a layer, or the user's own
/// layer. `name` is what the layer calls that input; empty where it has only one.
///
/// ```text
/// layer `encoder` takes 28x28x1, but gets 14x14x1
/// layer `fusion` takes 12 as its input `table`, but gets 10
/// ```
///
/// # Errors
/// When the shapes differ.
pub const fn layer_input(found: Shape, expected: Shape, name: &str) -> Result<Shape, ShapeError> {
    if expected.same(&found) {
        return Ok(found);
    }
    let mut message = Text::of("takes ").shape(expected);
    if !name.is_empty() {
        message = message.text(" as its input ").quoted(name);
    }
    let help = Text::of("let what stands before it give ").shape(expected);
    Err(ShapeError::layer(message.text(", but gets ").shape(found)).help(help))
}

/// The shape that comes out of `Residual`, after body and shortcut agreed. `skip` is what its
/// `skip` gives; without one, `input` itself is added.
///
/// ```text
/// layer `Residual` adds its input and its body, but the input is 32x32x16 and the body gives 16x16x32
///   = help: add `skip { Conv2d(32, kernel = 1, stride = 2) }`, which gives 16x16x32
/// ```
///
/// # Errors
/// When they give different shapes.
pub const fn residual(input: Shape, body: Shape, skip: Option<Shape>) -> Result<Shape, ShapeError> {
    let (message, help) = match skip {
        None if body.same(&input) => return Ok(body),
        Some(skip) if body.same(&skip) => return Ok(body),
        None => {
            let message = Text::of("adds its input and its body, but the input is ").shape(input);
            (message.text(" and the body gives ").shape(body), shortcut(input, body))
        }
        Some(skip) => {
            let message = Text::of("adds its body and its `skip`, but the body gives ").shape(body);
            let help = Text::of("let both give the same shape");
            (message.text(" and the `skip` gives ").shape(skip), help)
        }
    };
    Err(ShapeError::layer(message).help(help))
}

/// The `skip` that brings `input` to the shape of `body`, in words.
const fn shortcut(input: Shape, body: Shape) -> Text {
    if input.rank() == 3 && body.rank() == 3 {
        let stride = stride_between(input.dim(0), body.dim(0));
        if let Some(stride) = stride
            && matches!(stride_between(input.dim(1), body.dim(1)), Some(other) if other == stride)
        {
            let mut help = Text::of("add `skip { Conv2d(").number(body.last());
            help = help.text(", kernel = 1");
            if stride > 1 {
                help = help.text(", stride = ").number(stride);
            }
            return help.text(") }`, which gives ").shape(body);
        }
        let help = Text::of("let the body give ").shape(input);
        return help.text(" (`padding = same` keeps height and width), or add a `skip`");
    }
    if input.rank() == body.rank() && body.with_last(input.last()).same(&input) {
        let help = Text::of("add `skip { Dense(").number(body.last());
        return help.text(") }`, which gives ").shape(body);
    }
    Text::of("let the body give ").shape(input).text(", or add a `skip` that gives ").shape(body)
}

/// The smallest stride by which a kernel of 1 makes `to` of `from`, if there is one.
const fn stride_between(from: usize, to: usize) -> Option<usize> {
    if from == 0 || to == 0 {
        return None;
    }
    let stride = (from - 1) / to + 1;
    if (from - 1) / stride + 1 == to { Some(stride) } else { None }
}

/// The shape, unless it holds more numbers than any memory. `verb` begins the message: `gives `.
pub(crate) const fn at_most(shape: Shape, verb: &str) -> Result<Shape, ShapeError> {
    match shape.checked_len() {
        Some(len) if len <= MOST => Ok(shape),
        _ => {
            let message = Text::of(verb).shape(shape).text(", which is more than the most of ");
            Err(ShapeError::layer(message.number(MOST).text(" numbers")))
        }
    }
}

const fn layer(name: &str) -> Text {
    Text::of("layer ").quoted(name)
}
