//! Error messages of the compiler: `tests/ui` has a case for each mistake.

#[test]
fn mistakes() {
    trybuild::TestCases::new().compile_fail("tests/ui/*/*.rs");
}
