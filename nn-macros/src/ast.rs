//! The syntax tree of a `network!`: names are not looked up yet, arguments are expressions.

use proc_macro2::Span;
use syn::{Attribute, Expr, Generics, Ident, LitStr, Type, Visibility};

use crate::levels::Level;

/// The content of one `network!`.
pub(crate) struct File {
    pub(crate) blocks: Vec<Block>,
    pub(crate) networks: Vec<Network>,
}

/// `block Name(parameters) { lines }`
pub(crate) struct Block {
    /// Its comments, for editors.
    pub(crate) docs: Vec<Attribute>,
    /// The levels of warnings that its attributes set.
    pub(crate) levels: Vec<Level>,
    pub(crate) name: Ident,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Body,
}

/// A parameter of a block: `channels`, `stride = 1`.
pub(crate) struct Parameter {
    pub(crate) name: Ident,
    pub(crate) default: Option<Expr>,
}

/// `pub struct Name(inputs) -> output { lines }`. What could not be parsed is `None`.
pub(crate) struct Network {
    /// Those of the compiler: without the attributes and the names of warnings of this crate.
    pub(crate) attributes: Vec<Attribute>,
    /// The levels of warnings that its attributes set.
    pub(crate) levels: Vec<Level>,
    /// `#[weights("digits.safetensors")]`
    pub(crate) weights: Option<Weights>,
    /// `#[fits(flash = 256K, ram = 64K)]`
    pub(crate) budget: Option<Budget>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) generics: Generics,
    pub(crate) inputs: Option<Vec<Input>>,
    pub(crate) output: Option<Output>,
    pub(crate) body: Option<Body>,
}

/// The weights of a file in the program.
#[derive(Clone)]
pub(crate) struct Weights {
    /// The path of the file, from the folder of the package's Cargo.toml.
    pub(crate) path: LitStr,
    /// Whether they are stored in half precision: `storage = f16`.
    pub(crate) half: bool,
}

/// What a network may use on a device.
#[derive(Clone, Default)]
pub(crate) struct Budget {
    /// For its weights.
    pub(crate) flash: Option<Limit>,
    /// For the memory of inference.
    pub(crate) ram: Option<Limit>,
}

/// One limit of a [`Budget`].
#[derive(Clone)]
pub(crate) struct Limit {
    pub(crate) bytes: usize,
    /// The number in the user's code.
    pub(crate) span: Span,
}

/// An input of a network: `28x28x1`, `image: 28x28x1`, `text: ..64`.
pub(crate) struct Input {
    pub(crate) name: Option<Ident>,
    /// Whether it has two dots: sequences of up to that many steps.
    pub(crate) ragged: bool,
    pub(crate) shape: Shape,
}

/// The output that a header declares.
pub(crate) enum Output {
    /// `10`: the output of the last line.
    One(Shape),
    /// `(digit: 10, place: 2)`: the outputs of the lines of these names.
    Several(Vec<(Ident, Shape)>),
}

/// `28x28x1`, `[H, W, 1]`, `HIDDEN`, `{ 2 * N }`: an expression for each axis.
pub(crate) struct Shape {
    pub(crate) sizes: Vec<Expr>,
    pub(crate) span: Span,
}

/// Lines between braces or brackets.
pub(crate) struct Body {
    pub(crate) lines: Vec<Line>,
    /// Whether they are between brackets: then lines without a name are numbered, as in PyTorch's `nn.Sequential`.
    pub(crate) numbered: bool,
    /// The opening brace; all of the braces where there are no lines; the name of a branch that is a name alone.
    pub(crate) span: Span,
}

/// `[name:] [source =>] construct [-> shape],`
pub(crate) struct Line {
    pub(crate) name: Option<Ident>,
    /// The `_` of `_: construct`, which adds no level to the paths of weights.
    pub(crate) no_level: Option<Span>,
    /// The value that the construct reads; `None` for the output of the line before.
    pub(crate) source: Option<Ident>,
    pub(crate) construct: Construct,
    pub(crate) arrow: Option<Shape>,
}

/// What a line consists of besides its name, its source and its arrow.
pub(crate) enum Construct {
    Call(Call),
    Repeat(Repeat),
    Residual(Residual),
    PerStep(PerStep),
    /// `[Conv2d(32, kernel = 3), ReLU]`, `{ conv: Conv2d(32, kernel = 3), ReLU }`
    Sequential(Body),
    /// It could not be parsed, which is reported already.
    Broken(Span),
}

/// A layer, a block, or a type of the user's: `Conv2d(32, kernel = 3)`, `Concat { .. }`,
/// `MyLayer::<64>`.
pub(crate) struct Call {
    pub(crate) layer: Type,
    /// The last name of the layer's path.
    pub(crate) name: Ident,
    /// Where there are parentheses.
    pub(crate) arguments: Option<Vec<Argument>>,
    /// Where there are braces.
    pub(crate) branches: Option<Vec<Branch>>,
    /// Where there are lines between the braces instead of branches: a misspelt `Residual`, or a
    /// mistake.
    pub(crate) lines: Option<Span>,
}

/// `32`, `kernel = 3`
pub(crate) struct Argument {
    pub(crate) name: Option<Ident>,
    pub(crate) value: Expr,
}

/// A branch of a join: `image => { lines }`, `{ lines }`, or `image` for `image => {}`.
pub(crate) struct Branch {
    pub(crate) source: Option<Ident>,
    pub(crate) body: Body,
}

/// `Repeat(count) { lines }`, `Repeat(count, shared = true) { lines }`
pub(crate) struct Repeat {
    pub(crate) keyword: Ident,
    pub(crate) count: Expr,
    /// The argument `shared`.
    pub(crate) shared: Option<Argument>,
    pub(crate) body: Body,
}

/// `Residual { lines } [[name:] skip { lines }]`
pub(crate) struct Residual {
    pub(crate) keyword: Ident,
    pub(crate) body: Body,
    pub(crate) skip: Option<Skip>,
}

/// `PerStep { lines }`
pub(crate) struct PerStep {
    pub(crate) keyword: Ident,
    pub(crate) body: Body,
}

/// `skip { lines }`, `downsample: skip [lines]`
pub(crate) struct Skip {
    pub(crate) name: Option<Ident>,
    pub(crate) body: Body,
}

impl Construct {
    /// Its bodies, with the word before their braces.
    pub(crate) fn bodies(&self) -> Vec<(String, &Body)> {
        match self {
            Self::Call(used) => {
                let branches = used.branches.iter().flatten();
                branches.map(|branch| (used.name.to_string(), &branch.body)).collect()
            }
            Self::Repeat(repeat) => vec![(repeat.keyword.to_string(), &repeat.body)],
            Self::Residual(residual) => {
                let skip = residual.skip.as_ref().map(|skip| &skip.body);
                let bodies = [Some(&residual.body), skip].into_iter().flatten();
                bodies.map(|body| (residual.keyword.to_string(), body)).collect()
            }
            Self::PerStep(per_step) => vec![(per_step.keyword.to_string(), &per_step.body)],
            Self::Sequential(body) if body.numbered => vec![("[ .. ]".to_owned(), body)],
            Self::Sequential(body) => vec![("{ .. }".to_owned(), body)],
            Self::Broken(_) => Vec::new(),
        }
    }
}

impl Call {
    /// The name, if it is nothing but a name: that of a layer, of a block, or of a type in scope.
    pub(crate) fn plain_name(&self) -> Option<&Ident> {
        match &self.layer {
            Type::Path(path) if path.qself.is_none() => path.path.get_ident(),
            _ => None,
        }
    }
}

impl Branch {
    /// What an error about the branch is pointed at.
    pub(crate) fn span(&self) -> Span {
        self.source.as_ref().map_or(self.body.span, Ident::span)
    }
}
