//! Checks between layers, outside the rule of any one of them: arrows, headers, skip connections.
//!
//! All are `const fn` from plain data to a [`ShapeError`], so that the macro and constants in expanded code
//! report the same messages. [`explain`](crate::error::explain) formats them.

use crate::error::ShapeError;
use crate::shape::Shape;
use crate::text::Text;

/// The most elements of a value. Sums of a few such counts, and small multiples, still fit into a `usize`. The product of
/// two may not: rules limit it first, or use `saturating_mul`.
pub(crate) const MOST: usize = if usize::BITS >= 64 { 1 << 40 } else { 1 << 28 };

/// A layer that has an arrow: `Flatten -> 1600`.
#[derive(Clone, Copy, Debug)]
pub struct Arrow<'a> {
    /// The name of the layer, or its kind where it has none.
    pub layer: &'a str,
    /// Its input (the first branch of a join).
    pub input: Shape,
    /// Its output.
    pub output: Shape,
    /// How the output's shape is computed, by [`Row::how`](crate::row::Row::how); may be empty.
    pub how: Text,
    /// The shape after its arrow.
    pub declared: Shape,
    /// Whether it is a view: the same elements with another shape, as of `Flatten`.
    pub view: bool,
    /// The named layer that reads its output; empty where there is none.
    pub reader: &'a str,
}

/// The output shape of a layer, if its arrow declares the same.
///
/// ```text
/// layer `fc1` takes 1568 values, but `Flatten` gives 5x5x64 = 1600
/// layer `conv2` gives 11x11x64, but its arrow says 12x12x64
/// ```
///
/// # Errors
/// When the arrow declares another shape.
pub const fn arrow(arrow: &Arrow) -> Result<Shape, ShapeError> {
    if arrow.declared.same(&arrow.output) {
        return Ok(arrow.output);
    }
    let flattens = arrow.view && arrow.output.rank() == 1;
    // Both the shape and its length: the length alone would not show where it comes from.
    let gives = if flattens {
        Text::of("gives ").shape_and_len(arrow.input)
    } else {
        Text::of("gives ").shape(arrow.output)
    };
    // The number may be the input size that the next layer was meant to have: that layer is named.
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

/// Checks a size that is an expression of the user's, before anything is computed with it.
///
/// ```text
/// `usize::MAX` is 18446744073709551615, but a size can be at most 1099511627776
/// ```
///
/// # Errors
/// When it is larger than any memory. Smaller ones depend on what they are the size of.
pub const fn size(size: usize, written: &str) -> Result<Shape, ShapeError> {
    if size <= MOST {
        return Ok(Shape::new(&[size]));
    }
    let message = Text::of("is ").number(size).text(", but a size can be at most ").number(MOST);
    Err(ShapeError::layer(message).about(Text::new().quoted(written)))
}

/// A size, or a stand-in for one that [`size`] refuses: the compiler would report each type and sum that overflows.
#[must_use]
pub const fn size_or_stand_in(size: usize) -> usize {
    if size <= MOST { size } else { 1 }
}

/// The shape, or a stand-in for it after a mistake, which is reported elsewhere.
#[must_use]
pub const fn or_stand_in(result: Result<Shape, ShapeError>, stand_in: Shape) -> Shape {
    match result {
        Ok(shape) => shape,
        Err(_) => stand_in,
    }
}

/// The input shape of a network, as its header declares it.
///
/// ```text
/// the network takes 0x28x1, but every axis needs at least 1
/// ```
///
/// # Errors
/// When an axis is 0, there is no axis, or there are too many elements.
pub const fn header_input(declared: Shape) -> Result<Shape, ShapeError> {
    match sound(declared, "takes ") {
        Ok(shape) => Ok(shape),
        Err(error) => Err(error.about(Text::of("the network"))),
    }
}

/// The output shape of a custom layer, as its type declares it.
///
/// ```text
/// layer `mix` gives 0x64, but every axis needs at least 1
/// ```
///
/// # Errors
/// When an axis is 0, there is no axis, or there are too many elements.
pub const fn layer_output(given: Shape) -> Result<Shape, ShapeError> {
    sound(given, "gives ")
}

/// The output shape that a header promises, where what the network gives is not known.
///
/// ```text
/// the network gives 0x64, but every axis needs at least 1
/// ```
///
/// # Errors
/// When an axis is 0, there is no axis, or there are too many elements.
pub const fn header_promise(promised: Shape) -> Result<Shape, ShapeError> {
    match sound(promised, "gives ") {
        Ok(shape) => Ok(shape),
        Err(error) => Err(error.about(Text::of("the network"))),
    }
}

/// The output shape of a network, if its header declares the same.
///
/// ```text
/// the network gives 12, but its header promises 10
/// ```
///
/// # Errors
/// When the header declares another shape.
pub const fn header_output(output: Shape, promised: Shape) -> Result<Shape, ShapeError> {
    if promised.same(&output) {
        return Ok(output);
    }
    let message = Text::of("gives ").shape(output);
    let message = message.text(", but its header promises ").shape(promised);
    let help = Text::of("write `-> ").shape(output).text("` in the header");
    // No layer can give a shape that is not valid itself.
    let help = if sound(promised, "").is_err() {
        help
    } else if output.rank() > 1 && promised.rank() == 1 && promised.last() == output.last() {
        let sequence = if output.rank() == 2 { "`output = last`, " } else { "" };
        let help = Text::of("write ").text(sequence).text("`Flatten` or a global pool before the ");
        help.text("last `Dense`, which works on the last axis only")
    } else {
        help.text(", or let the last layer give ").shape(promised)
    };
    Err(ShapeError::layer(message).about(Text::of("the network")).help(help))
}

/// The shape of one of several outputs of a network, if its header declares the same. `name` is the name of
/// its line.
///
/// ```text
/// the network gives 12 as its output `digit`, but its header promises 10
/// ```
///
/// # Errors
/// When the header declares another shape.
pub const fn named_output(output: Shape, promised: Shape, name: &str) -> Result<Shape, ShapeError> {
    if promised.same(&output) {
        return Ok(output);
    }
    let message = Text::of("gives ").shape(output).text(" as its output ").quoted(name);
    let message = message.text(", but its header promises ").shape(promised);
    let help = Text::of("write `").text(name).text(": ").shape(output).text("` in the header");
    let help = if sound(promised, "").is_err() {
        help
    } else {
        help.text(", or let the line ").quoted(name).text(" give ").shape(promised)
    };
    Err(ShapeError::layer(message).about(Text::of("the network")).help(help))
}

/// The input shape of a layer that takes one shape only: a network used as a layer, or a custom layer. `name`
/// is the name of that input; empty where the layer has only one.
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
    let help = Text::of("let the layers before it give ").shape(expected);
    Err(ShapeError::layer(message.text(", but gets ").shape(found)).help(help))
}

/// The output shape of a layer that is applied again, if its inputs have the shapes that they have the first time. `first`
/// is the layer as it is applied first, whose output is `output`.
///
/// ```text
/// layer `right.conv1` is `left.conv1` again, which takes 28x28x1, but gets 14x14x1
/// ```
///
/// # Errors
/// When a shape differs.
pub const fn again(
    found: &[Shape],
    expected: &[Shape],
    output: Shape,
    first: &str,
) -> Result<Shape, ShapeError> {
    let mut i = 0;
    while i < found.len() {
        if !found[i].same(&expected[i]) {
            let message = Text::of("is ").quoted(first).text(" again, which takes ");
            let message = match found.len() {
                1 => message.shape(expected[i]),
                _ => message.shape(expected[i]).text(" as input ").number(i + 1),
            };
            let message = message.text(", but gets ").shape(found[i]);
            let help = Text::of("let the layers before it give ").shape(expected[i]);
            return Err(ShapeError::branch(i, message).help(help));
        }
        i += 1;
    }
    Ok(output)
}

/// The output shape of `Residual`, if its body and its skip connection have the same. `skip` is the output
/// of its `skip`; without one, `input` itself is added.
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
            (message.text(" and the body gives ").shape(body), skip_for(input, body))
        }
        Some(skip) => {
            let message = Text::of("adds its body and its `skip`, but the body gives ").shape(body);
            let help = Text::of("let both give the same shape");
            (message.text(" and the `skip` gives ").shape(skip), help)
        }
    };
    Err(ShapeError::layer(message).help(help))
}

/// The help: a `skip` that gives `input` the shape of `body`.
const fn skip_for(input: Shape, body: Shape) -> Text {
    if input.rank() == body.rank() && (input.rank() == 3 || input.rank() == 4) {
        let (convolution, kept) = match input.rank() {
            3 => ("Conv2d", "height and width"),
            _ => ("Conv3d", "depth, height and width"),
        };
        // A convolution with a kernel of 1 changes these and the channels, if one stride suits all axes.
        if let Some(stride) = stride_of_all(input, body) {
            let mut help = Text::of("add `skip { ").text(convolution).text("(").number(body.last());
            help = help.text(", kernel = 1");
            if stride > 1 {
                help = help.text(", stride = ").number(stride);
            }
            return help.text(") }`, which gives ").shape(body);
        }
        let help = Text::of("let the body give ").shape(input);
        return help.text(" (`padding = same` keeps ").text(kept).text("), or add a `skip`");
    }
    // Only the last axis differs.
    if input.rank() == body.rank() && body.with_last(input.last()).same(&input) {
        let help = Text::of("add `skip { Dense(").number(body.last());
        return help.text(") }`, which gives ").shape(body);
    }
    Text::of("let the body give ").shape(input).text(", or add a `skip` that gives ").shape(body)
}

/// The smallest stride by which a kernel of 1 reduces all axes but the last, if there is one.
const fn stride_of_all(from: Shape, to: Shape) -> Option<usize> {
    let stride = stride_between(from.dim(0), to.dim(0));
    let mut axis = 1;
    while axis + 1 < from.rank() {
        match (stride, stride_between(from.dim(axis), to.dim(axis))) {
            (Some(stride), Some(other)) if other == stride => axis += 1,
            _ => return None,
        }
    }
    stride
}

/// The smallest stride by which a kernel of 1 reduces `from` to `to`, if there is one.
const fn stride_between(from: usize, to: usize) -> Option<usize> {
    if from == 0 || to == 0 {
        return None;
    }
    // A kernel of 1 gives `(from - 1) / stride + 1` elements, rounded down.
    let stride = (from - 1) / to + 1;
    if (from - 1) / stride + 1 == to { Some(stride) } else { None }
}

/// The shape, if it has at least one element and not too many. `verb` begins the message: `gives `.
pub(crate) const fn sound(shape: Shape, verb: &str) -> Result<Shape, ShapeError> {
    if shape.rank() == 0 {
        let message = Text::of(verb).text("a shape without axes, but needs at least one axis");
        return Err(ShapeError::layer(message));
    }
    let mut axis = 0;
    while axis < shape.rank() {
        if shape.dim(axis) == 0 {
            let message = Text::of(verb).shape(shape).text(", but every axis needs at least 1");
            return Err(ShapeError::layer(message));
        }
        axis += 1;
    }
    at_most(shape, verb)
}

/// The output shape of a layer in a `PerStep`, of which there is one for each of `steps` steps.
///
/// ```text
/// layer `fc` gives 1048576 for each of 549755813888 steps, but a value can hold at most 1099511627776 elements
/// ```
///
/// # Errors
/// When they have too many elements together.
pub const fn each_step(output: Shape, steps: usize) -> Result<Shape, ShapeError> {
    match output.len().checked_mul(steps) {
        Some(len) if len <= MOST => Ok(output),
        _ => {
            let message = Text::of("gives ").shape(output).text(" for each of ").number(steps);
            let message = message.text(" steps, but a value can hold at most ").number(MOST);
            Err(ShapeError::layer(message.text(" elements")))
        }
    }
}

/// The shape, unless it has more elements than any memory. `verb` begins the message: `gives `.
pub(crate) const fn at_most(shape: Shape, verb: &str) -> Result<Shape, ShapeError> {
    match shape.checked_len() {
        Some(len) if len <= MOST => Ok(shape),
        _ => {
            let message = Text::of(verb).shape(shape).text(", but a value can hold at most ");
            Err(ShapeError::layer(message.number(MOST).text(" elements")))
        }
    }
}

const fn layer(name: &str) -> Text {
    Text::of("layer ").quoted(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::testing::refusal;

    const IMAGE: Shape = Shape::new(&[32, 32, 16]);
    const FLATTEN: Arrow<'static> = Arrow {
        layer: "Flatten",
        input: Shape::new(&[5, 5, 64]),
        output: Shape::new(&[1600]),
        how: Text::new(),
        declared: Shape::new(&[1568]),
        view: true,
        reader: "fc1",
    };

    #[test]
    fn agrees_in_constants() {
        const RIGHT: Arrow = Arrow { declared: Shape::new(&[1600]), ..FLATTEN };
        const ARROW: Shape = crate::error::expect(arrow(&RIGHT), "Flatten", "");
        const HEADER: Shape = crate::error::expect(header_output(ARROW, ARROW), "", "");
        const INPUT: Shape = crate::error::expect(header_input(IMAGE), "", "");
        const LAYER: Shape = crate::error::expect(layer_input(INPUT, IMAGE, ""), "encoder", "");
        const _: Shape = crate::error::expect(layer_output(LAYER), "encoder", "");
        const SUM: Shape = crate::error::expect(residual(LAYER, IMAGE, None), "Residual", "");
        const SKIP: Shape =
            crate::error::expect(residual(HEADER, SUM, Some(IMAGE)), "Residual", "");
        assert_eq!(SKIP, IMAGE);
    }

    #[test]
    fn a_layer_that_is_applied_again() {
        let output = Shape::new(&[10]);
        assert_eq!(again(&[IMAGE, output], &[IMAGE, output], output, "fc").unwrap(), output);
        let (_, words) = refusal(again(&[output], &[IMAGE], output, "left.conv"));
        assert_eq!(
            words,
            "layer `it` is `left.conv` again, which takes 32x32x16, but gets 10\n  = help: let the layers \
             before it give 32x32x16"
        );
    }

    #[test]
    fn sizes_that_no_memory_has() {
        let (_, words) = refusal(size(usize::MAX, "usize::MAX"));
        let (most, limit) = (usize::MAX, MOST);
        assert_eq!(
            words,
            std::format!("`usize::MAX` is {most}, but a size can be at most {limit}")
        );
        assert_eq!((size_or_stand_in(usize::MAX), size_or_stand_in(MOST)), (1, MOST));
        assert!(size(MOST, "N").is_ok());
        assert!(size(0, "N").is_ok(), "the rules refuse it");
    }

    #[test]
    fn what_follows_from_a_mistake_is_not_reported() {
        const LOST: Result<Shape, ShapeError> = Err(ShapeError::LOST);
        const _: Shape = crate::error::expect(LOST, "Flatten", "");
        assert_eq!(or_stand_in(LOST, IMAGE), IMAGE);
        assert_eq!(or_stand_in(Ok(Shape::new(&[3])), IMAGE), Shape::new(&[3]));
    }

    #[test]
    fn a_wrong_arrow_on_flatten_is_reported_of_its_reader() {
        let (_, words) = refusal(arrow(&FLATTEN));
        assert_eq!(
            words,
            "layer `fc1` takes 1568 values, but `Flatten` gives 5x5x64 = 1600\n  \
             = help: write `-> 1600`, or drop the arrow and let the size be inferred"
        );
    }

    #[test]
    fn a_wrong_arrow_elsewhere_is_reported_of_its_layer() {
        let (_, words) = refusal(arrow(&Arrow { reader: "", ..FLATTEN }));
        assert_eq!(
            words,
            "layer `Flatten` gives 5x5x64 = 1600, but its arrow says 1568\n  \
             = help: write `-> 1600`, or drop the arrow and let the size be inferred"
        );
        let (_, words) = refusal(arrow(&Arrow { declared: Shape::new(&[5, 5, 63]), ..FLATTEN }));
        assert_eq!(
            words,
            "layer `Flatten` gives 5x5x64 = 1600, but its arrow says 5x5x63\n  \
             = help: write `-> 1600`, or drop the arrow and let the size be inferred"
        );
        let conv2 = Arrow {
            layer: "conv2",
            input: Shape::new(&[13, 13, 32]),
            output: Shape::new(&[11, 11, 64]),
            how: Text::of("(13 + 2*0 - 3)/1 + 1 = 11"),
            declared: Shape::new(&[12, 12, 64]),
            view: false,
            reader: "fc1",
        };
        let (_, words) = refusal(arrow(&conv2));
        assert_eq!(
            words,
            "layer `conv2` gives 11x11x64, but its arrow says 12x12x64\n  \
             = note: (13 + 2*0 - 3)/1 + 1 = 11\n  \
             = help: write `-> 11x11x64`, or drop the arrow and let the shape be inferred"
        );
    }

    #[test]
    fn a_header_needs_numbers() {
        let (_, words) = refusal(header_input(Shape::new(&[0, 28, 1])));
        assert_eq!(words, "the network takes 0x28x1, but every axis needs at least 1");
        let (_, words) = refusal(header_input(Shape::new(&[])));
        assert_eq!(words, "the network takes a shape without axes, but needs at least one axis");
        let (_, words) = refusal(header_input(Shape::new(&[usize::MAX, 2])));
        assert_eq!(
            words,
            "the network takes 18446744073709551615x2, but a value can hold at most 1099511627776 elements"
        );
    }

    #[test]
    fn a_layer_gives_numbers() {
        let (_, words) = refusal(layer_output(Shape::new(&[0, 64])));
        assert_eq!(words, "layer `it` gives 0x64, but every axis needs at least 1");
    }

    #[test]
    fn a_header_keeps_its_promise() {
        let (_, words) = refusal(header_output(Shape::new(&[12]), Shape::new(&[10])));
        assert_eq!(
            words,
            "the network gives 12, but its header promises 10\n  \
             = help: write `-> 12` in the header, or let the last layer give 10"
        );
    }

    #[test]
    fn an_image_is_not_a_list_of_scores() {
        let image = Shape::new(&[26, 26, 10]);
        let (_, words) = refusal(header_output(image, Shape::new(&[10])));
        assert_eq!(
            words,
            "the network gives 26x26x10, but its header promises 10\n  \
             = help: write `Flatten` or a global pool before the last `Dense`, \
             which works on the last axis only"
        );
        let steps = Shape::new(&[20, 10]);
        let (_, words) = refusal(header_output(steps, Shape::new(&[10])));
        assert!(words.contains("= help: write `output = last`, `Flatten` or a global pool"));
        let (_, words) = refusal(header_output(image, Shape::new(&[0])));
        assert!(words.ends_with("= help: write `-> 26x26x10` in the header"), "{words}");
    }

    #[test]
    fn a_network_as_a_layer_takes_its_own_input_only() {
        let (found, expected) = (Shape::new(&[14, 14, 1]), Shape::new(&[28, 28, 1]));
        let (_, words) = refusal(layer_input(found, expected, ""));
        assert_eq!(
            words,
            "layer `it` takes 28x28x1, but gets 14x14x1\n  \
             = help: let the layers before it give 28x28x1"
        );
        let (_, words) = refusal(layer_input(Shape::new(&[10]), Shape::new(&[12]), "table"));
        assert_eq!(
            words,
            "layer `it` takes 12 as its input `table`, but gets 10\n  \
             = help: let the layers before it give 12"
        );
    }

    #[track_caller]
    fn residual_help(body: &[usize], help: &str) {
        let (_, words) = refusal(residual(IMAGE, Shape::new(body), None));
        let begin =
            "layer `it` adds its input and its body, but the input is 32x32x16 and the body gives ";
        assert!(words.starts_with(begin), "{words}");
        assert_eq!(words.split_once("= help: ").unwrap().1, help);
    }

    #[test]
    fn a_body_of_volumes_needs_a_skip_of_volumes() {
        let help = |body: &[usize]| {
            let (_, words) = refusal(residual(Shape::new(&[8, 16, 16, 3]), Shape::new(body), None));
            std::string::String::from(words.split_once("= help: ").unwrap().1)
        };
        assert_eq!(
            help(&[4, 8, 8, 6]),
            "add `skip { Conv3d(6, kernel = 1, stride = 2) }`, which gives 4x8x8x6"
        );
        assert_eq!(
            help(&[8, 8, 8, 3]),
            "let the body give 8x16x16x3 (`padding = same` keeps depth, height and width), or add a `skip`"
        );
    }

    #[test]
    fn a_body_that_changes_the_shape_needs_a_skip() {
        residual_help(
            &[16, 16, 32],
            "add `skip { Conv2d(32, kernel = 1, stride = 2) }`, which gives 16x16x32",
        );
        residual_help(&[32, 32, 32], "add `skip { Conv2d(32, kernel = 1) }`, which gives 32x32x32");
        residual_help(
            &[28, 28, 16],
            "let the body give 32x32x16 (`padding = same` keeps height and width), or add a `skip`",
        );
        residual_help(
            &[16, 32, 16],
            "let the body give 32x32x16 (`padding = same` keeps height and width), or add a `skip`",
        );
        residual_help(&[64], "let the body give 32x32x16, or add a `skip` that gives 64");
        let (_, words) = refusal(residual(Shape::new(&[32]), Shape::new(&[64]), None));
        assert!(words.ends_with("= help: add `skip { Dense(64) }`, which gives 64"), "{words}");
    }

    #[test]
    fn a_skip_gives_what_the_body_gives() {
        let skip = Some(Shape::new(&[16, 16, 64]));
        let (_, words) = refusal(residual(IMAGE, Shape::new(&[16, 16, 32]), skip));
        assert_eq!(
            words,
            "layer `it` adds its body and its `skip`, but the body gives 16x16x32 and the `skip` gives 16x16x64\n  \
             = help: let both give the same shape"
        );
    }
}
