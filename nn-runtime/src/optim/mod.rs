//! Optimisers: update rules with PyTorch's definitions and defaults, gradient clipping and learning-rate schedules.
//!
//! An update is one pass over flat slices, cut into chunks for several threads. The result does not depend on the
//! number of threads.

mod adagrad;
mod adam;
mod adaptive;
mod average;
mod clip;
mod curvature;
mod extension;
mod groups;
mod lamb;
mod lbfgs;
mod lion;
mod moments;
mod muon;
mod nadam;
mod newton_schulz;
mod optimizer;
mod pattern;
mod radam;
mod rmsprop;
pub mod schedule;
mod sgd;
mod sparse_gradient;
mod state;
mod strong_wolfe;
#[cfg(test)]
mod tests;
mod update;

pub use adagrad::Adagrad;
pub use adam::{Adam, AdamLike, AdamW};
pub use adaptive::AdaptiveClip;
pub use average::{Ema, Swa};
pub use clip::{Clip, clip_norm, clip_value};
pub(crate) use clip::{Clipper, norm, norm_of};
pub use extension::{AsNetwork, AsNetworkMut, OptimizerExt};
pub(crate) use extension::{UpdatedPart, update_part, updated_ranges};
pub use groups::Groups;
pub use lamb::LAMB;
pub use lbfgs::LBFGS;
pub use lion::Lion;
pub use muon::Muon;
pub use nadam::NAdam;
pub use optimizer::{Divisible, Optimizer, TrainedRange, UntouchedRows};
pub use pattern::GroupsError;
pub(crate) use pattern::{closest, quoted};
pub use radam::RAdam;
pub use rmsprop::RMSprop;
pub use sgd::SGD;
pub use sparse_gradient::SparseGradient;
pub use state::{OptimizerState, StateError};
