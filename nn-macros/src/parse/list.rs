//! Lists separated by commas, which go on after a mistake.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, Expr, Ident, Lit, Result, Token};

use super::parser::Parser;
use crate::ast::{Argument, Branch, Construct, Input, Line, Parameter, Shape};
use crate::report::{same_place, say};

impl Parser<'_> {
    /// The items between parentheses or braces, separated by commas.
    pub(super) fn list<T>(
        &mut self,
        group: &Group,
        one: fn(&mut Self, ParseStream<'_>) -> Result<T>,
    ) -> Vec<T>
    where
        T: Item,
    {
        let mut items = Vec::new();
        let end = group.span_close();
        // A parse of its own. With `braced!`, tokens that are left after a mistake would be one more error of syn's.
        within(group.stream(), |input| {
            while !input.is_empty() {
                let begin = input.span();
                match one(self, input) {
                    Ok(item) => {
                        let whole = self.comma(input, &item);
                        // Tokens are left that belong to the item: what was read of it may mean something else.
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

    /// Parses the comma after an item of a list. Returns whether the item ends there.
    fn comma<T: Item>(&mut self, input: ParseStream<'_>, item: &T) -> bool {
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
            self.report.error(input.span(), item.wrong_end(input).unwrap_or(say::NOT_THE_END));
            skip_past_comma(input);
            return false;
        }
        true
    }
}

/// An element of a list, and how the list goes on after a mistake in it.
pub(super) trait Item: Sized {
    /// The placeholder of an item that could not be parsed, if there must be one.
    fn placeholder(_at: Span) -> Option<Self> {
        None
    }

    /// The message about a token after the item that suggests what is meant.
    fn wrong_end(&self, input: ParseStream<'_>) -> Option<&'static str> {
        // `peek` finds a `-` also at the beginning of `->`.
        let computes = input.peek(Token![*])
            || input.peek(Token![/])
            || input.peek(Token![%])
            || input.peek(Token![+])
            || (input.peek(Token![-]) && !input.peek(Token![->]));
        computes.then_some(say::EXPRESSION_IN_SHAPE)
    }
}

impl Item for Parameter {}

impl Item for Input {}

impl Item for (Ident, Shape) {}

impl Item for Expr {}

impl Item for Branch {}

impl Item for Argument {
    /// An argument is there, so that it is not said to be missing.
    fn placeholder(_at: Span) -> Option<Self> {
        Some(Self { name: None, value: Expr::Verbatim(TokenStream::new()) })
    }
}

// Not an element of any list: `Line` falls back on its `wrong_end`.
impl Item for Construct {}

impl Item for Line {
    fn placeholder(at: Span) -> Option<Self> {
        Some(Self {
            name: None,
            no_level: None,
            source: None,
            construct: Construct::Broken(at),
            arrow: None,
        })
    }

    fn wrong_end(&self, input: ParseStream<'_>) -> Option<&'static str> {
        let after_layer = self.arrow.is_none();
        if after_layer && input.peek(Token![+]) {
            Some(say::SUM)
        } else if after_layer && input.peek(Token![*]) {
            Some(say::PRODUCT)
        } else if input.peek(Token![.]) {
            Some(say::DOT)
        } else if input.peek(Token![|]) {
            Some(say::BAR)
        } else if input.peek(Token![=>]) {
            Some(say::FAT_ARROW)
        } else if input.peek(Token![=]) {
            Some(say::EQUALS_AFTER_NAME)
        } else {
            self.construct.wrong_end(input)
        }
    }
}

/// Runs `parse` on all of `tokens`; what it leaves is dropped.
pub(super) fn within(tokens: TokenStream, parse: impl FnOnce(ParseStream<'_>)) {
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

/// The error at `end`, where tokens end too early: syn points at the whole macro then.
pub(super) fn at_end(error: Error, input: ParseStream<'_>, end: Span) -> Error {
    let early = input.is_empty() && same_place(error.span(), input.span());
    if early { Error::new(end, error) } else { error }
}

pub(super) fn skip_token(input: ParseStream<'_>) {
    let _ = input.parse::<TokenTree>();
}

pub(super) fn skip_past_comma(input: ParseStream<'_>) {
    while !input.is_empty() {
        if input.parse::<Token![,]>().is_ok() {
            return;
        }
        skip_token(input);
    }
}
