//! [`Shape`]: the sizes of a value's axes.

/// The most axes a value can have.
pub const MAX_RANK: usize = 6;

/// The sizes of a value's axes, channels last: `height x width x channels`, `steps x features`,
/// `features`. The batch is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    // Axes beyond `rank` stay zero, so that the derived equality is right.
    dims: [usize; MAX_RANK],
    rank: usize,
}

impl Shape {
    /// A shape of these axes.
    ///
    /// # Panics
    /// With more than [`MAX_RANK`] axes.
    #[must_use]
    pub const fn new(axes: &[usize]) -> Self {
        assert!(axes.len() <= MAX_RANK, "a shape has at most 6 axes");
        let mut dims = [0; MAX_RANK];
        let mut i = 0;
        while i < axes.len() {
            dims[i] = axes[i];
            i += 1;
        }
        Self { dims, rank: axes.len() }
    }

    /// The number of axes.
    #[must_use]
    pub const fn rank(&self) -> usize {
        self.rank
    }

    /// The sizes of all axes.
    #[must_use]
    pub const fn dims(&self) -> &[usize] {
        self.dims.split_at(self.rank).0
    }

    /// The size of axis `axis`.
    ///
    /// # Panics
    /// When there is no such axis.
    #[must_use]
    pub const fn dim(&self, axis: usize) -> usize {
        assert!(axis < self.rank, "the shape has no such axis");
        self.dims[axis]
    }

    /// The size of the last axis: the channels or features.
    #[must_use]
    pub const fn last(&self) -> usize {
        self.dim(self.rank - 1)
    }

    /// The number of elements along the axes from `begin` to before `end`.
    ///
    /// # Panics
    /// When there are no such axes.
    #[must_use]
    pub const fn span(&self, begin: usize, end: usize) -> usize {
        let (mut len, mut axis) = (1, begin);
        while axis < end {
            len *= self.dim(axis);
            axis += 1;
        }
        len
    }

    /// The number of elements along the last `axes` axes, or of all if there are fewer.
    #[must_use]
    pub const fn last_axes(&self, axes: usize) -> usize {
        self.span(self.rank.saturating_sub(axes), self.rank)
    }

    /// This shape with another last axis.
    #[must_use]
    pub const fn with_last(mut self, size: usize) -> Self {
        self.dims[self.rank - 1] = size;
        self
    }

    /// The number of elements; `None` where it overflows.
    #[must_use]
    pub const fn checked_len(&self) -> Option<usize> {
        let mut product: usize = 1;
        let mut i = 0;
        while i < self.rank {
            match product.checked_mul(self.dims[i]) {
                Some(p) => product = p,
                None => return None,
            }
            i += 1;
        }
        Some(product)
    }

    /// The number of elements.
    ///
    /// # Panics
    /// Where that overflows.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self.checked_len() {
            Some(n) => n,
            None => panic!("a shape of more than usize::MAX elements"),
        }
    }

    /// Whether it has no elements.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Equality as a `const fn`: `==` of a type of one's own is not const.
    #[must_use]
    pub const fn same(&self, other: &Self) -> bool {
        if self.rank != other.rank {
            return false;
        }
        let mut i = 0;
        while i < self.rank {
            if self.dims[i] != other.dims[i] {
                return false;
            }
            i += 1;
        }
        true
    }
}
