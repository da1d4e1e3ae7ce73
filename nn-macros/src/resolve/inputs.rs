//! The inputs of lines, each with a number of its own, so that `same` can give a line other values.

use syn::Ident;
use syn::ext::IdentExt;

use crate::network::ValueId;

/// The inputs that a line is given besides the value before it. Each is an alias of a value: where two of them are the same
/// value, the nodes that read one are known apart from those that read the other.
#[derive(Clone, Default)]
pub(super) struct LineInputs {
    pub(super) branches: Vec<BranchInput>,
    /// Named values: arguments of a layer, which has one node, or of a block.
    pub(super) arguments: Vec<(String, ValueId)>,
}

/// The value that a branch begins with.
#[derive(Clone, Copy)]
pub(super) struct BranchInput {
    pub(super) alias: ValueId,
    /// Whether the branch has a name, so that it does not begin with the value before the line.
    pub(super) named: bool,
}

impl LineInputs {
    /// The input that is the argument `name`.
    pub(super) fn argument(&self, name: &Ident) -> Option<ValueId> {
        let word = name.unraw().to_string();
        self.arguments.iter().find(|(known, _)| *known == word).map(|(_, alias)| *alias)
    }

    /// Those that are not the value before the line, whatever value they are.
    pub(super) fn named(&self) -> impl Iterator<Item = ValueId> {
        let branches = self.branches.iter().filter(|branch| branch.named);
        branches.map(|branch| branch.alias).chain(self.arguments.iter().map(|(_, alias)| *alias))
    }
}

/// Aliases count down from the largest number, values of the network up from 0.
const LAST: usize = usize::MAX;

/// Further numbers of values.
#[derive(Default)]
pub(super) struct Aliases {
    /// The value of each, which may be an alias itself.
    values: Vec<ValueId>,
}

impl Aliases {
    /// Another number for `value`. Nodes have it in `reads`, and the value itself among their inputs.
    pub(super) fn add(&mut self, value: ValueId) -> ValueId {
        self.values.push(value);
        ValueId(LAST - (self.values.len() - 1))
    }

    /// The value, the one that it is an alias of, and so on.
    pub(super) fn chain(&self, value: ValueId) -> impl Iterator<Item = ValueId> {
        let next = |value: &ValueId| self.values.get(LAST - value.0).copied();
        std::iter::successors(Some(value), next)
    }

    /// The value itself, if `value` is an alias.
    pub(super) fn canonical(&self, value: ValueId) -> ValueId {
        self.chain(value).last().unwrap_or(value)
    }
}
