//! [`Resolver`]: the state of the resolution of one network, which the files beside this one add methods to.

use proc_macro2::Span;
use std::collections::HashMap;
use std::ops::Range;
use syn::Ident;
use syn::ext::IdentExt;

use super::inputs::{Aliases, LineInputs};
use super::names::Names;
use crate::ast::Body;
use crate::network::{Levels, Network, ValueId};
use crate::operand::Environment;
use crate::report::Report;
use crate::scope::{Fields, Scope};

/// A network whose names are resolved, and what `infer_shapes` has to know besides.
pub(crate) struct Resolved {
    pub(crate) network: Network,
    /// The nodes whose layer or arguments are wrong, which is reported.
    pub(crate) broken: Vec<bool>,
    /// The places of the branches of a join, by the index of its node.
    pub(crate) branches: HashMap<usize, Vec<Span>>,
    /// The const generics.
    pub(crate) generics: Vec<String>,
}

/// What the resolution of one network has built so far, and where in its blocks and braces it is.
pub(super) struct Resolver<'a> {
    pub(super) names: &'a Names<'a>,
    pub(super) report: &'a mut Report,
    pub(super) resolved: Resolved,
    pub(super) fields: Fields,
    /// The blocks that are being unrolled, the outermost first.
    pub(super) open: Vec<String>,
    /// The levels of warnings of the network and of these blocks.
    pub(super) levels: Levels,
    /// The predefined block that is being unrolled, as it is used.
    pub(super) predefined: Option<Ident>,
    /// The `PerStep` whose lines are being resolved, by the index of its first view.
    pub(super) per_step: Option<usize>,
    /// How many braces of blocks, repeats and branches are around the line; limited, since resolution is recursive.
    pub(super) depth: usize,
    /// How many lines and bodies were looked at, each copy counted; limited, since repeats multiply them.
    pub(super) steps: usize,
    /// The nodes that those of a body apply again, in the same order: see [`Self::repeat_shared`].
    pub(super) again: Option<Range<usize>>,
    /// The inputs of the layer or block that was resolved last, until its line takes them.
    pub(super) inputs: LineInputs,
    /// The numbers of inputs of lines.
    pub(super) aliases: Aliases,
    /// The inputs of each node, where they are aliases.
    pub(super) reads: Vec<Vec<ValueId>>,
    /// Whether a limit was exceeded: then nothing is unrolled any more.
    pub(super) too_large: bool,
    /// The lines of the network.
    pub(super) definition: &'a Body,
    /// The bodies that are being resolved, the outermost first; compared, never read. Not references, since a
    /// predefined block does not live as long as the resolver.
    pub(super) bodies: Vec<*const Body>,
}

/// What a line can see: parameters, names that are taken, named values.
pub(super) struct LineContext<'a> {
    pub(super) environment: &'a Environment,
    pub(super) scope: &'a mut Scope,
    /// The inputs and the named layers before the line.
    pub(super) named: &'a mut Vec<Named>,
}

/// A value that later lines can use by its name.
#[derive(Clone)]
pub(super) struct Named {
    pub(super) name: Ident,
    /// The name without `r#`: the compiler makes a string of an `Ident` for every comparison.
    pub(super) word: String,
    pub(super) value: ValueId,
    /// Its node, if it is a line of one layer.
    pub(super) node: Option<usize>,
    /// Its nodes; `None` of an input of the network.
    pub(super) lines: Option<Lines>,
}

/// The nodes of a line, which another one can apply again.
#[derive(Clone)]
pub(super) struct Lines {
    pub(super) nodes: Range<usize>,
    /// The value that the line took.
    pub(super) input: Option<ValueId>,
    /// Its other inputs.
    pub(super) inputs: LineInputs,
    pub(super) path: String,
}

impl Named {
    pub(super) fn new(name: &Ident, value: ValueId, node: Option<usize>) -> Self {
        Self { name: name.clone(), word: name.unraw().to_string(), value, node, lines: None }
    }
}
