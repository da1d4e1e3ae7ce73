//! Error messages of the compiler: `tests/ui` has a case for each mistake.

use std::fs;
use std::path::Path;

#[test]
fn mistakes() {
    copy_weights();
    trybuild::TestCases::new().compile_fail("tests/ui/*/*.rs");
}

/// Copies a file of weights to the package that trybuild makes: paths in `#[weights("..")]` begin there.
fn copy_weights() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let package = target.join("tests/trybuild/unrolled");
    fs::create_dir_all(&package).unwrap();
    let name = "lenet_weights.safetensors";
    let weights = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/models").join(name);
    fs::copy(weights, package.join(name)).unwrap();
}
