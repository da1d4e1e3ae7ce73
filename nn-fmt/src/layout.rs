//! The layout of the tokens of one `network!`: indentation, spaces, aligned arrows, last commas.

use std::collections::BTreeSet;

use crate::lex::{Kind, Token};

/// Spaces for each level.
const INDENT: usize = 4;

/// One line of the output.
struct Line {
    indent: usize,
    text: String,
    /// The offset of its arrow in `text`, if it is a line of a body.
    arrow: Option<usize>,
    /// Whether two spaces or more were before the arrow.
    aligned: bool,
    /// The body that it is a line of.
    body: usize,
    /// Whether a blank line is before it.
    blank: bool,
}

/// An open bracket.
struct Bracket {
    /// Its number among all brackets.
    number: usize,
    open: char,
    /// Whether it adds a level: a line break follows. Of several brackets that a line opens, the last one does.
    level: bool,
}

/// The text between the brackets of the macro, whose closing bracket is indented by `indent` spaces.
pub(crate) fn layout(tokens: &[Token<'_>], indent: usize) -> String {
    let mut lines = lines(tokens, indent);
    align_arrows(&mut lines);
    let mut text = String::from("\n");
    for line in &lines {
        if line.blank {
            text.push('\n');
        }
        text.push_str(&" ".repeat(line.indent));
        text.push_str(&line.text);
        text.push('\n');
    }
    text + &" ".repeat(indent)
}

fn lines(tokens: &[Token<'_>], indent: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut brackets: Vec<Bracket> = Vec::new();
    let mut opened = 0;
    for (i, token) in tokens.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| &tokens[i]);
        let begins_line = token.breaks > 0 || before.is_none();
        if token.kind == Kind::Close {
            if begins_line && before.is_some_and(ends_item) {
                add_comma(&mut lines);
            }
            brackets.pop();
        }
        if begins_line {
            let levels = brackets.iter().filter(|bracket| bracket.level).count();
            let before_is_open = before.is_none_or(|before| before.kind == Kind::Open);
            lines.push(Line {
                indent: indent + INDENT * (1 + levels),
                text: String::new(),
                arrow: None,
                aligned: false,
                body: brackets.last().map_or(0, |bracket| bracket.number),
                blank: token.breaks > 1 && !before_is_open && token.kind != Kind::Close,
            });
        }
        let line = lines.last_mut().expect("the first token begins a line");
        if !begins_line && before.is_some_and(|before| is_spaced(tokens, i, before, token)) {
            line.text.push(' ');
        }
        let in_body = brackets.last().is_some_and(|b| b.number == line.body && b.open != '(');
        if token.text == "->" && in_body {
            (line.arrow, line.aligned) = (Some(line.text.len()), token.spaces > 1);
        }
        line.text.push_str(token.text.trim_end());
        if token.kind == Kind::Open {
            opened += 1;
            let open = token.text.chars().next().unwrap_or('(');
            let level = tokens.get(i + 1).is_some_and(|next| next.breaks > 0);
            brackets.push(Bracket { number: opened, open, level });
        }
    }
    lines
}

/// Whether an item may end with this token: then a list needs a comma after it, and a `-` subtracts.
fn ends_item(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Word | Kind::Close)
}

/// Adds a comma after the last line.
fn add_comma(lines: &mut [Line]) {
    if let Some(line) = lines.last_mut() {
        line.text.push(',');
    }
}

/// Whether a space is between two tokens of a line.
fn is_spaced(tokens: &[Token<'_>], i: usize, before: &Token<'_>, token: &Token<'_>) -> bool {
    let is_comment =
        |token: &Token<'_>| matches!(token.kind, Kind::LineComment | Kind::BlockComment);
    if is_comment(token) || is_comment(before) {
        return true;
    }
    match (before.text, token.text) {
        ("{", "}") | ("(" | "[", _) | (_, ")" | "]") => false,
        (_, "," | ";" | "." | "?" | "::" | ":")
        | ("::" | "." | "#" | "!" | "&" | ".." | "$", _) => false,
        ("{", _) | (_, "}" | "{") => true,
        // Generics: the language has no comparisons.
        (_, "<" | ">") | ("<", _) => before.text == "=" || before.text == "->",
        (">", text) => !matches!(token.kind, Kind::Open) || text == "{",
        (_, "(") => before.kind == Kind::Punctuation || before.text == "pub" && token.spaces > 0,
        (_, "[") => {
            before.kind == Kind::Punctuation || is_word_before_body(before.text) || token.spaces > 0
        }
        (_, "-" | "*") if !ends_item(before) => before.text != "-",
        ("-" | "*", _) => i.checked_sub(2).is_some_and(|i| ends_item(&tokens[i])),
        (_, "!") => before.kind == Kind::Punctuation,
        _ => true,
    }
}

/// Words that lines in brackets follow.
fn is_word_before_body(word: &str) -> bool {
    matches!(word, "Residual" | "PerStep" | "skip")
}

/// Aligns the arrows of each body in which one is.
fn align_arrows(lines: &mut [Line]) {
    let bodies: BTreeSet<usize> = lines.iter().filter(|l| l.aligned).map(|l| l.body).collect();
    for body in bodies {
        let before_arrow = |line: &Line| {
            let arrow = line.arrow.filter(|_| line.body == body)?;
            Some((arrow, line.text[..arrow].chars().count()))
        };
        let column = lines.iter().filter_map(before_arrow).map(|(_, width)| width).max();
        for line in lines.iter_mut() {
            if let (Some(column), Some((arrow, width))) = (column, before_arrow(line)) {
                line.text.insert_str(arrow, &" ".repeat(column - width));
            }
        }
    }
}
