//! `cargo xtask test`: everything that has to hold before a change is sent, in the order in which
//! a fault costs least: format, the sources' rules, headers, clippy, tests, a module made anew.
//!
//! `.ci/run` does the same and the conformance suite after it.

use std::process::{Command, ExitCode};
use std::time::Instant;

/// Which of it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only what needs no test to run: format, tidy, headers, clippy.
    #[arg(long)]
    quick: bool,
}

/// A step: its name, the program (cargo, or this one), and its arguments.
struct Step {
    name: &'static str,
    own: bool,
    args: &'static [&'static str],
    quick: bool,
}

const STEPS: &[Step] = &[
    Step { name: "format", own: false, args: &["fmt", "--all", "--check"], quick: true },
    Step { name: "tidy", own: true, args: &["tidy"], quick: true },
    Step { name: "headers", own: true, args: &["headers", "--check", "--compile"], quick: true },
    Step {
        name: "clippy",
        own: false,
        args: &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"],
        quick: true,
    },
    Step { name: "tests", own: false, args: &["test", "--workspace"], quick: false },
    Step { name: "new module", own: true, args: &["new-module", "--try"], quick: false },
];

/// Runs the steps, all of them even when one fails, and prints a table.
///
/// # Errors
/// When a program cannot be started.
pub(crate) fn run(args: Args) -> Result<ExitCode, String> {
    let root = crate::tidy::workspace()?;
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut lines = Vec::new();
    let mut failed = false;
    for step in STEPS.iter().filter(|step| step.quick || !args.quick) {
        println!("== {} ==", step.name);
        let begun = Instant::now();
        let mut program = if step.own { Command::new(&own) } else { crate::cargo::cargo() };
        let status =
            program.current_dir(&root).args(step.args).status().map_err(|error| format!("{}: {error}", step.name))?;
        failed |= !status.success();
        let verdict = if status.success() { "passed" } else { "FAILED" };
        lines.push(format!("{:<12} {verdict} {:>7.1} s", step.name, begun.elapsed().as_secs_f64()));
    }
    println!("\n{}", lines.join("\n"));
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
