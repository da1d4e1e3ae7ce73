//! Paths of layers, which name their weights in files, and the fields that hold them.

use proc_macro2::Span;
use std::collections::{HashMap, HashSet};
use syn::Ident;
use syn::ext::IdentExt;

use crate::ast::{Body, Construct, Residual};
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
    /// How many lines have an index.
    indices: usize,
    /// Where a line with `_` adds no level, so that its names are in this scope.
    no_level: Option<Span>,
    /// Whether a layer has the path of the scope itself.
    taken: bool,
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

    /// The scope of a `Residual` at `path`.
    pub(crate) fn of_residual(path: &str, residual: &Residual, repeated: bool) -> Self {
        let mut scope = Self { repeated, ..Self::inside(path) };
        reserve_residual(residual, &mut scope.named);
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
            indices: 0,
            no_level: None,
            taken: false,
            repeated: false,
        }
    }

    /// The path of the scope itself; empty for the network.
    pub(crate) fn path(&self) -> &str {
        self.prefix.strip_suffix('.').unwrap_or_default()
    }

    /// Takes the path of the scope itself for a layer. Returns whether it was free.
    pub(crate) fn take_path(&mut self) -> bool {
        !std::mem::replace(&mut self.taken, true) && !self.prefix.is_empty()
    }

    /// Adds the names of `body`, whose lines have their paths in this scope because of the `_` at `no_level`.
    pub(crate) fn include(&mut self, body: &Body, no_level: Span) {
        reserve(body, &mut self.named);
        self.no_level = Some(no_level);
    }

    /// The path of a layer that the user named.
    pub(crate) fn name(&mut self, name: &Ident) -> Result<String, NameTaken> {
        let word = name.unraw().to_string();
        let path = format!("{}{word}", self.prefix);
        let made = self.made.contains(&word);
        match self.named.insert(word, Some(name.span())) {
            // A name without a place is only reserved, for this line.
            None | Some(None) if !made => Ok(path),
            Some(Some(first)) if self.no_level.is_none() => Err(NameTaken::By(first)),
            _ => Err(NameTaken::NoLevel { at: self.no_level.unwrap_or(name.span()), path }),
        }
    }

    /// The path of the next line in brackets: its index.
    pub(crate) fn index(&mut self) -> String {
        self.indices += 1;
        format!("{}{}", self.prefix, self.indices - 1)
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
/// `Residual` or `PerStep` is not a scope.
fn reserve(body: &Body, named: &mut HashMap<String, Option<Span>>) {
    for line in &body.lines {
        match (&line.name, &line.construct) {
            (Some(name), _) => {
                named.entry(name.unraw().to_string()).or_insert(None);
            }
            (None, Construct::Residual(residual)) => reserve_residual(residual, named),
            (None, Construct::PerStep(per_step)) => reserve(&per_step.body, named),
            _ => {}
        }
    }
}

/// Reserves the names of a body and of its `skip`, which is a scope of its own: see `Resolver::parts`.
fn reserve_residual(residual: &Residual, named: &mut HashMap<String, Option<Span>>) {
    reserve(&residual.body, named);
    if let Some(name) = residual.skip.as_ref().and_then(|skip| skip.name.as_ref()) {
        named.entry(name.unraw().to_string()).or_insert(None);
    }
}

/// Why a name cannot be used.
pub(crate) enum NameTaken {
    /// By the line at this place.
    By(Span),
    /// Because the line with a `_` at this place adds no level.
    NoLevel { at: Span, path: String },
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
