//! `#[allow(dense_after_dense)]` on a `struct` or a `block`: levels of the warnings of this crate, which rustc does not
//! know.

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, Meta, Token, parse_quote};

use crate::suggest::closest;

/// The names of all warnings; docs/lints.md explains each.
pub(crate) const LINTS: [&str; 22] = [
    "activation_at_output",
    "activation_twice",
    "attention_without_positions",
    "batch_norm_at_output",
    "bias_before_batch_norm",
    "channels_first_input",
    "deep_without_skip",
    "dense_after_dense",
    "dense_on_large_image",
    "dropout_at_output",
    "dropout_before_batch_norm",
    "dropout_of_zero",
    "embedding_of_one",
    "flatten_of_flat",
    "keras_momentum",
    "large_output_on_stack",
    MISSPELT_LINT,
    "pool_of_one",
    "repeat_of_one",
    "sigmoid_at_output",
    "softmax_at_output",
    "stride_beyond_kernel",
];

/// The warning about the name of a warning that does not exist.
pub(crate) const MISSPELT_LINT: &str = "misspelt_lint";

/// The level that an attribute sets for one name.
#[derive(Clone)]
pub(crate) struct Level {
    /// `allow`, `expect`, `warn`, `deny` or `forbid`.
    pub(crate) kind: Ident,
    /// The name, as the user wrote it.
    pub(crate) lint: Ident,
    /// The `reason = ".."` of the attribute.
    pub(crate) reason: Option<Meta>,
    /// The warning that was probably meant, where none has this name.
    pub(crate) meant: Option<&'static str>,
}

/// Takes the names of warnings of this crate out of the attributes, so that rustc sees its own lints only.
pub(crate) fn take_levels(attributes: &mut Vec<Attribute>) -> Vec<Level> {
    let mut levels = Vec::new();
    attributes.retain_mut(|attribute| {
        let Some((kind, mut names)) = parse_level(attribute) else { return true };
        let before = levels.len();
        let reason = names.iter().find(|name| is_reason(name)).cloned();
        names.retain(|name| match find_lint(name) {
            Some((lint, meant)) => {
                let (kind, reason) = (kind.clone(), reason.clone());
                levels.push(Level { kind, lint, reason, meant });
                false
            }
            None => true,
        });
        if levels.len() > before {
            attribute.meta = parse_quote!(#kind(#(#names),*));
        }
        !names.iter().all(is_reason)
    });
    levels
}

fn is_reason(name: &Meta) -> bool {
    name.path().is_ident("reason")
}

/// The kind of level that an attribute sets, and the names in its parentheses.
pub(crate) fn parse_level(attribute: &Attribute) -> Option<(Ident, Vec<Meta>)> {
    const KINDS: [&str; 5] = ["allow", "expect", "warn", "deny", "forbid"];
    let kind = attribute.path().get_ident()?;
    if !KINDS.iter().any(|known| kind == known) {
        return None;
    }
    // What cannot be parsed is rustc's to report.
    let names = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
    Some((kind.clone(), names.into_iter().collect()))
}

/// A name of one of this crate's warnings, or one that was probably meant to be.
fn find_lint(name: &Meta) -> Option<(Ident, Option<&'static str>)> {
    let Meta::Path(path) = name else { return None };
    let name = path.get_ident()?;
    if LINTS.iter().any(|lint| name == lint) {
        return Some((name.clone(), None));
    }
    let meant = closest(&name.to_string(), LINTS)?;
    Some((name.clone(), Some(meant)))
}

impl Level {
    /// Where the user wrote the name.
    pub(crate) fn at(&self) -> Span {
        self.lint.span()
    }

    /// Whether it applies to this warning.
    pub(crate) fn is_of(&self, lint: &str) -> bool {
        self.meant.is_none() && self.lint == lint
    }

    /// The attribute that sets this level for the lint of rustc that shows the warnings.
    pub(crate) fn attribute(&self) -> Attribute {
        let (kind, reason) = (&self.kind, self.reason.iter());
        // At the user's name, which rustc shows as the place of the level.
        let lint = Ident::new("deprecated", self.at());
        parse_quote!(#[#kind(#lint #(, #reason)*)])
    }
}

/// The attributes of a struct that its warnings have, too: levels of the lint of rustc that shows them, and `cfg`.
pub(crate) fn shared_with_warnings(attributes: &[Attribute]) -> Vec<&Attribute> {
    let is_shared = |attribute: &&Attribute| {
        if attribute.path().is_ident("cfg") {
            return true;
        }
        let Some((kind, names)) = parse_level(attribute) else { return false };
        let shows =
            |name: &Meta| name.path().is_ident("deprecated") || name.path().is_ident("warnings");
        // An expectation is one of the struct itself.
        kind != "expect" && names.iter().any(shows)
    };
    attributes.iter().filter(is_shared).collect()
}
