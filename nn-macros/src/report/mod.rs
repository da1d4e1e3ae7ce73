//! Mistakes: collected here, so that all of them are reported at once. `say` and `mistake` have the words.
//!
//! The messages about shapes are in nn-shape, because expanded constants report them too.

pub(crate) mod mistake;
pub(crate) mod say;

use proc_macro2::{Span, TokenStream};
use std::collections::HashSet;
use syn::{Error, Ident};

/// All mistakes found so far.
#[derive(Default)]
pub(crate) struct Report {
    errors: Vec<Error>,
    /// The places that have a mistake: one token gets one message, however often the block around it is used.
    places: HashSet<String>,
    /// How many mistakes were found, repeated ones included.
    found: usize,
}

impl Report {
    /// Adds a mistake, unless its place has one already.
    pub(crate) fn error(&mut self, span: Span, message: impl std::fmt::Display) {
        self.add(Error::new(span, message));
    }

    /// Adds a mistake that syn found.
    pub(crate) fn add(&mut self, error: Error) {
        // Also where the message is not kept: see `expand_networks`.
        self.found += 1;
        if self.places.insert(place(error.span())) {
            self.errors.push(error);
        }
    }

    /// Whether a place has a mistake already; counts one more if so. A second message about it is not kept:
    /// composing it takes long where it searches for similar names, and a block may be used thousands of times.
    pub(crate) fn repeats(&mut self, span: Span) -> bool {
        let repeats = self.places.contains(&place(span));
        self.found += usize::from(repeats);
        repeats
    }

    /// As [`Self::error`], with a message that is composed only if it is read.
    pub(crate) fn explain(&mut self, span: Span, message: impl FnOnce() -> String) {
        if !self.repeats(span) {
            self.error(span, message());
        }
    }

    /// A name that is defined twice.
    pub(crate) fn defined_twice(&mut self, what: &str, first: Span, second: &Ident) {
        // Two errors: on stable Rust one error cannot have a note at another place.
        self.error(second.span(), format!("the {what} `{second}` is defined twice"));
        self.error(first, format!("the {what} `{second}` is first defined here"));
    }

    /// An argument that is given twice; `name` is the parameter's.
    pub(crate) fn given_twice(&mut self, name: &str, first: Span, second: Span) {
        self.error(second, format!("the argument `{name}` is given twice"));
        self.error(first, format!("the argument `{name}` is first given here"));
    }

    /// How many mistakes were found so far, repeated ones included.
    pub(crate) fn found(&self) -> usize {
        self.found
    }

    /// The tokens that are blamed, and the messages about them.
    #[cfg(test)]
    pub(crate) fn messages(&self) -> Vec<(String, String)> {
        let one =
            |error: &Error| (error.span().source_text().unwrap_or_default(), error.to_string());
        self.errors.iter().map(one).collect()
    }

    /// A `compile_error!` for each mistake.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.errors.iter().map(Error::to_compile_error).collect()
    }
}

/// Whether both are the same place in the user's code.
pub(crate) fn same_place(a: Span, b: Span) -> bool {
    place(a) == place(b)
}

/// A key of a place in the user's code: stable Rust compares spans by their `Debug` text only.
pub(crate) fn place(span: Span) -> String {
    format!("{span:?}")
}

/// Where a value is that cannot be used by its name.
pub(crate) enum Elsewhere {
    /// It is defined later, or by a line that is not complete.
    Later,
    /// Between the braces of this word.
    InsideOf(String),
    /// Outside the block that is being unrolled.
    OutsideOfBlock(Ident),
}
