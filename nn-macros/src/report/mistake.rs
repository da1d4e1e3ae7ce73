//! Messages that contain names, sizes or tokens of the user's.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{BinOp, Ident};
use unrolled_shape::half::MAX_HALF;
use unrolled_shape::registry::ROWS;
use unrolled_shape::{Kind, Parameter, Shape};

use super::Elsewhere;
use crate::foreign;
use crate::suggest::{closest, misspelt_padding, renamed};

pub(crate) fn no_size(tokens: &TokenStream) -> String {
    format!("expected a size, but got `{}`", tidy(tokens))
}

pub(crate) fn indices_from_a_layer(layer: &str, as_argument: bool) -> String {
    let (indices, help) = match as_argument {
        false => ("token indices", "make it the first layer that reads an input"),
        true => ("indices of steps", "let its `index` name an input of the network"),
    };
    format!(
        "layer `{layer}` takes {indices}, but gets the output of another layer\n  = help: {help}"
    )
}

pub(crate) fn reads_indices(layer: &str, input: Option<&str>, reader: &str) -> String {
    let input = input.map_or("the input".into(), |name| format!("the input `{name}`"));
    format!(
        "layer `{layer}` takes real numbers, but {input} holds indices for `{reader}`\n  \
         = help: give `{layer}` an input of its own, or let it read the output of `{reader}`"
    )
}

pub(crate) fn takes_all_steps(layer: &str) -> String {
    format!(
        "layer `{layer}` takes all steps at once, but gets sequences that may be shorter: the header \
         has `..`\n  = help: put `GlobalAvgPool`, `GlobalMaxPool`, or a recurrent layer with `output = \
         last` before it, or declare the input without `..`"
    )
}

/// A line of a `PerStep` that reads a value from outside of it.
pub(crate) fn outside_of_steps(layer: &str, value: &str) -> String {
    format!(
        "layer `{layer}` is applied to each step by itself, but reads `{value}` from outside of the `PerStep`\n  = help: \
         join `{value}` with the sequence before the `PerStep`, as in `Concat {{ {{}}, {value} }}`; `RepeatSteps` makes a \
         sequence of a value that all steps read"
    )
}

/// A layer whose weights have no known layout while expanding.
pub(crate) fn unknown_weights(layer: &str, is_type: bool) -> String {
    let why = match is_type {
        true => "is a type of yours",
        false => "has a size that is a constant",
    };
    format!(
        "`#[weights(..)]` lays the weights out while the macro expands, but layer `{layer}` {why}, which the \
         macro cannot look up\n  = help: write literal sizes, and layers in a `block`; or call `load_bytes` when \
         the program starts"
    )
}

/// A weight that half precision cannot hold.
pub(crate) fn no_half(tensor: &str, value: f32) -> String {
    format!(
        "`{tensor}` has the value {value:?}, which f16 cannot hold: expected values up to {MAX_HALF:?}\n  \
         = help: remove `storage = f16`"
    )
}

/// A file that cannot be opened.
pub(crate) fn no_file(path: &str, why: &std::io::Error) -> String {
    let why = match why.kind() {
        // The system's words differ from one to the other.
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => why.to_string(),
    };
    format!(
        "cannot read `{path}`: {why}\n  = help: the path begins at the folder of the package's Cargo.toml"
    )
}

/// The message of rustc about a call of `step`.
pub(crate) fn takes_whole_sequences(network: &str, layer: &str) -> String {
    format!(
        "`{network}` cannot run step by step: its layer `{layer}` needs the whole sequence, or \
         later steps"
    )
}

pub(crate) fn steps_as_features(layer: &str) -> String {
    format!(
        "layer `{layer}` takes features, but with `..` in the header the input's values are steps\n  \
         = help: leave out `..` for features, write `..64x1` for steps of one feature each, or begin \
         with `Embedding` for token indices"
    )
}

pub(crate) fn shape_in_parentheses(shape: &str) -> String {
    format!(
        "write a shape as `{shape}`; several outputs of a network have names, as in `-> (digit: 10, \
         place: 2)`"
    )
}

/// An output of the header without a line of its name.
pub(crate) fn no_such_output(name: &Ident, elsewhere: Option<Elsewhere>, known: &[&str]) -> String {
    let begin = format!("no line of the network is called `{name}`");
    match (elsewhere, closest(&name.to_string(), known.iter().copied())) {
        (Some(elsewhere), _) => format!("{begin}{}", in_words(name, &elsewhere)),
        (None, Some(meant)) => format!("{begin}: did you mean `{meant}`?"),
        (None, None) => {
            format!("{begin}: name the line that computes this output, as in `{name}: Dense(10)`")
        }
    }
}

/// A shape that the user wrote in several tokens.
pub(crate) fn one_word(shape: &str) -> String {
    // `28 * 28` may be a shape or a product: the message offers both.
    let size = shape.replace('x', " * ");
    format!("write a shape as one word, `{shape}`, or a computed size in braces: `{{ {size} }}`")
}

/// `axes` is the one shape that was perhaps meant.
pub(crate) fn inputs_need_names(axes: Option<String>) -> String {
    let words = "several inputs need names, as in `image: 28x28x1, table: 12`";
    match axes {
        Some(axes) => format!("{words}; one input is a shape of one word: `{axes}`"),
        None => words.into(),
    }
}

pub(crate) fn too_many_axes(axes: usize) -> String {
    format!("this shape has {axes} axes, but can have at most {}", unrolled_shape::MAX_RANK)
}

pub(crate) fn no_result(left: usize, op: &BinOp, right: usize) -> String {
    let op = op.to_token_stream();
    format!("`{left} {op} {right}` is not a size: sizes are whole numbers, at least 0")
}

pub(crate) fn quotes(word: &str) -> String {
    format!("write `{word}` without quotes")
}

pub(crate) fn missing(callee: &Ident, names: &[&str]) -> String {
    let all: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let add: Vec<String> = names.iter().map(|name| format!("{name} = ..")).collect();
    format!("`{callee}` needs {}: add `{}`", all.join(" and "), add.join(", "))
}

pub(crate) fn no_argument<'a>(
    callee: &Ident,
    name: &Ident,
    known: impl Iterator<Item = &'a str> + Clone,
) -> String {
    let begin = format!("`{callee}` has no argument `{name}`");
    if let Some(meant) = renamed(&name.to_string(), known.clone()) {
        return format!("{begin}: did you mean `{meant}`?");
    }
    // Before similar names: `in_channels` is one of `out_channels`.
    if let Some(remedy) = foreign::argument(&name.to_string()) {
        return format!("{begin}: {remedy}");
    }
    if let Some(meant) = closest(&name.to_string(), known.clone()) {
        return format!("{begin}: did you mean `{meant}`?");
    }
    let all: Vec<String> = known.map(|name| format!("`{name}`")).collect();
    match all.len() {
        0 => format!("{begin}: it takes none"),
        1 => format!("{begin}: it takes {} only", all[0]),
        _ => format!("{begin}: it takes {}", all.join(", ")),
    }
}

/// `activation = relu`, as in Keras.
pub(crate) fn activation_as_argument(callee: &Ident, value: &TokenStream) -> String {
    let word = tidy(value).replace(['"', '\''], "");
    let known = ROWS.iter().map(|row| row.name);
    let activation = closest(&word, known).unwrap_or("ReLU");
    format!(
        "`{callee}` has no argument `activation`: write the activation as the next layer, \
         `{callee}(..), {activation}`"
    )
}

/// `name = "out"`, as in Keras.
pub(crate) fn name_as_argument(callee: &Ident, value: &TokenStream) -> String {
    let name = tidy(value).replace(['"', '\''], "");
    format!(
        "`{callee}` has no argument `name`: write the name before the layer, `{name}: {callee}(..)`"
    )
}

/// `Conv2d(1, 32, 3)`, as in PyTorch, where the first argument is the input's size. `meant` are the arguments without
/// it, and `next` is the first one too many with its name.
pub(crate) fn size_of_input_first(
    callee: &Ident,
    meant: &[String],
    next: Option<String>,
) -> String {
    let call = if meant.is_empty() { String::new() } else { format!("({})", meant.join(", ")) };
    let next = next.map_or_else(String::new, |next| format!(", or with its name `{next}`"));
    format!(
        "`{callee}` has too many arguments without a name: its input's size is inferred\n  = help: leave \
         out the input's size, which PyTorch has: write `{callee}{call}`{next}"
    )
}

/// `Conv2d(1, 32, kernel = 3)`: `value` is the one without a name.
pub(crate) fn also_without_name(callee: &Ident, name: &str, value: &str) -> String {
    format!(
        "the argument `{name}` is given twice: by its position it is `{value}`\n  = help: leave out the \
         input's size, which is the first argument of `{callee}` in PyTorch; it is inferred"
    )
}

/// `Reshape(7, 7, 64)`, as in PyTorch.
pub(crate) fn shape_in_arguments(callee: &Ident, sizes: &[String]) -> String {
    let sizes: Vec<&str> =
        sizes.iter().map(String::as_str).filter(|size| !size.starts_with('-')).collect();
    format!(
        "`{callee}` takes one shape, without a batch axis: write `{callee}({})`",
        sizes.join("x")
    )
}

/// `Concat(a, b)`: parentheses for braces.
pub(crate) fn branches_in_parentheses(name: &Ident, branches: &str) -> String {
    format!("`{name}` has its branches in braces: write `{name} {{ {branches} }}`")
}

/// `nn::Linear(784, 10)`: a layer of this language with the path of another library.
pub(crate) fn path_of_a_layer(path: &str, layer: &str) -> String {
    format!("layers have no path here: write `{layer}` for `{path}`")
}

/// `1/2` as a real number.
pub(crate) fn quotient(callee: &Ident, name: &str, tokens: &TokenStream) -> String {
    format!(
        "`{name}` of `{callee}` must be a literal number: `{}` is a quotient of whole numbers, and is \
         rounded down\n  = help: write a decimal number, such as `0.5` for `1/2`",
        tidy(tokens)
    )
}

/// The width of a predefined block, which has to be that of its input.
pub(crate) fn wrong_width(block: &Ident, width: usize, input: Shape) -> String {
    let features = input.last();
    format!(
        "`{block}` has a width of {width}, but its input is {input}: {features} features\n  = help: write \
         `{features}` for the width, or put `Dense({width})` before it"
    )
}

/// `50%` as a probability.
pub(crate) fn percent(share: f64) -> String {
    format!("write `{}` for {share} %", share / 100.0)
}

/// `positional` are the arguments without names, `next` the first one that needs its name.
pub(crate) fn too_many(callee: &Ident, positional: &[&str], next: Option<&str>) -> String {
    let all: Vec<String> = positional.iter().map(|name| format!("`{name}`")).collect();
    match (next, positional.len()) {
        (Some(next), 0) => {
            format!("the arguments of `{callee}` need their names: write `{next} = ..`")
        }
        (Some(next), _) => format!(
            "`{callee}` takes {} without a name, as its input's size is inferred; \
             the next one is `{next} = ..`",
            all.join(" and ")
        ),
        (None, 0) => format!("`{callee}` takes no arguments"),
        (None, 1) => format!("`{callee}` takes one argument only"),
        (None, most) => format!("`{callee}` takes {most} arguments only"),
    }
}

pub(crate) fn wrong_kind(callee: &Ident, parameter: &Parameter, got: &TokenStream) -> String {
    let expected = match parameter.kind {
        Kind::Number => "a whole number".into(),
        Kind::Pair => "a whole number, or one for height and width as in `(3, 5)`".into(),
        Kind::Padding => {
            "`same`, a whole number, one for height and width as in `(1, 2)`, or one for top, \
             bottom, left and right"
                .into()
        }
        Kind::Triple => {
            "a whole number, or one for depth, height and width as in `(3, 5, 5)`".into()
        }
        Kind::VolumePadding => {
            "`same`, a whole number, one for depth, height and width as in `(1, 2, 2)`, or one for \
             front, back, top, bottom, left and right"
                .into()
        }
        Kind::StepPadding => {
            "a whole number, one before and one after as in `(1, 2)`, `same` or `causal`".into()
        }
        Kind::Flag => "`true` or `false`".into(),
        Kind::Real => "a literal number such as `0.5`".into(),
        Kind::Shape => "a shape such as `4x4x8`".into(),
        Kind::Input => "the name of an input or of an earlier line".into(),
        Kind::Weight => "the name of an earlier line whose weight it shares".into(),
        Kind::Word(words) => {
            let all: Vec<String> = words.iter().map(|word| format!("`{}`", word.text)).collect();
            all.join(" or ")
        }
    };
    let got = tidy(got);
    let words = format!("`{}` of `{callee}` must be {expected}, but is `{got}`", parameter.name);
    match parameter.kind {
        Kind::Word(known) => match closest(&got, known.iter().map(|word| word.text)) {
            Some(meant) => format!("{words}: did you mean `{meant}`?"),
            None => words,
        },
        Kind::Flag => match got.as_str() {
            // As Python and PyTorch write flags.
            "True" | "1" => format!("{words}: write `true`"),
            "False" | "None" | "0" => format!("{words}: write `false`"),
            _ => words,
        },
        Kind::Padding | Kind::VolumePadding | Kind::StepPadding => {
            match misspelt_padding(parameter.kind, &got) {
                Some(meant) => format!("{words}: did you mean `{meant}`?"),
                // The word of Keras and PyTorch for no padding.
                None if got == "valid" => format!("{words}: write `0` for no padding"),
                None => words,
            }
        }
        // As in PyTorch: `head.weight = tokens.weight`.
        Kind::Weight if got.ends_with(".weight") => {
            format!("{words}: write `{}`", got.trim_end_matches(".weight"))
        }
        // The padding of a pool, which takes numbers only.
        Kind::Pair if got == "same" => {
            format!("{words}: `padding = 1` keeps the size under a kernel of 3 and a stride of 1")
        }
        _ => words,
    }
}

pub(crate) fn unknown_layer(name: &Ident, known: &[&str]) -> String {
    if let Some(remedy) = foreign::layer(&name.to_string()) {
        return format!("there is no layer `{name}`: {remedy}");
    }
    match closest(&name.to_string(), known.iter().copied()) {
        Some(meant) => format!("there is no layer `{name}`: did you mean `{meant}`?"),
        None => format!(
            "there is no layer `{name}`; if it is a type of yours, write it without \
             parentheses, as in `{name}::<64>`"
        ),
    }
}

pub(crate) fn layer_or_type(name: &Ident, meant: &str) -> String {
    let own = format!("If `{name}` is a type of yours, write `self::{name}`");
    match foreign::layer(&name.to_string()) {
        Some(remedy) => format!("there is no layer `{name}`: {remedy}. {own}"),
        None => format!("there is no layer `{name}`: did you mean `{meant}`? {own}"),
    }
}

/// `Activation(relu)`, as in Keras.
pub(crate) fn activation_as_layer(value: &TokenStream) -> String {
    let word = tidy(value).replace(['"', '\''], "");
    let known = ROWS.iter().map(|row| row.name);
    let activation = closest(&word, known).unwrap_or("ReLU");
    format!("there is no layer `Activation`: write `{activation}`")
}

pub(crate) fn unknown_source(name: &Ident, elsewhere: Option<Elsewhere>, known: &[&str]) -> String {
    let begin = format!("there is no input or earlier line called `{name}`");
    if let Some(elsewhere) = elsewhere {
        return format!("{begin}{}", in_words(name, &elsewhere));
    }
    if let Some(meant) = closest(&name.to_string(), known.iter().copied()) {
        return format!("{begin}: did you mean `{meant}`?");
    }
    let all: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    if all.is_empty() { begin } else { format!("{begin}; in scope: {}", all.join(", ")) }
}

/// `known` are the lines before that have a weight to share.
pub(crate) fn unknown_owner(name: &Ident, elsewhere: Option<Elsewhere>, known: &[&str]) -> String {
    let begin = format!("there is no earlier layer called `{name}`");
    match elsewhere {
        Some(Elsewhere::InsideOf(structure)) => {
            return format!(
                "{begin}: the line `{name}` is local to `{structure}`\n  = help: share the weight with \
                 a line before the `{structure}`, or inside it"
            );
        }
        Some(elsewhere) => return format!("{begin}{}", in_words(name, &elsewhere)),
        None => {}
    }
    match closest(&name.to_string(), known.iter().copied()) {
        Some(meant) => format!("{begin}: did you mean `{meant}`?"),
        None if known.is_empty() => begin,
        None => {
            let all: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            format!("{begin}; weights can be shared with {}", all.join(", "))
        }
    }
}

/// `source` is the layer as it is written, if it is one; `layers` have weights to share.
pub(crate) fn no_weight(name: &Ident, source: Option<&str>, layers: &[&str]) -> String {
    let is = match source {
        Some(source) => format!("it is `{source}`"),
        None => "it is not a single layer".into(),
    };
    let layers: Vec<String> = layers.iter().map(|name| format!("`{name}`")).collect();
    let layers = layers.join(" or ");
    format!("`{name}` has no weight to share: {is}\n  = help: name a line that is {layers}")
}

/// No line is called `name` that `same` could apply again.
pub(crate) fn unknown_line(name: &Ident, elsewhere: Option<Elsewhere>, known: &[&str]) -> String {
    let begin = format!("there is no earlier line called `{name}`");
    match elsewhere {
        Some(Elsewhere::InsideOf(structure)) => {
            return format!(
                "{begin}: the line `{name}` is local to `{structure}`\n  = help: put it before the \
                 `{structure}`, and read its output there"
            );
        }
        Some(elsewhere) => return format!("{begin}{}", in_words(name, &elsewhere)),
        None => {}
    }
    match closest(&name.to_string(), known.iter().copied()) {
        Some(meant) => format!("{begin}: did you mean `{meant}`?"),
        None if known.is_empty() => begin,
        None => {
            let all: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            format!("{begin}; lines with weights are {}", all.join(", "))
        }
    }
}

/// `same(image)`, where `image` is an input.
pub(crate) fn input_again(name: &Ident) -> String {
    format!(
        "`same` applies an earlier line again, but `{name}` is an input\n  = help: write `{name} => \
         same(..)` for a line that reads `{name}`"
    )
}

pub(crate) fn again_without_weights(name: &Ident) -> String {
    format!("`{name}` has no weights to share\n  = help: write its layers once more")
}

/// `same(line)`, where `line` does not read the value before it. `inputs` are those that it has: names of arguments, and
/// `{ .. }`.
pub(crate) fn again_without_input(line: &Ident, inputs: &[String]) -> String {
    let begin = format!(
        "`{line}` does not read the value before it, so that `same({line})` would compute the same \
         values once more\n  = help: use the output of `{line}`"
    );
    if inputs.is_empty() { begin } else { format!("{begin}, or {}", other_inputs(line, inputs)) }
}

/// `same(line, name = value)`, where `line` has no such input.
pub(crate) fn no_input(line: &Ident, name: &Ident, inputs: &[String]) -> String {
    let begin = format!("`{line}` has no input called `{name}`");
    match closest(&name.to_string(), inputs.iter().map(String::as_str)) {
        Some(meant) => format!("{begin}: did you mean `{meant}`?"),
        None if inputs.is_empty() => format!(
            "{begin}\n  = help: `same` gives a line other values, and all else stays: `value => \
             same({line})`"
        ),
        None => format!("{begin}\n  = help: {}", other_inputs(line, inputs)),
    }
}

/// What to write for other inputs of a line.
fn other_inputs(line: &Ident, inputs: &[String]) -> String {
    let one = |input: &String| match input.as_str() {
        "{ .. }" => format!("`same({line}) {{ .. }}` with a value for each branch"),
        name => format!("`same({line}, {name} = ..)`"),
    };
    let all: Vec<String> = inputs.iter().map(one).collect();
    format!("give it other values: {}", all.join(" or "))
}

/// `same(line, name = 3)`
pub(crate) fn no_value(name: &Ident) -> String {
    format!("`{name}` must be the name of an input or of an earlier line")
}

/// `same(line) { .. }` with another number of branches than `line`.
pub(crate) fn branches_again(line: &Ident, expected: usize, found: usize) -> String {
    let branches = if found == 1 { "branch" } else { "branches" };
    format!(
        "`{line}` has {expected} branches, but `same({line})` has {found} {branches}\n  = help: write a \
         value for each: `same({line}) {{ a, b }}`"
    )
}

/// Why a value cannot be taken from where it is, and what can be done.
fn in_words(name: &Ident, elsewhere: &Elsewhere) -> String {
    match elsewhere {
        Elsewhere::Later => {
            format!(
                ": the line `{name}` is not complete here, and a line can only use earlier values"
            )
        }
        // Each copy has a line of this name: none of them is the one that is meant.
        Elsewhere::InsideOf(structure) if structure == "Repeat" => format!(
            ": each copy inside `Repeat` has its own line `{name}`, which is local to it\n  = help: \
             name the `Repeat`, and use the output of its last copy"
        ),
        Elsewhere::InsideOf(structure) => format!(
            ": the line `{name}` is local to `{structure}`\n  = help: name the `{structure}`, or put the \
             line before it"
        ),
        Elsewhere::OutsideOfBlock(block) => format!(
            ": a block can only use its own lines and parameters\n  = help: make it a parameter, \
             `block {block}({name}) {{ .. }}`, and pass it where the block is used, `{block}({name})`"
        ),
    }
}

/// Two names in one scope, because `_` adds no level.
pub(crate) fn path_twice(path: &str) -> String {
    format!(
        "two lines have the path `{path}`, because `_` adds no level\n  = help: give this line a name \
         instead of `_`, or the other one another name"
    )
}

/// A layer with the path of what is around it.
pub(crate) fn no_level_of_layer(path: &str) -> String {
    if path.is_empty() {
        return "`_` before a layer of the network itself leaves its weights without a name\n  = help: \
                give the line a name, or none"
            .to_owned();
    }
    format!(
        "two layers have the path `{path}`, because `_` adds no level\n  = help: give one of them a name"
    )
}

pub(crate) fn value_as_layer(name: &Ident) -> String {
    format!(
        "`{name}` is a value, not a layer: begin a line with it by `=>`, as in `{name} => Dense(10)`"
    )
}

pub(crate) fn unused_input(name: &Ident) -> String {
    format!("the input `{name}` is never used: give it a branch, as in `{name} => {{ .. }}`")
}

pub(crate) fn unused_output(label: &str) -> String {
    format!(
        "the output of layer `{label}` is never used: begin a branch of the next join with it, as \
         in `{{ .. }}`, or name it and use it in a later line, as in `name => Dense(10)`"
    )
}

pub(crate) fn no_branches(name: &Ident) -> String {
    format!("`{name}` takes one input and no branches")
}

pub(crate) fn needs_branches(name: &Ident) -> String {
    format!("`{name}` joins branches: write `{name} {{ a => {{ .. }}, b => {{ .. }} }}`")
}

pub(crate) fn block_like_layer(name: &Ident) -> String {
    format!("`{name}` is a layer already: give the block another name")
}

pub(crate) fn cycle(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("a block cannot contain itself: {}", names.join(" uses "))
}

pub(crate) fn too_large(most: usize) -> String {
    format!("the network has more than {most} layers when its blocks and repeats are unrolled")
}

pub(crate) fn too_deep(most: usize) -> String {
    format!("blocks, repeats and branches are nested more than {most} levels deep")
}

/// Tokens as people write them.
pub(crate) fn tidy(tokens: &TokenStream) -> String {
    use proc_macro2::{Delimiter, TokenTree};
    // `TokenStream::to_string` puts spaces also where people do not: `config :: N`.
    let mut text = String::new();
    let mut word = false;
    for tree in tokens.clone() {
        let is_word = matches!(tree, TokenTree::Ident(_) | TokenTree::Literal(_));
        if word && is_word {
            text.push(' ');
        }
        word = is_word;
        match tree {
            TokenTree::Group(group) => {
                let inner = tidy(&group.stream());
                match group.delimiter() {
                    Delimiter::Parenthesis => text += &format!("({inner})"),
                    Delimiter::Bracket => text += &format!("[{inner}]"),
                    Delimiter::Brace => text += &format!("{{ {inner} }}"),
                    Delimiter::None => text += &inner,
                }
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                ',' => text += ", ",
                c @ ('+' | '*' | '/' | '%' | '=') => text += &format!(" {c} "),
                c => text.push(c),
            },
            other => text += &other.to_string(),
        }
    }
    text
}
