//! The program with real modules.

use plinth_testkit::build;
use std::process::{Command, Output};

fn verify(module: &str, kind: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plinth-verify"));
    command.args([module, "--type", kind, "--cases", "40", "--server"]).arg(build::server());
    command.output().unwrap_or_else(|error| panic!("it does not start: {error}"))
}

#[test]
fn a_strangers_list_behaves_as_the_first_party_one() {
    let output = verify(&build::library("list-whole"), "list");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("no differences"), "{text}");
}

#[test]
fn what_is_no_module_is_refused_with_a_reason() {
    let output = verify("/nowhere.so", "list");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere.so"));
}
