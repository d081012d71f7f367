//! `cargo xtask conformance --sentinel`: the suite of Redis 7.0's Sentinel, with five of ours over five servers of
//! Redis's own, or over others: `--sentinel target/release/plinth-server`.
//!
//! Units named are files of it (`05-manual`), and `--tls` has all of them speak TLS.
//!
//! A run passes when each file of tests was reached and no test failed.

use super::suite::Suite;
use super::tools;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Longest run; it takes five minutes as a rule.
const TIME_MAX: Duration = Duration::from_secs(1800);
/// The test that counts commands counts those of 7.0, and the reference is 7.2, whose CLIENT has more.
const COUNTED: &str = "tests/sentinel/tests/00-base.tcl";
const COUNTS: &str =
    "assert_equal {72} [llength [S $id command list]]\n        assert_equal {15} [S $id command count]";
const LATER_COUNTS: &str =
    "assert {[llength [S $id command list]] >= 72}\n        assert {[S $id command count] >= 15}";

/// The file that leaves a replica behind which loads for fifteen seconds, and what is put at its end: whoever takes its
/// snapshot at once is met loading by the next file, whose first commands are refused then. Redis begins a second later.
const LOADS: &str = "tests/sentinel/tests/12-master-reboot.tcl";
const LOADED: &str = "

test \"The old master has its copy\" {
    wait_for_condition 1000 50 {[RI 0 master_link_status] eq {up}} else {fail \"The old master does not follow\"}
}
";
/// What says that something is wrong, though no test has failed.
const WRONG: [&str; 3] = ["FAILED: caught an error", "ERROR: Sentinel has leaked", "*** Crash report"];

/// Run the suite with these programs.
///
/// # Errors
/// When it cannot be run.
pub(super) fn run(
    suite: &Suite,
    sentinel: &Path,
    servers: &Path,
    (asked, tls): (&[String], bool),
) -> Result<ExitCode, String> {
    let folder = suite.folder();
    let fail = |error: std::io::Error| format!("cannot prepare the Sentinel suite: {error}");
    for (name, program) in [("redis-sentinel", sentinel), ("redis-server", servers)] {
        let link = folder.join("src").join(name);
        // The link of the other suite is in the way.
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(program, link).map_err(fail)?;
    }
    std::fs::create_dir_all(folder.join("tests/sentinel/tmp")).map_err(fail)?;
    let text = std::fs::read_to_string(folder.join(COUNTED)).map_err(fail)?;
    std::fs::write(folder.join(COUNTED), text.replace(COUNTS, LATER_COUNTS)).map_err(fail)?;
    let text = std::fs::read_to_string(folder.join(LOADS)).map_err(fail)?;
    if !text.ends_with(LOADED) {
        std::fs::write(folder.join(LOADS), text + LOADED).map_err(fail)?;
    }
    let files = std::fs::read_dir(folder.join("tests/sentinel/tests")).map_err(fail)?.flatten();
    let files = files.filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".tcl")?.to_owned()));
    let files = files.filter(|file| asked.is_empty() || asked.contains(file)).count();
    if files < asked.len() {
        return Err(format!("the suite of the Sentinel has not all of {}", asked.join(", ")));
    }
    let script = "fconfigure stdout -buffering line\nsource tests/sentinel/run.tcl\n";
    std::fs::write(folder.join("sentinel-by-line.tcl"), script).map_err(fail)?;
    eprintln!("conformance: Sentinels are {}", tools::describe(sentinel));
    eprintln!("conformance: servers are {}", tools::describe(servers));
    let mut command = suite.tcl("sentinel-by-line.tcl");
    asked.iter().for_each(|file| _ = command.args(["--single", file]));
    if tls {
        suite.make_certificates()?;
        command.arg("--tls");
    }
    let mut runner = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(fail)?;
    let (begin, mut reached, mut failed, mut passed) = (Instant::now(), 0, 0, 0);
    let lines = BufReader::new(runner.stdout.take().ok_or("no output")?).split(b'\n');
    for line in lines.map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        println!("{line}");
        reached += usize::from(line.contains("Testing unit: "));
        failed += usize::from(WRONG.iter().any(|wrong| line.contains(wrong)));
        // With a terminal's colour or without.
        passed += usize::from(line.trim_end_matches("\u{1b}[0m").ends_with("OK"));
        if begin.elapsed() > TIME_MAX {
            runner.kill().map_err(fail)?;
            return Err("the Sentinel suite takes too long".into());
        }
    }
    let status = runner.wait().map_err(fail)?;
    println!("conformance: sentinel: {reached} of {files} files, {passed} tests passed, {failed} failed, {status}");
    Ok(if reached == files && failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
