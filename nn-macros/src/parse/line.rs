//! Lines: layers, their arguments, their branches.

use proc_macro2::{Delimiter, Group, Span, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, ExprPath, Ident, Lit, Result, Token, Type, TypePath, token};

use super::parser::{Parser, parse_name, peek_body, peek_word};
use super::shape::{parse_expr, parse_shape};
use crate::ast::{Argument, Body, Branch, Call, Construct, Line, PerStep, Repeat, Residual, Skip};
use crate::report::{mistake, say};

impl Parser<'_> {
    pub(super) fn line(&mut self, input: ParseStream<'_>) -> Result<Line> {
        if input.peek(Token![#]) {
            // Reported and dropped: the line itself is understood.
            let attribute = input.call(Attribute::parse_outer)?;
            let span = attribute.first().map_or(input.span(), |a| a.pound_token.span);
            self.report.error(span, say::ATTRIBUTE_ON_LINE);
        }
        let no_level = parse_underscore(input)?;
        let name = if no_level.is_none() { parse_name(input)? } else { None };
        let source = parse_source(input)?;
        let construct = self.construct(input)?;
        let arrow = match input.parse::<Option<Token![->]>>()? {
            Some(_) => Some(parse_shape(input)?),
            None => None,
        };
        Ok(Line { name, no_level, source, construct, arrow })
    }

    pub(super) fn construct(&mut self, input: ParseStream<'_>) -> Result<Construct> {
        if peek_word(input, "Repeat") {
            return self.repeat(input).map(Construct::Repeat);
        }
        if peek_word(input, "Residual") {
            return self.residual(input).map(Construct::Residual);
        }
        if peek_word(input, "PerStep") {
            return self.per_step(input).map(Construct::PerStep);
        }
        if peek_body(input) {
            return self.body(input).map(Construct::Sequential);
        }
        if peek_skip(input) {
            return Err(Error::new(input.span(), say::SKIP_ALONE));
        }
        if input.peek(Token![for]) || input.peek(Token![while]) || input.peek(Token![loop]) {
            return Err(Error::new(input.span(), say::LOOP));
        }
        if input.peek(Token![let]) {
            return Err(Error::new(input.span(), say::LET));
        }
        self.use_of_layer(input).map(Construct::Call)
    }

    pub(super) fn repeat(&mut self, input: ParseStream<'_>) -> Result<Repeat> {
        let keyword: Ident = input.parse()?;
        if !input.peek(token::Paren) {
            return Err(Error::new(keyword.span(), say::NO_COUNT));
        }
        let group: Group = input.parse()?;
        let mut arguments = self.list(&group, Self::argument).into_iter();
        let is_shared =
            |argument: &Argument| argument.name.as_ref().is_some_and(|it| it == "shared");
        match (arguments.next(), arguments.next(), arguments.next()) {
            (Some(Argument { name: None, value: count }), shared, None)
                if shared.as_ref().is_none_or(is_shared) =>
            {
                Ok(Repeat { keyword, count, shared, body: self.body(input)? })
            }
            _ => Err(Error::new(group.span(), say::NO_COUNT)),
        }
    }

    pub(super) fn residual(&mut self, input: ParseStream<'_>) -> Result<Residual> {
        let keyword: Ident = input.parse()?;
        if input.peek(token::Paren) {
            let group: Group = input.parse()?;
            return Err(Error::new(group.span(), say::RESIDUAL_ARGUMENTS));
        }
        let body = self.body(input)?;
        if is_comma_before_skip(input) {
            input.parse::<Token![,]>()?;
            // The `skip` is read as if the comma were not there.
            self.report.error(input.span(), say::SKIP_ALONE);
        }
        let named = is_named_skip(input);
        let skip = if named || peek_word(input, "skip") {
            let name = if named { parse_name(input)? } else { None };
            input.parse::<Ident>()?;
            Some(Skip { name, body: self.body(input)? })
        } else {
            None
        };
        Ok(Residual { keyword, body, skip })
    }

    pub(super) fn per_step(&mut self, input: ParseStream<'_>) -> Result<PerStep> {
        let keyword: Ident = input.parse()?;
        if input.peek(token::Paren) {
            let group: Group = input.parse()?;
            return Err(Error::new(group.span(), say::PER_STEP_ARGUMENTS));
        }
        Ok(PerStep { keyword, body: self.body(input)? })
    }

    pub(super) fn use_of_layer(&mut self, input: ParseStream<'_>) -> Result<Call> {
        let layer = parse_layer(input)?;
        let name = last_name(&layer).ok_or_else(|| Error::new(layer.span(), say::NOT_A_LAYER))?;
        let arguments = if input.peek(token::Paren) {
            let group: Group = input.parse()?;
            Some(self.list(&group, Self::argument))
        } else {
            None
        };
        if input.peek(token::Bracket) {
            return Err(Error::new(input.span(), say::ARGUMENTS_IN_BRACKETS));
        }
        let mut used = Call { layer, name, arguments, branches: None, lines: None };
        if input.peek(token::Brace) {
            let group: Group = input.parse()?;
            // Reported by the resolver, which knows whether the name is a join or a misspelt `Residual`.
            used.lines = find_lines(&group);
            let branches =
                if used.lines.is_some() { Vec::new() } else { self.list(&group, Self::branch) };
            used.branches = Some(branches);
        }
        Ok(used)
    }

    pub(super) fn argument(&mut self, input: ParseStream<'_>) -> Result<Argument> {
        let named =
            input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]);
        let name = if named {
            let name = input.call(Ident::parse_any)?;
            input.parse::<Token![=]>()?;
            Some(name)
        } else {
            None
        };
        if input.peek(Ident::peek_any) && input.peek2(Token![:]) && !input.peek2(Token![::]) {
            // `kernel: 3`, as the field of a struct.
            return Err(Error::new(input.span(), say::COLON_IN_ARGUMENT));
        }
        if let Some(error) = parse_percent(input) {
            return Err(error);
        }
        if input.peek(Token![.]) && input.peek2(Lit) {
            return Err(Error::new(input.span(), say::POINT_FIRST));
        }
        let value = parse_expr(input)?;
        if let Expr::Assign(assignment) = &value {
            // `{ kernel } = 3`
            return Err(Error::new(assignment.left.span(), say::NOT_A_NAME));
        }
        Ok(Argument { name, value })
    }

    pub(super) fn branch(&mut self, input: ParseStream<'_>) -> Result<Branch> {
        let source = if peek_body(input) {
            None
        } else {
            let name = input
                .call(Ident::parse_any)
                .map_err(|e| Error::new(e.span(), say::NOT_A_BRANCH))?;
            if input.is_empty() || input.peek(Token![,]) {
                // `image` alone is the branch `image => {}`.
                let body = Body { lines: Vec::new(), numbered: false, span: name.span() };
                return Ok(Branch { source: Some(name), body });
            }
            if !input.peek(Token![=>]) {
                return Err(Error::new(name.span(), say::NOT_A_BRANCH));
            }
            input.parse::<Token![=>]>()?;
            Some(name)
        };
        let body = self.body(input)?;
        Ok(Branch { source, body })
    }
}

/// What is wrong with `50%`, if it follows.
fn parse_percent(input: ParseStream<'_>) -> Option<Error> {
    let ahead = input.fork();
    let share: Lit = ahead.parse().ok()?;
    ahead.parse::<Token![%]>().ok()?;
    let value = match &share {
        Lit::Int(value) => value.base10_parse::<f64>().ok()?,
        Lit::Float(value) => value.base10_parse::<f64>().ok()?,
        _ => return None,
    };
    let ends = ahead.is_empty() || ahead.peek(Token![,]);
    ends.then(|| Error::new(share.span(), mistake::percent(value)))
}

/// `source =>`, if it is there. Before a shape, `=>` is a mistaken `->`.
fn parse_source(input: ParseStream<'_>) -> Result<Option<Ident>> {
    // The name of a value may be a keyword, as that of its line may.
    if !(input.peek(Ident::peek_any) && input.peek2(Token![=>])) {
        return Ok(None);
    }
    let ahead = input.fork();
    let name = ahead.call(Ident::parse_any)?;
    let arrow = ahead.span();
    ahead.parse::<Token![=>]>()?;
    if ahead.peek(Lit) || is_shape_in_group(&ahead) {
        return Err(Error::new(arrow, say::FAT_ARROW));
    }
    input.advance_to(&ahead);
    Ok(Some(name))
}

/// Whether a shape in braces or brackets follows: sizes, and no lines, of which one has arguments, a name or an arrow.
fn is_shape_in_group(input: ParseStream<'_>) -> bool {
    let Ok(TokenTree::Group(group)) = input.fork().parse() else { return false };
    let is_of_line = |token: TokenTree| match token {
        TokenTree::Group(inner) => inner.delimiter() == Delimiter::Parenthesis,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    };
    let is_shape = match group.delimiter() {
        // Lines may be missing: the value itself. A shape has one size here.
        Delimiter::Brace => !group.stream().is_empty() && !group.stream().into_iter().any(is_comma),
        delimiter => delimiter == Delimiter::Bracket,
    };
    is_shape && !group.stream().into_iter().any(is_of_line)
}

fn is_comma(token: TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')
}

/// Whether `skip {` or `skip [` follows. Without braces `skip` is a name like any other.
fn peek_skip(input: ParseStream<'_>) -> bool {
    peek_word(input, "skip") && (input.peek2(token::Brace) || input.peek2(token::Bracket))
}

/// Whether `, skip {` follows.
fn is_comma_before_skip(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.parse::<Token![,]>().is_ok() && (peek_skip(&ahead) || is_named_skip(&ahead))
}

/// Whether `name: skip {` follows.
fn is_named_skip(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    matches!(parse_name(&ahead), Ok(Some(_))) && peek_skip(&ahead)
}

/// `_:`, if it is there.
fn parse_underscore(input: ParseStream<'_>) -> Result<Option<Span>> {
    if !(input.peek(Token![_]) && input.peek2(Token![:])) {
        return Ok(None);
    }
    let span = input.parse::<Token![_]>()?.span;
    input.parse::<Token![:]>()?;
    Ok(Some(span))
}

/// A layer's name, or a type as expressions write it: `MyLayer::<64>`.
pub(super) fn parse_layer(input: ParseStream<'_>) -> Result<Type> {
    let begins = input.peek(Ident::peek_any) || input.peek(Token![::]) || input.peek(Token![<]);
    if !begins {
        return Err(Error::new(input.span(), say::NOT_A_LAYER));
    }
    // In an expression `Mix<64>` is a comparison: only a type may leave out the `::`.
    if input.peek2(Token![<]) {
        return input.parse::<TypePath>().map(Type::Path);
    }
    let path: ExprPath =
        input.parse().map_err(|error| Error::new(error.span(), say::NOT_A_LAYER))?;
    Ok(Type::Path(TypePath { attrs: Vec::new(), qself: path.qself, path: path.path }))
}

/// The first token between braces that begins no branch, where none before it begins one for sure:
/// a name alone may be either.
pub(super) fn find_lines(group: &Group) -> Option<Span> {
    let mut tokens = group.stream().into_iter();
    while let Some(first) = tokens.next() {
        match (&first, tokens.next()) {
            (TokenTree::Group(group), _) if group.delimiter() != Delimiter::Parenthesis => {
                return None;
            }
            (TokenTree::Ident(_), None) => return None,
            (TokenTree::Ident(_), Some(TokenTree::Punct(punct))) => match punct.as_char() {
                // `name => { .. }`
                '=' => return None,
                // `name,`: a branch or a layer, so that the next one decides.
                ',' => {}
                _ => return Some(first.span()),
            },
            _ => return Some(first.span()),
        }
    }
    None
}

pub(super) fn last_name(layer: &Type) -> Option<Ident> {
    match layer {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.clone()),
        _ => None,
    }
}
