//! Functions and macros that the files of rules share.

use crate::arguments::words;
use crate::checks::{MOST, at_most};
use crate::error::ShapeError;
use crate::shape::{MAX_RANK, Shape};
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

/// Accepts a count per axis, if none is 0 or too large. `noun` names it: `has a stride of 0`.
pub(crate) const fn counts(
    argument: &'static str,
    noun: &str,
    value: &[usize],
) -> Result<(), ShapeError> {
    let (mut least, mut most, mut axis) = (MOST, 1, 0);
    while axis < value.len() {
        least = if value[axis] < least { value[axis] } else { least };
        most = if value[axis] > most { value[axis] } else { most };
        axis += 1;
    }
    let limit = if least == 0 {
        Text::of(", but needs at least 1")
    } else if most > MOST {
        Text::of(", but can have at most ").number(MOST)
    } else {
        return Ok(());
    };
    let message = Text::of("has a ").text(noun).text(" of ").axes(value).append(&limit);
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

/// Accepts a join of exactly two branches. `verb` begins the message: `divides`.
pub(crate) const fn two_branches(verb: &str, inputs: &[Shape]) -> Result<(), ShapeError> {
    if inputs.len() == 2 {
        return Ok(());
    }
    let message = Text::of(verb).text(" two branches, but gets ").number(inputs.len());
    Err(ShapeError::layer(message))
}

/// The output of an elementwise join: the shape of the first branch, which each other branch has, too, unless it is
/// `[C]` or `[1, .., C]`, the channels of the first alone. The words are for messages: `adds`, and `shift` for what
/// later branches do to channels.
pub(crate) const fn broadcast(
    verb: &str,
    on_channels: &str,
    inputs: &[Shape],
) -> Result<Shape, ShapeError> {
    let mut nth = 1;
    while nth < inputs.len() {
        if !inputs[nth].same(&inputs[0]) && !is_per_channel(inputs[nth], inputs[0]) {
            return Err(no_broadcast(verb, on_channels, inputs, nth));
        }
        nth += 1;
    }
    Ok(inputs[0])
}

/// Whether `branch` has the channels of `first` alone, to be broadcast over its other axes.
const fn is_per_channel(branch: Shape, first: Shape) -> bool {
    let rank = branch.rank();
    // `[C]` or `[1, .., C]`: other ranks would leave open which axes are meant.
    let spreads = rank == 1 || rank == first.rank();
    spreads && branch.same(&ones(rank).with_last(first.last()))
}

/// `1x1x..`
const fn ones(rank: usize) -> Shape {
    Shape::new([1; MAX_RANK].split_at(rank).0)
}

const fn no_broadcast(verb: &str, on_channels: &str, inputs: &[Shape], nth: usize) -> ShapeError {
    let (first, other) = (inputs[0], inputs[nth]);
    let error = unlike_first(Text::of(verb).text(" branches of one shape"), inputs, nth);
    if is_per_channel(first, other) {
        let help = Text::of("write branch ").number(nth + 1).text(" first: later branches ");
        return error.help(help.text(on_channels).text(" its channels"));
    }
    let help = Text::of("let branch ").number(nth + 1).text(" give ").shape(first);
    if first.rank() == 1 {
        return error.help(help);
    }
    let help = help.text(", or ").number(first.last()).text(" to ");
    error.help(help.text(on_channels).text(" channels"))
}

/// Branch `nth` (counted from 0) does not fit the first one. `begin` begins the message: `adds
/// branches of one shape`.
pub(crate) const fn unlike_first(begin: Text, inputs: &[Shape], nth: usize) -> ShapeError {
    let message = begin.text(", but branch 1 gives ").shape(inputs[0]);
    let message = message.text(" and branch ").number(nth + 1).text(" gives ");
    ShapeError::branch(nth, message.shape(inputs[nth]))
}

words! {
    /// What padding contains.
    pub enum PadMode {
        /// `constant`: a constant, 0 by default.
        Constant = "constant",
        /// `reflect`: the elements beside the outermost one, in reverse order.
        Reflect = "reflect",
        /// `replicate`: copies of the outermost element.
        Replicate = "replicate",
        /// `circular`: the elements of the other end.
        Circular = "circular",
    }
}

impl PadMode {
    /// The element of an axis of `size` elements that is copied to element `at` of the padded one; `None` for a constant.
    #[must_use]
    pub const fn source(self, at: usize, [before, _]: [usize; 2], size: usize) -> Option<usize> {
        if at >= before && at - before < size {
            return Some(at - before);
        }
        Some(match self {
            Self::Constant => return None,
            Self::Reflect if at < before => before - at,
            Self::Reflect => 2 * (size - 1) - (at - before),
            Self::Replicate if at < before => 0,
            Self::Replicate => size - 1,
            Self::Circular if at < before => size - (before - at),
            Self::Circular => at - before - size,
        })
    }
}

/// The shape of `input` with `sides`, elements before and after each of its first axes, added.
pub(crate) const fn padded(
    mode: PadMode,
    sides: &[[usize; 2]],
    input: Shape,
) -> Result<Shape, ShapeError> {
    let mut output = input;
    let mut axis = 0;
    while axis < sides.len() {
        let ([before, after], size) = (sides[axis], input.dim(axis));
        let larger = if before > after { before } else { after };
        let (verb, most) = match mode {
            PadMode::Reflect => ("reflects ", size.saturating_sub(1)),
            PadMode::Circular => ("repeats ", size),
            PadMode::Constant | PadMode::Replicate => ("adds ", MOST),
        };
        if larger > most {
            let message = Text::of(verb).number(larger).text(" elements, but ");
            if most == MOST {
                let message = message.text("can add at most ").number(MOST);
                return Err(ShapeError::argument("padding", message));
            }
            let message = message.text("its input ").shape(input).text(" has ").number(size);
            let message = message.text(" along that axis");
            let help =
                Text::of("pad by at most ").number(most).text(", or write `mode = replicate`");
            return Err(ShapeError::argument("padding", message).help(help));
        }
        let padded = before.saturating_add(size).saturating_add(after);
        output = with_axis(output, axis, padded);
        axis += 1;
    }
    at_most(output, "gives ")
}

/// The axis, if the input has it.
pub(crate) const fn axis(
    argument: &'static str,
    value: usize,
    input: Shape,
) -> Result<usize, ShapeError> {
    if value < input.rank() {
        return Ok(value);
    }
    let message = Text::of("has `").text(argument).text(" = ").number(value);
    let message = message.text("`, but its input ").shape(input);
    let error = ShapeError::argument(
        argument,
        if input.rank() == 1 {
            message.text(" has axis 0 only")
        } else {
            message.text(" has the axes 0 to ").number(input.rank() - 1).text(" only")
        },
    );
    Err(error.help(Text::of("axes are counted from 0, without the batch")))
}

/// This shape with another size of one axis.
pub(crate) const fn with_axis(shape: Shape, axis: usize, size: usize) -> Shape {
    let mut axes = [0; MAX_RANK];
    let mut nth = 0;
    while nth < shape.rank() {
        axes[nth] = if nth == axis { size } else { shape.dim(nth) };
        nth += 1;
    }
    Shape::new(axes.split_at(shape.rank()).0)
}

/// The output of a gate: half of the features of its input.
pub(crate) const fn half(input: Shape) -> Result<Shape, ShapeError> {
    if input.last().is_multiple_of(2) {
        return Ok(input.with_last(input.last() / 2));
    }
    let message =
        Text::of("splits its last axis into two halves, which needs an even size, but gets ");
    let help = Text::of("let the layer before it give an even number of features or channels");
    Err(ShapeError::layer(message.shape(input)).help(help))
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

#[cfg(test)]
pub(crate) mod testing {
    use crate::error::Blame;
    use crate::error::testing::refusal;
    use crate::row::Row;
    use crate::shape::Shape;
    use std::format;

    /// Checks the rule of an elementwise join of two branches. The words are those of its messages: see [`super::broadcast`].
    #[track_caller]
    pub(crate) fn check_broadcast(row: &Row, verb: &str, on_channels: &str) {
        let (image, channels) = (Shape::new(&[13, 9, 32]), Shape::new(&[32]));
        let output = |branches: [Shape; 2]| (row.rule)(&branches, &[]);
        for branch in [image, channels, Shape::new(&[1, 1, 32])] {
            assert_eq!(output([image, branch]).unwrap(), image);
        }
        for (branch, shape) in [([9, 1, 32], "9x1x32"), ([13, 9, 1], "13x9x1")] {
            let (blame, words) = refusal(output([image, Shape::new(&branch)]));
            assert_eq!(blame, Blame::Branch(1));
            let expected = format!(
                "layer `it` {verb} branches of one shape, but branch 1 gives 13x9x32 and branch 2 gives {shape}\n  \
                 = help: let branch 2 give 13x9x32, or 32 to {on_channels} channels"
            );
            assert_eq!(words, expected);
        }
        // Which of these axes are meant would be open.
        let (blame, _) = refusal(output([image, Shape::new(&[9, 32])]));
        assert_eq!(blame, Blame::Branch(1));
        let (_, words) = refusal(output([channels, image]));
        let expected = format!(
            "layer `it` {verb} branches of one shape, but branch 1 gives 32 and branch 2 gives 13x9x32\n  \
             = help: write branch 2 first: later branches {on_channels} its channels"
        );
        assert_eq!(words, expected);
    }
}
