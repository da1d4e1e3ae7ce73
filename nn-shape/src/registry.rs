//! The table of all layers: the one place where a name of the language becomes a rule.

use crate::{Parameter, Shape, ShapeError, Text, Value};

/// A const generic of a layer's type in nn-runtime, where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// The last axis of the input.
    InputLast,
    /// A [`Value::Number`] argument.
    Argument(&'static str),
    /// The height (0) or width (1) of a [`Value::Pair`] argument.
    ArgumentAxis(&'static str, usize),
    /// A method of the struct of arguments, `const fn(&self, Shape) -> usize`, called with the
    /// first input's shape. `nth` in [`Row::computed`] gives its value while expanding.
    Computed(&'static str),
    /// The last parameter of the type, left out (its default) where this flag is true and 0 where
    /// it is false: `bias = false`.
    Unless(&'static str),
}

/// How a size of the output follows from sizes of the input: lets const generics of the user's flow
/// through a network, where stable Rust cannot compute with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The same as the input's.
    Keep,
    /// A [`Value::Number`] argument.
    Argument(&'static str),
    /// Anything else: the rule computes it.
    Compute,
}

/// How a layer's output shape follows, axis by axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flows {
    /// All axes but the last.
    pub leading: Flow,
    /// The last axis.
    pub last: Flow,
    /// Whether the output has as many axes as the input. Where not, all but the last are computed.
    pub keeps_rank: bool,
}

impl Flows {
    /// The output has the input's shape.
    pub const SAME: Self = Self { leading: Flow::Keep, last: Flow::Keep, keeps_rank: true };
    /// The rule computes every axis.
    pub const COMPUTE: Self =
        Self { leading: Flow::Compute, last: Flow::Compute, keeps_rank: false };
}

/// How many inputs a layer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inputs {
    /// One: a line of a chain.
    One,
    /// Two or more branches that it joins: `Add`, `Mul`, `Concat`.
    Branches,
}

/// How a layer's code works on memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Output beside the input.
    Separate,
    /// Forward and backward may overwrite input with output and output gradient with input
    /// gradient; backward needs the output alone.
    InPlace,
    /// The same numbers under another shape: no code at all (`Flatten`).
    View,
}

/// What `backward` reads again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// The values that went in.
    pub input: bool,
    /// The values that came out.
    pub output: bool,
}

/// A count that follows from the inputs' shapes and the arguments' values.
pub type Count = fn(&[Shape], &[Value]) -> usize;

/// One kind of layer.
pub struct Row {
    /// Its name in the language and of its types: `Conv2d`.
    pub name: &'static str,
    /// Its files and the names of weights: `conv2d`.
    pub stem: &'static str,
    /// One line of what it does, for tables.
    pub summary: &'static str,
    /// Its arguments.
    pub parameters: &'static [Parameter],
    /// How many of the first arguments may be given without their names.
    pub positional: usize,
    /// How many inputs.
    pub inputs: Inputs,
    /// Inputs' shapes and argument values to the output's shape. Every mistake of shapes or of
    /// arguments' values is found here and nowhere else.
    pub rule: fn(&[Shape], &[Value]) -> Result<Shape, ShapeError>,
    /// How many trained numbers it has, after `rule` has agreed.
    pub params: Count,
    /// How many stored numbers are not trained (the running statistics of BatchNorm), after `rule`
    /// has agreed.
    pub buffers: Count,
    /// How the output's shape came about, such as `height (28 + 2*0 - 3)/1 + 1 = 26`, after `rule`
    /// has agreed; empty where it is plain.
    pub how: fn(&[Shape], &[Value]) -> Text,
    /// How many multiply-adds one sample costs forward, after `rule` has agreed.
    pub macs: Count,
    /// The const generics of its type in nn-runtime.
    pub sizes: &'static [Size],
    /// The values of the [`Size::Computed`] among them, in order.
    pub computed: &'static [Count],
    /// How axes flow through it.
    pub flows: Flows,
    /// How its code works on memory.
    pub storage: Storage,
    /// What its backward needs.
    pub needs: Needs,
    /// Whether training takes more than one phase, because it looks across the batch (BatchNorm).
    pub crosses_batch: bool,
    /// Whether it has the same number of features, each with a weight of its own or none, so that
    /// PyTorch's order of flattened features passes through it to the next `Dense`.
    pub keeps_features: bool,
}

/// The layer of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().copied().find(|row| row.name == name)
}

/// Every layer of the language.
pub static ROWS: &[&Row] = &[&crate::rules::dense::ROW, &crate::rules::relu::ROW];
