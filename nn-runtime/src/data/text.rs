//! Files of plain text, and what is said of text that cannot be used.

use std::fmt;
use std::path::Path;
use thiserror::Error;

/// Reads a file of plain text.
///
/// # Errors
/// When it cannot be read or is not in UTF-8.
pub fn read_text(path: impl AsRef<Path>) -> Result<String, TextError> {
    let (name, bytes) = read_bytes(path.as_ref())?;
    String::from_utf8(bytes).map_err(|why| {
        let valid = &why.as_bytes()[..why.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count() as u64;
        TextError::new(&name, Place { line: Some(line), column: None }, NOT_UTF8.into())
    })
}

pub(super) const NOT_UTF8: &str = "expected text in UTF-8, found other bytes";

pub(super) fn read_bytes(path: &Path) -> Result<(String, Vec<u8>), TextError> {
    let name = path.display().to_string();
    match std::fs::read(path) {
        Ok(bytes) => Ok((name, bytes)),
        Err(why) => {
            Err(TextError::new(&name, Place::default(), format!("it cannot be read: {why}")))
        }
    }
}

/// Text that cannot be used: in which file, line and column, what was expected and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{name}`{place}: {what}")]
pub struct TextError {
    name: String,
    place: Place,
    what: String,
}

impl TextError {
    pub(super) fn new(name: &str, place: Place, what: String) -> Self {
        Self { name: name.into(), place, what }
    }

    /// In which line, counted from 1, if it is about one.
    #[must_use]
    pub const fn line(&self) -> Option<u64> {
        self.place.line
    }
}

/// A line and a column with its name, counted from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: Option<u64>,
    pub(super) column: Option<(usize, Option<String>)>,
}

/// `, line 7, column 2 (`low`)`
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        match &self.column {
            Some((number, Some(name))) => write!(f, ", column {number} (`{name}`)"),
            Some((number, None)) => write!(f, ", column {number}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_or_told_about() {
        let path = std::env::temp_dir().join(format!("nn-runtime-text-{}", std::process::id()));
        std::fs::write(&path, "grün\n").unwrap();
        let text = read_text(&path);
        std::fs::write(&path, b"fine\nstill fine\nnot \xff fine\n").unwrap();
        let wrong = read_text(&path).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(text.unwrap(), "grün\n");
        let said = format!("`{}`, line 3: {NOT_UTF8}", path.display());
        assert_eq!((wrong.line(), wrong.to_string()), (Some(3), said));
        let missing = read_text(&path).unwrap_err().to_string();
        assert!(missing.contains("cannot be read") && missing.contains("nn-runtime-text"));
    }
}
