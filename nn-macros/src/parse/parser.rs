//! [`Parser`], which the files beside this one add methods to, and what several of them look for.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Ident, Result, Token, token};

use crate::report::{Report, say};

/// The parser of one `network!`. It holds what outlives an error; tokens are arguments of its methods.
pub(super) struct Parser<'a> {
    pub(super) report: &'a mut Report,
}

/// Whether the next token is this word, and does not begin a path or a generic type.
pub(super) fn peek_word(input: ParseStream<'_>, word: &str) -> bool {
    // `Repeat`, `skip` and `block` are no keywords: `block::Mix` and `Repeat::<3>` are types of the user's.
    input.cursor().ident().is_some_and(|(ident, _)| ident == word)
        && !input.peek2(Token![::])
        && !input.peek2(Token![<])
}

/// Whether lines in braces or brackets follow.
pub(super) fn peek_body(input: ParseStream<'_>) -> bool {
    input.peek(token::Brace) || input.peek(token::Bracket)
}

/// `name:`, if it is there.
pub(super) fn parse_name(input: ParseStream<'_>) -> Result<Option<Ident>> {
    // Keywords too: a line may be called `type`. Its field is then `r#type`.
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
