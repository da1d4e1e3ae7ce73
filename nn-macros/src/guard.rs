//! Refuses token streams that would overflow the stack of the parser, which is recursive.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

use crate::report::{Report, say};

/// The deepest nesting of groups.
const DEEPEST: usize = 64;
/// The longest run of punctuation: `- - - 1` nests without groups.
const LONGEST_RUN: usize = 64;
/// The most angle brackets open at a time.
const MOST_ANGLES: usize = 32;
/// The most tokens between commas or semicolons: `a = a = a ..` nests, too. Outside of groups, attributes and the bodies of
/// items separate as commas do.
const LONGEST_GROUP: usize = 256;

/// The tokens, or none of them where they are nested too deeply, which is reported.
pub(crate) fn check_depth(tokens: TokenStream, report: &mut Report) -> TokenStream {
    match too_deep(&tokens) {
        Some(at) => {
            report.error(at, say::NESTED_TOO_DEEP);
            TokenStream::new()
        }
        None => tokens,
    }
}

/// Where the nesting is too deep. It uses a stack on the heap: recursion would overflow here already.
fn too_deep(tokens: &TokenStream) -> Option<Span> {
    let mut open = vec![tokens.clone().into_iter()];
    let mut counts = vec![Counts::default()];
    while let (Some(level), Some(count)) = (open.last_mut(), counts.last_mut()) {
        let Some(tree) = level.next() else {
            open.pop();
            counts.pop();
            continue;
        };
        if count.add(&tree) || open.len() > DEEPEST {
            return Some(tree.span());
        }
        if let TokenTree::Group(group) = tree {
            if open.len() == 1 && matches!(group.delimiter(), Delimiter::Brace | Delimiter::Bracket)
            {
                count.tokens = 0;
            }
            open.push(group.stream().into_iter());
            counts.push(Counts::default());
        }
    }
    None
}

/// What nests without groups, on one level.
#[derive(Default)]
struct Counts {
    run: usize,
    angles: usize,
    /// Tokens since the last comma or its like.
    tokens: usize,
}

impl Counts {
    /// Counts one more token. Returns whether that is too many.
    fn add(&mut self, tree: &TokenTree) -> bool {
        self.tokens += 1;
        let TokenTree::Punct(punct) = tree else {
            self.run = 0;
            return self.tokens > LONGEST_GROUP;
        };
        self.run += 1;
        match punct.as_char() {
            '<' => self.angles += 1,
            // `->` and `=>` end in `>` too, though they close nothing.
            '>' => self.angles = self.angles.saturating_sub(1),
            ',' | ';' => self.tokens = 0,
            _ => {}
        }
        self.run > LONGEST_RUN || self.angles > MOST_ANGLES || self.tokens > LONGEST_GROUP
    }
}
