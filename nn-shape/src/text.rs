//! [`Text`]: sentences that constants can build.

use crate::Shape;

/// The most bytes a [`Text`] holds; longer ones are cut and end in `...`.
const CAPACITY: usize = 1024;

/// A sentence in a fixed buffer, built by `const fn`, so that the compiler can say it.
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

    /// Adds another text.
    #[must_use]
    pub const fn append(self, other: &Text) -> Self {
        self.text(other.as_str())
    }

    /// Adds a number in decimal.
    #[must_use]
    pub const fn number(self, value: usize) -> Self {
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

    /// Whether nothing was said.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    const fn cut(mut self) -> Self {
        let mut end = CAPACITY - 3;
        // Steps back over the continuation bytes of a character.
        while end > 0 && self.bytes[end] & 0b1100_0000 == 0b1000_0000 {
            end -= 1;
        }
        self.bytes[end] = b'.';
        self.bytes[end + 1] = b'.';
        self.bytes[end + 2] = b'.';
        self.len = end + 3;
        self.full = true;
        self
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
    fn long_texts_are_cut_at_a_character() {
        let mut text = Text::new();
        for _ in 0..CAPACITY {
            text = text.text("é");
        }
        assert!(text.as_str().ends_with("é..."));
    }
}
