//! [`Warnings`]: how rustc shows them.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Attribute, Ident};

use crate::levels::{Level, MISSPELT_LINT, shared_with_warnings};
use crate::report::place;

/// A common mistake that was found.
pub(crate) struct Finding<'a> {
    /// The name of the warning.
    pub(crate) lint: &'static str,
    pub(crate) at: Span,
    /// The levels that apply there, the innermost last.
    pub(crate) levels: &'a [Level],
    pub(crate) words: String,
}

/// The warnings about all networks of a `network!`.
#[derive(Default)]
pub(crate) struct Warnings {
    shown: Vec<Warning>,
    /// The places and names of those that were found: one token gets each warning once, however often its block is used.
    found: HashSet<(String, &'static str)>,
    /// The places of `expect` attributes that came true.
    fulfilled: HashSet<String>,
}

struct Warning {
    lint: &'static str,
    at: Span,
    words: String,
    /// Attributes of the struct and of the warning's level, for the lint `deprecated`.
    attributes: Vec<Attribute>,
}

impl Warnings {
    /// Adds what was found in a network whose struct has these attributes.
    pub(crate) fn add(&mut self, attributes: &[Attribute], found: Vec<Finding<'_>>) {
        for Finding { lint, at, levels, words } in found {
            let level = levels.iter().rev().find(|level| level.is_of(lint));
            let kind = level.map(|level| level.kind.to_string());
            match (kind.as_deref(), level) {
                (Some("allow"), _) => continue,
                (Some("expect"), Some(level)) => {
                    self.fulfilled.insert(place(level.at()));
                    continue;
                }
                _ => {}
            }
            if self.found.insert((place(at), lint)) {
                let attributes = shared_with_warnings(attributes).into_iter().cloned();
                let attributes = attributes.chain(level.map(Level::attribute)).collect();
                self.shown.push(Warning { lint, at, words, attributes });
            }
        }
    }

    /// Adds a warning about each name of a warning that does not exist.
    pub(crate) fn add_unknown(&mut self, levels: &[Level]) {
        for level in levels {
            let Some(meant) = level.meant else { continue };
            let words = format!("there is no warning `{}`: did you mean `{meant}`?", level.lint);
            let (lint, at) = (MISSPELT_LINT, level.at());
            self.shown.push(Warning { lint, at, words, attributes: Vec::new() });
        }
    }

    /// The places, names and texts of all warnings.
    #[cfg(test)]
    pub(crate) fn messages(&self) -> Vec<(String, &'static str, String)> {
        let one = |warning: &Warning| {
            let at = warning.at.source_text().unwrap_or_default();
            (at, warning.lint, warning.words.clone())
        };
        self.shown.iter().map(one).collect()
    }

    /// The code that makes rustc show the warnings. No code where there are none.
    pub(crate) fn emit(&self) -> TokenStream {
        self.shown.iter().map(Warning::emit).collect()
    }

    /// The code that makes rustc report the `expect` attributes among `levels` that did not come true.
    pub(crate) fn emit_unfulfilled(&self, levels: &[Level]) -> TokenStream {
        let open = |level: &&Level| {
            level.kind == "expect"
                && level.meant.is_none()
                && !self.fulfilled.contains(&place(level.at()))
        };
        let one = |level: &Level| {
            let (kind, reason) = (&level.kind, level.reason.iter());
            // A lint of rustc's that never fires on a constant, with the user's place.
            let lint = Ident::new("single_use_lifetimes", level.at());
            quote! {
                #[#kind(#lint #(, #reason)*)]
                const _: () = ();
            }
        };
        levels.iter().filter(open).map(one).collect()
    }
}

impl Warning {
    /// The use of a macro that is deprecated. Of all lints of rustc, `deprecated` alone shows a text of a library's, at any
    /// token, under `cargo check` too.
    fn emit(&self) -> TokenStream {
        let Self { lint, at, words, attributes } = self;
        let name = Ident::new(lint, *at);
        let silence = match *lint {
            MISSPELT_LINT => String::new(),
            _ => format!(
                "\n  = note: `#[allow({lint})]` on the `struct` or `block` silences this: see docs/lints.md"
            ),
        };
        let note = format!("{words}{silence}");
        let used = quote_spanned!(*at=> #name! {});
        quote! {
            #(#attributes)*
            const _: () = {
                #[deprecated(note = #note)]
                macro_rules! #name { () => {}; }
                #used
            };
        }
    }
}
