//! Tokens -> [`ast`](crate::ast). Grammar only. A bad line is reported and left out, so that the
//! next ones are still looked at.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse as _, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, Expr, ExprPath, Generics, Ident, Lit, Result, Token, Type, TypePath,
    Visibility, token,
};

use crate::ast::{
    Argument, Block, Body, Branch, File, Input, Line, Network, Node, Parameter, Repeat, Residual,
    Shape, Use,
};
use crate::literal::parse_sizes;
use crate::report::{Report, same_place, say};

/// Parses what stands in one `network!`.
pub(crate) fn parse(tokens: TokenStream, report: &mut Report) -> File {
    let mut file = File { blocks: Vec::new(), networks: Vec::new() };
    let parser = &mut Parser { report };
    within(tokens, |input| {
        while !input.is_empty() {
            if let Err(error) = parser.item(input, &mut file) {
                parser.report.add(error);
                skip_item(input);
            }
        }
    });
    file
}

struct Parser<'a> {
    report: &'a mut Report,
}

impl Parser<'_> {
    fn item(&mut self, input: ParseStream<'_>, file: &mut File) -> Result<()> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility: Visibility = input.parse()?;
        if input.peek(Token![struct]) {
            let network = self.network(attributes, visibility, input)?;
            file.networks.push(network);
            return Ok(());
        }
        if peek_word(input, "block") {
            let block = self.block(input)?;
            check_block_prefix(&attributes, &visibility)?;
            file.blocks.push(block);
            return Ok(());
        }
        Err(Error::new(input.span(), say::NOT_AN_ITEM))
    }

    fn block(&mut self, input: ParseStream<'_>) -> Result<Block> {
        input.call(Ident::parse_any)?;
        let name: Ident = input.parse()?;
        let parameters = if input.peek(token::Paren) {
            let group: Group = input.parse()?;
            self.list(&group, Self::parameter)
        } else {
            Vec::new()
        };
        let body = self.body(input)?;
        Ok(Block { name, parameters, body })
    }

    fn parameter(&mut self, input: ParseStream<'_>) -> Result<Parameter> {
        let name = input.parse().map_err(|error| Error::new(error.span(), say::NOT_A_PARAMETER))?;
        let default = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(parse_expr(input)?),
            None => None,
        };
        Ok(Parameter { name, default })
    }

    fn network(
        &mut self,
        attributes: Vec<Attribute>,
        visibility: Visibility,
        input: ParseStream<'_>,
    ) -> Result<Network> {
        input.parse::<Token![struct]>()?;
        let name: Ident = input.parse()?;
        let mut network = Network {
            attributes,
            visibility,
            name,
            generics: Generics::default(),
            inputs: None,
            output: None,
            body: None,
        };
        // From here on the name is known: a mistake leaves the rest `None`.
        if let Err(error) = self.after_name(&mut network, input) {
            self.report.add(error);
            skip_item(input);
        }
        Ok(network)
    }

    fn after_name(&mut self, network: &mut Network, input: ParseStream<'_>) -> Result<()> {
        network.generics = input.parse()?;
        if !input.peek(token::Paren) {
            return Err(Error::new(next_span(input, network.name.span()), say::NO_INPUTS));
        }
        let group: Group = input.parse()?;
        let inputs = self.list(&group, Self::input);
        if group.stream().is_empty() {
            self.report.error(group.span_close(), say::NO_INPUTS);
        } else if !inputs.is_empty() {
            network.inputs = Some(inputs);
        }
        if input.peek(Token![->]) {
            input.parse::<Token![->]>()?;
            network.output = Some(parse_shape(input)?);
        } else {
            self.report.error(next_span(input, group.span_close()), say::NO_OUTPUT);
        }
        if input.peek(Token![where]) {
            return Err(Error::new(input.span(), say::WHERE_CLAUSE));
        }
        network.body = Some(self.body(input)?);
        Ok(())
    }

    fn input(&mut self, input: ParseStream<'_>) -> Result<Input> {
        Ok(Input { name: parse_name(input)?, shape: parse_shape(input)? })
    }

    /// `{ lines }`
    fn body(&mut self, input: ParseStream<'_>) -> Result<Body> {
        if !input.peek(token::Brace) {
            return Err(Error::new(input.span(), say::NO_BODY));
        }
        let group: Group = input.parse()?;
        let lines = self.list(&group, Self::line);
        let span = if lines.is_empty() { group.span() } else { group.span_open() };
        Ok(Body { lines, span })
    }

    /// What stands between parentheses or braces, separated by commas.
    fn list<T>(&mut self, group: &Group, one: fn(&mut Self, ParseStream<'_>) -> Result<T>) -> Vec<T>
    where
        T: Placeholder,
    {
        let mut items = Vec::new();
        let end = group.span_close();
        within(group.stream(), |input| {
            while !input.is_empty() {
                let begin = input.span();
                match one(self, input) {
                    Ok(item) => {
                        let whole = self.comma(input);
                        let stands_in = if whole { None } else { T::placeholder(begin) };
                        items.push(stands_in.unwrap_or(item));
                    }
                    Err(error) => {
                        self.report.add(at_end(error, input, end));
                        items.extend(T::placeholder(begin));
                        skip_past_comma(input);
                    }
                }
            }
        });
        items
    }

    /// The comma behind an item of a list. Whether the item ends there.
    fn comma(&mut self, input: ParseStream<'_>) -> bool {
        if input.is_empty() || input.parse::<Token![,]>().is_ok() {
            return true;
        }
        if input.peek(Token![;]) {
            self.report.error(input.span(), say::SEMICOLON);
            skip_token(input);
        } else if input.peek(Ident::peek_any) || input.peek(Lit) {
            // The next item follows: nothing else is wrong.
            self.report.error(input.span(), say::NO_COMMA);
        } else {
            let computes = input.peek(Token![*])
                || input.peek(Token![/])
                || input.peek(Token![%])
                || input.peek(Token![+])
                || (input.peek(Token![-]) && !input.peek(Token![->]));
            let words = if computes { say::EXPRESSION_IN_SHAPE } else { say::NOT_THE_END };
            self.report.error(input.span(), words);
            skip_past_comma(input);
            return false;
        }
        true
    }

    fn line(&mut self, input: ParseStream<'_>) -> Result<Line> {
        if input.peek(Token![#]) {
            let attribute = input.call(Attribute::parse_outer)?;
            let span = attribute.first().map_or(input.span(), |a| a.pound_token.span);
            self.report.error(span, say::ATTRIBUTE_ON_LINE);
        }
        let name = parse_name(input)?;
        let node = self.node(input)?;
        let arrow = match input.parse::<Option<Token![->]>>()? {
            Some(_) => Some(parse_shape(input)?),
            None => None,
        };
        Ok(Line { name, node, arrow })
    }

    fn node(&mut self, input: ParseStream<'_>) -> Result<Node> {
        if peek_word(input, "Repeat") {
            return self.repeat(input).map(Node::Repeat);
        }
        if peek_word(input, "Residual") {
            return self.residual(input).map(Node::Residual);
        }
        if peek_word(input, "skip") && input.peek2(token::Brace) {
            return Err(Error::new(input.span(), say::SKIP_ALONE));
        }
        self.use_of_layer(input).map(Node::Use)
    }

    fn repeat(&mut self, input: ParseStream<'_>) -> Result<Repeat> {
        let keyword: Ident = input.parse()?;
        if !input.peek(token::Paren) {
            return Err(Error::new(keyword.span(), say::NO_COUNT));
        }
        let group: Group = input.parse()?;
        let mut counts = self.list(&group, |_, input| parse_expr(input));
        let count = match counts.pop() {
            Some(count) if counts.is_empty() => count,
            _ => return Err(Error::new(group.span(), say::NO_COUNT)),
        };
        Ok(Repeat { keyword, count, body: self.body(input)? })
    }

    fn residual(&mut self, input: ParseStream<'_>) -> Result<Residual> {
        let keyword: Ident = input.parse()?;
        if input.peek(token::Paren) {
            let group: Group = input.parse()?;
            return Err(Error::new(group.span(), say::RESIDUAL_ARGUMENTS));
        }
        let body = self.body(input)?;
        let skip = if peek_word(input, "skip") {
            input.parse::<Ident>()?;
            Some(self.body(input)?)
        } else {
            None
        };
        Ok(Residual { keyword, body, skip })
    }

    fn use_of_layer(&mut self, input: ParseStream<'_>) -> Result<Use> {
        let layer = parse_layer(input)?;
        let name = last_name(&layer).ok_or_else(|| Error::new(layer.span(), say::NOT_A_LAYER))?;
        let arguments = if input.peek(token::Paren) {
            let group: Group = input.parse()?;
            Some(self.list(&group, Self::argument))
        } else {
            None
        };
        let mut used = Use { layer, name, arguments, branches: None, lines: None };
        if input.peek(token::Brace) {
            let group: Group = input.parse()?;
            used.lines = find_lines(&group);
            let branches =
                if used.lines.is_some() { Vec::new() } else { self.list(&group, Self::branch) };
            used.branches = Some(branches);
        }
        Ok(used)
    }

    fn argument(&mut self, input: ParseStream<'_>) -> Result<Argument> {
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
            return Err(Error::new(input.span(), say::COLON_IN_ARGUMENT));
        }
        Ok(Argument { name, value: parse_expr(input)? })
    }

    fn branch(&mut self, input: ParseStream<'_>) -> Result<Branch> {
        let source = if input.peek(token::Brace) {
            None
        } else {
            let name = input
                .call(Ident::parse_any)
                .map_err(|e| Error::new(e.span(), say::NOT_A_BRANCH))?;
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

/// What stands in a list for an item that could not be parsed, if anything must.
trait Placeholder: Sized {
    fn placeholder(_at: Span) -> Option<Self> {
        None
    }
}

impl Placeholder for Parameter {}
impl Placeholder for Input {}
impl Placeholder for Expr {}
impl Placeholder for Branch {}

impl Placeholder for Argument {
    /// An argument is there, so that it is not said to be missing.
    fn placeholder(_at: Span) -> Option<Self> {
        Some(Self { name: None, value: Expr::Verbatim(TokenStream::new()) })
    }
}

impl Placeholder for Line {
    fn placeholder(at: Span) -> Option<Self> {
        Some(Self { name: None, node: Node::Broken(at), arrow: None })
    }
}

/// Blocks take doc comments and nothing else.
fn check_block_prefix(attributes: &[Attribute], visibility: &Visibility) -> Result<()> {
    if let Some(attribute) = attributes.iter().find(|a| !a.path().is_ident("doc")) {
        return Err(Error::new(attribute.pound_token.span, say::ATTRIBUTE_ON_BLOCK));
    }
    match visibility {
        Visibility::Inherited => Ok(()),
        visible => Err(Error::new(visible.span(), say::VISIBILITY_OF_BLOCK)),
    }
}

/// `name:`, if it is there.
fn parse_name(input: ParseStream<'_>) -> Result<Option<Ident>> {
    let named = input.peek(Ident::peek_any) && input.peek2(Token![:]) && !input.peek2(Token![::]);
    if !named {
        return Ok(None);
    }
    let name = input.call(Ident::parse_any)?;
    input.parse::<Token![:]>()?;
    if name == "_" {
        return Err(Error::new(name.span(), say::UNDERSCORE));
    }
    Ok(Some(name))
}

/// A layer's name, or a type as expressions write it: `MyLayer::<64>`.
fn parse_layer(input: ParseStream<'_>) -> Result<Type> {
    let begins = input.peek(Ident::peek_any) || input.peek(Token![::]) || input.peek(Token![<]);
    if !begins {
        return Err(Error::new(input.span(), say::NOT_A_LAYER));
    }
    if input.peek2(Token![<]) {
        return input.parse::<TypePath>().map(Type::Path);
    }
    let path: ExprPath =
        input.parse().map_err(|error| Error::new(error.span(), say::NOT_A_LAYER))?;
    Ok(Type::Path(TypePath { attrs: Vec::new(), qself: path.qself, path: path.path }))
}

/// The first token between braces, where it begins no branch.
fn find_lines(group: &Group) -> Option<Span> {
    let mut tokens = group.stream().into_iter();
    match (tokens.next()?, tokens.next()) {
        (TokenTree::Group(group), _) if group.delimiter() == Delimiter::Brace => None,
        (TokenTree::Ident(_), Some(TokenTree::Punct(punct))) if punct.as_char() == '=' => None,
        (first, _) => Some(first.span()),
    }
}

fn last_name(layer: &Type) -> Option<Ident> {
    match layer {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.clone()),
        _ => None,
    }
}

/// A shape behind an arrow or in a header.
fn parse_shape(input: ParseStream<'_>) -> Result<Shape> {
    let span = input.span();
    if input.peek(Lit) {
        let shape = literal_shape(&input.parse()?)?;
        return match input.cursor().ident() {
            Some((times, _)) if times.to_string().starts_with('x') => {
                Err(Error::new(times.span(), say::SPACES_IN_SHAPE))
            }
            _ => Ok(shape),
        };
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
        let path = input.call(syn::Path::parse_mod_style)?;
        let size = Expr::Path(ExprPath { attrs: Vec::new(), qself: None, path });
        return Ok(Shape { sizes: vec![size], span });
    }
    Err(Error::new(span, say::NOT_A_SHAPE))
}

/// What stands between brackets or braces.
fn parse_group<T>(group: &Group, parse: fn(ParseStream<'_>) -> Result<T>) -> Result<T> {
    let end = group.span_close();
    let parse = |input: ParseStream<'_>| parse(input).map_err(|error| at_end(error, input, end));
    parse.parse2(group.stream())
}

/// `28x28x1`
fn literal_shape(literal: &Lit) -> Result<Shape> {
    let span = literal.span();
    let sizes = parse_sizes(&literal.to_token_stream().to_string())
        .map_err(|message| Error::new(span, message))?;
    let size = |size: usize| {
        let mut literal = proc_macro2::Literal::usize_unsuffixed(size);
        literal.set_span(span);
        Expr::Lit(syn::ExprLit { attrs: Vec::new(), lit: Lit::new(literal) })
    };
    Ok(Shape { sizes: sizes.into_iter().map(size).collect(), span })
}

/// An argument's value or a default.
fn parse_expr(input: ParseStream<'_>) -> Result<Expr> {
    if input.is_empty() || input.peek(Token![,]) {
        return Err(Error::new(input.span(), say::NO_VALUE));
    }
    input.parse()
}

/// Runs `parse` on all of `tokens`; what it leaves is dropped.
fn within(tokens: TokenStream, parse: impl FnOnce(ParseStream<'_>)) {
    let all = |input: ParseStream<'_>| {
        parse(input);
        while !input.is_empty() {
            skip_token(input);
        }
        Ok(())
    };
    // It cannot fail: nothing is left, and `parse` keeps its own errors.
    let _ = all.parse2(tokens);
}

fn peek_word(input: ParseStream<'_>, word: &str) -> bool {
    input.cursor().ident().is_some_and(|(ident, _)| ident == word)
        && !input.peek2(Token![::])
        && !input.peek2(Token![<])
}

/// The next token's place, or `end` where there is none.
fn next_span(input: ParseStream<'_>, end: Span) -> Span {
    if input.is_empty() { end } else { input.span() }
}

/// The error at `end`, where tokens end too early: syn points at the whole macro then.
fn at_end(error: Error, input: ParseStream<'_>, end: Span) -> Error {
    let early = input.is_empty() && same_place(error.span(), input.span());
    if early { Error::new(end, error) } else { error }
}

fn skip_token(input: ParseStream<'_>) {
    let _ = input.parse::<TokenTree>();
}

fn skip_past_comma(input: ParseStream<'_>) {
    while !input.is_empty() {
        if input.parse::<Token![,]>().is_ok() {
            return;
        }
        skip_token(input);
    }
}

/// Skips to where the next item begins: behind braces, or before `struct`, `pub`, `block`.
fn skip_item(input: ParseStream<'_>) {
    skip_token(input);
    while !input.is_empty() {
        let begins = input.peek(Token![struct])
            || input.peek(Token![pub])
            || (peek_word(input, "block") && input.peek2(Ident));
        if begins {
            return;
        }
        if let Ok(TokenTree::Group(group)) = input.parse::<TokenTree>()
            && group.delimiter() == Delimiter::Brace
        {
            return;
        }
    }
}
