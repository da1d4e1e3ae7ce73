//! What expanded code calls its types and constants.

use crate::network::{Layer, Network};
use crate::plan::{BufferPlan, Content};
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

/// Names for all nodes, different from each other however the user's names look.
pub(super) fn names(network: &Network) -> Vec<Names> {
    let mut specs = Unique::new(&["Slots", "TrainSlots", "Phases", "Steps", "Train", "Infer", "S"]);
    let mut constants = Unique::new(&["ALL", "LAYOUTS", "VALUES", "PLAN"]);
    let nodes = network.nodes.iter().enumerate();
    nodes
        .map(|(index, node)| {
            let field = node.field.unraw().to_string();
            let spec = match node.layer {
                Layer::Known { .. } => specs.name(camel_case(&field)),
                // If the user's type is misspelt, the compiler must not propose ours.
                Layer::Custom(_) => specs.name(format!("Spec{index}")),
            };
            Names {
                spec: format_ident!("__{spec}"),
                constant: format_ident!("{}", constants.name(constant_case(&field))),
            }
        })
        .collect()
}

/// The name of each buffer of a plan.
pub(super) fn buffer_names(names: &[Names], plan: &BufferPlan) -> Vec<Ident> {
    let mut unique = Unique::new(&["VALUES", "PLAN"]);
    let part = |node: usize| &names[node].constant;
    let buffers = plan.buffers.iter();
    buffers
        .map(|buffer| {
            let name = match buffer.content {
                Content::Value { node } => part(node).to_string(),
                Content::Gradient { node } => format!("D_{}", part(node)),
                Content::Contribution { node, nth } => format!("D_{}_X{nth}", part(node)),
            };
            format_ident!("{}", unique.name(name))
        })
        .collect()
}

/// Gives each name once.
pub(super) struct Unique(HashSet<String>);

impl Unique {
    pub(super) fn new(taken: &[&str]) -> Self {
        Self(taken.iter().map(ToString::to_string).collect())
    }

    /// The name, with underscores behind it where it was given already.
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

/// In capitals; what would be no name (`1`) gets an underscore.
fn constant_case(name: &str) -> String {
    let capitals = name.to_uppercase();
    let is_name = !capitals.starts_with(|first: char| first.is_ascii_digit());
    if is_name { capitals } else { format!("_{capitals}") }
}
