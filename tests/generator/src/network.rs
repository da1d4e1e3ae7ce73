//! What is drawn, as a tree: the syntax of `network!`, with values where it has expressions.

use unrolled_shape::registry::Row;
use unrolled_shape::{Padding, Shape, Value};

/// All that stands in one `network!`. The last network is the one that is tested.
#[derive(Clone, Default)]
pub(crate) struct File {
    pub(crate) blocks: Vec<Block>,
    pub(crate) networks: Vec<Network>,
}

#[derive(Clone)]
pub(crate) struct Block {
    /// A default for each parameter that has one.
    pub(crate) parameters: Vec<Option<Size>>,
    pub(crate) body: Vec<Line>,
}

#[derive(Clone)]
pub(crate) struct Network {
    pub(crate) name: String,
    /// The value of its const generic, if it has one.
    pub(crate) generic: Option<usize>,
    /// Names, where they are written, and shapes.
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
    /// A layer of one input.
    Layer(&'static Row, Vec<Argument>),
    /// A layer, or a network, of several.
    Join(Joint, Vec<Branch>),
    Residual {
        body: Vec<Line>,
        skip: Option<Vec<Line>>,
    },
    Repeat {
        count: usize,
        body: Vec<Line>,
    },
    /// The number of a block, and its arguments; the last may be left out.
    Block(usize, Vec<Size>),
    /// The number of a network.
    Network(usize),
}

#[derive(Clone, Copy)]
pub(crate) enum Joint {
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
    pub(crate) value: Given,
    /// Whether it is left out, because it is the default.
    pub(crate) left_out: bool,
    /// Whether its name stands before it, where it need not.
    pub(crate) named: bool,
}

#[derive(Clone)]
pub(crate) enum Given {
    Plain(Value),
    Number(Size),
    Pair([Size; 2]),
    Padding([Size; 2]),
    Shape(Vec<Size>),
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
    Above(usize, usize),
    /// `SIZE`, the const generic of the network.
    Generic,
}

/// What sizes stand for.
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
            Size::Above(index, more) => self.parameters[index] + more,
            Size::Generic => self.generic,
        }
    }

    pub(crate) fn shape(&self, sizes: &[Size]) -> Shape {
        let sizes: Vec<usize> = sizes.iter().map(|&size| self.size(size)).collect();
        Shape::new(&sizes)
    }

    pub(crate) fn value(&self, given: &Given) -> Value {
        let pair = |sizes: &[Size; 2]| sizes.map(|size| self.size(size));
        match given {
            Given::Plain(value) => *value,
            Given::Number(size) => Value::Number(self.size(*size)),
            Given::Pair(sizes) => Value::Pair(pair(sizes)),
            Given::Padding(sizes) => Value::Padding(Padding::Explicit(pair(sizes))),
            Given::Shape(sizes) => Value::Shape(self.shape(sizes)),
        }
    }
}
