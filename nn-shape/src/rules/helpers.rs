//! Functions and macros that the files of rules share.

use crate::checks::MOST;
use crate::error::ShapeError;
use crate::shape::Shape;
use crate::tensors::{LayerAxis, TensorSink};
use crate::text::Text;

/// `?` for `const fn`.
macro_rules! attempt {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Err(error),
        }
    };
}

/// Defines the struct of a layer's arguments, as [`arguments!`](crate::arguments::arguments), and the rule
/// that its output has the input's shape, whatever that is.
macro_rules! same_shape {
    ($(#[$meta:meta])* pub struct $Name:ident { $($fields:tt)* }) => {
        $crate::arguments::arguments! { $(#[$meta])* pub struct $Name { $($fields)* } }

        impl $Name {
            /// `[..] -> [..]`
            ///
            /// # Errors
            /// Never.
            pub const fn output(
                &self,
                inputs: &[$crate::shape::Shape],
            ) -> Result<$crate::shape::Shape, $crate::error::ShapeError> {
                Ok(inputs[0])
            }
        }
    };
}

pub(crate) use {attempt, same_shape};

/// A weight and a bias for each of `channels` channels, in PyTorch's order.
pub(crate) fn channel_tensors(channels: usize, sink: &mut TensorSink<'_>) {
    let axes = [LayerAxis::plain(channels, 1)];
    sink.floats("weight", 0, &axes);
    sink.floats("bias", channels, &axes);
}

/// The count, if it is neither 0 nor too large. `noun` names it in the message: `units`.
pub(crate) const fn count(
    argument: &'static str,
    noun: &str,
    value: usize,
) -> Result<usize, ShapeError> {
    if value == 0 {
        let message = Text::of("has 0 ").text(noun).text(", but needs at least 1");
        return Err(ShapeError::argument(argument, message));
    }
    if value > MOST {
        let message = Text::of("has ").number(value).text(" ").text(noun);
        let message = message.text(", but can have at most ").number(MOST);
        return Err(ShapeError::argument(argument, message));
    }
    Ok(value)
}

/// The count per axis, if none is 0 or too large. `noun` names it: `has a stride of 0`.
pub(crate) const fn counts(
    argument: &'static str,
    noun: &str,
    value: [usize; 2],
) -> Result<[usize; 2], ShapeError> {
    let limit = if value[0] == 0 || value[1] == 0 {
        Text::of(", but needs at least 1")
    } else if value[0] > MOST || value[1] > MOST {
        Text::of(", but can have at most ").number(MOST)
    } else {
        return Ok(value);
    };
    let message = Text::of("has a ").text(noun).text(" of ").pair(value).append(&limit);
    Err(ShapeError::argument(argument, message))
}

/// Accepts a real argument where it is `allowed`; `wanted` describes what is: `a number above 0`.
pub(crate) const fn real(
    argument: &'static str,
    value: f64,
    allowed: bool,
    wanted: &str,
) -> Result<(), ShapeError> {
    if allowed {
        return Ok(());
    }
    let message = Text::of("has `").text(argument).text(" = ").real(value);
    Err(ShapeError::argument(argument, message.text("`, but needs ").text(wanted)))
}

/// Accepts an `eps` that keeps a divisor above 0.
pub(crate) const fn eps(value: f64) -> Result<(), ShapeError> {
    real("eps", value, value > 0.0 && value.is_finite(), "a finite number above 0")
}

/// Accepts the product of `factors`, the number of weights, if it is not too large. `argument` is blamed.
pub(crate) const fn few_enough_weights(
    argument: &'static str,
    factors: &[usize],
) -> Result<(), ShapeError> {
    let mut weights: usize = 1;
    let mut i = 0;
    while i < factors.len() {
        weights = weights.saturating_mul(factors[i]);
        i += 1;
    }
    if weights <= MOST {
        return Ok(());
    }
    let mut message = Text::of("needs ");
    let mut i = 0;
    while i < factors.len() {
        message = if i > 0 { message.text("*") } else { message }.number(factors[i]);
        i += 1;
    }
    let message = message.text(" weights, but can have at most ").number(MOST);
    Err(ShapeError::argument(argument, message))
}

/// The output of a global pool: the last axis of its input.
pub(crate) const fn last_axis(input: Shape) -> Result<Shape, ShapeError> {
    if input.rank() > 1 {
        return Ok(Shape::new(&[input.last()]));
    }
    let message = Text::of("takes height x width x channels, or steps x features, but gets ");
    let help = Text::of("put it before `Flatten`, or replace `Flatten` by it");
    Err(ShapeError::layer(message.shape(input)).help(help))
}

/// Accepts a join of two or more branches. `verb` begins the message: `adds`.
pub(crate) const fn branches(verb: &str, inputs: &[Shape]) -> Result<(), ShapeError> {
    if inputs.len() > 1 {
        return Ok(());
    }
    let message = Text::of(verb).text(" two or more branches, but gets ").number(inputs.len());
    Err(ShapeError::layer(message))
}

/// Branch `nth` (counted from 0) does not fit the first one. `begin` begins the message: `adds
/// branches of one shape`.
pub(crate) const fn unlike_first(begin: &str, inputs: &[Shape], nth: usize) -> ShapeError {
    let message = Text::of(begin).text(", but branch 1 gives ").shape(inputs[0]);
    let message = message.text(" and branch ").number(nth + 1).text(" gives ");
    ShapeError::branch(nth, message.shape(inputs[nth]))
}

/// Adds `1, 2, 4 or 8`, the divisors of `number`; the first of them where there are many.
pub(crate) const fn divisors(mut text: Text, number: usize) -> Text {
    // More of them would not help the reader.
    const SHOWN: usize = 12;
    // Constants in expanded code evaluate the loop, and the compiler limits the steps of that.
    const TRIED: usize = 1024;
    let mut shown = 0;
    let mut divisor = 1;
    while divisor < number && divisor < TRIED && shown < SHOWN {
        if number.is_multiple_of(divisor) {
            text = if shown > 0 { text.text(", ") } else { text }.number(divisor);
            shown += 1;
        }
        divisor += 1;
    }
    if divisor < number {
        text = text.text(", ...");
    }
    if shown > 0 { text.text(" or ") } else { text }.number(number)
}
