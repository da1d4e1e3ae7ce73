//! [`Checkpoints`]: where and when a trainer writes checkpoints.

use std::path::PathBuf;

/// Where and when checkpoints are written.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(feature = "files"), allow(dead_code, reason = "there are no checkpoints"))]
pub(super) struct Checkpoints {
    /// The folder.
    pub(super) folder: Option<PathBuf>,
    /// The steps between checkpoints inside of an epoch.
    pub(super) every: Option<u64>,
    pub(super) resume: bool,
}

impl Checkpoints {
    /// When checkpoints are written, if they are, and whether one is continued.
    pub(super) fn when(&self) -> Option<(Option<u64>, bool)> {
        self.folder.as_ref().map(|_| (self.every, self.resume))
    }

    pub(super) const NONE: Self = Self { folder: None, every: None, resume: false };
}
