//! Shapes and expressions.

use proc_macro2::{Group, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse as _, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, ExprPath, Ident, Lit, Result, Token, token};

use super::list::at_end;
use crate::ast::Shape;
use crate::literal::parse_sizes;
use crate::report::{mistake, say};

/// A shape after an arrow or in a header.
pub(super) fn parse_shape(input: ParseStream<'_>) -> Result<Shape> {
    let span = input.span();
    if input.peek(Lit) {
        let first: Lit = input.parse()?;
        return match in_pieces(&first, input) {
            Some(whole) => Err(Error::new(input.span(), mistake::one_word(&whole))),
            None => literal_shape(&first),
        };
    }
    if input.peek(Token![-]) && !input.peek(Token![->]) {
        return Err(Error::new(span, say::BATCH_AXIS));
    }
    if input.peek(token::Paren) {
        let group: Group = input.parse()?;
        // `(28, 28, 1)`, as Python writes shapes.
        let text = mistake::tidy(&group.stream());
        let word = text.replace(", ", "x");
        let shape = if parse_sizes(&word).is_ok() { word } else { format!("[{text}]") };
        return Err(Error::new(group.span(), mistake::shape_in_parentheses(&shape)));
    }
    if input.peek(token::Bracket) {
        let group: Group = input.parse()?;
        let list = Punctuated::<Expr, Token![,]>::parse_terminated;
        let sizes: Vec<Expr> = parse_group(&group, list)?.into_iter().collect();
        if sizes.is_empty() {
            return Err(Error::new(group.span(), say::NO_AXES));
        }
        return Ok(Shape { sizes, span: group.span() });
    }
    if input.peek(token::Brace) {
        let group: Group = input.parse()?;
        return Ok(Shape { sizes: vec![parse_group(&group, Expr::parse)?], span: group.span() });
    }
    if input.peek(Ident::peek_any) || input.peek(Token![::]) {
        // A constant, possibly of another module: `config::N`.
        let path = input.call(syn::Path::parse_mod_style)?;
        let size = Expr::Path(ExprPath { attrs: Vec::new(), qself: None, path });
        return Ok(Shape { sizes: vec![size], span });
    }
    Err(Error::new(span, say::NOT_A_SHAPE))
}

/// The shape that was meant by `28 x 28 x 1` or `28*28*1`, of which `first` is parsed.
fn in_pieces(first: &Lit, input: ParseStream<'_>) -> Option<String> {
    let mut whole = first.to_token_stream().to_string();
    // `28 x 28` is a literal, the name `x` and a literal; `28 x28x1` a literal and the name `x28x1`.
    let ahead = input.fork();
    loop {
        if ahead.peek(Token![*]) && ahead.peek2(Lit) {
            ahead.parse::<Token![*]>().ok()?;
            whole.push('x');
        } else if !ahead.cursor().ident().is_some_and(|(x, _)| x.to_string().starts_with('x')) {
            break;
        }
        whole += &ahead.parse::<TokenTree>().ok()?.to_string();
        if whole.ends_with('x') && ahead.peek(Lit) {
            whole += &ahead.parse::<TokenTree>().ok()?.to_string();
        }
    }
    // Nothing was joined where the fork is still at the beginning: the literal is a shape by itself.
    let more = !ahead.cursor().eq(&input.cursor());
    (more && parse_sizes(&whole).is_ok()).then_some(whole)
}

/// Parses the content of brackets or braces.
pub(super) fn parse_group<T>(group: &Group, parse: fn(ParseStream<'_>) -> Result<T>) -> Result<T> {
    let end = group.span_close();
    let parse = |input: ParseStream<'_>| parse(input).map_err(|error| at_end(error, input, end));
    parse.parse2(group.stream())
}

/// `28x28x1`
pub(super) fn literal_shape(literal: &Lit) -> Result<Shape> {
    let span = literal.span();
    let sizes = parse_sizes(&literal.to_token_stream().to_string())
        .map_err(|message| Error::new(span, message))?;
    // All sizes have the place of the literal: stable Rust has no spans within a token.
    let size = |size: usize| {
        let mut literal = proc_macro2::Literal::usize_unsuffixed(size);
        literal.set_span(span);
        Expr::Lit(syn::ExprLit { attrs: Vec::new(), lit: Lit::new(literal) })
    };
    Ok(Shape { sizes: sizes.into_iter().map(size).collect(), span })
}

/// An argument's value or a default.
pub(super) fn parse_expr(input: ParseStream<'_>) -> Result<Expr> {
    if input.is_empty() || input.peek(Token![,]) {
        return Err(Error::new(input.span(), say::NO_VALUE));
    }
    input.parse()
}
