//! [`Vocabulary`]: numbers for characters or words.

use std::collections::HashMap;
use thiserror::Error;

/// Of what texts consist.
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

/// Each character of a text, as text.
fn characters(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().map(|(begin, c)| &text[begin..begin + c.len_utf8()])
}

/// Numbers for characters or for words (what stands between white space), learnt from texts and kept with
/// the model:
///
/// ```
/// use unrolled_runtime::data::Vocabulary;
///
/// let words = Vocabulary::words().least_count(2).learn(["the cat and the dog", "and the sea"]);
/// assert_eq!(words.encode("the dog and"), [1, 0, 2]);
/// assert_eq!(words.decode(&[2, 1, 0]), "and the <unk>");
/// ```
///
/// Number 0 is [`UNKNOWN`](Self::UNKNOWN): all that was not learnt. The others are given by how often
/// something occurs, the most frequent first, and in the order of Unicode where that is the same. So the
/// same texts give the same numbers. [`Network::save_with`](crate::Network::save_with) writes it to the file
/// of the weights.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "files", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "files", serde(try_from = "kept::Kept"))]
pub struct Vocabulary {
    unit: Unit,
    /// What has the numbers from 1 on.
    entries: Vec<String>,
    #[cfg_attr(feature = "files", serde(skip))]
    numbers: HashMap<String, u32>,
}

impl Vocabulary {
    /// The number of all that was not learnt.
    pub const UNKNOWN: u32 = 0;

    /// One of characters, to be learnt.
    #[must_use]
    pub const fn characters() -> VocabularyBuilder {
        VocabularyBuilder { unit: Unit::Characters, least_count: 1, size: usize::MAX }
    }

    /// One of words, to be learnt. Capitals and marks are part of them: bring texts into the form that you
    /// wish first.
    #[must_use]
    pub const fn words() -> VocabularyBuilder {
        VocabularyBuilder { unit: Unit::Words, least_count: 1, size: usize::MAX }
    }

    /// How many numbers there are, that of the unknown included: what `Embedding` has to hold.
    #[must_use]
    pub fn size(&self) -> usize {
        self.entries.len() + 1
    }

    /// The number of a character or word; that of the unknown if it was not learnt.
    #[must_use]
    pub fn number(&self, entry: &str) -> u32 {
        self.numbers.get(entry).copied().unwrap_or(Self::UNKNOWN)
    }

    /// The character or word with this number. The unknown has none.
    #[must_use]
    pub fn entry(&self, number: u32) -> Option<&str> {
        let place = (number as usize).checked_sub(1)?;
        self.entries.get(place).map(String::as_str)
    }

    /// The numbers of a text.
    #[must_use]
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut numbers = Vec::new();
        self.unit.for_each(text, |entry| numbers.push(self.number(entry)));
        numbers
    }

    /// The text of numbers, words with one space between them. What has no entry is written `<unk>` among
    /// words, and as the replacement character U+FFFD among characters.
    #[must_use]
    pub fn decode(&self, numbers: &[u32]) -> String {
        let (unknown, between) = match self.unit {
            Unit::Characters => ("\u{fffd}", ""),
            Unit::Words => ("<unk>", " "),
        };
        let entries = numbers.iter().map(|number| self.entry(*number).unwrap_or(unknown));
        entries.collect::<Vec<_>>().join(between)
    }

    fn new(unit: Unit, entries: Vec<String>) -> Self {
        let numbers = entries.iter().cloned().zip(1..).collect();
        Self { unit, entries, numbers }
    }
}

/// What a [`Vocabulary`] is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VocabularyBuilder {
    unit: Unit,
    least_count: usize,
    size: usize,
}

impl VocabularyBuilder {
    /// Leaves out what occurs less often.
    #[must_use]
    pub const fn least_count(mut self, count: usize) -> Self {
        self.least_count = count;
        self
    }

    /// No more numbers than this, that of the unknown included; leaves out what is least frequent.
    ///
    /// # Panics
    /// When it is 0, or more than a `u32` can count.
    #[must_use]
    pub const fn size(mut self, size: usize) -> Self {
        assert!(size > 0 && size <= u32::MAX as usize, "there is always the number of the unknown");
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

/// As it stands in a file.
#[cfg(feature = "files")]
mod kept {
    use super::{Unit, Vocabulary, VocabularyError};
    use std::collections::HashSet;

    /// A vocabulary as it stands in a file, not checked yet.
    #[derive(serde::Deserialize)]
    pub(super) struct Kept {
        unit: Unit,
        entries: Vec<String>,
    }

    impl TryFrom<Kept> for Vocabulary {
        type Error = VocabularyError;

        fn try_from(Kept { unit, entries }: Kept) -> Result<Self, VocabularyError> {
            if let Some(entry) = entries.iter().find(|entry| !unit.is_one(entry)) {
                return Err(VocabularyError::Entry { entry: entry.clone() });
            }
            let mut seen = HashSet::new();
            if let Some(entry) = entries.iter().find(|entry| !seen.insert(*entry)) {
                return Err(VocabularyError::Twice { entry: entry.clone() });
            }
            Ok(Self::new(unit, entries))
        }
    }

    impl Unit {
        /// Whether it is one of them.
        fn is_one(self, entry: &str) -> bool {
            match self {
                Self::Characters => entry.chars().count() == 1,
                Self::Words => !entry.is_empty() && !entry.contains(char::is_whitespace),
            }
        }
    }
}

/// Why what a file keeps is no vocabulary.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VocabularyError {
    /// An entry that no text has.
    #[error("expected single characters or words as entries of a vocabulary, found {entry:?}")]
    Entry {
        /// The entry.
        entry: String,
    },
    /// An entry with two numbers.
    #[error("expected each entry of a vocabulary once, found {entry:?} twice")]
    Twice {
        /// The entry.
        entry: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 3] = ["b a  b c", "d\tc b\n", "é a"];

    #[test]
    fn numbers_go_from_frequent_to_rare_then_by_unicode() {
        let words = Vocabulary::words().learn(TEXTS);
        let entries: Vec<_> = (0..7).map(|number| words.entry(number)).collect();
        assert_eq!(entries, [None, Some("b"), Some("a"), Some("c"), Some("d"), Some("é"), None]);
        assert_eq!(words.size(), 6);
        let rare_last = Vocabulary::words().least_count(2).size(3).learn(TEXTS);
        assert_eq!((rare_last.entry(2), rare_last.size()), (Some("a"), 3));
        assert_eq!(Vocabulary::words().least_count(2).learn(TEXTS).size(), 4);
    }

    #[test]
    fn texts_of_known_characters_come_back() {
        let text = "naïve\n日本 🦀";
        let characters = Vocabulary::characters().learn([text]);
        let numbers = characters.encode(text);
        assert_eq!(numbers.len(), text.chars().count());
        assert!(numbers.iter().all(|number| (1..characters.size() as u32).contains(number)));
        assert_eq!(characters.decode(&numbers), text);
    }

    #[test]
    fn what_was_not_learnt_is_unknown() {
        let words = Vocabulary::words().learn(TEXTS);
        assert_eq!(words.encode(" a z\nb "), [2, Vocabulary::UNKNOWN, 1]);
        assert_eq!(words.decode(&[2, 0, 1, 99]), "a <unk> b <unk>");
        let characters = Vocabulary::characters().learn(["ab"]);
        assert_eq!(characters.decode(&characters.encode("axb")), "a\u{fffd}b");
        assert_eq!((words.encode(""), words.decode(&[])), (vec![], String::new()));
    }

    #[test]
    fn files_keep_it_and_only_sound_ones_are_read() {
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
