//! [`Text`]: sentences that constants can build.

use crate::shape::Shape;

/// The most bytes a [`Text`] holds; longer ones are cut and end in `...`.
const CAPACITY: usize = 1024;

/// Marks where words were cut off.
const DOTS: &str = "...";

/// A sentence in a fixed buffer, built by `const fn`, so that a constant can panic with it.
#[derive(Clone, Copy)]
pub struct Text {
    bytes: [u8; CAPACITY],
    len: usize,
    // Whether words were cut off; none are added after that.
    full: bool,
}

impl Text {
    /// No words yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "Default is no const fn; there is one way")]
    pub const fn new() -> Self {
        Self { bytes: [0; CAPACITY], len: 0, full: false }
    }

    /// These words and no more.
    #[must_use]
    pub const fn of(words: &str) -> Self {
        Self::new().text(words)
    }

    /// Adds words.
    #[must_use]
    pub const fn text(mut self, words: &str) -> Self {
        if self.full {
            return self;
        }
        let words = words.as_bytes();
        let mut i = 0;
        while i < words.len() {
            if self.len == CAPACITY {
                return self.cut();
            }
            self.bytes[self.len] = words[i];
            self.len += 1;
            i += 1;
        }
        self
    }

    /// Adds words of which the end matters most: what is too long loses its beginning.
    #[must_use]
    pub const fn end_of(self, words: &str) -> Self {
        let room = CAPACITY - self.len;
        if words.len() <= room {
            return self.text(words);
        }
        self.text(DOTS).text(end(words, room.saturating_sub(DOTS.len())))
    }

    /// Loses its beginning, unless `len` bytes more have room.
    pub(crate) const fn making_room(self, len: usize) -> Self {
        let room = CAPACITY.saturating_sub(len);
        if self.len <= room {
            return self;
        }
        Self::of(DOTS).text(end(self.as_str(), room.saturating_sub(DOTS.len())))
    }

    /// Adds a word between backquotes.
    #[must_use]
    pub const fn quoted(self, word: &str) -> Self {
        self.text("`").text(word).text("`")
    }

    /// Adds another text.
    #[must_use]
    pub const fn append(self, other: &Text) -> Self {
        self.text(other.as_str())
    }

    /// Adds a number in decimal.
    #[must_use]
    pub const fn number(self, value: usize) -> Self {
        // As many as `u64::MAX` has.
        let mut digits = [0; 20];
        let mut start = digits.len();
        let mut rest = value;
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        match core::str::from_utf8(digits.split_at(start).1) {
            Ok(decimal) => self.text(decimal),
            Err(_) => unreachable!(),
        }
    }

    /// Adds a number in groups of three digits: `225,034`.
    #[must_use]
    pub const fn grouped(self, value: usize) -> Self {
        if value < 1000 {
            return self.number(value);
        }
        let rest = value % 1000;
        let zeros = match rest {
            0..10 => "00",
            10..100 => "0",
            _ => "",
        };
        self.grouped(value / 1000).text(",").text(zeros).number(rest)
    }

    /// Adds a real number with up to 6 significant digits: `0.5`, `-1.25`, `1e-7`.
    #[must_use]
    pub const fn real(mut self, value: f64) -> Self {
        if value.is_nan() {
            return self.text("NaN");
        }
        if value.is_sign_negative() {
            self = self.text("-");
        }
        let value = value.abs();
        if value.is_infinite() {
            return self.text("infinity");
        }
        if value == 0.0 {
            return self.text("0");
        }
        let (digits, exponent) = significant(value);
        if exponent < -5 || exponent > 8 {
            self = self.decimal(digits, 0).text("e");
            if exponent < 0 {
                self = self.text("-");
            }
            return self.number(exponent.unsigned_abs() as usize);
        }
        self.decimal(digits, exponent)
    }

    /// Adds `digits` (of which there are 6) with the point after the first and `exponent` further
    /// ones, without zeros at the end of the fraction.
    const fn decimal(mut self, digits: usize, exponent: i32) -> Self {
        if exponent >= SIGNIFICANT - 1 {
            return self.number(digits * 10_usize.pow((exponent - SIGNIFICANT + 1) as u32));
        }
        let one = 10_u64.pow((SIGNIFICANT - 1 - exponent) as u32);
        self = self.number((digits as u64 / one) as usize);
        let mut fraction = digits as u64 % one;
        if fraction > 0 {
            self = self.text(".");
        }
        let mut place = one;
        while fraction > 0 {
            place /= 10;
            self = self.number((fraction / place) as usize);
            fraction %= place;
        }
        self
    }

    /// Adds a shape as people write it: `28x28x1`.
    #[must_use]
    pub const fn shape(mut self, shape: Shape) -> Self {
        let dims = shape.dims();
        let mut i = 0;
        while i < dims.len() {
            if i > 0 {
                self = self.text("x");
            }
            self = self.number(dims[i]);
            i += 1;
        }
        self
    }

    /// Adds a count per axis: `3` where all are the same, `3x5` otherwise.
    ///
    /// # Panics
    /// Without axes, and with more than a shape has.
    #[must_use]
    pub const fn axes(self, counts: &[usize]) -> Self {
        let mut axis = 1;
        while axis < counts.len() {
            if counts[axis] != counts[0] {
                return self.shape(Shape::new(counts));
            }
            axis += 1;
        }
        self.number(counts[0])
    }

    /// Adds `5x5x64 = 1600`, or only `1600` where there is one axis.
    #[must_use]
    pub const fn shape_and_len(self, shape: Shape) -> Self {
        let with_shape = self.shape(shape);
        if shape.rank() <= 1 {
            return with_shape;
        }
        match shape.checked_len() {
            Some(len) => with_shape.text(" = ").number(len),
            None => with_shape,
        }
    }

    /// The words.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(words) => words,
            // Only whole characters are ever added, and `cut` keeps to their bounds.
            Err(_) => unreachable!(),
        }
    }

    /// Whether it is empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    const fn cut(mut self) -> Self {
        let mut end = CAPACITY - DOTS.len();
        // Steps back over the continuation bytes of a character.
        while end > 0 && self.bytes[end] & 0b1100_0000 == 0b1000_0000 {
            end -= 1;
        }
        self.len = end;
        self = self.text(DOTS);
        self.full = true;
        self
    }
}

/// The last characters of `words` that fit into `room` bytes.
const fn end(words: &str, room: usize) -> &str {
    let mut start = words.len().saturating_sub(room);
    while !words.is_char_boundary(start) {
        start += 1;
    }
    words.split_at(start).1
}

/// How many digits of a real number are shown.
const SIGNIFICANT: i32 = 6;

/// The first digits of `value` (finite, above 0), rounded, and the exponent of the first of them.
const fn significant(value: f64) -> (usize, i32) {
    // Step by step: logarithms are not const.
    let (mut mantissa, mut exponent) = (value, 0);
    while mantissa >= 10.0 {
        mantissa /= 10.0;
        exponent += 1;
    }
    while mantissa < 1.0 {
        mantissa *= 10.0;
        exponent -= 1;
    }
    let one = 10_usize.pow(SIGNIFICANT as u32 - 1);
    let digits = (mantissa * one as f64 + 0.5) as usize;
    // 9.999999 rounds up to 10.
    if digits == 10 * one { (one, exponent + 1) } else { (digits, exponent) }
}

impl core::fmt::Display for Shape {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(Text::new().shape(*self).as_str())
    }
}

impl core::fmt::Display for Text {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::fmt::Debug for Text {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_in_a_constant() {
        const TEXT: Text = Text::of("gives ").shape_and_len(Shape::new(&[5, 5, 64]));
        assert_eq!(TEXT.as_str(), "gives 5x5x64 = 1600");
        assert_eq!(Text::new().number(0).as_str(), "0");
        assert_eq!(Text::new().number(usize::MAX).as_str(), std::format!("{}", usize::MAX));
    }

    #[test]
    fn large_numbers_are_grouped() {
        let grouped = |number| std::format!("{}", Text::new().grouped(number));
        let found = [0, 999, 1000, 20_034, 1_200_567].map(grouped);
        assert_eq!(found, ["0", "999", "1,000", "20,034", "1,200,567"]);
    }

    #[test]
    fn the_end_is_kept_where_it_matters() {
        let long = "é".repeat(CAPACITY);
        let text = Text::of("trace: ").end_of(&std::format!("{long} the end"));
        assert!(text.as_str().starts_with("trace: ...é"));
        assert!(text.as_str().ends_with("é the end"));
        assert_eq!(Text::of("all: ").end_of("short").as_str(), "all: short");
    }

    #[test]
    fn real_numbers() {
        const HALF: Text = Text::new().real(0.5);
        assert_eq!(HALF.as_str(), "0.5");
        for (value, words) in [
            (0.0, "0"),
            (1.0, "1"),
            (-1.25, "-1.25"),
            (0.1, "0.1"),
            (1.5, "1.5"),
            (20.0, "20"),
            (0.01, "0.01"),
            (100.05, "100.05"),
            (1e-5, "0.00001"),
            (1e-7, "1e-7"),
            (-2.5e30, "-2.5e30"),
            (1.0 / 3.0, "0.333333"),
            (9.999_999_9, "10"),
            (123_456_789.0, "123457000"),
            (f64::MAX, "1.79769e308"),
            (f64::MIN_POSITIVE, "2.22507e-308"),
            (f64::NEG_INFINITY, "-infinity"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(Text::new().real(value).as_str(), words);
        }
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        let mut text = Text::new();
        for _ in 0..CAPACITY {
            text = text.text("é");
        }
        assert!(text.as_str().ends_with("é..."));
    }
}
