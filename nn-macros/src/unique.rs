//! Names that are returned once, and names of the user's as fields.

use proc_macro2::Span;
use std::collections::HashMap;
use syn::Ident;
use syn::ext::IdentExt;

/// Returns each name once.
#[derive(Default)]
pub(crate) struct Unique {
    /// The names that were returned, with the number of underscores that the next one of the same name begins with:
    /// otherwise, a network with many equal names would try them all for each.
    taken: HashMap<String, usize>,
}

impl Unique {
    /// As if the names `taken` had been returned already.
    pub(crate) fn new(taken: &[&str]) -> Self {
        Self { taken: taken.iter().map(|name| (name.to_string(), 1)).collect() }
    }

    /// The name, with underscores appended if it was returned before.
    pub(crate) fn name(&mut self, name: String) -> String {
        let Some(&first) = self.taken.get(&name) else {
            self.taken.insert(name.clone(), 1);
            return name;
        };
        let mut underscores = first;
        let mut other = name.clone() + &"_".repeat(first);
        while self.taken.contains_key(&other) {
            underscores += 1;
            other.push('_');
        }
        self.taken.insert(name, underscores + 1);
        self.taken.insert(other.clone(), 1);
        other
    }

    /// As [`Self::name`], for a name of the user's that becomes a field or a variable.
    pub(crate) fn identifier(&mut self, name: &str, span: Span) -> Ident {
        // `self` becomes `self_` before the names are compared: the user may have that name, too.
        let name = identifier(name, span).unraw().to_string();
        identifier(&self.name(name), span)
    }
}

/// A name of the user's as a variable.
pub(crate) fn raw(name: &Ident) -> Ident {
    identifier(&name.unraw().to_string(), name.span())
}

/// The keywords of Rust that can be raw identifiers: <https://doc.rust-lang.org/reference/keywords.html>. `syn` knows them only
/// by parsing, which took a tenth of resolving a network.
const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// A name of the user's as a field or a variable, raw where it is a keyword: `r#type`.
fn identifier(name: &str, span: Span) -> Ident {
    match name {
        // The words that cannot be raw identifiers.
        "self" | "Self" | "super" | "crate" | "_" => Ident::new(&format!("{name}_"), span),
        _ if KEYWORDS.contains(&name) => Ident::new_raw(name, span),
        _ => Ident::new(name, span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_returned_once() {
        let mut names = Unique::new(&["B"]);
        let mut name = |name: &str| names.name(name.into());
        assert_eq!([name("a"), name("a"), name("a")], ["a", "a_", "a__"]);
        assert_eq!(
            [name("a_"), name("a___"), name("a")],
            ["a_".to_owned() + "__", "a____".into(), "a_____".into()]
        );
        assert_eq!(name("B"), "B_");
    }

    #[test]
    fn keywords_are_raw() {
        let raw = |name| identifier(name, Span::call_site()).to_string();
        assert_eq!([raw("type"), raw("self"), raw("fc")], ["r#type", "self_", "fc"]);
        // `gen` is one since the edition of 2024, which `syn` does not know of.
        let keywords = KEYWORDS.iter().filter(|name| **name != "gen");
        for name in keywords {
            assert!(syn::parse_str::<Ident>(name).is_err(), "{name}");
        }
        for name in ["union", "raw", "safe", "auto", "default", "macro_rules"] {
            assert_eq!(raw(name), name);
        }
    }
}
