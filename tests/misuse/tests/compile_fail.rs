//! Mistakes that the compiler must find: each file is one, and beside it is what is said about it.

#[test]
fn misuse_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
