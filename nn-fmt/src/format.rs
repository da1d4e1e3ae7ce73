//! [`format()`]: a source file whose `network!` blocks are formatted.

use crate::layout::layout;
use crate::lex::{Kind, Token, lex};

/// The source with the blocks of all `network! { .. }` formatted. What cannot be understood stays as it is.
pub(crate) fn format(source: &str) -> String {
    let Some(tokens) = lex(source) else { return source.to_owned() };
    let (mut text, mut copied) = (String::new(), 0);
    let mut i = 0;
    while i < tokens.len() {
        let Some((open, close)) = block_at(&tokens, i) else {
            i += 1;
            continue;
        };
        let inside = &tokens[open + 1..close];
        let (begin, end) = (tokens[open].at + 1, tokens[close].at);
        text.push_str(&source[copied..begin]);
        match formatted(source, inside, tokens[i].at) {
            Some(block) => text.push_str(&block),
            None => text.push_str(&source[begin..end]),
        }
        copied = end;
        i = close;
    }
    text + &source[copied..]
}

/// The indices of the braces of a `network! { .. }` that begins at token `i`.
fn block_at(tokens: &[Token<'_>], i: usize) -> Option<(usize, usize)> {
    let [name, mark, open, ..] = tokens.get(i..)? else { return None };
    if name.text != "network" || mark.text != "!" || open.text != "{" {
        return None;
    }
    let mut expected = Vec::new();
    for (at, token) in tokens.iter().enumerate().skip(i + 2) {
        match token.text {
            "(" => expected.push(")"),
            "[" => expected.push("]"),
            "{" => expected.push("}"),
            text if token.kind == Kind::Close && expected.pop() != Some(text) => return None,
            _ => {}
        }
        if expected.is_empty() {
            return Some((i + 2, at));
        }
    }
    None
}

/// The content of a block, if it has the same tokens as before but for last commas.
fn formatted(source: &str, inside: &[Token<'_>], at: usize) -> Option<String> {
    if inside.is_empty() || inside.iter().any(|token| token.text.contains('\n')) {
        // Strings and comments of several lines may be indented on purpose.
        return None;
    }
    let line = source[..at].rfind('\n').map_or(0, |end| end + 1);
    let indent = source[line..].len() - source[line..].trim_start_matches(' ').len();
    let text = layout(inside, indent);
    let text = if source.contains("\r\n") { text.replace('\n', "\r\n") } else { text };
    let same = is_same(inside, &lex(&text)?);
    same.then_some(text)
}

/// Whether both are the same tokens, but for commas before closing brackets.
fn is_same(before: &[Token<'_>], after: &[Token<'_>]) -> bool {
    let without_last_commas = |tokens: &[Token<'_>]| -> Vec<String> {
        let next = tokens.iter().skip(1).map(|token| token.kind == Kind::Close).chain([true]);
        let is_last_comma = tokens.iter().zip(next).map(|(token, ends)| token.text == "," && ends);
        let kept = tokens.iter().zip(is_last_comma).filter(|(_, is_last)| !is_last);
        kept.map(|(token, _)| token.text.trim_end().to_owned()).collect()
    };
    without_last_commas(before) == without_last_commas(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, after: &str) {
        let formatted = format(before);
        assert!(formatted == after, "{formatted}\ninstead of\n{after}");
        assert_eq!(format(after), after, "formatting twice");
    }

    #[test]
    fn indentation_and_spaces() {
        check(
            "fn f() {}\nnetwork! {\n/// Doc.\n  pub struct Net<const N :usize>( image:28x28x1,..64 )->(a : 10,b:[N,2]){\n\n \
             conv1 :Conv2d( 32,kernel=3 ,padding = (1,2) )->26x26x32, // why\nimage=>ReLU,ReLU ,\n\n\n\
             Residual{Dense({2*N}),Scale(-1.0)}skip{Dense(1e-5)},\n stage:[Basic(64),My::<64>(a),],\n\
             Concat{image=>{ReLU},{}},frames:PerStep[ReLU,PerStep{Tanh}]\n}\n}\n",
            "fn f() {}\nnetwork! {\n    /// Doc.\n    pub struct Net<const N: usize>(image: 28x28x1, ..64) -> (a: 10, b: [N, 2]) {\n        \
             conv1: Conv2d(32, kernel = 3, padding = (1, 2)) -> 26x26x32, // why\n        image => ReLU, ReLU,\n\n        \
             Residual { Dense({ 2 * N }), Scale(-1.0) } skip { Dense(1e-5) },\n        stage: [Basic(64), My::<64>(a),],\n        \
             Concat { image => { ReLU }, {} }, frames: PerStep [ReLU, PerStep { Tanh }],\n    }\n}\n",
        );
    }

    #[test]
    fn brackets_on_several_lines() {
        check(
            "mod m {\n    network! {\n    block B(a, b = 1) {\n    Residual {\n    Conv2d(\n    a,\n    kernel = 3\n    ),\n    }, Concat { {\n    \
             ReLU\n    } },\n    }\n    }\n}\n",
            "mod m {\n    network! {\n        block B(a, b = 1) {\n            Residual {\n                Conv2d(\n                    a,\n                    \
             kernel = 3,\n                ),\n            }, Concat { {\n                ReLU,\n            } },\n        }\n    }\n}\n",
        );
    }

    #[test]
    fn arrows_are_aligned_where_one_is() {
        check(
            "network! {\n    struct A(4) -> 2 {\n        Dense(8)   -> 8,\n        ReLU,\n        hidden: Dense(16) -> 16,\n        Repeat(2) {\n            \
             Dense(4) -> 4,\n        },\n    }\n}\n",
            "network! {\n    struct A(4) -> 2 {\n        Dense(8)          -> 8,\n        ReLU,\n        hidden: Dense(16) -> 16,\n        \
             Repeat(2) {\n            Dense(4) -> 4,\n        },\n    }\n}\n",
        );
    }

    #[test]
    fn variables_of_macros() {
        let source = "macro_rules! m {
    ($a:expr) => {
        network! {
            struct A($a) -> $b { Dense($b) }
        }
    };
}
";
        check(source, source);
    }

    #[test]
    fn arrows_around_an_aligned_body() {
        check(
            "network! {\n    struct A(4) -> 2 {\n        größer: Dense(8)   -> 8,\n        Repeat(2) {\n            Dense(4)   -> 4,\n            \
             ReLU -> 4,\n        },\n        ReLU       -> 8,\n    }\n}\n",
            "network! {\n    struct A(4) -> 2 {\n        größer: Dense(8) -> 8,\n        Repeat(2) {\n            Dense(4) -> 4,\n            \
             ReLU     -> 4,\n        },\n        ReLU             -> 8,\n    }\n}\n",
        );
    }

    #[test]
    fn expressions_of_constants() {
        let source = "network! {\n    struct A(4) -> 2 { Dense({ if N >= 4 || N != 2 { 1 } else { b'x' as usize } }) }\n}\n";
        check(source, source);
    }

    #[test]
    fn line_endings_of_windows() {
        check(
            "network! {\r\n  struct A(4) -> 2 {\r\n    Dense(2), // two\r\n  }\r\n}\r\n",
            "network! {\r\n    struct A(4) -> 2 {\r\n        Dense(2), // two\r\n    }\r\n}\r\n",
        );
    }

    #[test]
    fn comments_stay() {
        check(
            "network! {\n// first\nstruct A(4) -> 2 {\n    /* one */ Dense(8), /* two */ ReLU, // three\n    // four\n    Dense(2)\n    // five\n}\n}\n",
            "network! {\n    // first\n    struct A(4) -> 2 {\n        /* one */ Dense(8), /* two */ ReLU, // three\n        // four\n        \
             Dense(2)\n        // five\n    }\n}\n",
        );
    }

    #[test]
    fn what_it_does_not_understand_stays() {
        for source in [
            "network! {\n  struct A(4 -> 2 {}\n}\n",
            "network! {\n  struct A(4) -> 2 { /* a\n b */ Dense(2) }\n}\n",
            "let a = \"network! { a   b }\";\n",
            "other! { a:b }\n",
            "network! {}",
        ] {
            assert_eq!(format(source), source);
        }
    }
}
