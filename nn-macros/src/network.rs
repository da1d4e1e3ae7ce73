//! The network as a graph: what `resolve` builds, `infer` completes and `emit` writes down.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use std::cell::RefCell;
use syn::ext::IdentExt;
use syn::{Attribute, Generics, Ident, Type, Visibility};
use unrolled_shape::registry::{Count, Inputs, Row};
use unrolled_shape::{Padding, Shape, StepPadding};

use crate::owner::Owner;

/// One `struct` of a `network!` block, all blocks and repeats unrolled, all names resolved.
pub(crate) struct Network {
    /// The path of the facade crate, whatever the user calls it: `$crate`.
    pub(crate) krate: TokenStream,
    pub(crate) features: Features,
    /// Doc comments and derives.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    /// Const generics of the user's.
    pub(crate) generics: Generics,
    pub(crate) inputs: Vec<Input>,
    /// The outputs that the header promises.
    pub(crate) outputs: Vec<Output>,
    /// The value that leaves the network: the output, or all of several side by side.
    pub(crate) output_value: ValueId,
    /// In the order in which they run.
    pub(crate) nodes: Vec<Node>,
    /// Every value between nodes, the inputs first.
    pub(crate) values: Vec<Value>,
}

/// The features of the facade that decide what expanded code contains.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Features {
    /// Allocation: names of weights in files.
    pub(crate) std: bool,
    /// Training code.
    pub(crate) train: bool,
}

/// The facade crate, as expanded code sees it.
pub(crate) struct Facade {
    pub(crate) krate: TokenStream,
    pub(crate) features: Features,
}

/// An input of the network.
pub(crate) struct Input {
    /// Its name; a single input may have none.
    pub(crate) name: Option<Ident>,
    pub(crate) value: ValueId,
    /// Whether it holds numbers of tokens or classes (`u32`), because an `Embedding` reads it.
    pub(crate) index: bool,
    /// Whether it takes sequences of up to as many steps as its shape says.
    pub(crate) ragged: bool,
}

/// An output of the network.
pub(crate) struct Output {
    /// The line that gives it; a single output has no name.
    pub(crate) name: Option<Ident>,
    /// The shape that the header promises.
    pub(crate) promised: Dims,
    pub(crate) value: ValueId,
}

/// The number of a [`Value`] in [`Network::values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ValueId(pub(crate) usize);

/// What travels from one node to others.
pub(crate) struct Value {
    /// Its shape: of inputs from the beginning, of others after `infer`.
    pub(crate) dims: Dims,
    /// The parts it was flattened from, as far as PyTorch's order of features matters: see
    /// `Spec::FEATURES` in nn-runtime. Empty where it does not. After `infer`.
    pub(crate) features: Vec<Dims>,
}

/// A layer at its place.
pub(crate) struct Node {
    /// The path of its weights, without the network: `stage1.0.conv2d`.
    pub(crate) path: String,
    /// The field of the struct that holds its weights, if it has any: `stage1_0_conv2d`.
    pub(crate) field: Ident,
    pub(crate) layer: Layer,
    /// What messages call it: its name, or its kind where it has none. Inside of a block or a
    /// repeat, where there are many of the same name, its path.
    pub(crate) label: String,
    /// Whether the user gave it a name.
    pub(crate) named: bool,
    /// How the user wrote it: `Conv2d(32, kernel = 3)`.
    pub(crate) source: String,
    /// The layer's name in the user's code.
    pub(crate) span: Span,
    pub(crate) inputs: Vec<ValueId>,
    pub(crate) output: ValueId,
    /// Whether it is the `Add` at the end of a `Residual`, whose inputs are the body and the shortcut.
    pub(crate) shortcut: Shortcut,
    /// Whether its shape depends on const generics of the user's, so that it cannot be a constant
    /// outside of the struct. After `infer`.
    pub(crate) generic: bool,
    /// Whether it is none of the user's lines, but puts several outputs side by side.
    pub(crate) hidden: bool,
    /// The shapes that the user wrote behind `->`: of the layer, and of the blocks that end with it.
    pub(crate) arrows: Vec<Dims>,
    /// Trained numbers and multiply-adds, where all sizes are literals. After `infer`.
    pub(crate) cost: Option<Cost>,
}

/// What an `Add` joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shortcut {
    /// Branches: it is no end of a `Residual`.
    None,
    /// The body of a `Residual` and the residual's own input.
    Input,
    /// The body of a `Residual` and its `skip`.
    Skip,
}

/// What a node is.
pub(crate) enum Layer {
    /// A layer of the registry, with one argument for each of its parameters.
    Known { row: &'static Row, arguments: Vec<Argument> },
    /// A type of the user's: another network, or a hand-written layer.
    Custom(Box<Type>),
}

/// An argument's value, defaults filled in.
pub(crate) struct Argument {
    pub(crate) value: ArgumentValue,
    /// Where the user wrote it; the layer's name where it is a default.
    pub(crate) span: Span,
}

/// As [`unrolled_shape::Value`], with sizes that may be constants of the user's.
#[derive(Clone)]
pub(crate) enum ArgumentValue {
    Number(Dim),
    Pair([Dim; 2]),
    /// `same`, or a size per axis.
    PaddingSame,
    PaddingExplicit([Dim; 2]),
    /// `same`, `causal`, or a size.
    StepPaddingSame,
    StepPaddingCausal,
    StepPaddingExplicit(Dim),
    Flag(bool),
    Real(f64),
    Word(&'static str),
    Shape(Dims),
    /// The number of the node's input that it is.
    Input(Option<usize>),
    /// The node whose weight is the layer's own, too.
    Weight(Option<Owner>),
}

/// One size: a literal, or an expression of the user's constants and const generics.
#[derive(Clone)]
pub(crate) enum Dim {
    Known(usize),
    /// Tokens that are valid as a const generic argument: `HIDDEN`, `{ 2 * N }`.
    Symbolic(TokenStream),
}

/// The sizes of a shape, and where they stand in the user's code.
#[derive(Clone)]
pub(crate) struct Dims {
    /// The size of each axis; the last one alone where `constant` is there.
    pub(crate) sizes: Vec<Dim>,
    pub(crate) span: Span,
    /// An expression of the whole `Shape`, where the macro does not know how many axes there are.
    pub(crate) constant: Option<TokenStream>,
}

/// Trained numbers and multiply-adds per sample.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) params: usize,
    pub(crate) macs: usize,
}

/// The constant that holds the output shape of a node whose sizes are not all literals, beside the
/// struct: `__DIGITS_SHAPE_3`.
pub(crate) fn shape_const(network: &Ident, node: usize) -> Ident {
    let network = network.unraw().to_string().to_uppercase();
    format_ident!("__{network}_SHAPE_{node}", span = Span::call_site())
}

/// The constant of what the rule of node number `node` says: `__DIGITS_GIVEN_3`.
pub(crate) fn given_const(network: &Ident, node: usize) -> Ident {
    let network = network.unraw().to_string().to_uppercase();
    format_ident!("__{network}_GIVEN_{node}", span = Span::call_site())
}

/// The output shape of a type of the user's, as an expression of a constant `Shape`.
pub(crate) fn custom_output(krate: &TokenStream, layer: &Type) -> TokenStream {
    quote!(<#layer as #krate::__private::Shaped>::OUTPUT)
}

impl Network {
    /// The output shape of a node whose sizes are not all literals, as an expression: the
    /// constant beside the struct, or an associated one of the struct where it depends on const
    /// generics.
    pub(crate) fn shape_constant(&self, node: usize) -> TokenStream {
        self.constant(node, shape_const(&self.name, node))
    }

    /// What the rule of a node says whose sizes are not all literals: a result.
    pub(crate) fn given_constant(&self, node: usize) -> TokenStream {
        self.constant(node, given_const(&self.name, node))
    }

    fn constant(&self, node: usize, constant: Ident) -> TokenStream {
        if !self.nodes[node].generic {
            return quote!(#constant);
        }
        let (name, (_, arguments, _)) = (&self.name, self.generics.split_for_impl());
        quote!(<#name #arguments>::#constant)
    }

    /// The number of the input that `value` is, also under another shape.
    pub(crate) fn input_behind(&self, value: ValueId) -> Option<usize> {
        let view = |node: &&Node| {
            node.output == value && node.storage() == unrolled_shape::registry::Storage::View
        };
        match self.nodes.iter().find(view) {
            Some(node) => self.input_behind(node.inputs[0]),
            None => self.inputs.iter().position(|input| input.value == value),
        }
    }

    /// Whether what a node gives has as many axes as what it takes.
    pub(crate) fn keeps_rank(&self, node: &Node) -> bool {
        let rank = |value: ValueId| self.values[value.0].dims.sizes.len();
        rank(node.output) >= rank(node.inputs[0])
    }

    /// Whether it gives several outputs.
    pub(crate) fn has_several_outputs(&self) -> bool {
        self.outputs.len() > 1
    }

    /// The nodes that the user wrote, with their numbers.
    pub(crate) fn written(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter(|(_, node)| !node.hidden)
    }

    /// What the first named node is called that reads `value`; empty where there is none.
    pub(crate) fn reader(&self, value: ValueId) -> &str {
        let mut readers = self.nodes.iter().filter(|node| node.inputs.contains(&value));
        readers.find(|node| node.named).map_or("", |node| &node.label)
    }
}

impl Node {
    /// The argument called `name`, of a layer of the registry.
    pub(crate) fn argument(&self, name: &str) -> Option<&Argument> {
        let Layer::Known { row, arguments } = &self.layer else { return None };
        let nth = row.parameters.iter().position(|parameter| parameter.name == name)?;
        arguments.get(nth)
    }

    /// The inputs that the output has its steps from: not the named values among the arguments of a layer
    /// that is no join.
    pub(crate) fn on_the_line(&self) -> &[ValueId] {
        match &self.layer {
            Layer::Known { row, .. } if row.inputs != Inputs::Branches => &self.inputs[..1],
            _ => &self.inputs,
        }
    }
}

impl Dims {
    /// The size of the last axis. A shape has at least one axis.
    pub(crate) fn last(&self) -> Option<&Dim> {
        self.sizes.last()
    }

    /// The shape, where every size is a literal.
    pub(crate) fn known(&self) -> Option<Shape> {
        self.shape(Dim::known)
    }

    /// The shape of the numbers that `size` gives.
    fn shape(&self, size: impl Fn(&Dim) -> Option<usize>) -> Option<Shape> {
        if self.constant.is_some() {
            return None;
        }
        let sizes: Option<Vec<usize>> = self.sizes.iter().map(size).collect();
        sizes.map(|sizes| Shape::new(&sizes))
    }
}

impl Dim {
    /// The number, where it is a literal.
    pub(crate) fn known(&self) -> Option<usize> {
        match self {
            Self::Known(size) => Some(*size),
            Self::Symbolic(_) => None,
        }
    }
}

impl ArgumentValue {
    /// Whether it is a flag that is set.
    pub(crate) fn is_true(&self) -> bool {
        matches!(self, Self::Flag(true))
    }

    /// The value for the rules, where every size is a literal.
    pub(crate) fn known(&self) -> Option<unrolled_shape::Value> {
        self.value(Dim::known)
    }

    /// The value for the rules, with a stand-in for sizes that are not literal.
    pub(crate) fn stand_in(&self) -> Option<unrolled_shape::Value> {
        let [small, ..] = StandIn::SIZES;
        self.value(|dim| dim.known().or(Some(small(0))))
    }

    /// The value for the rules, with the numbers that `size` gives.
    fn value(&self, size: impl Fn(&Dim) -> Option<usize>) -> Option<unrolled_shape::Value> {
        Some(match self {
            Self::Number(dim) => unrolled_shape::Value::Number(size(dim)?),
            Self::Pair([a, b]) => unrolled_shape::Value::Pair([size(a)?, size(b)?]),
            Self::PaddingSame => unrolled_shape::Value::Padding(Padding::Same),
            Self::PaddingExplicit([a, b]) => {
                unrolled_shape::Value::Padding(Padding::Explicit([size(a)?, size(b)?]))
            }
            Self::StepPaddingSame => unrolled_shape::Value::StepPadding(StepPadding::Same),
            Self::StepPaddingCausal => unrolled_shape::Value::StepPadding(StepPadding::Causal),
            Self::StepPaddingExplicit(dim) => {
                unrolled_shape::Value::StepPadding(StepPadding::Explicit(size(dim)?))
            }
            Self::Flag(flag) => unrolled_shape::Value::Flag(*flag),
            Self::Real(real) => unrolled_shape::Value::Real(*real),
            Self::Word(word) => unrolled_shape::Value::Word(word),
            Self::Shape(dims) => unrolled_shape::Value::Shape(dims.shape(size)?),
            Self::Input(nth) => unrolled_shape::Value::Input(*nth),
            Self::Weight(None) => unrolled_shape::Value::Weight(None),
            Self::Weight(Some(owner)) => {
                unrolled_shape::Value::Weight(Some(owner.shape.shape(size)?))
            }
        })
    }
}

/// What a layer is computed from. Sizes that are not literal have stand-ins, the same for the same tokens.
struct StandIn {
    inputs: Vec<Shape>,
    values: Vec<unrolled_shape::Value>,
    output: Shape,
}

impl StandIn {
    /// Stand-ins for the first, second, .. size that most kernels fit into and most numbers of groups
    /// divide: all alike, twice, and all different, since `channels / groups` is no 1 where both are unknown.
    const SIZES: [fn(usize) -> usize; 3] = [|_| 2520, |_| 5040, |nth| (5040 / (nth + 1)).max(1)];

    /// What the layer is computed from, if its rule agrees.
    fn new(network: &Network, node: &Node, size: fn(usize) -> usize) -> Option<Self> {
        let Layer::Known { row, arguments } = &node.layer else { return None };
        let met = RefCell::new(Vec::new());
        let stand_in = |dim: &Dim| {
            let Dim::Symbolic(tokens) = dim else { return dim.known() };
            let (tokens, mut met) = (tokens.to_string(), met.borrow_mut());
            let nth = met.iter().position(|it| *it == tokens);
            let nth = nth.unwrap_or_else(|| {
                met.push(tokens);
                met.len() - 1
            });
            Some(size(nth))
        };
        let inputs = node.inputs.iter();
        let inputs: Vec<Shape> = inputs
            .map(|input| network.values[input.0].dims.shape(stand_in))
            .collect::<Option<_>>()?;
        let values: Vec<unrolled_shape::Value> =
            arguments.iter().map(|it| it.value.value(stand_in)).collect::<Option<_>>()?;
        let output = (row.rule)(&inputs, &values).ok()?;
        Some(Self { inputs, values, output })
    }
}

impl Network {
    /// How many axes a layer of the registry gives, if that can be told while expanding: the rule is
    /// asked with stand-ins.
    pub(crate) fn rank(&self, node: &Node) -> Option<usize> {
        let [alike, ..] = StandIn::SIZES;
        StandIn::new(self, node, alike).map(|stand_in| stand_in.output.rank())
    }

    /// A count, if it is the same whatever the sizes are that are not literal.
    pub(crate) fn count(&self, node: &Node, count: &Count) -> Option<usize> {
        let [small, large, different] = StandIn::SIZES.map(|size| {
            let it = StandIn::new(self, node, size)?;
            Some(count(&it.inputs, &it.values))
        });
        small.filter(|_| small == large && large == different)
    }
}
