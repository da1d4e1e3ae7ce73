//! [`FeatureOrder`]: the order of features in PyTorch.

use core::fmt;
use unrolled_shape::Shape;

/// The order that PyTorch has the features of a value in, along its last axis. It differs from the order here where they
/// were flattened from an image: PyTorch has its channels first.
///
/// Features are a sequence of parts, one after the other: each is an image with its channels last here and first in
/// PyTorch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeatureOrder {
    // Normal form, so that equality is equality of orders: no part before or after a plain part is plain, and there are
    // none where all features are plain.
    parts: Vec<Part>,
}

/// Consecutive features: `pixels x channels` here, `channels x pixels` in PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    pixels: usize,
    channels: usize,
}

impl Part {
    /// Features in the same order here and in PyTorch.
    const fn plain(len: usize) -> Self {
        Self { pixels: len, channels: 1 }
    }

    const fn is_plain(self) -> bool {
        self.channels == 1
    }

    const fn len(self) -> usize {
        self.pixels * self.channels
    }
}

impl FeatureOrder {
    /// The same order here and in PyTorch.
    pub const PLAIN: Self = Self { parts: Vec::new() };

    /// The order of a flattened image, whose channels are the last axis of `shape`.
    #[must_use]
    pub fn flattened(shape: &Shape) -> Self {
        let channels = shape.dims().last().map_or(1, |channels| (*channels).max(1));
        let pixels = shape.len() / channels;
        // One channel or one pixel: both orders are the same.
        if channels == 1 || pixels == 1 {
            return Self::PLAIN;
        }
        Self { parts: vec![Part { pixels, channels }] }
    }

    /// The features of several values side by side, each with its order and number of features.
    #[must_use]
    pub fn concat<'a>(values: impl IntoIterator<Item = (&'a Self, usize)>) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        for (order, len) in values {
            let plain = [Part::plain(len)];
            let own = if order.is_plain() { &plain[..] } else { &order.parts };
            for part in own {
                match parts.last_mut() {
                    Some(last) if last.is_plain() && part.is_plain() => last.pixels += part.pixels,
                    _ => parts.push(*part),
                }
            }
        }
        match parts.as_slice() {
            [only] if only.is_plain() => Self::PLAIN,
            _ => Self { parts },
        }
    }

    /// The order of each of `count` values of `len` features, if it is the same for all and this is their order side by
    /// side.
    #[must_use]
    pub(crate) fn split(&self, count: usize, len: usize) -> Option<Self> {
        let mut taken = 0;
        let first = self.parts.iter().take_while(|part| {
            taken += part.len();
            taken <= len
        });
        let first = Self { parts: first.copied().collect() };
        let all = Self::concat(core::iter::repeat_n((&first, len), count));
        (all == *self).then_some(first)
    }

    /// Whether the order is the same here and in PyTorch.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        self.parts.is_empty()
    }

    /// The indices of `len` features here, in PyTorch's order.
    #[must_use]
    pub fn indices(&self, len: usize) -> Vec<usize> {
        if self.is_plain() {
            return (0..len).collect();
        }
        let mut indices = Vec::with_capacity(len);
        for part in &self.parts {
            let begin = indices.len();
            for channel in 0..part.channels {
                indices
                    .extend((0..part.pixels).map(|pixel| begin + pixel * part.channels + channel));
            }
        }
        assert_eq!(indices.len(), len, "the parts cover all features");
        indices
    }
}

/// As in `3 channels of 16 pixels + 10 features`.
impl fmt::Display for FeatureOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_plain() {
            return f.write_str("unchanged");
        }
        for (i, part) in self.parts.iter().enumerate() {
            if i > 0 {
                f.write_str(" + ")?;
            }
            if part.is_plain() {
                write!(f, "{} features", part.pixels)?;
            } else {
                write!(f, "{} channels of {} pixels", part.channels, part.pixels)?;
            }
        }
        Ok(())
    }
}

/// The orders of a layer's features, and where PyTorch has its channels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerOrder {
    /// Of its first input.
    pub input: FeatureOrder,
    /// Of its output.
    pub output: FeatureOrder,
    /// The axes before the channels of its first input in PyTorch: 0 if they are first, `None` if they are last.
    pub axes_before_channels: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(dims: &[usize]) -> FeatureOrder {
        FeatureOrder::flattened(&Shape::new(dims))
    }

    #[test]
    fn an_image_has_its_channels_first() {
        assert_eq!(image(&[1, 2, 3]).indices(6), [0, 3, 1, 4, 2, 5]);
        assert_eq!(image(&[4, 1]), FeatureOrder::PLAIN);
        assert_eq!(image(&[1, 1, 4]), FeatureOrder::PLAIN);
        // Height and width are one index in both orders.
        assert_eq!(image(&[2, 2, 3]), image(&[4, 3]));
    }

    #[test]
    fn values_side_by_side_keep_their_orders() {
        let (image, plain) = (image(&[2, 2]), FeatureOrder::PLAIN);
        let both = FeatureOrder::concat([(&image, 4), (&plain, 1), (&plain, 2)]);
        assert_eq!(both.indices(7), [0, 2, 1, 3, 4, 5, 6]);
        assert_eq!(both.to_string(), "2 channels of 2 pixels + 3 features");
        assert_eq!(FeatureOrder::concat([(&plain, 1), (&plain, 2)]), FeatureOrder::PLAIN);
    }

    #[test]
    fn equal_parts_can_be_split() {
        let one = image(&[2, 2]);
        let two = FeatureOrder::concat([(&one, 4), (&one, 4)]);
        assert_eq!(two.split(2, 4), Some(one.clone()));
        assert_eq!(two.split(4, 2), None);
        assert_eq!(image(&[4, 2]).split(2, 4), None);
        assert_eq!(FeatureOrder::PLAIN.split(2, 4), Some(FeatureOrder::PLAIN));
    }
}
