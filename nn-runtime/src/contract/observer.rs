//! [`Observer`]: sees the values of nodes, or their gradients, while a sample passes through a network.

use crate::system::RngKey;
use std::sync::{Mutex, PoisonError};

/// Collects a slice of each node. A node is known by its random key, which is derived from the names of the networks around it
/// and its own.
#[derive(Debug, Default)]
pub struct Observer {
    seen: Mutex<Vec<(RngKey, Vec<f32>)>>,
}

impl Observer {
    /// Keeps a copy of `values`, unless there is one of this node. A node with several phases is seen in each: its value is
    /// complete in the last one, which overwrites, and its gradient in the first one that runs.
    pub(super) fn see(&self, node: RngKey, values: &[f32], overwrite: bool) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.iter_mut().find(|(other, _)| *other == node) {
            Some((_, copy)) if overwrite => copy.copy_from_slice(values),
            Some(_) => {}
            None => seen.push((node, values.to_vec())),
        }
    }

    /// What was seen of the node with this key.
    pub(crate) fn of(&self, node: RngKey) -> Option<Vec<f32>> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().find(|(other, _)| *other == node).map(|(_, copy)| copy.clone())
    }
}
