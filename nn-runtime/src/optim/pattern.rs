//! [`Pattern`]: chooses weights by their names.

use crate::types::Tensor;
use std::collections::BTreeSet;
use thiserror::Error;

/// A name in which `*` stands for any characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(String);

impl Pattern {
    pub(super) fn new(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it matches the weight `name`, or a layer that contains it.
    pub(super) fn matches(&self, name: &str) -> bool {
        with_layers(name).any(|path| matches(self.0.as_bytes(), path.as_bytes()))
    }
}

/// A pattern of a [`Groups`](super::Groups), or of another optimiser, that matches no weight of the network.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{optimizer}: no weight of the network matches `{pattern}`; the closest names are {}",
    quoted(closest)
)]
#[non_exhaustive]
pub struct GroupsError {
    /// What the pattern was passed to: `Groups`.
    pub optimizer: &'static str,
    /// The pattern.
    pub pattern: String,
    /// Names of weights and layers, the most similar first.
    pub closest: Vec<String>,
}

impl GroupsError {
    pub(super) fn new(optimizer: &'static str, pattern: &Pattern, tensors: &[Tensor]) -> Self {
        let names = tensors.iter().map(|tensor| tensor.name.as_str());
        let closest = closest(pattern.as_str(), names);
        Self { optimizer, pattern: pattern.as_str().to_owned(), closest }
    }
}

pub(crate) fn quoted(names: &[String]) -> String {
    format!("`{}`", names.join("`, `"))
}

/// The name of a weight, and the paths of the layers that contain it.
fn with_layers(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('.').map(|(end, _)| &name[..end]).chain([name])
}

/// Whether `pattern` matches all of `text`. Each `*` first matches as little as possible; if the rest then differs, the
/// last `*` takes one more character. Earlier ones need not be tried again, so that the time is at most the product of
/// both lengths.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on after a difference: behind the last `*`, and behind what it matches.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            retry = Some((p, t));
        } else if pattern.get(p) == Some(&text[t]) {
            (p, t) = (p + 1, t + 1);
        } else if let Some((after, end)) = retry {
            (p, t) = (after, end + 1);
            retry = Some((after, end + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// The number of names that an error lists.
const LISTED: usize = 3;

/// The names of weights and layers that are the most similar to `pattern`.
pub(crate) fn closest<'a>(pattern: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let paths: BTreeSet<&str> = names.flat_map(with_layers).collect();
    let mut paths: Vec<&str> = paths.into_iter().collect();
    paths.sort_by_cached_key(|path| edits(pattern.as_bytes(), path.as_bytes()));
    paths.truncate(LISTED);
    paths.into_iter().map(str::to_owned).collect()
}

/// The number of insertions, deletions and replacements from `a` to `b` (Levenshtein, 1966).
fn edits(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names_and_layers_that_contain_them() {
        let cases = [
            ("encoder", "encoder.0.conv.weight", true),
            ("encoder.0", "encoder.0.conv.weight", true),
            ("encoder", "encoder2.weight", false),
            ("conv", "encoder.0.conv.weight", false),
            ("*.conv", "encoder.0.conv.weight", true),
            ("*.bias", "head.bias", true),
            ("*.bias", "head.weight", false),
            ("*norm*", "batch_norm_2.weight", true),
            ("enc*0*t", "encoder.0.conv.weight", true),
            ("*a*ab", "aaab", true),
            ("*a*ab", "aba", false),
            ("*", "weight", true),
            ("", "weight", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(Pattern::new(pattern).matches(name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn the_most_similar_names_come_first() {
        let names = ["stem.weight", "encoder.0.weight", "head.weight"];
        assert_eq!(closest("encodr", names.into_iter())[0], "encoder");
        assert_eq!(closest("stem.wieght", names.into_iter())[0], "stem.weight");
        assert_eq!(edits(b"kitten", b"sitting"), 3);
    }
}
