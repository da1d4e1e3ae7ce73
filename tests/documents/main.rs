//! Documents and source files that must agree with the registry of layers and with the compile-fail cases.

mod examples;
mod generated;
mod layers;
mod registry;

/// The root of the repository.
fn project() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
}
