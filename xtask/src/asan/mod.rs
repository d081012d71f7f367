//! `cargo xtask asan`: the server, its modules and the tests under AddressSanitizer, which sees what is read
//! or written outside a block, or after it was freed.
//!
//! Everything is built for the target by name, so that compiler plugins are not instrumented, into
//! `target/asan`, with jemalloc left out (`--cfg plinth_asan`; `core/src/base/allocator.rs`): the sanitizer
//! watches the system's allocator. Its runtime comes with the toolchain; the executable has it and exports it
//! to the modules. Then run the tests of the wire, of modules and of the ABI, and random calls
//! (`tests/modules/storm.rs`). What the sanitizer reports, of whichever process, goes to files, and one such
//! file is a failure.
//!
//! Modules in C are compiled as strangers do it and are not instrumented; what they allocate is watched.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What is to be run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Random calls.
    #[arg(long, default_value_t = 1_000_000)]
    calls: u32,
    /// Seed of the random calls.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only the random calls.
    #[arg(long)]
    calls_only: bool,
    /// Only tests with a name that contains this.
    #[arg(long)]
    tests: Option<String>,
}

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The server exports the runtime to its modules.
const FLAGS: &str = "-Zsanitizer=address --cfg plinth_asan -Clink-arg=-rdynamic -Cforce-frame-pointers=yes";

/// Every module brings a copy of the SDK's statics, and is loaded from a new file each time; what does not fit
/// into memory is refused, as the tests expect; servers that are killed leave everything.
const OPTIONS: &str = "detect_odr_violation=0:allocator_may_return_null=1:detect_leaks=0:abort_on_error=1";

/// Tests that ask what only holds without the sanitizer: they limit the address space, of which it reserves
/// terabytes, or measure memory, of which it takes more.
const LEFT_OUT: &[&str] = &["there_is_no_memory", "memory_that_is_not_there", "rounds_of_"];

/// Builds, and runs the tests and the calls. All steps select the workspace, which has one set of features.
///
/// # Errors
/// When a program cannot be started.
pub(crate) fn run(args: Args) -> Result<ExitCode, String> {
    let root = crate::tidy::workspace()?;
    let folder = root.join("target/asan");
    let reports = folder.join("reports");
    let _ = std::fs::remove_dir_all(&reports);
    std::fs::create_dir_all(&reports).map_err(|error| format!("{}: {error}", reports.display()))?;
    let build = ["build", "--workspace", "--bin", "plinth-server", "--test", "abi"];
    let mut passed = finish(cargo(&root, &folder, &build, &[]))?;
    if passed && !args.calls_only {
        let mut words: Vec<&str> = args.tests.as_deref().into_iter().collect();
        words.extend(LEFT_OUT.iter().flat_map(|name| ["--skip", name]));
        let tests = ["test", "--workspace", "--no-fail-fast", "--test=wire", "--test=modules", "--test=abi"];
        passed = finish(cargo(&root, &folder, &tests, &words))?;
    }
    if passed && args.tests.is_none() {
        let test = ["test", "--workspace", "--test=modules"];
        let mut command = cargo(&root, &folder, &test, &["random_calls", "--nocapture"]);
        command.env("PLINTH_CALLS", args.calls.to_string()).env("PLINTH_FUZZ_SEED", args.seed.to_string());
        passed = finish(command)?;
    }
    let found = reports_in(&reports);
    for report in &found {
        let text = std::fs::read_to_string(report).unwrap_or_default();
        println!("\n== {}\n{}", report.display(), text.lines().take(40).collect::<Vec<_>>().join("\n"));
    }
    println!("\n{} reports", found.len());
    Ok(if passed && found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Cargo, for code that is instrumented; and what the program that it runs is told.
fn cargo(root: &Path, folder: &Path, args: &[&str], program_args: &[&str]) -> Command {
    let mut command = crate::cargo::cargo();
    command.current_dir(root).args(args).args(["--target", TARGET]);
    if args[0] == "test" {
        command.arg("--").args(program_args);
    }
    command.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", FLAGS).env("CARGO_INCREMENTAL", "0");
    command.env("CARGO_TARGET_DIR", folder);
    command.env("PLINTH_SERVER", folder.join(TARGET).join("debug/plinth-server"));
    let log = folder.join("reports/report");
    command.env("ASAN_OPTIONS", format!("{OPTIONS}:log_path={}", log.display()));
    command
}

fn finish(mut command: Command) -> Result<bool, String> {
    command.status().map(|status| status.success()).map_err(|error| format!("cargo: {error}"))
}

fn reports_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}
