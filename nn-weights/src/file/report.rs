//! [`LoadReport`]: what was loaded of a file.

use super::error::{Mismatch, listed};
use std::fmt;

/// What `FilesExt::load_matching` has loaded and what not.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LoadReport {
    /// The tensors of the network that were loaded, in the network's order.
    pub loaded: Vec<String>,
    /// The tensors of the file for which `rename` returned `None`, or the name of another tensor.
    pub skipped: Vec<String>,
    /// All other differences: tensors of the network that the file does not have, tensors of the file that the network
    /// does not have, and tensors of another shape or type, which were not loaded.
    pub mismatches: Vec<Mismatch>,
}

/// The number of tensors that were loaded and skipped, and a line for each difference.
impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tensors loaded, {} skipped", self.loaded.len(), self.skipped.len())?;
        match self.mismatches.as_slice() {
            [] => Ok(()),
            mismatches => write!(f, ", {}", listed(mismatches)),
        }
    }
}
