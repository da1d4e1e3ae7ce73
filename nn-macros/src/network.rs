//! The network as a graph: what `resolve` builds, `infer_shapes` completes and `emit` writes down.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use std::rc::Rc;
use syn::ext::IdentExt;
use syn::{Attribute, Generics, Ident, Type, Visibility};
use unrolled_shape::registry::{Needs, Row, Steps, Storage};
use unrolled_shape::{Dimension, Role, Shape, Value as RuleValue};

use crate::ast::Budget;
use crate::levels::Level;

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
    /// The value that leaves the network: the output, or several outputs concatenated.
    pub(crate) output_value: ValueId,
    /// In the order in which they run.
    pub(crate) nodes: Vec<Node>,
    /// Every value between nodes, the inputs first.
    pub(crate) values: Vec<Value>,
    /// Each `Repeat(1)`: the place of its count, and the levels of warnings there.
    pub(crate) single_repeats: Vec<(Span, Levels)>,
    /// The sizes that are the user's constants. After `bind_sizes`.
    pub(crate) bound_sizes: Vec<Rc<BoundSize>>,
    /// The levels of warnings outside of blocks.
    pub(crate) levels: Levels,
    /// What it may use on a device.
    pub(crate) budget: Option<Budget>,
}

/// The levels of warnings that the struct and the blocks around a line set, the innermost last.
pub(crate) type Levels = Rc<[Level]>;

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
    /// Whether it holds indices of tokens or classes (`u32`), because an `Embedding` reads it.
    pub(crate) index: bool,
    /// Whether it takes sequences of up to as many steps as its shape has.
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

/// A value between nodes.
pub(crate) struct Value {
    /// Its shape: of inputs from the beginning, of others after `infer_shapes`.
    pub(crate) dims: Dims,
    /// The node whose output it is; `None` for inputs.
    pub(crate) producer: Option<usize>,
}

/// A layer at its position in the network.
pub(crate) struct Node {
    /// The path of its weights, without the network: `stage1.0.conv2d`.
    pub(crate) path: String,
    /// The field of the struct that holds its weights, if it has any: `stage1_0_conv2d`.
    pub(crate) field: Ident,
    pub(crate) layer: Layer,
    /// Its name in messages: the user's name, or its kind where it has none; its path inside a block or a
    /// repeat, where several nodes have the same name.
    pub(crate) label: String,
    /// Whether the user gave it a name.
    pub(crate) named: bool,
    /// How the user wrote it: `Conv2d(32, kernel = 3)`.
    pub(crate) source: String,
    /// The layer's name in the user's code.
    pub(crate) span: Span,
    pub(crate) inputs: Vec<ValueId>,
    pub(crate) output: ValueId,
    /// The node whose weight it shares, by its index.
    pub(crate) owner: Option<usize>,
    /// The earlier node that it applies again, with its weights, by its index.
    pub(crate) first: Option<usize>,
    /// Whether it is the `Add` at the end of a `Residual`, whose inputs are the body and the skip connection.
    pub(crate) skip: SkipConnection,
    /// Whether its shape depends on const generics of the user's, so that it cannot be a constant
    /// outside of the struct. After `infer_shapes`.
    pub(crate) generic: bool,
    /// Whether it is not one of the user's lines, but concatenates several outputs or begins a `PerStep`, whose line is the
    /// view that ends it.
    pub(crate) hidden: bool,
    /// The shapes that the user wrote after `->`: of the layer, and of the blocks that end with it.
    pub(crate) arrows: Vec<Dims>,
    /// Trained numbers and multiply-adds, where all sizes are literals. After `infer_shapes`.
    pub(crate) cost: Option<Cost>,
    pub(crate) levels: Levels,
    /// The predefined block that it is a line of: the user cannot edit it.
    pub(crate) predefined: Option<Ident>,
    /// The innermost `PerStep` that it is a line of, by the index of the view that begins that.
    pub(crate) per_step: Option<usize>,
}

/// Whether an `Add` ends a `Residual`, and what it adds to the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SkipConnection {
    /// It does not: it adds branches.
    None,
    /// The input of the `Residual`.
    Input,
    /// The output of its `skip`.
    Skip,
}

impl SkipConnection {
    /// The arguments of `checks::residual` among the inputs of the `Add` that ends a `Residual`: its input, its body, and
    /// its `skip`, beside which the input is not read.
    pub(crate) fn residual<T>(self, inputs: &[T]) -> Option<(&T, &T, Option<&T>)> {
        let [body, skipped] = inputs else { return None };
        match self {
            Self::None => None,
            Self::Input => Some((skipped, body, None)),
            Self::Skip => Some((skipped, body, Some(skipped))),
        }
    }
}

/// The inputs and arguments of a registry layer, for its rule.
pub(crate) struct Sizes {
    pub(crate) inputs: Vec<Shape>,
    pub(crate) values: Vec<RuleValue>,
}

/// What a node is.
#[derive(Clone)]
pub(crate) enum Layer {
    /// A layer of the registry, with one argument for each of its parameters.
    Known { row: &'static Row, arguments: Vec<Argument> },
    /// A type of the user's: another network, or a hand-written layer.
    Custom(Box<Type>),
}

/// An argument's value, defaults filled in.
#[derive(Clone)]
pub(crate) struct Argument {
    pub(crate) value: ArgumentValue,
    /// Where the user wrote it; the layer's name where it is a default.
    pub(crate) span: Span,
    /// Whether it is a literal in the layer's own parentheses, not a parameter of a block.
    pub(crate) literal: bool,
}

/// An argument's value, whose sizes may be constants of the user's.
pub(crate) type ArgumentValue = RuleValue<Dim>;

/// One size: a literal, or an expression that is valid as a const generic argument.
#[derive(Clone)]
pub(crate) enum Dim {
    Known(usize),
    /// An expression of the user's constants and const generics: `HIDDEN`, `{ 2 * N }`.
    Symbolic(TokenStream),
    /// An axis of the constant that holds a node's output shape, which the compiler computes:
    /// `{ __NET_SHAPE_3.last() }`. The user has not written it and must not read it.
    Computed(TokenStream),
    /// An expression of the user's constants that is bound to a constant of expanded code. After `bind_sizes`.
    Bound(Rc<BoundSize>),
}

/// A size that is bound to a constant of expanded code.
pub(crate) struct BoundSize {
    /// The constant that expanded code uses: `__DIGITS_SIZE_0`.
    pub(crate) constant: TokenStream,
    /// The constant whose length is the user's value, which may be too large: `__DIGITS_GIVEN_SIZE_0`.
    pub(crate) given: Ident,
    /// The user's expression, as a const generic argument.
    pub(crate) expression: TokenStream,
    /// Its place in the user's code.
    pub(crate) span: Span,
    /// It as people write it.
    pub(crate) written: String,
}

impl Dimension for Dim {
    type Shape = Dims;
}

/// The sizes of a shape, and their place in the user's code.
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

/// The constant of the result of node `node`'s rule: `__DIGITS_GIVEN_3`.
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

    /// The result of the rule of a node whose sizes are not all literals, as an expression.
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

    /// The inputs and arguments of a registry layer, with the number that `size` returns for each size; `None` where it
    /// returns none for one of them.
    pub(crate) fn sizes(&self, node: &Node, size: impl Fn(&Dim) -> Option<usize>) -> Option<Sizes> {
        let Layer::Known { arguments, .. } = &node.layer else { return None };
        let inputs = node.inputs.iter().map(|input| self.values[input.0].dims.with_sizes(&size));
        let values = arguments.iter().map(|argument| argument.with_sizes(&size));
        Some(Sizes {
            inputs: inputs.collect::<Option<_>>()?,
            values: values.collect::<Option<_>>()?,
        })
    }

    /// The node with the weights of node `index`: the one that it applies again, or itself.
    pub(crate) fn first(&self, index: usize) -> usize {
        self.nodes[index].first.unwrap_or(index)
    }

    /// The nodes that apply node `first` again, with their indices.
    pub(crate) fn again(&self, first: usize) -> impl Iterator<Item = (usize, &Node)> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(move |(_, it)| it.first == Some(first))
    }

    /// The node whose output a value is, by its index; `None` for inputs.
    pub(crate) fn producer(&self, value: ValueId) -> Option<usize> {
        self.values[value.0].producer
    }

    /// The index of the input that `value` is, also through views.
    pub(crate) fn input_behind(&self, value: ValueId) -> Option<usize> {
        let mut value = value;
        while let Some(node) = self.producer(value).map(|node| &self.nodes[node]) {
            if node.storage() != Storage::View {
                return None;
            }
            value = node.inputs[0];
        }
        self.inputs.iter().position(|input| input.value == value)
    }

    /// Whether a node's output has at least as many axes as its input.
    pub(crate) fn keeps_rank(&self, node: &Node) -> bool {
        let rank = |value: ValueId| {
            let dims = &self.values[value.0].dims;
            dims.constant.is_none().then_some(dims.sizes.len())
        };
        match (rank(node.inputs[0]), rank(node.output)) {
            (Some(input), Some(output)) => output >= input,
            _ => self.keeps_any_rank(node),
        }
    }

    /// Whether it has several outputs.
    pub(crate) fn has_several_outputs(&self) -> bool {
        self.outputs.len() > 1
    }

    /// The nodes that the user wrote, with their numbers.
    pub(crate) fn written(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter(|(_, node)| !node.hidden)
    }

    /// The name of the first named node that reads `value`; empty where there is none.
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

    /// Whether the first of these arguments is left out or is the second one.
    pub(crate) fn has_same(&self, names: [&str; 2]) -> bool {
        let [first, second] = names.map(|name| self.argument(name).map(|it| &it.value));
        match (first, second) {
            (Some(ArgumentValue::Number(a)), Some(ArgumentValue::Number(b))) => {
                // The same tokens are the same size.
                let tokens = |dim: &Dim| dim.tokens().map(ToString::to_string);
                (a.known(), tokens(a)) == (b.known(), tokens(b))
            }
            (Some(ArgumentValue::Absent), _) => true,
            _ => false,
        }
    }

    /// Whether it is the view that begins a `PerStep`.
    pub(crate) fn begins_steps(&self) -> bool {
        matches!(&self.layer, Layer::Known { row, .. } if row.steps == Steps::Begin)
    }

    /// Whether it is the view that ends a `PerStep`.
    pub(crate) fn ends_steps(&self) -> bool {
        matches!(&self.layer, Layer::Known { row, .. } if row.steps == Steps::End)
    }
}

impl Node {
    /// How its code uses memory.
    pub(crate) fn storage(&self) -> Storage {
        match &self.layer {
            Layer::Known { row, .. } => row.storage,
            Layer::Custom(_) => Storage::Separate,
        }
    }

    /// What its backward pass reads.
    pub(crate) fn needs(&self) -> Needs {
        match &self.layer {
            Layer::Known { row, .. } => row.needs,
            // `Layer::backward` gets both.
            Layer::Custom(_) => Needs { input: true, output: true },
        }
    }

    /// What warnings have to know of it.
    pub(crate) fn role(&self) -> Role {
        match &self.layer {
            Layer::Known { row, .. } => row.role,
            Layer::Custom(_) => Role::Other,
        }
    }

    /// Whether it has a field: weights that no earlier node has.
    pub(crate) fn owns_weights(&self) -> bool {
        self.first.is_none() && self.has_weights()
    }

    /// Whether it has weights, its own or those of the node that it applies again.
    pub(crate) fn has_weights(&self) -> bool {
        match &self.layer {
            Layer::Known { row, .. } => !row.sizes.is_empty(),
            // The macro cannot see whether it has any. Without weights the field has size 0.
            Layer::Custom(_) => true,
        }
    }

    /// Whether training it may take several phases.
    pub(crate) fn may_cross(&self) -> bool {
        match &self.layer {
            Layer::Known { row, .. } => row.several_phases,
            // It may be a network that contains a `BatchNorm`: `TrainNode::PHASES` tells the compiler.
            Layer::Custom(_) => true,
        }
    }
}

impl Dims {
    /// The size of the first axis.
    pub(crate) fn first(&self) -> Option<Dim> {
        match &self.constant {
            Some(shape) => Some(Dim::Computed(quote!({ #shape.dim(0) }))),
            None => self.sizes.first().cloned(),
        }
    }

    /// The size of the last axis. A shape has at least one axis.
    pub(crate) fn last(&self) -> Option<&Dim> {
        self.sizes.last()
    }

    /// The shape, where every size is a literal.
    pub(crate) fn known(&self) -> Option<Shape> {
        self.with_sizes(Dim::known)
    }

    /// The shape, with the number that `size` returns for each size.
    pub(crate) fn with_sizes(&self, size: impl Fn(&Dim) -> Option<usize>) -> Option<Shape> {
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
            Self::Symbolic(_) | Self::Computed(_) | Self::Bound(_) => None,
        }
    }

    /// The expression, where it is no literal.
    pub(crate) fn tokens(&self) -> Option<&TokenStream> {
        match self {
            Self::Known(_) => None,
            Self::Symbolic(tokens) | Self::Computed(tokens) => Some(tokens),
            Self::Bound(size) => Some(&size.constant),
        }
    }
}

impl Argument {
    /// Whether it is a flag that is set.
    pub(crate) fn is_true(&self) -> bool {
        matches!(self.value, ArgumentValue::Flag(true))
    }

    /// Whether it is the literal 1.
    pub(crate) fn is_one(&self) -> bool {
        matches!(&self.value, ArgumentValue::Number(size) if size.known() == Some(1))
    }

    /// The value for the rules, with the number that `size` returns for each size; `None` where it returns
    /// none for one of them.
    pub(crate) fn with_sizes(&self, size: impl Fn(&Dim) -> Option<usize>) -> Option<RuleValue> {
        let shape = |dims: &Dims| dims.with_sizes(&size).ok_or(());
        self.value.try_map(|dim| size(dim).ok_or(()), shape).ok()
    }
}
