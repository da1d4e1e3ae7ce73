//! [`Vocabulary`]: tokens for characters or words.

use crate::hyper::refuse;
use std::collections::HashMap;
use thiserror::Error;

/// The units that texts are split into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "files", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "files", serde(rename_all = "lowercase"))]
enum Unit {
    Characters,
    Words,
}

impl Unit {
    /// Calls `f` with each character or word of a text.
    fn for_each<'t>(self, text: &'t str, f: impl FnMut(&'t str)) {
        match self {
            Self::Characters => characters(text).for_each(f),
            Self::Words => text.split_whitespace().for_each(f),
        }
    }
}

/// The characters of a text as strings.
fn characters(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().map(|(begin, c)| &text[begin..begin + c.len_utf8()])
}

/// A vocabulary of characters or of words (separated by white space), learnt from texts and stored with the model:
///
/// ```
/// use unrolled_runtime::data::Vocabulary;
///
/// let words = Vocabulary::words().least_count(2).learn(["the cat and the dog", "and the sea"]);
/// assert_eq!(words.encode("the dog and"), [1, 0, 2]);
/// assert_eq!(words.decode(&[2, 1, 0]), "and the <unk>");
/// ```
///
/// Token 0 is [`UNKNOWN`](Self::UNKNOWN), for all entries that were not learnt. The others are in the order of frequency,
/// the most frequent first, and in the order of Unicode for equal frequencies, so that the same texts give the same
/// tokens. `FilesExt::save_with` writes it to the file of the weights.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "files", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "files", serde(try_from = "stored::Stored"))]
pub struct Vocabulary {
    unit: Unit,
    /// The entries of the tokens from 1 on.
    entries: Vec<String>,
    #[cfg_attr(feature = "files", serde(skip))]
    tokens: HashMap<String, u32>,
}

impl Vocabulary {
    /// The token of all entries that were not learnt.
    pub const UNKNOWN: u32 = 0;

    /// A builder for a vocabulary of characters.
    #[must_use]
    pub const fn characters() -> VocabularyBuilder {
        VocabularyBuilder { unit: Unit::Characters, least_count: 1, size: usize::MAX }
    }

    /// A builder for a vocabulary of words. Case and punctuation are part of a word: normalise texts before if needed.
    #[must_use]
    pub const fn words() -> VocabularyBuilder {
        VocabularyBuilder { unit: Unit::Words, least_count: 1, size: usize::MAX }
    }

    /// The number of tokens including [`UNKNOWN`](Self::UNKNOWN): the size of an `Embedding`.
    #[must_use]
    pub fn size(&self) -> usize {
        self.entries.len() + 1
    }

    /// The token of a character or word; [`UNKNOWN`](Self::UNKNOWN) if it was not learnt.
    #[must_use]
    pub fn token(&self, entry: &str) -> u32 {
        self.tokens.get(entry).copied().unwrap_or(Self::UNKNOWN)
    }

    /// The character or word of a token; `None` for [`UNKNOWN`](Self::UNKNOWN) and tokens out of range.
    #[must_use]
    pub fn entry(&self, token: u32) -> Option<&str> {
        let index = (token as usize).checked_sub(1)?;
        self.entries.get(index).map(String::as_str)
    }

    /// The tokens of a text.
    #[must_use]
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut tokens = Vec::new();
        self.unit.for_each(text, |entry| tokens.push(self.token(entry)));
        tokens
    }

    /// The text of tokens, with one space between words. Tokens without an entry become the word `<unk>` or the
    /// replacement character U+FFFD.
    #[must_use]
    pub fn decode(&self, tokens: &[u32]) -> String {
        let (unknown, between) = match self.unit {
            Unit::Characters => ("\u{fffd}", ""),
            Unit::Words => ("<unk>", " "),
        };
        let entries = tokens.iter().map(|token| self.entry(*token).unwrap_or(unknown));
        entries.collect::<Vec<_>>().join(between)
    }

    fn new(unit: Unit, entries: Vec<String>) -> Self {
        let tokens = entries.iter().cloned().zip(1..).collect();
        Self { unit, entries, tokens }
    }
}

/// A builder of a [`Vocabulary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VocabularyBuilder {
    unit: Unit,
    least_count: usize,
    size: usize,
}

impl VocabularyBuilder {
    /// Leaves out entries that occur less than `count` times.
    #[must_use]
    pub const fn least_count(mut self, count: usize) -> Self {
        self.least_count = count;
        self
    }

    /// Sets the largest number of tokens, including that of unknown entries, by leaving out the least frequent entries.
    ///
    /// # Panics
    /// If `size` is 0 or more than `u32::MAX`.
    #[must_use]
    #[track_caller]
    pub fn size(mut self, size: usize) -> Self {
        if !(1..=u32::MAX as usize).contains(&size) {
            refuse(&"Vocabulary: size", &size, "a whole number from 1 to 4294967295");
        }
        self.size = size;
        self
    }

    /// The vocabulary of these texts.
    #[must_use]
    pub fn learn<T: AsRef<str>>(self, texts: impl IntoIterator<Item = T>) -> Vocabulary {
        let mut counts = HashMap::<String, usize>::new();
        for text in texts {
            self.unit.for_each(text.as_ref(), |entry| match counts.get_mut(entry) {
                Some(count) => *count += 1,
                None => {
                    counts.insert(entry.into(), 1);
                }
            });
        }
        let mut counts: Vec<_> =
            counts.into_iter().filter(|(_, count)| *count >= self.least_count).collect();
        counts.sort_unstable_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then(a.cmp(b)));
        counts.truncate(self.size - 1);
        Vocabulary::new(self.unit, counts.into_iter().map(|(entry, _)| entry).collect())
    }
}

/// The form in files.
#[cfg(feature = "files")]
mod stored {
    use super::{Unit, Vocabulary, VocabularyError};
    use std::collections::HashSet;

    /// A vocabulary in a file, before its checks.
    #[derive(serde::Deserialize)]
    pub(super) struct Stored {
        unit: Unit,
        entries: Vec<String>,
    }

    impl TryFrom<Stored> for Vocabulary {
        type Error = VocabularyError;

        fn try_from(Stored { unit, entries }: Stored) -> Result<Self, VocabularyError> {
            if let Some(entry) = entries.iter().find(|entry| !unit.is_one(entry)) {
                return Err(VocabularyError::Entry { entry: entry.clone() });
            }
            let mut seen = HashSet::new();
            if let Some(entry) = entries.iter().find(|entry| !seen.insert(*entry)) {
                return Err(VocabularyError::Duplicate { entry: entry.clone() });
            }
            Ok(Self::new(unit, entries))
        }
    }

    impl Unit {
        /// Whether `entry` is one unit.
        fn is_one(self, entry: &str) -> bool {
            match self {
                Self::Characters => entry.chars().count() == 1,
                Self::Words => !entry.is_empty() && !entry.contains(char::is_whitespace),
            }
        }
    }
}

/// Why a vocabulary in a file is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VocabularyError {
    /// An entry that is not a single character or word.
    #[error("expected single characters or words as entries of a vocabulary, found {entry:?}")]
    Entry {
        /// The entry.
        entry: String,
    },
    /// An entry with two tokens.
    #[error("expected each entry of a vocabulary once, found {entry:?} twice")]
    Duplicate {
        /// The entry.
        entry: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 3] = ["b a  b c", "d\tc b\n", "é a"];

    #[test]
    fn tokens_are_ordered_by_frequency_then_by_unicode() {
        let words = Vocabulary::words().learn(TEXTS);
        let entries: Vec<_> = (0..7).map(|token| words.entry(token)).collect();
        assert_eq!(entries, [None, Some("b"), Some("a"), Some("c"), Some("d"), Some("é"), None]);
        assert_eq!(words.size(), 6);
        let rare_last = Vocabulary::words().least_count(2).size(3).learn(TEXTS);
        assert_eq!((rare_last.entry(2), rare_last.size()), (Some("a"), 3));
        assert_eq!(Vocabulary::words().least_count(2).learn(TEXTS).size(), 4);
    }

    #[test]
    fn texts_of_known_characters_are_restored() {
        let text = "naïve\n日本 🦀";
        let characters = Vocabulary::characters().learn([text]);
        let tokens = characters.encode(text);
        assert_eq!(tokens.len(), text.chars().count());
        assert!(tokens.iter().all(|token| (1..characters.size() as u32).contains(token)));
        assert_eq!(characters.decode(&tokens), text);
    }

    #[test]
    fn other_entries_are_unknown() {
        let words = Vocabulary::words().learn(TEXTS);
        assert_eq!(words.encode(" a z\nb "), [2, Vocabulary::UNKNOWN, 1]);
        assert_eq!(words.decode(&[2, 0, 1, 99]), "a <unk> b <unk>");
        let characters = Vocabulary::characters().learn(["ab"]);
        assert_eq!(characters.decode(&characters.encode("axb")), "a\u{fffd}b");
        assert_eq!((words.encode(""), words.decode(&[])), (vec![], String::new()));
    }

    #[test]
    fn files_store_it_and_only_valid_ones_are_read() {
        for vocabulary in
            [Vocabulary::words().learn(TEXTS), Vocabulary::characters().learn(["\"\\\n\u{0}🦀"])]
        {
            let text = serde_json::to_string(&vocabulary).unwrap();
            let read: Vocabulary = serde_json::from_str(&text).unwrap();
            assert_eq!(read, vocabulary);
            assert_eq!(read.encode("b 🦀 \n"), vocabulary.encode("b 🦀 \n"));
        }
        for (text, why) in [
            (r#"{"unit":"words","entries":["a","b","a"]}"#, "found \"a\" twice"),
            (r#"{"unit":"words","entries":["a b"]}"#, "found \"a b\""),
            (r#"{"unit":"characters","entries":["ab"]}"#, "found \"ab\""),
            (r#"{"unit":"bytes","entries":[]}"#, "unknown variant"),
        ] {
            let error = serde_json::from_str::<Vocabulary>(text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
