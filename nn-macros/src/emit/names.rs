//! The names of types and constants in expanded code.

use crate::network::{Layer, Network};
use crate::unique::Unique;
use proc_macro2::Ident;
use quote::format_ident;
use syn::ext::IdentExt;

/// The types, traits and generics of expanded code that a spec could be named like, without their underscores. Names in
/// small letters are not among them: those of specs begin with a capital.
const SPECS: [&str; 11] = [
    "Infer",
    "Step",
    "Train",
    "Slots",
    "Phases",
    "PerStep",
    "Steps",
    "StepsOf",
    "StepByStep",
    "S",
    "I",
];

/// The constants of the types that hold those of the nodes.
const CONSTANTS: [&str; 6] = ["ALL", "LAYOUTS", "TRAIN", "TRAIN_LAYOUTS", "VALUES", "PLAN"];

/// The names that belong to one node.
pub(super) struct Names {
    /// Its spec: `__Conv1`.
    pub(super) spec: Ident,
    /// The type of its layer, where that has sizes: `__Conv1Layer`.
    pub(super) layer: Ident,
    /// Its constants: `CONV1`.
    pub(super) constant: Ident,
}

/// Names for all nodes, unique whatever the user's names are.
pub(super) fn names(network: &Network) -> Vec<Names> {
    let mut specs = Unique::new(&SPECS);
    let mut constants = Unique::new(&CONSTANTS);
    let nodes = network.nodes.iter().enumerate();
    nodes
        .map(|(index, node)| {
            let field = node.field.unraw().to_string();
            let spec = match node.layer {
                Layer::Known { .. } => specs.name(camel_case(&field)),
                // If the user's type is misspelt, the compiler must not suggest this one.
                Layer::Custom(_) => specs.name(format!("Spec{index}")),
            };
            let layer = specs.name(format!("{}Layer", camel_case(&field)));
            Names {
                spec: format_ident!("__{spec}"),
                layer: format_ident!("__{layer}"),
                constant: format_ident!("{}", constants.name(constant_case(&field))),
            }
        })
        .collect()
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
