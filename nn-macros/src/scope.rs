//! Paths of layers, which name their weights in files, and the fields that hold them.

use proc_macro2::Span;
use std::collections::{HashMap, HashSet};
use syn::Ident;
use syn::ext::IdentExt;

use crate::ast::{Body, Construct};
use crate::unique::Unique;

/// Where layers get their names: the network, one copy of a repeat, a used block, a branch.
pub(crate) struct Scope {
    /// The prefix of each path: `stage1.0.`
    prefix: String,
    /// The user's own names in it, and the places of those that were met already.
    named: HashMap<String, Option<Span>>,
    /// The names it made.
    made: HashSet<String>,
    /// For each stem, the number that the next name begins the search with.
    next: HashMap<String, usize>,
    /// Whether there may be several copies of it, as of a block or a repeat, so that a layer's own name does
    /// not identify it.
    pub(crate) repeated: bool,
}

impl Scope {
    /// The scope of the lines of `body`, at `path`; empty for the network itself.
    pub(crate) fn new(path: &str, body: &Body, repeated: bool) -> Self {
        let mut scope = Self { repeated, ..Self::inside(path) };
        reserve(body, &mut scope.named);
        scope
    }

    /// A scope at `path` in which nothing has a name yet.
    pub(crate) fn inside(path: &str) -> Self {
        let prefix = if path.is_empty() { String::new() } else { format!("{path}.") };
        Self {
            prefix,
            named: HashMap::new(),
            made: HashSet::new(),
            next: HashMap::new(),
            repeated: false,
        }
    }

    /// The path of a layer that the user named. An error is the place where the name is defined already.
    pub(crate) fn name(&mut self, name: &Ident) -> Result<String, Span> {
        let word = name.unraw().to_string();
        match self.named.insert(word.clone(), Some(name.span())) {
            // A name without a place is only reserved, for this line.
            Some(Some(first)) => Err(first),
            _ => Ok(format!("{}{word}", self.prefix)),
        }
    }

    /// The path of a layer without a name: `conv2d`, then `conv2d_2`.
    pub(crate) fn number(&mut self, stem: &str) -> String {
        let next = self.next.entry(stem.to_string()).or_insert(1);
        let mut names = std::iter::from_fn(|| {
            let name = if *next == 1 { stem.to_string() } else { format!("{stem}_{next}") };
            *next += 1;
            Some(name)
        });
        // Layers without a name make way for all names that the user gives in the scope, later ones too.
        let free = names.find(|name| !self.named.contains_key(name) && !self.made.contains(name));
        let name = free.expect("numbers do not end");
        let path = format!("{}{name}", self.prefix);
        self.made.insert(name);
        path
    }
}

/// Reserves the user's names in `body`, so that numbered names do not collide with them. An unnamed
/// `Residual` is not a scope.
fn reserve(body: &Body, named: &mut HashMap<String, Option<Span>>) {
    for line in &body.lines {
        match (&line.name, &line.construct) {
            (Some(name), _) => {
                named.insert(name.unraw().to_string(), None);
            }
            // Its `skip` is a scope: see `Resolver::parts`.
            (None, Construct::Residual(residual)) => reserve(&residual.body, named),
            _ => {}
        }
    }
}

/// `ResBlock` as `res_block`, `TextEncoder2` as `text_encoder2`.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut before = '_';
    for c in name.trim_start_matches("r#").chars() {
        if c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
        before = c;
    }
    snake
}

/// The fields of one struct.
#[derive(Default)]
pub(crate) struct Fields {
    taken: Unique,
}

impl Fields {
    /// The field for the weights at `path`: `stage1_0_conv2d`.
    pub(crate) fn name(&mut self, path: &str, span: Span) -> Ident {
        let mut field = path.replace('.', "_");
        if field.starts_with(|c: char| c.is_ascii_digit()) {
            field.insert(0, '_');
        }
        // `a.b` and `a_b` are different paths, but would be the same field.
        self.taken.identifier(&field, span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snake() {
        for (name, snake) in [
            ("Basic", "basic"),
            ("ResBlock", "res_block"),
            ("MLP", "mlp"),
            ("Net2Net", "net2_net"),
            ("r#type", "type"),
        ] {
            assert_eq!(snake_case(name), snake);
        }
    }

    #[test]
    fn fields_are_identifiers_and_differ() {
        let mut fields = Fields::default();
        let mut field = |path| fields.name(path, Span::call_site()).to_string();
        assert_eq!(field("stage1.0.conv2d"), "stage1_0_conv2d");
        assert_eq!(field("stage1_0.conv2d"), "stage1_0_conv2d_");
        assert_eq!(field("type"), "r#type");
        assert_eq!(field("self"), "self_");
        assert_eq!(field("self_"), "self__");
        assert_eq!(field("crate_"), "crate_");
        assert_eq!(field("crate"), "crate__");
        assert_eq!(field("0.dense"), "_0_dense");
    }
}
