//! Rust source as tokens, comments among them.

/// A token and what is before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    /// Its offset in the source.
    pub(crate) at: usize,
    /// Line breaks between the token before and this one.
    pub(crate) breaks: usize,
    /// Spaces before it on its line.
    pub(crate) spaces: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name, a keyword, a lifetime or a literal.
    Word,
    /// To the end of the line.
    LineComment,
    BlockComment,
    Open,
    Close,
    Punctuation,
}

/// Punctuation of several characters, the longest first.
const LONG: [&str; 12] = ["..=", "...", "::", "->", "=>", "..", "==", "!=", "<=", ">=", "&&", "||"];

/// The tokens of `source`; `None` where a string or a comment does not end.
pub(crate) fn lex(source: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let (mut at, mut breaks, mut spaces) = (0, 0, 0);
    while let Some(next) = source[at..].chars().next() {
        if next.is_whitespace() {
            (breaks, spaces) = if next == '\n' { (breaks + 1, 0) } else { (breaks, spaces + 1) };
            at += next.len_utf8();
            continue;
        }
        let (kind, len) = token(&source[at..])?;
        tokens.push(Token { kind, text: &source[at..at + len], at, breaks, spaces });
        (at, breaks, spaces) = (at + len, 0, 0);
    }
    Some(tokens)
}

/// The kind and the length of the token that `rest` begins with.
fn token(rest: &str) -> Option<(Kind, usize)> {
    let first = rest.chars().next()?;
    if rest.starts_with("//") {
        return Some((Kind::LineComment, rest.find('\n').unwrap_or(rest.len())));
    }
    if rest.starts_with("/*") {
        return Some((Kind::BlockComment, block_comment(rest)?));
    }
    if rest.starts_with("b'") {
        return Some((Kind::Word, 1 + quoted_or_lifetime(&rest[1..])));
    }
    if let Some(len) = string(rest) {
        return Some((Kind::Word, len?));
    }
    match first {
        '(' | '[' | '{' => return Some((Kind::Open, 1)),
        ')' | ']' | '}' => return Some((Kind::Close, 1)),
        '\'' => return Some((Kind::Word, quoted_or_lifetime(rest))),
        _ => {}
    }
    if first.is_ascii_digit() {
        return Some((Kind::Word, number(rest)));
    }
    if is_of_name(first) {
        return Some((Kind::Word, name(rest)));
    }
    let long = LONG.iter().find(|long| rest.starts_with(**long));
    Some((Kind::Punctuation, long.map_or(first.len_utf8(), |long| long.len())))
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a name, `r#type` included.
fn name(rest: &str) -> usize {
    let prefix = if rest.starts_with("r#") { 2 } else { 0 };
    let rest = &rest[prefix..];
    prefix + rest.find(|c| !is_of_name(c)).unwrap_or(rest.len())
}

/// The length of a number or a shape: `28x28x1`, `0.5`, `1e-5`, but not `1..` nor `1.max(2)`.
fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut len = 0;
    while len < bytes.len() {
        let next = bytes.get(len + 1).copied().unwrap_or(b' ');
        let goes_on = match bytes[len] {
            b'.' => next.is_ascii_digit() && !rest[..len].contains('.'),
            b'+' | b'-' => {
                matches!(bytes[len - 1], b'e' | b'E')
                    && next.is_ascii_digit()
                    && !rest.starts_with("0x")
            }
            byte => byte.is_ascii_alphanumeric() || byte == b'_',
        };
        if !goes_on {
            break;
        }
        len += 1;
    }
    len
}

/// The length of a string literal, if `rest` begins with one; `Some(None)` where it does not end.
fn string(rest: &str) -> Option<Option<usize>> {
    let prefix = rest.find(|c| !matches!(c, 'b' | 'c' | 'r'))?;
    let (before, after) = rest.split_at(prefix);
    let hashes = after.len() - after.trim_start_matches('#').len();
    let is_raw = before.ends_with('r');
    if before.len() > 2 || (hashes > 0 && !is_raw) || !after[hashes..].starts_with('"') {
        return None;
    }
    let begin = prefix + hashes + 1;
    if is_raw {
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(rest[begin..].find(&end).map(|at| begin + at + end.len()));
    }
    let mut escaped = false;
    for (at, c) in rest[begin..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(Some(begin + at + 1)),
            _ => {}
        }
    }
    Some(None)
}

/// The length of a character literal or a lifetime.
fn quoted_or_lifetime(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, _))) => {
            // The character after the backslash may be the quote itself.
            rest[at + 1..].find('\'').map_or(rest.len(), |end| at + 1 + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1 + name(&rest[1..]),
    }
}

/// The length of a block comment, which may contain others; `None` where it does not end.
fn block_comment(rest: &str) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        let open = rest[at..].find("/*").map_or(usize::MAX, |i| at + i);
        let close = rest[at..].find("*/").map(|i| at + i)?;
        if open < close {
            (at, depth) = (open + 2, depth + 1);
        } else {
            (at, depth) = (close + 2, depth - 1);
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        lex(source).expect("tokens").into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn tokens_of_all_kinds() {
        assert_eq!(
            texts(
                "a:..28x28x1->b=1e-5,0.5..=2 r#type 'a 'x' '\\'' b\"}\" r#\"\"}\"# // {\n/* /* } */ */x"
            ),
            [
                "a",
                ":",
                "..",
                "28x28x1",
                "->",
                "b",
                "=",
                "1e-5",
                ",",
                "0.5",
                "..=",
                "2",
                "r#type",
                "'a",
                "'x'",
                "'\\''",
                "b\"}\"",
                "r#\"\"}\"#",
                "// {",
                "/* /* } */ */",
                "x"
            ]
        );
        assert_eq!(texts("a<=b||c!=b'}'"), ["a", "<=", "b", "||", "c", "!=", "b'}'"]);
        assert_eq!(
            texts("1.max(2) 3..4 0xe-1"),
            ["1", ".", "max", "(", "2", ")", "3", "..", "4", "0xe", "-", "1"]
        );
    }

    #[test]
    fn what_does_not_end() {
        assert_eq!((lex("\"a"), lex("/* /* */")), (None, None));
    }
}
