//! What a `network!` consists of: blocks and networks, their headers.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Generics, Ident, Result, Token, Visibility, token};

use super::list::{skip_token, within};
use super::parser::{Parser, parse_name, peek_body, peek_word};
use super::shape::{parse_expr, parse_shape};
use crate::ast::{Block, Body, File, Input, Network, Output, Parameter, Shape};
use crate::levels::take_levels;
use crate::report::{Report, say};

/// Parses the content of one `network!`.
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

impl Parser<'_> {
    fn item(&mut self, input: ParseStream<'_>, file: &mut File) -> Result<()> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let levels = take_levels(&mut attributes);
        let visibility: Visibility = input.parse()?;
        if input.peek(Token![struct]) {
            let weights = self.take_weights(&mut attributes);
            let budget = self.take_budget(&mut attributes);
            let network = self.network(attributes, visibility, input)?;
            if (weights.is_some() || budget.is_some()) && !network.generics.params.is_empty() {
                self.report.error(network.generics.params.span(), say::GENERIC_DEPLOYMENT);
            }
            file.networks.push(Network { levels, weights, budget, ..network });
            return Ok(());
        }
        if peek_word(input, "block") {
            let block = self.block(input)?;
            if let Err(error) = check_block_prefix(&attributes, &visibility) {
                // The block itself is understood, and the next item begins here.
                self.report.add(error);
            }
            file.blocks.push(Block { docs: attributes, levels, ..block });
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
        Ok(Block { docs: Vec::new(), levels: Vec::new(), name, parameters, body })
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
            levels: Vec::new(),
            weights: None,
            budget: None,
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
            // An empty list would be one in which all inputs are wrong, which is reported.
            network.inputs = Some(inputs);
        }
        if input.peek(Token![->]) {
            input.parse::<Token![->]>()?;
            network.output = self.output(input)?;
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
        let name = parse_name(input)?;
        let ragged = input.parse::<Option<Token![..]>>()?.is_some();
        Ok(Input { name, ragged, shape: parse_shape(input)? })
    }

    /// `None` where one of several outputs could not be parsed, which is reported.
    fn output(&mut self, input: ParseStream<'_>) -> Result<Option<Output>> {
        // A list of named shapes is several outputs. All else is read as a shape, which explains what is wrong with it.
        let ahead = input.fork();
        match ahead.parse::<TokenTree>() {
            Ok(TokenTree::Group(group)) if is_named_list(&group) => {
                input.advance_to(&ahead);
                let before = self.report.found();
                let outputs = self.list(&group, Self::named_output);
                if self.report.found() > before {
                    return Ok(None);
                }
                if outputs.len() < 2 {
                    return Err(Error::new(group.span(), say::ONE_OUTPUT));
                }
                Ok(Some(Output::Several(outputs)))
            }
            _ => parse_shape(input).map(|shape| Some(Output::One(shape))),
        }
    }

    fn named_output(&mut self, input: ParseStream<'_>) -> Result<(Ident, Shape)> {
        let name = parse_name(input)?;
        let name = name.ok_or_else(|| Error::new(input.span(), say::OUTPUT_WITHOUT_NAME))?;
        Ok((name, parse_shape(input)?))
    }

    /// `{ lines }`, `[lines]`
    pub(super) fn body(&mut self, input: ParseStream<'_>) -> Result<Body> {
        if !peek_body(input) {
            return Err(Error::new(input.span(), say::NO_BODY));
        }
        let group: Group = input.parse()?;
        let lines = self.list(&group, Self::line);
        // Errors about missing lines point at the whole braces.
        let span = if lines.is_empty() { group.span() } else { group.span_open() };
        Ok(Body { lines, numbered: group.delimiter() == Delimiter::Bracket, span })
    }
}

/// Whether a group is a list in parentheses of which the first item has a name.
fn is_named_list(group: &Group) -> bool {
    let mut tokens = group.stream().into_iter();
    let named = matches!(tokens.next(), Some(TokenTree::Ident(_)))
        && matches!(tokens.next(), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    named && group.delimiter() == Delimiter::Parenthesis
}

/// Blocks take doc comments and levels of warnings, which [`take_levels`] has taken.
fn check_block_prefix(attributes: &[Attribute], visibility: &Visibility) -> Result<()> {
    if let Some(attribute) = attributes.iter().find(|a| !a.path().is_ident("doc")) {
        return Err(Error::new(attribute.pound_token.span, say::ATTRIBUTE_ON_BLOCK));
    }
    match visibility {
        Visibility::Inherited => Ok(()),
        visible => Err(Error::new(visible.span(), say::VISIBILITY_OF_BLOCK)),
    }
}

/// Skips to where the next item begins: after braces, or before `struct`, `pub`, `block`.
fn skip_item(input: ParseStream<'_>) {
    // At least one token: the parser may not have moved before the error, and would find the same one again.
    skip_token(input);
    while !input.is_empty() {
        let begins = input.peek(Token![struct])
            || input.peek(Token![pub])
            // `block` alone may be a name.
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

/// The next token's place, or `end` where there is none.
fn next_span(input: ParseStream<'_>, end: Span) -> Span {
    if input.is_empty() { end } else { input.span() }
}
