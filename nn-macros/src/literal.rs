//! Shapes that are one token: `28x28x1` is the literal `28` with the suffix `x28x1`.

use unrolled_shape::MAX_RANK;

/// The sizes in the text of a literal, or why there are none.
pub(crate) fn parse_sizes(text: &str) -> Result<Vec<usize>, String> {
    if text.starts_with("0x") {
        return Err(format!(
            "`{text}` is a hexadecimal number in Rust, not a shape: an axis needs at least 1"
        ));
    }
    if text.contains('X') && parse_sizes(&text.replace('X', "x")).is_ok() {
        return Err(format!("write `{}` with a lower-case `x`", text.replace('X', "x")));
    }
    let sizes =
        text.split('x').map(|size| parse_size(size, text)).collect::<Result<Vec<_>, _>>()?;
    match sizes.len() {
        0..=MAX_RANK => Ok(sizes),
        axes => Err(format!("`{text}` has {axes} axes, but a shape has at most {MAX_RANK}")),
    }
}

/// One size of the shape `text`.
fn parse_size(size: &str, text: &str) -> Result<usize, String> {
    let digits = size.replace('_', "");
    if digits.is_empty() {
        return Err(format!("a size is missing in `{text}`: write a shape as `28x28x1`"));
    }
    if digits.chars().all(|c| c.is_ascii_digit()) {
        return digits.parse().map_err(|_| format!("`{size}` is too large for a size"));
    }
    // `28xN`: a suffix of a literal is no name, so that a constant in it cannot be found.
    if size != text && size.starts_with(|c: char| c.is_alphabetic()) {
        let list = text.replace('x', ", ");
        return Err(format!(
            "`{size}` in `{text}` is not a number: with constants write `[{list}]`"
        ));
    }
    Err(format!("`{size}` is not a size: expected a whole number, or a shape such as `28x28x1`"))
}

#[cfg(test)]
mod tests {
    use super::parse_sizes;

    #[test]
    fn shapes() {
        assert_eq!(parse_sizes("28x28x1"), Ok(vec![28, 28, 1]));
        assert_eq!(parse_sizes("12"), Ok(vec![12]));
        assert_eq!(parse_sizes("1_000x3"), Ok(vec![1000, 3]));
        assert_eq!(parse_sizes("1x0"), Ok(vec![1, 0]));
        assert_eq!(parse_sizes("1x2x3x4x5x6"), Ok(vec![1, 2, 3, 4, 5, 6]));
    }

    #[test]
    fn mistakes() {
        for (text, words) in [
            ("0x10", "hexadecimal"),
            ("0x28x1", "not a shape"),
            ("28X28", "write `28x28` with a lower-case `x`"),
            ("28x", "a size is missing in `28x`"),
            ("28xx3", "a size is missing"),
            ("28x28xC", "with constants write `[28, 28, C]`"),
            ("1e3", "`1e3` is not a size"),
            ("3x1e3", "`1e3` is not a size"),
            ("1.5", "`1.5` is not a size"),
            ("\"a\"", "is not a size"),
            ("1x1x1x1x1x1x1", "has 7 axes, but a shape has at most 6"),
            ("99999999999999999999999", "is too large"),
        ] {
            let message = parse_sizes(text).unwrap_err();
            assert!(message.contains(words), "{text}: {message}");
        }
    }
}
