//! Mistakes: collected here, so that all of them are reported at once, and worded here.
//!
//! The messages about shapes are in nn-shape, because expanded constants report them too.

use proc_macro2::{Span, TokenStream};
use std::collections::HashSet;
use syn::{Error, Ident};

/// All mistakes found so far.
#[derive(Default)]
pub(crate) struct Report {
    errors: Vec<Error>,
    /// The places that have a mistake: one token gets one message, however often the block around it is used.
    places: HashSet<String>,
    /// How many mistakes were found, repeated ones included.
    found: usize,
}

impl Report {
    /// Adds a mistake, unless its place has one already.
    pub(crate) fn error(&mut self, span: Span, message: impl std::fmt::Display) {
        self.add(Error::new(span, message));
    }

    /// Adds a mistake that syn found.
    pub(crate) fn add(&mut self, error: Error) {
        // Also where the message is not kept: see `expand_networks`.
        self.found += 1;
        if self.places.insert(place(error.span())) {
            self.errors.push(error);
        }
    }

    /// Whether a place has a mistake already; counts one more if so. A second message about it is not kept:
    /// composing it takes long where it searches for similar names, and a block may be used thousands of times.
    pub(crate) fn repeats(&mut self, span: Span) -> bool {
        let repeats = self.places.contains(&place(span));
        self.found += usize::from(repeats);
        repeats
    }

    /// As [`Self::error`], with a message that is composed only if it is read.
    pub(crate) fn explain(&mut self, span: Span, message: impl FnOnce() -> String) {
        if !self.repeats(span) {
            self.error(span, message());
        }
    }

    /// A name that is defined twice.
    pub(crate) fn defined_twice(&mut self, what: &str, first: Span, second: &Ident) {
        // Two errors: on stable Rust one error cannot have a note at another place.
        self.error(second.span(), format!("the {what} `{second}` is defined twice"));
        self.error(first, format!("the {what} `{second}` is first defined here"));
    }

    /// An argument that is given twice; `name` is the parameter's.
    pub(crate) fn given_twice(&mut self, name: &str, first: Span, second: Span) {
        self.error(second, format!("the argument `{name}` is given twice"));
        self.error(first, format!("the argument `{name}` is first given here"));
    }

    /// How many mistakes were found so far, repeated ones included.
    pub(crate) fn found(&self) -> usize {
        self.found
    }

    /// The tokens that are blamed, and the messages about them.
    #[cfg(test)]
    pub(crate) fn messages(&self) -> Vec<(String, String)> {
        let one =
            |error: &Error| (error.span().source_text().unwrap_or_default(), error.to_string());
        self.errors.iter().map(one).collect()
    }

    /// A `compile_error!` for each mistake.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.errors.iter().map(Error::to_compile_error).collect()
    }
}

/// Whether both are the same place in the user's code.
pub(crate) fn same_place(a: Span, b: Span) -> bool {
    place(a) == place(b)
}

/// A key of a place in the user's code: stable Rust compares spans by their `Debug` text only.
pub(crate) fn place(span: Span) -> String {
    format!("{span:?}")
}

/// Where a value is that cannot be used by its name.
pub(crate) enum Elsewhere {
    /// It is defined later, or by a line that is not complete.
    Later,
    /// Between the braces of this word.
    InsideOf(String),
    /// Outside the block that is being unrolled.
    OutsideOfBlock(Ident),
}

/// Messages that are always the same, and parts of messages.
pub(crate) mod say {
    pub(crate) const NOT_AN_ITEM: &str =
        "expected `struct Name(input) -> output { layers }` or `block Name(parameters) { layers }`";
    pub(crate) const NOT_A_PARAMETER: &str =
        "expected a parameter of the block: `name` or `name = default`";
    pub(crate) const NO_INPUTS: &str =
        "expected the input's shape in parentheses, as in `struct Net(28x28x1) -> 10`";
    pub(crate) const NO_OUTPUT: &str =
        "expected `->` and the output's shape, as in `struct Net(28x28x1) -> 10`";
    pub(crate) const ONE_OUTPUT: &str = "parentheses are for several outputs, as in `(digit: 10, place: 2)`: \
         write one output as its shape, as in `-> 10`";
    pub(crate) const OUTPUT_WITHOUT_NAME: &str =
        "several outputs need the names of their lines, as in `(digit: 10, place: 2)`";
    pub(crate) const WHERE_CLAUSE: &str = "a network takes no `where` clause";
    pub(crate) const NO_BODY: &str = "expected layers in braces: `{ Dense(128), ReLU }`";
    pub(crate) const SEMICOLON: &str = "expected `,`: layers are separated by commas";
    pub(crate) const NO_COMMA: &str = "expected `,` before this";
    pub(crate) const DOT: &str = "expected a layer without a dot: write `ReLU` for `nn.ReLU()`, and \
         on a line of its own for `.relu()`";
    pub(crate) const BAR: &str = "expected `,` between layers";
    pub(crate) const FAT_ARROW: &str =
        "expected `->` before the layer's shape, as in `Flatten -> 1600`";
    pub(crate) const EQUALS_AFTER_NAME: &str =
        "expected `:` between a layer's name and the layer, as in `fc1: Dense(128)`";
    pub(crate) const NOT_THE_END: &str = "expected `,` or the end";
    pub(crate) const EXPRESSION_IN_SHAPE: &str =
        "expected `,` or the end; an expression in a shape needs braces: `-> { 2 * N }`";
    pub(crate) const ATTRIBUTE_ON_LINE: &str =
        "layers take no attributes and no doc comments: write `// ...`";
    pub(crate) const ATTRIBUTE_ON_BLOCK: &str = "a block takes doc comments and levels of warnings, such as \
         `#[allow(dense_after_dense)]`, and no other attributes: it is expanded where it is used";
    pub(crate) const NOT_A_FILE: &str = "expected the path of a safetensors file, from the folder of the \
         package's Cargo.toml, as in `#[weights(\"digits.safetensors\")]`";
    pub(crate) const ATTRIBUTE_TWICE: &str = "a network has this attribute at most once";
    pub(crate) const NO_LIMIT: &str =
        "expected limits in bytes: `#[fits(flash = 256K, ram = 64K)]`, or one of them";
    pub(crate) const NOT_BYTES: &str = "expected a number of bytes, as in `65536`, `64K` or `1M`";
    pub(crate) const LIMIT_TWICE: &str = "this limit is given twice";
    pub(crate) const GENERIC_DEPLOYMENT: &str = "a network with `#[weights(..)]` or `#[fits(..)]` has one size: \
         write numbers for its const generics";
    pub(crate) const VISIBILITY_OF_BLOCK: &str =
        "a block takes no visibility: it is local to this `network!`";
    pub(crate) const SKIP_ALONE: &str =
        "expected `skip { .. }` directly after `Residual { .. }`, without a comma";
    pub(crate) const NO_COUNT: &str = "expected one count, as in `Repeat(3) { .. }`";
    pub(crate) const RESIDUAL_ARGUMENTS: &str =
        "`Residual` takes no arguments: write `Residual { .. } skip { .. }`";
    pub(crate) const NOT_A_LAYER: &str = "expected a layer, as in `fc1: Dense(128) -> 128`";
    pub(crate) const SUM: &str = "values are added by `Add { a, b }`, and the input of layers to their \
         output by `Residual { .. }`";
    pub(crate) const PRODUCT: &str = "values are multiplied by `Mul { a, b }`";
    pub(crate) const LOOP: &str = "layers are repeated by `Repeat(3) { .. }`, without a loop";
    pub(crate) const LET: &str = "a line has no `let`: write `fc1: Dense(128)`";
    pub(crate) const BATCH_AXIS: &str = "a shape has no batch axis, and no size of `-1`: write `784` for \
         `(-1, 784)`";
    pub(crate) const NOT_A_BRANCH: &str =
        "expected a branch: `name => { layers }`, `{ layers }`, or a name alone";
    pub(crate) const NOT_A_NAME: &str =
        "expected the argument's name before `=`, as in `kernel = 3`";
    pub(crate) const COLON_IN_ARGUMENT: &str =
        "expected `=` between an argument's name and its value, as in `kernel = 3`";
    pub(crate) const POINT_FIRST: &str = "expected a digit before the point, as in `0.5`";
    pub(crate) const ARGUMENTS_IN_BRACKETS: &str =
        "expected the arguments in parentheses, as in `Dense(128)`";
    pub(crate) const UNDERSCORE: &str = "expected a name before `:`; a layer may also have none";
    pub(crate) const NO_AXES: &str = "expected at least one size";
    pub(crate) const NO_VALUE: &str = "expected a value";
    pub(crate) const NOT_A_SHAPE: &str =
        "expected a shape: `28x28x1`, `[H, W, 1]`, `N`, or `{ 2 * N }`";
    pub(crate) const NOT_A_PAIR: &str =
        "expected height and width, as in `(3, 5)`, or a shape, as in `4x4x8` or `[H, W, 8]`";
    pub(crate) const COMPUTES_WITH_GENERICS: &str = "stable Rust cannot compute with const generics: \
         make the result a const generic of its own";
    pub(crate) const NESTED_TOO_DEEP: &str = "this is nested too deeply to be expanded";
    pub(crate) const TOO_MANY_TOKENS: &str =
        "this is too long to be expanded, once parameters of blocks are replaced by their values";
    pub(crate) const NOT_FINITE: &str = "this number is too large";
    pub(crate) const COMPUTED_SIZE: &str = "the size of its weights would be computed from const \
         generics, which Rust cannot do yet\n  = help: write the sizes before it as constants, or \
         give its input's size as a const generic of its own after an arrow, as in `-> FEATURES`";
    pub(crate) const NO_LAYERS: &str = "expected at least one layer";
    pub(crate) const NO_TYPE_PARAMETERS: &str =
        "a network takes const generics of type `usize` only, as in `<const HIDDEN: usize>`";
    pub(crate) const BEGINS_WITH_JOIN: &str = "a network with several inputs begins with a join \
         of them, as in `Concat { image => { .. }, table => { .. } }`, or with one of them, as in \
         `image => Flatten`";
    pub(crate) const BRANCH_NEEDS_SOURCE: &str =
        "this branch has no input: write `name => { .. }` with the name of an input";
    pub(crate) const LITERAL_COUNT: &str =
        "expected a literal count: `Repeat` is unrolled while the macro expands";
    pub(crate) const NO_COPIES: &str = "repeats its layers 0 times: expected at least 1";
    pub(crate) const TWO_BRANCHES: &str =
        "expected two branches or more: `input => { layers }` or `{ layers }`";
    pub(crate) const INSIDE_ITSELF: &str = "a network cannot contain itself";
    pub(crate) const CUSTOM_ARGUMENTS: &str = "a layer of your own takes no arguments here: give it \
         const generics, as in `MyLayer::<64>`";
}

/// Messages that contain names, sizes or tokens of the user's.
pub(crate) mod mistake {
    use proc_macro2::TokenStream;
    use quote::ToTokens;
    use syn::{BinOp, Ident};
    use unrolled_shape::registry::ROWS;
    use unrolled_shape::{Kind, Parameter, Shape};

    use super::Elsewhere;
    use crate::foreign;
    use crate::suggest::{closest, misspelt_padding, renamed};

    pub(crate) fn no_size(tokens: &TokenStream) -> String {
        format!("expected a size, but got `{}`", tidy(tokens))
    }

    pub(crate) fn indices_from_a_layer(layer: &str) -> String {
        format!(
            "layer `{layer}` takes token indices, but gets the output of another layer\n  = help: make \
             it the first layer that reads an input"
        )
    }

    pub(crate) fn reads_indices(layer: &str, input: Option<&str>, reader: &str) -> String {
        let input = input.map_or("the input".into(), |name| format!("the input `{name}`"));
        format!(
            "layer `{layer}` takes real numbers, but {input} holds token indices for `{reader}`\n  \
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

    /// A file that cannot be opened.
    pub(crate) fn no_file(path: &str, why: &std::io::Error) -> String {
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
    pub(crate) fn no_such_output(
        name: &Ident,
        elsewhere: Option<Elsewhere>,
        known: &[&str],
    ) -> String {
        let begin = format!("no line of the network is called `{name}`");
        match (elsewhere, closest(&name.to_string(), known.iter().copied())) {
            (Some(elsewhere), _) => format!("{begin}{}", in_words(name, &elsewhere)),
            (None, Some(meant)) => format!("{begin}: did you mean `{meant}`?"),
            (None, None) => format!(
                "{begin}: name the line that computes this output, as in `{name}: Dense(10)`"
            ),
        }
    }

    /// A shape that the user wrote in several tokens.
    pub(crate) fn one_word(shape: &str) -> String {
        // `28 * 28` may be a shape or a product: the message offers both.
        let size = shape.replace('x', " * ");
        format!(
            "write a shape as one word, `{shape}`, or a computed size in braces: `{{ {size} }}`"
        )
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
                "`same`, a whole number, or one for height and width as in `(1, 2)`".into()
            }
            Kind::StepPadding => "a whole number, `same` or `causal`".into(),
            Kind::Flag => "`true` or `false`".into(),
            Kind::Real => "a literal number such as `0.5`".into(),
            Kind::Shape => "a shape such as `4x4x8`".into(),
            Kind::Input => "the name of an input or of an earlier line".into(),
            Kind::Weight => "the name of an earlier line whose weight it shares".into(),
            Kind::Word(words) => {
                let all: Vec<String> =
                    words.iter().map(|word| format!("`{}`", word.text)).collect();
                all.join(" or ")
            }
        };
        let got = tidy(got);
        let words =
            format!("`{}` of `{callee}` must be {expected}, but is `{got}`", parameter.name);
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
            Kind::Padding | Kind::StepPadding => match misspelt_padding(parameter.kind, &got) {
                Some(meant) => format!("{words}: did you mean `{meant}`?"),
                // The word of Keras and PyTorch for no padding.
                None if got == "valid" => format!("{words}: write `0` for no padding"),
                None => words,
            },
            // As in PyTorch: `head.weight = tokens.weight`.
            Kind::Weight if got.ends_with(".weight") => {
                format!("{words}: write `{}`", got.trim_end_matches(".weight"))
            }
            // The padding of a pool, which takes numbers only.
            Kind::Pair if got == "same" => {
                format!(
                    "{words}: `padding = 1` keeps the size under a kernel of 3 and a stride of 1"
                )
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

    pub(crate) fn unknown_source(
        name: &Ident,
        elsewhere: Option<Elsewhere>,
        known: &[&str],
    ) -> String {
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
    pub(crate) fn unknown_owner(
        name: &Ident,
        elsewhere: Option<Elsewhere>,
        known: &[&str],
    ) -> String {
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
}
