//! The program with real modules: with those that behave, and with one whose fault is planted.

use plinth_testkit::{TempDir, build, cc};
use std::process::{Command, Output};

/// Runs it with so many cases, and more arguments.
fn verify(module: &str, kind: &str, cases: u32, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plinth-verify"));
    command.args([module, "--type", kind, "--cases", &cases.to_string(), "--server"]).arg(build::server()).args(more);
    command.output().unwrap_or_else(|error| panic!("it does not start: {error}"))
}

/// What it prints.
fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[track_caller]
fn assert_no_differences(output: &Output) {
    let text = text(output);
    assert!(output.status.success() && text.contains("no differences"), "{text}");
}

#[test]
fn a_strangers_list_behaves_as_the_first_party_one() {
    assert_no_differences(&verify(&build::library("list-whole"), "list", 40, &[]));
}

#[test]
fn the_skip_list_behaves_as_the_first_party_tree() {
    assert_no_differences(&verify(&build::library("zset-skiplist"), "zset", 40, &[]));
}

#[test]
fn strings_on_the_heap_behave_as_the_first_party_ones() {
    assert_no_differences(&verify(&build::library("string-plain"), "string", 40, &[]));
}

#[test]
fn the_plain_log_behaves_as_the_first_party_tree() {
    assert_no_differences(&verify(&build::library("stream-log"), "stream", 40, &[]));
}

#[test]
fn sets_over_a_storage_in_c_behave_as_the_first_party_ones() {
    let folder = TempDir::new();
    let storage = cc::module(&folder, "examples/set-c/set.c", &[]);
    assert_no_differences(&verify(&build::library("set_foreign"), "set", 40, &["--with", &storage]));
}

#[test]
fn first_party_modules_behave_as_themselves() {
    build::server();
    for kind in ["list", "hash", "set", "string", "zset", "stream"] {
        let module = build::library(&format!("plinth_{kind}"));
        assert_no_differences(&verify(&module, kind, 15, &["--seed", "500"]));
    }
}

#[test]
fn a_wrong_order_of_equal_scores_is_found_and_shown_in_a_few_commands() {
    let output = verify(&build::library("zset-ties"), "zset", 40, &[]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("they differ"), "{text}");
    // The first case that is printed is the smallest.
    let first = text.split("\n\n").next().unwrap_or_default();
    let commands: Vec<&str> = first.lines().filter_map(|line| line.trim_start().strip_prefix("> ")).collect();
    assert!((2..=10).contains(&commands.len()), "{first}");
    assert!(commands.iter().any(|command| command.starts_with('Z')), "{first}");
}

#[test]
fn what_is_no_module_is_refused_with_a_reason() {
    let output = verify("/nowhere.so", "list", 40, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("/nowhere.so"));
}

#[test]
fn a_module_that_does_not_bring_the_type_is_refused() {
    build::server();
    for (library, kind, types) in [("gauge", "hash", "com.example.gauge"), ("plinth_bitmap", "string", "none")] {
        let output = verify(&build::library(library), kind, 1, &[]);
        let text = text(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(&format!("does not bring the type {kind} (its types: {types})")), "{text}");
    }
}
