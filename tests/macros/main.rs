//! The macros in crates with strict lints, shadowed names and another name for `unrolled`.

mod derive;
// Public, so that `unreachable_pub` sees its networks as an API.
pub mod hygiene;
