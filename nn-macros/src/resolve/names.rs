//! The names that a `network!` defines besides those of lines: blocks and networks.

use std::collections::{HashMap, HashSet};
use syn::Ident;
use unrolled_shape::registry::{ROWS, Row, find};

use crate::ast;
use crate::report::{Report, mistake};

/// What looks like a layer and applies an earlier line again.
pub(super) const SAME: &str = "same";

/// What looks like a layer and is structure.
pub(super) const KEYWORDS: [&str; 4] = ["Repeat", "Residual", "PerStep", SAME];

/// What the lines of a `network!` can name besides layers and types.
pub(crate) struct Names<'a> {
    pub(super) blocks: HashMap<String, &'a ast::Block>,
    /// The networks in it: types of the user's that need no `self::`.
    pub(super) networks: HashMap<String, &'a Ident>,
    /// The names of all that lines use: of layers, blocks and types.
    used: HashSet<String>,
    /// The layers of the language; tests replace them.
    pub(crate) layers: &'a [&'static Row],
}

impl Names<'_> {
    /// Whether a line uses the network as a layer.
    pub(crate) fn is_layer(&self, network: &Ident) -> bool {
        self.used.contains(&network.to_string())
    }

    /// Whether it is the first network of its name.
    pub(crate) fn is_first(&self, network: &ast::Network) -> bool {
        // By address: networks of the same name may be equal otherwise.
        let first = self.networks.get(&network.name.to_string());
        first.is_some_and(|first| std::ptr::eq(*first, &network.name))
    }
}

/// The names that a `network!` defines.
pub(crate) fn resolve_names<'a>(file: &'a ast::File, report: &mut Report) -> Names<'a> {
    let mut blocks: HashMap<String, &ast::Block> = HashMap::new();
    for block in &file.blocks {
        let name = block.name.to_string();
        if find(&name).is_some() || KEYWORDS.contains(&name.as_str()) {
            report.error(block.name.span(), mistake::block_like_layer(&block.name));
        } else if let Some(first) = blocks.get(&name) {
            report.defined_twice("block", first.name.span(), &block.name);
        } else {
            blocks.insert(name, block);
        }
        check_parameters(block, report);
    }
    let mut networks: HashMap<String, &Ident> = HashMap::new();
    for network in &file.networks {
        let name = network.name.to_string();
        match networks.get(&name) {
            Some(first) => report.defined_twice("network", first.span(), &network.name),
            None => {
                networks.insert(name, &network.name);
            }
        }
    }
    let mut used = HashSet::new();
    // A single network is used by none.
    if file.networks.len() > 1 {
        let bodies = file.networks.iter().filter_map(|network| network.body.as_ref());
        for body in bodies.chain(file.blocks.iter().map(|block| &block.body)) {
            collect_used(body, &mut used);
        }
    }
    Names { blocks, networks, used, layers: ROWS }
}

/// Adds the names of the layers, blocks and types that the lines use.
fn collect_used(body: &ast::Body, used: &mut HashSet<String>) {
    for line in &body.lines {
        if let ast::Construct::Call(call) = &line.construct {
            used.insert(call.name.to_string());
        }
        for (_, body) in line.construct.bodies() {
            collect_used(body, used);
        }
    }
}

/// Whether each parameter of a block has a name of its own.
fn check_parameters(block: &ast::Block, report: &mut Report) {
    for (nth, parameter) in block.parameters.iter().enumerate() {
        let before = &block.parameters[..nth];
        if let Some(first) = before.iter().find(|first| first.name == parameter.name) {
            report.defined_twice("parameter", first.name.span(), &parameter.name);
        }
    }
}
