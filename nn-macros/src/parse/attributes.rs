//! The attributes of a network that are this crate's own: `#[weights("digits.safetensors")]` and
//! `#[fits(flash = 256K, ram = 64K)]`.

use proc_macro2::TokenStream;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Ident, LitInt, LitStr, Result, Token};

use super::parser::Parser;
use crate::ast::{Budget, Limit, Weights};
use crate::report::say;

impl Parser<'_> {
    /// Takes `#[weights("digits.safetensors", storage = f16)]` out of the attributes.
    pub(super) fn take_weights(&mut self, attributes: &mut Vec<Attribute>) -> Option<Weights> {
        let parse = |attribute: &Attribute| match attribute.parse_args_with(parse_weights) {
            Ok(weights) => weights,
            Err(_) => Err(Error::new_spanned(&attribute.meta, say::NOT_A_FILE)),
        };
        let attribute = attributes.iter().find(|attribute| attribute.path().is_ident("weights"));
        let span = attribute.map(Spanned::span);
        let weights = self.take(attributes, "weights", parse);
        // Also after a mistake the program calls `pretrained`, which the stub of the network then has.
        weights.or_else(|| span.map(|span| Weights { path: LitStr::new("", span), half: false }))
    }

    /// Takes `#[fits(flash = 256K, ram = 64K)]` out of the attributes.
    pub(super) fn take_budget(&mut self, attributes: &mut Vec<Attribute>) -> Option<Budget> {
        self.take(attributes, "fits", |attribute| {
            attribute
                .meta
                .require_list()
                .map_err(|_| Error::new_spanned(&attribute.meta, say::NO_LIMIT))?;
            attribute.parse_args_with(parse_budget)
        })
    }

    /// Takes the attribute called `name` out. A network has at most one of it.
    fn take<T>(
        &mut self,
        attributes: &mut Vec<Attribute>,
        name: &str,
        parse: impl Fn(&Attribute) -> Result<T>,
    ) -> Option<T> {
        let mut found = None;
        for attribute in attributes.extract_if(.., |attribute| attribute.path().is_ident(name)) {
            match parse(&attribute) {
                Ok(_) if found.is_some() => {
                    self.report.add(Error::new_spanned(attribute.meta, say::ATTRIBUTE_TWICE));
                }
                Ok(value) => found = Some(value),
                Err(error) => self.report.add(error),
            }
        }
        found
    }
}

/// `"digits.safetensors", storage = f16`. The inner error is one of the storage.
fn parse_weights(input: ParseStream<'_>) -> Result<Result<Weights>> {
    let path = input.parse()?;
    if input.is_empty() {
        return Ok(Ok(Weights { path, half: false }));
    }
    input.parse::<Token![,]>()?;
    let rest: TokenStream = input.parse()?;
    Ok(match rest.to_string().as_str() {
        "" => Ok(Weights { path, half: false }),
        "storage = f16" | "storage = f16 ," => Ok(Weights { path, half: true }),
        _ => Err(Error::new_spanned(rest, say::NOT_A_STORAGE)),
    })
}

/// `flash = 256K, ram = 64K`
fn parse_budget(input: ParseStream<'_>) -> Result<Budget> {
    if input.is_empty() {
        return Err(input.error(say::NO_LIMIT));
    }
    let mut budget = Budget::default();
    for (name, limit) in Punctuated::<_, Token![,]>::parse_terminated_with(input, parse_limit)? {
        let to = if name == "flash" { &mut budget.flash } else { &mut budget.ram };
        if to.replace(limit).is_some() {
            return Err(Error::new(name.span(), say::LIMIT_TWICE));
        }
    }
    Ok(budget)
}

/// `ram = 64K`
fn parse_limit(input: ParseStream<'_>) -> Result<(Ident, Limit)> {
    let name: Ident = input.parse()?;
    if name != "flash" && name != "ram" {
        return Err(Error::new(name.span(), say::NO_LIMIT));
    }
    input.parse::<Token![=]>()?;
    let (span, bytes) = (input.span(), input.parse::<LitInt>().ok().and_then(|it| bytes(&it)));
    let bytes = bytes.ok_or_else(|| Error::new(span, say::NOT_BYTES))?;
    Ok((name, Limit { bytes, span }))
}

/// `65536`, `64K`, `1M`
fn bytes(literal: &LitInt) -> Option<usize> {
    let factor = match literal.suffix() {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        _ => return None,
    };
    literal.base10_parse::<usize>().ok()?.checked_mul(factor)
}
