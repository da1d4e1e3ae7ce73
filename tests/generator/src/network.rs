//! The syntax tree of `network!`, with values in place of expressions.

use unrolled_shape::registry::Row;
use unrolled_shape::{Padding, Shape, Value, VolumePadding};

/// The contents of one `network!`. The last network is the one under test.
#[derive(Clone, Default)]
pub(crate) struct File {
    pub(crate) blocks: Vec<Block>,
    pub(crate) networks: Vec<Network>,
}

#[derive(Clone)]
pub(crate) struct Block {
    /// The default of each parameter, if it has one.
    pub(crate) parameters: Vec<Option<Size>>,
    pub(crate) body: Vec<Line>,
}

#[derive(Clone)]
pub(crate) struct Network {
    pub(crate) name: String,
    /// The value of its const generic, if it has one.
    pub(crate) generic: Option<usize>,
    /// Names, if they are written, and shapes.
    pub(crate) inputs: Vec<(Option<String>, Vec<Size>)>,
    pub(crate) output: Vec<Size>,
    pub(crate) body: Vec<Line>,
}

#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) name: Option<String>,
    pub(crate) construct: Construct,
    pub(crate) arrow: Option<Vec<Size>>,
}

#[derive(Clone)]
pub(crate) enum Construct {
    /// A layer with one input.
    Layer(&'static Row, Vec<Argument>),
    /// A layer or network with several inputs.
    Join(JoinKind, Vec<Branch>),
    Residual {
        body: Vec<Line>,
        skip: Option<Vec<Line>>,
    },
    Repeat {
        count: usize,
        /// Whether the copies have one set of weights.
        shared: bool,
        body: Vec<Line>,
    },
    /// Lines that are applied to each step.
    PerStep(Vec<Line>),
    /// The index of a block, and its arguments. Trailing ones can be omitted.
    Block(usize, Vec<Size>),
    /// The index of a network.
    Network(usize),
}

#[derive(Clone, Copy)]
pub(crate) enum JoinKind {
    Layer(&'static Row),
    Network(usize),
}

#[derive(Clone)]
pub(crate) struct Branch {
    pub(crate) source: Option<String>,
    pub(crate) body: Vec<Line>,
}

/// An argument of a layer.
#[derive(Clone)]
pub(crate) struct Argument {
    pub(crate) value: ArgumentValue,
    /// Whether it is omitted, because it is the default.
    pub(crate) omitted: bool,
    /// Whether it is written with its name where that is optional.
    pub(crate) named: bool,
}

#[derive(Clone)]
pub(crate) enum ArgumentValue {
    Plain(Value),
    Number(Size),
    Pair([Size; 2]),
    Triple([Size; 3]),
    Padding([Size; 2]),
    VolumePadding([Size; 3]),
    Shape(Vec<Size>),
    /// The name of a value, which is a further input of the layer.
    Named(String),
}

/// One size, and how it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// `4`
    Literal(usize),
    /// `N4`, a constant.
    Constant(usize),
    /// `{ N4 + 1 }`, which is 5.
    Computed(usize),
    /// A parameter of the block.
    Parameter(usize),
    /// A parameter of the block plus a number.
    ParameterPlus(usize, usize),
    /// `SIZE`, the const generic of the network.
    Generic,
}

/// The values of parameters and const generics.
#[derive(Clone, Copy, Default)]
pub(crate) struct Environment<'a> {
    pub(crate) parameters: &'a [usize],
    pub(crate) generic: usize,
}

impl Environment<'_> {
    pub(crate) fn size(&self, size: Size) -> usize {
        match size {
            Size::Literal(number) | Size::Constant(number) | Size::Computed(number) => number,
            Size::Parameter(index) => self.parameters[index],
            Size::ParameterPlus(index, offset) => self.parameters[index] + offset,
            Size::Generic => self.generic,
        }
    }

    pub(crate) fn shape(&self, sizes: &[Size]) -> Shape {
        let sizes: Vec<usize> = sizes.iter().map(|&size| self.size(size)).collect();
        Shape::new(&sizes)
    }

    /// The values of a layer's arguments, and the names of its inputs after the first.
    pub(crate) fn values<'a>(&self, arguments: &'a [Argument]) -> (Vec<Value>, Vec<&'a str>) {
        let mut names = Vec::new();
        let pair = |sizes: &[Size; 2]| sizes.map(|size| self.size(size));
        let triple = |sizes: &[Size; 3]| sizes.map(|size| self.size(size));
        let value = |argument: &'a Argument| match &argument.value {
            ArgumentValue::Named(name) => {
                names.push(name.as_str());
                Value::Input(names.len())
            }
            ArgumentValue::Plain(value) => *value,
            ArgumentValue::Number(size) => Value::Number(self.size(*size)),
            ArgumentValue::Pair(sizes) => Value::Pair(pair(sizes)),
            ArgumentValue::Triple(sizes) => Value::Triple(triple(sizes)),
            ArgumentValue::VolumePadding(sizes) => {
                Value::VolumePadding(VolumePadding::Explicit(triple(sizes)))
            }
            ArgumentValue::Padding(sizes) => Value::Padding(Padding::Explicit(pair(sizes))),
            ArgumentValue::Shape(sizes) => Value::Shape(self.shape(sizes)),
        };
        (arguments.iter().map(value).collect(), names)
    }
}
