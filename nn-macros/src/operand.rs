//! The value of an expression in an argument or a shape: literals, parameters of blocks, constants.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use syn::spanned::Spanned;
use syn::{BinOp, Error, Expr, ExprBinary, ExprBlock, Lit, LitInt, Result, Stmt, UnOp};

use crate::ast;
use crate::literal::parse_sizes;
use crate::network::{Dim, Dims};
use crate::report::{mistake, say};

/// The most tokens of one expression after parameters of blocks are replaced. Defaults can double it with every
/// parameter: `p1 = { p0 + p0 }, p2 = { p1 + p1 }`. As many as `guard` accepts without parameters.
const MOST_TOKENS: usize = 256;

/// The most tokens that replace parameters in one network, all copies of its blocks together.
const MOST_SUBSTITUTED: usize = 1 << 17;

/// A value, and where the user wrote it.
#[derive(Clone)]
pub(crate) struct Operand {
    pub(crate) value: Evaluated,
    pub(crate) span: Span,
    /// As the user wrote it, parameters of blocks replaced.
    pub(crate) tokens: TokenStream,
}

/// The value of an expression.
#[derive(Clone)]
pub(crate) enum Evaluated {
    Size(usize),
    Real(f64),
    Flag(bool),
    /// Two, three, four or six sizes in parentheses: one per axis, or one per side.
    Tuple(Vec<Dim>),
    Shape(Vec<Dim>),
    /// A constant of the user's, or a word such as `same`.
    Word(Ident),
    /// An expression of constants, valid as a const generic argument.
    Constant(TokenStream),
}

/// The meaning of names: parameters of the enclosing block, const generics of the network.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    pub(crate) parameters: HashMap<String, Operand>,
    pub(crate) generics: Vec<String>,
    /// How many tokens replaced parameters so far, in all environments of the network.
    substituted: Rc<Cell<usize>>,
}

/// What an expression computes, without the tokens of its parts: each operator would copy those of its operands again.
enum Computed {
    Known(Evaluated),
    /// The compiler computes it.
    Constant,
}

impl Environment {
    /// The environment of a network.
    pub(crate) fn of_network(generics: Vec<String>) -> Self {
        Self { generics, ..Self::default() }
    }

    /// The environment of a block that is used in this one, without its parameters.
    pub(crate) fn of_block(&self) -> Self {
        Self { parameters: HashMap::new(), ..self.clone() }
    }

    /// Whether too many tokens replaced parameters.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.substituted.get() > MOST_SUBSTITUTED
    }

    /// The word that was given for the parameter `name`.
    pub(crate) fn word(&self, name: &Ident) -> Option<&Ident> {
        match &self.parameter(name)?.value {
            Evaluated::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Evaluates `expr`.
    pub(crate) fn evaluate(&self, expr: &Expr) -> Result<Operand> {
        let expr = unwrap(expr);
        if let Some(operand) = plain_name(expr).and_then(|name| self.parameter(name)) {
            return Ok(operand.clone());
        }
        let computed = self.compute(expr)?;
        // For messages, and for the blocks that the value is passed to.
        let tokens = self.substitute(expr.to_token_stream())?;
        let value = match computed {
            Computed::Known(value) => value,
            Computed::Constant => Evaluated::Constant(self.constant(expr, &tokens)?),
        };
        Ok(Operand { value, span: expr.span(), tokens })
    }

    /// Evaluates `expr` to a size.
    pub(crate) fn size(&self, expr: &Expr) -> Result<Dim> {
        let operand = self.evaluate(expr)?;
        operand.size().ok_or_else(|| Error::new(operand.span, mistake::no_size(&operand.tokens)))
    }

    /// The shape that the user wrote.
    pub(crate) fn shape(&self, shape: &ast::Shape) -> Result<Dims> {
        let sizes: Vec<Dim> = match &shape.sizes[..] {
            // A parameter of a block may be a whole shape.
            [only] => {
                let operand = self.evaluate(only)?;
                let wrong = || Error::new(operand.span, mistake::no_size(&operand.tokens));
                operand.shape().ok_or_else(wrong)?
            }
            sizes => sizes.iter().map(|size| self.size(size)).collect::<Result<_>>()?,
        };
        if sizes.len() > unrolled_shape::MAX_RANK {
            return Err(Error::new(shape.span, mistake::too_many_axes(sizes.len())));
        }
        Ok(Dims { sizes, span: shape.span, constant: None })
    }

    fn parameter(&self, name: &Ident) -> Option<&Operand> {
        // Most networks have no block: the compiler makes a string of a name for every comparison.
        if self.parameters.is_empty() { None } else { self.parameters.get(&name.to_string()) }
    }

    /// The value of `expr`, as far as the macro can compute it.
    fn compute(&self, expr: &Expr) -> Result<Computed> {
        let expr = unwrap(expr);
        Ok(Computed::Known(match expr {
            Expr::Path(_) => match plain_name(expr) {
                Some(name) => match self.parameter(name) {
                    Some(operand) => operand.value.clone(),
                    None if is_path_keyword(name) => {
                        return Err(Error::new(name.span(), mistake::no_size(&quote!(#name))));
                    }
                    // `same` and the name of a constant look alike: the kind of the argument decides.
                    None => Evaluated::Word(name.clone()),
                },
                None => return Ok(Computed::Constant),
            },
            Expr::Lit(literal) => evaluate_literal(&literal.lit)?,
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
                self.evaluate_negative(&unary.expr)?
            }
            Expr::Tuple(tuple) => match tuple.elems.len() {
                2 | 3 | 4 | 6 => Evaluated::Tuple(
                    tuple.elems.iter().map(|size| self.size(size)).collect::<Result<_>>()?,
                ),
                _ => return Err(Error::new(tuple.paren_token.span.join(), say::NOT_A_TUPLE)),
            },
            Expr::Array(array) => Evaluated::Shape(
                array.elems.iter().map(|size| self.size(size)).collect::<Result<_>>()?,
            ),
            Expr::Binary(binary) => return self.compute_binary(binary),
            _ => return Ok(Computed::Constant),
        }))
    }

    /// The value of an operand of an operator; `None` where the compiler computes it.
    fn operand(&self, expr: &Expr) -> Result<Option<usize>> {
        match self.compute(expr)? {
            Computed::Known(Evaluated::Size(size)) => Ok(Some(size)),
            Computed::Constant | Computed::Known(Evaluated::Word(_) | Evaluated::Constant(_)) => {
                Ok(None)
            }
            Computed::Known(_) => {
                let tokens = self.substitute(expr.to_token_stream())?;
                Err(Error::new(expr.span(), mistake::no_size(&tokens)))
            }
        }
    }

    fn evaluate_negative(&self, inner: &Expr) -> Result<Evaluated> {
        match self.compute(inner)? {
            // No size is negative.
            Computed::Known(Evaluated::Size(size)) => Ok(Evaluated::Real(-(size as f64))),
            Computed::Known(Evaluated::Real(real)) => Ok(Evaluated::Real(-real)),
            _ => {
                let tokens = self.substitute(inner.to_token_stream())?;
                Err(Error::new(inner.span(), mistake::no_size(&tokens)))
            }
        }
    }

    /// Computes with literals, so that `4 * channels` is one where `channels` is.
    fn compute_binary(&self, binary: &ExprBinary) -> Result<Computed> {
        let (Some(left), Some(right)) = (self.operand(&binary.left)?, self.operand(&binary.right)?)
        else {
            return Ok(Computed::Constant);
        };
        let result = match binary.op {
            BinOp::Add(_) => left.checked_add(right),
            BinOp::Sub(_) => left.checked_sub(right),
            BinOp::Mul(_) => left.checked_mul(right),
            BinOp::Div(_) => left.checked_div(right),
            BinOp::Rem(_) => left.checked_rem(right),
            _ => return Ok(Computed::Constant),
        };
        let wrong = || Error::new(binary.op.span(), mistake::no_result(left, &binary.op, right));
        result.map(|size| Computed::Known(Evaluated::Size(size))).ok_or_else(wrong)
    }

    /// The tokens of an expression that rustc computes, as a const generic argument.
    fn constant(&self, expr: &Expr, tokens: &TokenStream) -> Result<TokenStream> {
        if tokens.is_empty() {
            // The placeholder of what could not be parsed.
            return Err(Error::new(expr.span(), say::NO_VALUE));
        }
        // Checked here: the compiler would report every place in expanded code where the size is used.
        if mentions(tokens, &self.generics) {
            return Err(Error::new_spanned(expr, say::COMPUTES_WITH_GENERICS));
        }
        // A name that is replaced need not be a value: `n { a: 1 }`, `n!()`.
        let parses = self.parameters.is_empty() || syn::parse2::<Expr>(tokens.clone()).is_ok();
        if !is_value(expr) || !parses {
            return Err(Error::new_spanned(expr, mistake::no_size(tokens)));
        }
        // A const generic argument needs braces around an expression; a block has them.
        Ok(match expr {
            Expr::Block(block) if block.label.is_none() && block.attrs.is_empty() => tokens.clone(),
            // At the beginning of a block, `{ a } - 1` would be two statements.
            _ if begins_like_statement(tokens) => quote!({ (#tokens) }),
            _ => quote!({ #tokens }),
        })
    }

    /// Replaces parameters of blocks by their values.
    fn substitute(&self, tokens: TokenStream) -> Result<TokenStream> {
        if self.parameters.is_empty() {
            return Ok(tokens);
        }
        let mut left = MOST_TOKENS;
        self.substitute_up_to(tokens, &mut left)
    }

    /// As [`Self::substitute`], where the expression may have `left` more tokens.
    fn substitute_up_to(&self, tokens: TokenStream, left: &mut usize) -> Result<TokenStream> {
        let mut replaced = TokenStream::new();
        // After `.` and `::` a name is not a parameter.
        let mut member = false;
        for tree in tokens {
            let was_member = member;
            member = matches!(&tree, TokenTree::Punct(p) if matches!(p.as_char(), '.' | ':'));
            let span = tree.span();
            let parameter = match &tree {
                TokenTree::Ident(name) if !was_member => self.parameter(name),
                _ => None,
            };
            let count = parameter.map_or(1, |operand| count(&operand.tokens));
            if parameter.is_some() {
                self.substituted.set(self.substituted.get().saturating_add(count));
            }
            if count > *left {
                return Err(Error::new(span, say::TOO_MANY_TOKENS));
            }
            *left -= count;
            replaced.extend(match (tree, parameter) {
                (_, Some(operand)) => as_operand(&operand.tokens),
                (TokenTree::Group(group), None) => {
                    let inner = self.substitute_up_to(group.stream(), left)?;
                    // A new group has the span of the macro call; errors in it belong to the user's group.
                    let mut inner = Group::new(group.delimiter(), inner);
                    inner.set_span(span);
                    TokenTree::Group(inner).into()
                }
                (other, None) => other.into(),
            });
        }
        Ok(replaced)
    }
}

/// The expression without parentheses, without braces, and without the invisible parentheses around what a
/// `macro_rules!` macro has passed on.
fn unwrap(mut expr: &Expr) -> &Expr {
    loop {
        expr = match expr {
            Expr::Group(group) => &group.expr,
            Expr::Paren(paren) => &paren.expr,
            Expr::Block(block) => match only_expression(block) {
                Some(inner) => inner,
                None => return expr,
            },
            _ => return expr,
        }
    }
}

/// The name that an expression is, if it is nothing but a name.
fn plain_name(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Path(path) if path.qself.is_none() => path.path.get_ident(),
        _ => None,
    }
}

/// Whether a name can begin a path, but is none itself.
fn is_path_keyword(name: &Ident) -> bool {
    ["self", "Self", "super", "crate"].iter().any(|word| name == word)
}

/// Whether an expression can be a size, as far as its form shows: the others have no value, or are no operands.
fn is_value(expr: &Expr) -> bool {
    !matches!(
        expr,
        Expr::Assign(_)
            | Expr::Break(_)
            | Expr::Closure(_)
            | Expr::Continue(_)
            | Expr::Let(_)
            | Expr::Range(_)
            | Expr::Return(_)
            | Expr::Verbatim(_)
            | Expr::Yield(_)
    )
}

/// Whether an expression would end early at the beginning of a block, as `{ a } - 1` and `if a { b } else { c } - 1` do.
fn begins_like_statement(tokens: &TokenStream) -> bool {
    const WORDS: [&str; 9] =
        ["if", "match", "loop", "while", "for", "unsafe", "const", "async", "let"];
    let mut trees = tokens.clone().into_iter();
    match trees.next() {
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
        // `crate(3)` would be the visibility of an item for `syn`; `crate::SIZE` is a path.
        Some(TokenTree::Ident(word)) if word == "crate" => {
            !matches!(trees.next(), Some(TokenTree::Punct(_)))
        }
        Some(TokenTree::Ident(word)) => WORDS.iter().any(|it| word == it),
        // A label, an attribute.
        Some(TokenTree::Punct(punct)) => matches!(punct.as_char(), '\'' | '#'),
        _ => false,
    }
}

/// How many tokens there are at all depths.
fn count(tokens: &TokenStream) -> usize {
    let one = |tree| match tree {
        TokenTree::Group(group) => 1 + count(&group.stream()),
        _ => 1,
    };
    tokens.clone().into_iter().map(one).sum()
}

/// The tokens in parentheses, unless they are one token or a path: in `2 * n` with `n = A + 1`, the product comes last.
fn as_operand(tokens: &TokenStream) -> TokenStream {
    let mut trees = tokens.clone().into_iter();
    let is_one = trees.next().is_some() && trees.next().is_none();
    let is_path = tokens.clone().into_iter().all(|tree| match tree {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    });
    if is_one || is_path {
        return tokens.clone();
    }
    // The span of the macro: where the parentheses are not needed, the compiler does not warn of them.
    TokenTree::Group(Group::new(Delimiter::Parenthesis, tokens.clone())).into()
}

impl Operand {
    /// It as one size.
    pub(crate) fn size(&self) -> Option<Dim> {
        match &self.value {
            Evaluated::Size(size) => Some(Dim::Known(*size)),
            Evaluated::Word(name) => Some(Dim::Symbolic(name.to_token_stream())),
            Evaluated::Constant(tokens) => Some(Dim::Symbolic(tokens.clone())),
            _ => None,
        }
    }

    /// Whether it is this word.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(&self.value, Evaluated::Word(name) if name == word)
    }

    /// It as a number of sizes in parentheses.
    pub(crate) fn tuple<const N: usize>(&self) -> Option<[Dim; N]> {
        match &self.value {
            Evaluated::Tuple(sizes) => sizes.clone().try_into().ok(),
            _ => None,
        }
    }

    /// It as a shape, possibly of one axis.
    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        match &self.value {
            Evaluated::Shape(sizes) => Some(sizes.clone()),
            _ => self.size().map(|size| vec![size]),
        }
    }
}

/// Whether `tokens` contain one of `names`.
pub(crate) fn mentions(tokens: &TokenStream, names: &[String]) -> bool {
    tokens.clone().into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => names.iter().any(|name| ident == name),
        TokenTree::Group(group) => mentions(&group.stream(), names),
        _ => false,
    })
}

/// Whether the tokens are one name: the only form in which types can use const generics.
pub(crate) fn is_name(tokens: &TokenStream) -> bool {
    let mut trees = tokens.clone().into_iter();
    matches!((trees.next(), trees.next()), (Some(TokenTree::Ident(_)), None))
}

fn evaluate_literal(literal: &Lit) -> Result<Evaluated> {
    match literal {
        Lit::Bool(flag) => Ok(Evaluated::Flag(flag.value)),
        Lit::Float(real) if matches!(real.suffix(), "" | "f32" | "f64") => {
            match real.base10_parse::<f64>()? {
                value if value.is_finite() => Ok(Evaluated::Real(value)),
                _ => Err(Error::new(real.span(), say::NOT_FINITE)),
            }
        }
        // PyTorch and Keras write words as strings: `padding="same"`.
        Lit::Str(words) => Err(Error::new(literal.span(), mistake::quotes(&words.value()))),
        // `0x10` and `10usize`: numbers of Rust that are no shapes.
        Lit::Int(int) if int.suffix() == "usize" || is_based(int) && int.suffix().is_empty() => {
            Ok(Evaluated::Size(int.base10_parse()?))
        }
        Lit::Int(_) | Lit::Float(_) => {
            let sizes = parse_sizes(&literal.to_token_stream().to_string())
                .map_err(|message| Error::new(literal.span(), message))?;
            Ok(match sizes[..] {
                [size] => Evaluated::Size(size),
                _ => Evaluated::Shape(sizes.into_iter().map(Dim::Known).collect()),
            })
        }
        _ => Err(Error::new(literal.span(), mistake::no_size(&literal.to_token_stream()))),
    }
}

/// Whether a number is hexadecimal, octal or binary.
fn is_based(int: &LitInt) -> bool {
    let text = int.to_token_stream().to_string();
    ["0x", "0o", "0b"].iter().any(|base| text.starts_with(base))
}

/// The expression in `{ expression }`, if there is nothing else.
fn only_expression(block: &ExprBlock) -> Option<&Expr> {
    match &block.block.stmts[..] {
        [Stmt::Expr(expr, None)] if block.label.is_none() => Some(expr),
        _ => None,
    }
}
