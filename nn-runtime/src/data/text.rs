//! Plain text files, and errors of text that cannot be read.

use crate::system::open_regular;
#[cfg(feature = "csv")]
use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use thiserror::Error;

/// Reads a regular text file.
///
/// # Errors
/// If it cannot be read, is no regular file, or is not UTF-8.
pub fn read_text(path: impl AsRef<Path>) -> Result<String, TextError> {
    let (name, mut file) = open(path.as_ref())?;
    let mut bytes = Vec::new();
    if let Err(why) = file.read_to_end(&mut bytes) {
        return Err(TextError::Unreadable { name, why });
    }
    String::from_utf8(bytes).map_err(|why| {
        let valid = &why.as_bytes()[..why.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count() as u64;
        TextError::malformed(&name, TextPosition::line(line), NOT_UTF8)
    })
}

pub(super) const NOT_UTF8: &str = "expected text in UTF-8, found other bytes";

/// Opens a regular file. Returns its name in messages as well.
pub(super) fn open(path: &Path) -> Result<(String, File), TextError> {
    let name = path.display().to_string();
    match open_regular(path) {
        Ok(file) => Ok((name, file)),
        Err(why) => Err(TextError::Unreadable { name, why }),
    }
}

/// The longest text that messages repeat, in bytes.
#[cfg(feature = "csv")]
const MAX_EXCERPT: usize = 100;

/// The text or its beginning, for messages.
#[cfg(feature = "csv")]
pub(super) fn excerpt(text: &str) -> Cow<'_, str> {
    match text.floor_char_boundary(MAX_EXCERPT) {
        end if end == text.len() => text.into(),
        end => format!("{}..", &text[..end]).into(),
    }
}

/// A text file or a table that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TextError {
    /// A file that cannot be read.
    #[error("`{name}`: it cannot be read: {why}")]
    Unreadable {
        /// The path of the file.
        name: String,
        /// The operating system's reason.
        #[source]
        why: io::Error,
    },
    /// Text that is not as expected.
    #[error("`{name}`{position}: {why}")]
    Malformed {
        /// The path of the file, or the name of text in memory.
        name: String,
        /// The line and the column, if the error has any.
        position: TextPosition,
        /// What was expected and what was found.
        why: String,
    },
}

impl TextError {
    pub(super) fn malformed(name: &str, position: TextPosition, why: impl Into<String>) -> Self {
        Self::Malformed { name: name.into(), position, why: why.into() }
    }

    /// The line, counted from 1, if the error has one.
    #[must_use]
    pub const fn line(&self) -> Option<u64> {
        match self {
            Self::Unreadable { .. } => None,
            Self::Malformed { position, .. } => position.line,
        }
    }
}

/// A line and a column of a file, counted from 1. Displays as `, line 7, column 2 (`low`)`, or as nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextPosition {
    /// The line.
    pub line: Option<u64>,
    /// The column.
    pub column: Option<usize>,
    /// The name of the column, in tables with a header.
    pub column_name: Option<String>,
}

impl TextPosition {
    pub(super) const fn line(line: u64) -> Self {
        Self { line: Some(line), column: None, column_name: None }
    }
}

impl fmt::Display for TextPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        match &self.column_name {
            Some(name) => write!(f, " (`{name}`)"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_or_refused() {
        let path = std::env::temp_dir().join(format!("nn-runtime-text-{}", std::process::id()));
        std::fs::write(&path, "grün\n").unwrap();
        let text = read_text(&path);
        std::fs::write(&path, b"fine\nstill fine\nnot \xff fine\n").unwrap();
        let wrong = read_text(&path).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(text.unwrap(), "grün\n");
        let message = format!("`{}`, line 3: {NOT_UTF8}", path.display());
        assert_eq!((wrong.line(), wrong.to_string()), (Some(3), message));
        let missing = read_text(&path).unwrap_err();
        assert!(std::error::Error::source(&missing).is_some());
        let missing = missing.to_string();
        assert!(missing.contains("cannot be read") && missing.contains("nn-runtime-text"));
    }

    #[test]
    #[cfg(unix)]
    fn only_regular_files_are_read() {
        let error = read_text("/dev/zero").unwrap_err().to_string();
        let expected = "`/dev/zero`: it cannot be read: it is a device, not a regular file";
        assert_eq!(error, expected);
    }

    #[test]
    #[cfg(feature = "csv")]
    fn messages_repeat_the_beginning_of_long_texts() {
        assert_eq!(excerpt("short"), "short");
        // Its 100th byte is the middle of a character.
        let long = format!("a{}", "ü".repeat(60));
        assert_eq!(excerpt(&long), format!("a{}..", "ü".repeat(49)));
    }
}
