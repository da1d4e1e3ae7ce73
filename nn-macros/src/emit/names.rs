//! The names of types and constants in expanded code.

use crate::network::{Layer, Network};
use proc_macro2::Ident;
use quote::format_ident;
use std::collections::HashSet;
use syn::ext::IdentExt;

/// The names that belong to one node.
pub(super) struct Names {
    /// Its spec: `__Conv1`.
    pub(super) spec: Ident,
    /// Its constants: `CONV1`.
    pub(super) constant: Ident,
}

/// Names for all nodes, unique whatever the user's names are.
pub(super) fn names(network: &Network) -> Vec<Names> {
    // Names that `memory`, `steps` and the generics of methods use with two underscores in front.
    let mut specs = Unique::new(&["Slots", "TrainSlots", "Phases", "Steps", "Train", "Infer", "S"]);
    // Names of other constants in the types that hold those of the nodes.
    let mut constants = Unique::new(&["ALL", "LAYOUTS", "VALUES", "PLAN"]);
    let nodes = network.nodes.iter().enumerate();
    nodes
        .map(|(index, node)| {
            let field = node.field.unraw().to_string();
            let spec = match node.layer {
                Layer::Known { .. } => specs.name(camel_case(&field)),
                // If the user's type is misspelt, the compiler must not suggest this one.
                Layer::Custom(_) => specs.name(format!("Spec{index}")),
            };
            Names {
                spec: format_ident!("__{spec}"),
                constant: format_ident!("{}", constants.name(constant_case(&field))),
            }
        })
        .collect()
}

/// Returns each name once.
pub(super) struct Unique(HashSet<String>);

impl Unique {
    pub(super) fn new(taken: &[&str]) -> Self {
        Self(taken.iter().map(ToString::to_string).collect())
    }

    /// The name, with underscores appended if it was returned before.
    pub(super) fn name(&mut self, mut name: String) -> String {
        while !self.0.insert(name.clone()) {
            name.push('_');
        }
        name
    }
}

fn camel_case(name: &str) -> String {
    let words = name.split('_');
    let mut camel = String::new();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        camel.push_str(letters.as_str());
    }
    camel
}

/// In capitals; with an underscore before a digit.
fn constant_case(name: &str) -> String {
    let capitals = name.to_uppercase();
    let is_name = !capitals.starts_with(|first: char| first.is_ascii_digit());
    if is_name { capitals } else { format!("_{capitals}") }
}
