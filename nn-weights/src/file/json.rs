//! [`Json`]: a parser of the JSON in headers. It builds no tree: the caller takes entry by entry.

use std::fmt;

/// The depth of values that are skipped: a bound for the stack.
const MAX_DEPTH: usize = 64;

/// A text, and how far it is read.
pub(super) struct Json<'a> {
    text: &'a str,
    at: usize,
}

/// A place where the text is not the JSON that is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JsonError {
    /// The number of bytes before it.
    at: usize,
    expected: &'static str,
    found: Option<char>,
}

impl std::error::Error for JsonError {}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at byte {}, found ", self.expected, self.at)?;
        match self.found {
            Some(character) => write!(f, "`{}`", character.escape_default()),
            None => f.write_str("its end"),
        }
    }
}

impl<'a> Json<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn error(&self, expected: &'static str) -> JsonError {
        JsonError { at: self.at, expected, found: self.rest().chars().next() }
    }

    /// Skips white space; then `words`, if they are next. Returns whether they were.
    fn take(&mut self, words: &str) -> bool {
        let rest = self.rest().trim_start_matches([' ', '\t', '\n', '\r']);
        self.at = self.text.len() - rest.len();
        let found = rest.starts_with(words);
        if found {
            self.at += words.len();
        }
        found
    }

    fn expect(&mut self, words: &str, expected: &'static str) -> Result<(), JsonError> {
        if self.take(words) { Ok(()) } else { Err(self.error(expected)) }
    }

    /// Nothing more.
    pub(super) fn end(&mut self) -> Result<(), JsonError> {
        self.take("");
        if self.rest().is_empty() { Ok(()) } else { Err(self.error("the end of the header")) }
    }

    /// `null`, if that is next.
    pub(super) fn null(&mut self) -> bool {
        self.take("null")
    }

    /// An object. Calls `entry` with each key; it must read the value.
    pub(super) fn object<E: From<JsonError>>(
        &mut self,
        mut entry: impl FnMut(&mut Self, String) -> Result<(), E>,
    ) -> Result<(), E> {
        self.expect("{", "`{`")?;
        if self.take("}") {
            return Ok(());
        }
        loop {
            let key = self.string("a key in quotation marks")?;
            self.expect(":", "`:`")?;
            entry(self, key)?;
            if self.take("}") {
                return Ok(());
            }
            self.expect(",", "`,` or `}`")?;
        }
    }

    /// An array. Calls `item` for each item; it must read it.
    pub(super) fn array<E: From<JsonError>>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.expect("[", "`[`")?;
        if self.take("]") {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.take("]") {
                return Ok(());
            }
            self.expect(",", "`,` or `]`")?;
        }
    }

    /// A text in quotation marks, which errors call `expected`.
    pub(super) fn string(&mut self, expected: &'static str) -> Result<String, JsonError> {
        self.expect("\"", expected)?;
        let mut string = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.find(|c| matches!(c, '"' | '\\' | '\0'..='\x1f'));
            let plain = plain.unwrap_or(rest.len());
            string.push_str(&rest[..plain]);
            self.at += plain;
            match rest[plain..].chars().next() {
                Some('"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some('\\') => string.push(self.escape()?),
                _ => return Err(self.error("`\"`")),
            }
        }
    }

    /// The character after a backslash.
    fn escape(&mut self) -> Result<char, JsonError> {
        const EXPECTED: &str = "an escape sequence of JSON";
        let name = self.rest().chars().nth(1);
        let character = match name {
            Some('"' | '\\' | '/') => name,
            Some('b') => Some('\x08'),
            Some('f') => Some('\x0c'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('u') => return self.unicode().ok_or_else(|| self.error(EXPECTED)),
            _ => None,
        };
        let character = character.ok_or_else(|| self.error(EXPECTED))?;
        self.at += 2;
        Ok(character)
    }

    /// `\u12ab`; two of them for a character outside of the basic plane.
    fn unicode(&mut self) -> Option<char> {
        let unit = |escape: &str| {
            let digits = escape.strip_prefix("\\u")?;
            let digits = digits.get(..4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
            u16::from_str_radix(digits, 16).ok()
        };
        let first = unit(self.rest())?;
        let second = unit(self.rest().get(6..)?);
        let units = [first, second.unwrap_or_default()];
        let pair = matches!(first, 0xd800..0xdc00);
        let units = if pair { &units[..] } else { &units[..1] };
        let character = char::decode_utf16(units.iter().copied()).next()?.ok()?;
        self.at += 6 * units.len();
        Some(character)
    }

    /// A whole number that is not negative.
    pub(super) fn number(&mut self) -> Result<usize, JsonError> {
        self.take("");
        let rest = self.rest();
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let is_whole = !rest[digits..].starts_with(['.', 'e', 'E']);
        match rest[..digits].parse() {
            Ok(number) if is_whole => {
                self.at += digits;
                Ok(number)
            }
            _ => Err(self.error("a whole number")),
        }
    }

    /// Any value.
    pub(super) fn skip(&mut self) -> Result<(), JsonError> {
        self.skip_nested(MAX_DEPTH)
    }

    fn skip_nested(&mut self, depth: usize) -> Result<(), JsonError> {
        self.take("");
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self.error("fewer values inside of each other"));
        };
        match self.rest().chars().next() {
            Some('{') => self.object(|json, _| json.skip_nested(depth)),
            Some('[') => self.array(|json| json.skip_nested(depth)),
            Some('"') => self.string("").map(drop),
            Some('-' | '0'..='9') => {
                let is_part = |c: char| matches!(c, '-' | '+' | '.' | 'e' | 'E' | '0'..='9');
                let rest = self.rest().trim_start_matches(is_part);
                self.at = self.text.len() - rest.len();
                Ok(())
            }
            _ if self.take("true") || self.take("false") || self.null() => Ok(()),
            _ => Err(self.error("a value")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> Result<String, String> {
        Json::new(text).string("a text").map_err(|error| error.to_string())
    }

    #[test]
    fn strings_are_unescaped() {
        assert_eq!(string(r#" "a\"\\\/\b\f\n\r\tz" "#).unwrap(), "a\"\\/\x08\x0c\n\r\tz");
        assert_eq!(string(r#""\u00fcber \ud83d\ude00 é""#).unwrap(), "über 😀 é");
        for (broken, found) in [
            (r#""\ud83d""#, "an escape sequence of JSON at byte 1, found `\\\\`"),
            (r#""\ud83d\u0041""#, "an escape sequence of JSON at byte 1, found `\\\\`"),
            (r#""\u+123""#, "an escape sequence of JSON at byte 1, found `\\\\`"),
            (r#""\x""#, "an escape sequence of JSON at byte 1, found `\\\\`"),
            (r#""abc"#, "`\"` at byte 4, found its end"),
            ("\"a\nb\"", "`\"` at byte 2, found `\\n`"),
            ("abc", "a text at byte 0, found `a`"),
        ] {
            assert_eq!(string(broken).unwrap_err(), format!("expected {found}"), "{broken}");
        }
    }

    #[test]
    fn any_value_can_be_skipped() {
        let text = r#" {"a": [1, -2.5e+3, {"b": "]}"}, [], {}, null, true, false]} "#;
        let mut json = Json::new(text);
        json.skip().unwrap();
        json.end().unwrap();
        for broken in ["[1,]", "[1 2]", "{1: 2}", "{\"a\" 1}", "tru", "", "[", "{\"a\":1,}"] {
            assert!(Json::new(broken).skip().is_err(), "{broken}");
        }
        let deep = "[".repeat(100_000);
        let error = Json::new(&deep).skip().unwrap_err().to_string();
        assert_eq!(error, "expected fewer values inside of each other at byte 64, found `[`");
    }

    #[test]
    fn numbers_are_whole() {
        assert_eq!(Json::new(" 1234,").number(), Ok(1234));
        for broken in ["-1", "1.5", "1e3", "x", "99999999999999999999999"] {
            assert!(Json::new(broken).number().is_err(), "{broken}");
        }
    }
}
