//! [`Border`]: zeros around an image.

/// The number of zeros around an image: above and to the left, below and to the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Border {
    /// Above, and to the left.
    pub before: [usize; 2],
    /// Below, and to the right.
    pub after: [usize; 2],
}

impl Border {
    /// No zeros.
    pub(crate) const NONE: Self = Self { before: [0; 2], after: [0; 2] };

    /// Whether there are no zeros.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.before[0] + self.before[1] + self.after[0] + self.after[1] == 0
    }

    /// The size of an image with this border.
    #[must_use]
    pub const fn around(&self, size: [usize; 2]) -> [usize; 2] {
        [self.before[0] + size[0] + self.after[0], self.before[1] + size[1] + self.after[1]]
    }

    /// Elements of an image with this border; 0 if there are no zeros, because nothing is copied then.
    #[must_use]
    pub const fn len(&self, size: [usize; 2], channels: usize) -> usize {
        if self.is_none() {
            return 0;
        }
        let [height, width] = self.around(size);
        height * width * channels
    }

    /// Copies an image into the first elements of `memory`, with zeros around it. Returns what was written.
    ///
    /// # Panics
    /// If lengths and sizes do not match.
    pub(crate) fn add<'a>(
        &self,
        size: [usize; 2],
        channels: usize,
        image: &[f32],
        memory: &'a mut [f32],
    ) -> &'a [f32] {
        let line = size[1] * channels;
        let [height, width] = self.around(size);
        let (padded_line, begin) = (width * channels, self.before[1] * channels);
        assert_eq!(image.len(), size[0] * line, "an image of this size");
        let padded = &mut memory[..height * padded_line];
        // The zeros are written each time, because `memory` may hold anything.
        let (above, rest) = padded.split_at_mut(self.before[0] * padded_line);
        let (lines, below) = rest.split_at_mut(size[0] * padded_line);
        above.fill(0.0);
        below.fill(0.0);
        for (from, to) in image.chunks_exact(line).zip(lines.chunks_exact_mut(padded_line)) {
            to[..begin].fill(0.0);
            to[begin..begin + line].copy_from_slice(from);
            to[begin + line..].fill(0.0);
        }
        padded
    }
}
