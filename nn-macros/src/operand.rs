//! The value of an expression in an argument or a shape: literals, parameters of blocks, constants.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{BinOp, Error, Expr, ExprBinary, ExprBlock, Lit, Result, Stmt, UnOp};

use crate::ast;
use crate::literal::parse_sizes;
use crate::network::{Dim, Dims};
use crate::report::{mistake, say};

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
    Pair([Dim; 2]),
    Shape(Vec<Dim>),
    /// A constant of the user's, or a word such as `same`.
    Word(Ident),
    /// An expression of constants, valid as a const generic argument.
    Constant(TokenStream),
}

/// The meaning of names: parameters of the enclosing block, const generics of the network.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    pub(crate) parameters: Vec<(String, Operand)>,
    pub(crate) generics: Vec<String>,
}

impl Environment {
    /// The word that was given for the parameter `name`.
    pub(crate) fn word(&self, name: &Ident) -> Option<&Ident> {
        let (_, operand) = self.parameters.iter().find(|(known, _)| name == known)?;
        match &operand.value {
            Evaluated::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Evaluates `expr`.
    pub(crate) fn evaluate(&self, expr: &Expr) -> Result<Operand> {
        let value = match expr {
            // Invisible parentheses around what a `macro_rules!` macro has passed on.
            Expr::Group(group) => return self.evaluate(&group.expr),
            Expr::Paren(paren) => return self.evaluate(&paren.expr),
            Expr::Path(path) => match path.path.get_ident() {
                Some(name) => match self.parameter(name) {
                    Some(operand) => return Ok(operand.clone()),
                    // `same` and the name of a constant look alike: the kind of the argument decides.
                    None => Evaluated::Word(name.clone()),
                },
                None => self.constant(expr)?,
            },
            Expr::Lit(literal) => evaluate_literal(&literal.lit)?,
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
                self.evaluate_negative(&unary.expr)?
            }
            Expr::Tuple(tuple) => match tuple.elems.iter().collect::<Vec<_>>()[..] {
                [height, width] => Evaluated::Pair([self.size(height)?, self.size(width)?]),
                _ => return Err(Error::new(tuple.paren_token.span.join(), say::NOT_A_PAIR)),
            },
            Expr::Array(array) => Evaluated::Shape(
                array.elems.iter().map(|size| self.size(size)).collect::<Result<_>>()?,
            ),
            Expr::Block(block) => match only_expression(block) {
                Some(inner) => return self.evaluate(inner),
                None => self.constant(expr)?,
            },
            Expr::Binary(binary) => self.evaluate_binary(binary, expr)?,
            _ => self.constant(expr)?,
        };
        // For messages, and for the blocks that the value is passed to.
        let tokens = self.substitute(expr.to_token_stream());
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
        self.parameters.iter().find(|(known, _)| name == known).map(|(_, operand)| operand)
    }

    fn evaluate_negative(&self, inner: &Expr) -> Result<Evaluated> {
        let operand = self.evaluate(inner)?;
        match operand.value {
            // No size is negative.
            Evaluated::Size(size) => Ok(Evaluated::Real(-(size as f64))),
            Evaluated::Real(real) => Ok(Evaluated::Real(-real)),
            _ => Err(Error::new(operand.span, mistake::no_size(&operand.tokens))),
        }
    }

    /// Computes with literals, so that `4 * channels` is one where `channels` is.
    fn evaluate_binary(&self, binary: &ExprBinary, expr: &Expr) -> Result<Evaluated> {
        let (Dim::Known(left), Dim::Known(right)) =
            (self.size(&binary.left)?, self.size(&binary.right)?)
        else {
            return self.constant(expr);
        };
        let result = match binary.op {
            BinOp::Add(_) => left.checked_add(right),
            BinOp::Sub(_) => left.checked_sub(right),
            BinOp::Mul(_) => left.checked_mul(right),
            BinOp::Div(_) => left.checked_div(right),
            BinOp::Rem(_) => left.checked_rem(right),
            _ => return self.constant(expr),
        };
        let wrong = || Error::new(binary.op.span(), mistake::no_result(left, &binary.op, right));
        result.map(Evaluated::Size).ok_or_else(wrong)
    }

    /// An expression that rustc computes.
    fn constant(&self, expr: &Expr) -> Result<Evaluated> {
        let tokens = self.substitute(expr.to_token_stream());
        if tokens.is_empty() {
            // The placeholder of what could not be parsed.
            return Err(Error::new(expr.span(), say::NO_VALUE));
        }
        // Checked here: the compiler would report every place in expanded code where the size is used.
        if mentions(&tokens, &self.generics) {
            return Err(Error::new_spanned(expr, say::COMPUTES_WITH_GENERICS));
        }
        // A const generic argument needs braces around an expression; a block has them.
        Ok(Evaluated::Constant(if matches!(expr, Expr::Block(_)) {
            tokens
        } else {
            quote!({ #tokens })
        }))
    }

    /// Replaces parameters of blocks by their values.
    fn substitute(&self, tokens: TokenStream) -> TokenStream {
        if self.parameters.is_empty() {
            return tokens;
        }
        let mut replaced = TokenStream::new();
        // After `.` and `::` a name is not a parameter.
        let mut member = false;
        for tree in tokens {
            let was_member = member;
            member = matches!(&tree, TokenTree::Punct(p) if matches!(p.as_char(), '.' | ':'));
            replaced.extend(match tree {
                TokenTree::Group(group) => {
                    // A new group has the span of the macro call; errors in it belong to the user's group.
                    let mut inner = Group::new(group.delimiter(), self.substitute(group.stream()));
                    inner.set_span(group.span());
                    TokenTree::Group(inner).into()
                }
                TokenTree::Ident(name) if !was_member => match self.parameter(&name) {
                    Some(operand) => operand.tokens.clone(),
                    None => TokenTree::Ident(name).into(),
                },
                other => other.into(),
            });
        }
        replaced
    }
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

/// The expression in `{ expression }`, if there is nothing else.
fn only_expression(block: &ExprBlock) -> Option<&Expr> {
    match &block.block.stmts[..] {
        [Stmt::Expr(expr, None)] if block.label.is_none() => Some(expr),
        _ => None,
    }
}
