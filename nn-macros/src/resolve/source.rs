//! Values that lines, branches and arguments take by their names.

use syn::Ident;
use syn::ext::IdentExt;

use super::resolver::{LineContext, Named, Resolver};
use crate::ast::{Body, Line};
use crate::network::ValueId;
use crate::report::{Elsewhere, mistake};

impl Resolver<'_> {
    /// The value called `name`: an input, or what a line before gives.
    pub(super) fn named(&mut self, name: &Ident, context: &LineContext<'_>) -> ValueId {
        if let Some(found) = find_named(name, context) {
            return found.value;
        }
        // Of a parameter of the block, the name that was given for it is the wrong one.
        let given = context.environment.word(name);
        let wrong = given.unwrap_or(name);
        if !self.report.repeats(wrong.span()) {
            let words = match given {
                Some(given) => {
                    let elsewhere = self.find_line(self.definition, None, given);
                    mistake::unknown_source(given, elsewhere, &[])
                }
                None => {
                    let known = context.names();
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    mistake::unknown_source(name, self.elsewhere(name), &known)
                }
            };
            self.report.error(wrong.span(), words);
        }
        self.unknown(wrong.span())
    }

    /// Where a line or an input of this name is that cannot be taken here.
    pub(super) fn elsewhere(&self, name: &Ident) -> Option<Elsewhere> {
        let Some(block) = self.open.last().and_then(|open| self.names.blocks.get(open)) else {
            return self.find_line(self.definition, None, name);
        };
        let outside = || {
            let inputs = &self.resolved.network.inputs;
            let named = inputs.iter().filter_map(|input| input.name.as_ref());
            let is_input = named.into_iter().any(|input| input.unraw() == name.unraw());
            (is_input || self.find_line(self.definition, None, name).is_some())
                .then(|| Elsewhere::OutsideOfBlock(block.name.clone()))
        };
        self.find_line(&block.body, None, name).or_else(outside)
    }

    /// Where the line called `name` is in `body`, which belongs to `structure`.
    pub(super) fn find_line(
        &self,
        body: &Body,
        structure: Option<&str>,
        name: &Ident,
    ) -> Option<Elsewhere> {
        // In a body that is being resolved, such a line comes later or is this one. In others it is local to them.
        let is_open = self.bodies.contains(&std::ptr::from_ref(body));
        let one = |line: &Line| match (&line.name, structure) {
            (Some(known), Some(structure)) if known.unraw() == name.unraw() && !is_open => {
                Some(Elsewhere::InsideOf(structure.to_owned()))
            }
            (Some(known), _) if known.unraw() == name.unraw() => Some(Elsewhere::Later),
            _ => line
                .construct
                .bodies()
                .into_iter()
                .find_map(|(structure, body)| self.find_line(body, Some(&structure), name)),
        };
        body.lines.iter().find_map(one)
    }
}

impl LineContext<'_> {
    /// The names of all that can be taken.
    pub(super) fn names(&self) -> Vec<String> {
        self.named.iter().map(|named| named.name.to_string()).collect()
    }
}

/// What is called `name`, if there is anything.
pub(super) fn find_named<'a>(name: &Ident, context: &'a LineContext<'_>) -> Option<&'a Named> {
    let word = name.unraw().to_string();
    context.named.iter().rev().find(|known| known.word == word)
}
