//! [`Workspace`]: memory that is kept from call to call.

use super::cache_line::CacheLine;
use super::pages;

/// Memory that is reused, and only grows.
#[derive(Debug, Default)]
pub(crate) struct Workspace(Vec<f32>);

impl Workspace {
    /// No memory yet.
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// The first `len` elements, which begin a cache line. Their content stays from call to call, unless the memory grows.
    pub(crate) fn get(&mut self, len: usize) -> &mut [f32] {
        let Self(space) = self;
        if space.len() < len + CacheLine::LEN {
            // The old content is not needed: allocate anew instead of copying it.
            *space = Vec::new();
            space.reserve_exact(len + CacheLine::LEN);
            pages::prefer_large(space.spare_capacity_mut());
            space.resize(len + CacheLine::LEN, 0.0);
        }
        // A line more was allocated, because an allocation of `f32`s may begin anywhere in a line. By its
        // contract `align_offset` may fail; then the limit keeps the slice inside.
        let skip = space.as_ptr().align_offset(size_of::<CacheLine>()).min(CacheLine::LEN);
        &mut space[skip..skip + len]
    }
}
