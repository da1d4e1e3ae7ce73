//! Messages that are always the same, and parts of messages.

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
pub(crate) const NOT_A_STORAGE: &str =
    "expected `storage = f16`, or nothing: then weights are stored as f32";
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
pub(crate) const NO_COUNT: &str = "expected one count, as in `Repeat(3) { .. }`, or a count and \
     `shared`, as in `Repeat(3, shared = true) { .. }`";
pub(crate) const SAME_OF_A_LINE: &str = "expected the name of an earlier line, which `same` applies \
     again with its weights, as in `right: b => same(left)`";
pub(crate) const RESIDUAL_ARGUMENTS: &str =
    "`Residual` takes no arguments: write `Residual { .. } skip { .. }`";
pub(crate) const PER_STEP_ARGUMENTS: &str = "`PerStep` takes no arguments, since its steps are those of \
     its input: write `PerStep { .. }`";
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
pub(crate) const NOT_A_NAME: &str = "expected the argument's name before `=`, as in `kernel = 3`";
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
pub(crate) const NOT_A_TUPLE: &str = "expected a number per axis, as in `(3, 5)`, or per side, as in `(0, 1, 0, 1)`, or a \
     shape, as in `4x4x8` or `[H, W, 8]`";
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
