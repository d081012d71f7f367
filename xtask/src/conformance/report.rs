//! The verdict on each unit, and how it is printed.

use std::fmt::Write;
use std::time::Duration;

use super::output::{Failure, Outcome};
use super::skip::Lists;
use super::suite::Suite;

/// One unit after all its passes.
pub(crate) struct Unit {
    name: String,
    passed: usize,
    failed: Vec<Failure>,
    skipped: usize,
    ignored: usize,
    /// What is wrong with the run itself.
    faults: Vec<Failure>,
    time: Duration,
}

impl Unit {
    /// Adds the passes up. `has_tests` is whether the unit's file defines any.
    pub(crate) fn judge(name: &str, has_tests: bool, lists: &Lists, passes: Vec<Outcome>, time: Duration) -> Unit {
        let mut faults = Vec::new();
        let mut fault = |text: String| faults.push(Failure { name: text, detail: Vec::new() });
        let passed: usize = passes.iter().map(|pass| pass.passed.len()).sum();
        let failures: usize = passes.iter().map(|pass| pass.failed.len()).sum();
        let done = passes.iter().all(|pass| pass.done);
        if !done {
            fault("the suite did not reach the unit's end".to_owned());
        } else {
            lists.stale(name, &passes).into_iter().for_each(&mut fault);
        }
        if has_tests && passed + failures == 0 {
            fault("not one test ran".to_owned());
        }
        // A name in the second list that brought no test forward would else pass for a success.
        if done && passes.iter().skip(1).any(|pass| pass.passed.len() + pass.failed.len() == 0) {
            fault("none of the tests that run alone ran".to_owned());
        }
        // What the second pass leaves out is what the first one ran.
        let skipped =
            passes.first().map_or(0, |pass| pass.skipped.iter().filter(|test| !lists.is_alone(name, test)).count());
        let ignored = passes.first().map_or(0, |pass| pass.ignored.len());
        let mut failed = Vec::new();
        for pass in passes {
            failed.extend(pass.failed);
            faults.extend(pass.breaks);
        }
        Unit { name: name.to_owned(), passed, failed, skipped, ignored, faults, time }
    }

    pub(crate) fn passes(&self) -> bool {
        self.failed.is_empty() && self.faults.is_empty()
    }

    /// One line while the others run.
    pub(crate) fn summary(&self) -> String {
        let verdict = if self.passes() { "" } else { ": FAILED" };
        format!(
            "{}: {} passed, {} failed, {} skipped ({:.1} s){verdict}",
            self.name,
            self.passed,
            self.failed.len(),
            self.skipped,
            self.time.as_secs_f64()
        )
    }
}

/// The table of all units with its sums. Failures of the run itself are no tests and only show in
/// the verdict.
pub(crate) fn table(units: &[Unit]) -> String {
    let width = units.iter().map(|unit| unit.name.len()).max().unwrap_or(0).max("unit".len());
    let mut text = String::new();
    let mut row = |name: &str, counts: [&dyn std::fmt::Display; 4], verdict: &str| {
        let [passed, failed, skipped, ignored] = counts;
        let _ = writeln!(text, "{name:<width$}  {passed:>6}  {failed:>6}  {skipped:>7}  {ignored:>7}  {verdict}");
    };
    row("unit", [&"passed", &"failed", &"skipped", &"ignored"], "verdict");
    for unit in units {
        let verdict = match (unit.passes(), unit.passed) {
            (false, _) => "FAILED",
            (true, 0) => "passed (has no tests, ran to its end)",
            (true, _) => "passed",
        };
        row(&unit.name, [&unit.passed, &unit.failed.len(), &unit.skipped, &unit.ignored], verdict);
    }
    let sum = |count: &dyn Fn(&Unit) -> usize| units.iter().map(count).sum::<usize>();
    let sums: [usize; 4] = [
        sum(&|unit| unit.passed),
        sum(&|unit| unit.failed.len()),
        sum(&|unit| unit.skipped),
        sum(&|unit| unit.ignored),
    ];
    let verdict = if units.iter().all(Unit::passes) { "passed" } else { "FAILED" };
    row("all", [&sums[0], &sums[1], &sums[2], &sums[3]], verdict);
    text
}

/// Each failure with what the suite said, and where to read on. Empty when there is none.
pub(crate) fn failures(units: &[Unit], suite: &Suite) -> String {
    let mut text = String::new();
    for unit in units.iter().filter(|unit| !unit.passes()) {
        let _ = writeln!(text, "\n{}:", unit.name);
        for failure in unit.faults.iter().chain(&unit.failed) {
            let _ = writeln!(text, "  - {}", failure.name);
            for line in &failure.detail {
                let _ = writeln!(text, "      {line}");
            }
        }
        let _ = writeln!(
            text,
            "  All it printed: {}\n  Its servers' logs: {}\n  By hand: (cd {} && ./runtest --single {} --durable --only 'TEST')",
            suite.log_file(&unit.name).display(),
            suite.log_folder(&unit.name).display(),
            suite.folder().display(),
            unit.name
        );
    }
    text
}

/// Each failed test in the form of `skip.tsv`. What the suite said stands for the reason, so that
/// whoever writes the list knows where to look; a fault of the run is a comment, being no test.
pub(crate) fn skip_lines(units: &[Unit]) -> String {
    let mut text = String::new();
    for unit in units {
        for failure in &unit.failed {
            let said = failure.detail.iter().map(|line| line.trim()).find(|line| !line.is_empty());
            let said = said.unwrap_or("failed without a message").replace('\t', " ");
            let _ = writeln!(text, "{}\t{}\t{said}", unit.name, failure.name);
        }
        for fault in &unit.faults {
            let _ = writeln!(text, "# {}: {}", unit.name, fault.name);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(skip: &str) -> Lists {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("skip.tsv"), skip).unwrap();
        std::fs::write(folder.path().join("alone.tsv"), "unit/keyspace\tMOVE\tneeds an empty database\n").unwrap();
        Lists::read(folder.path()).unwrap()
    }

    fn judge(unit: &str, has_tests: bool, skip: &str, passes: &[&str]) -> Unit {
        let outcome = |text: &&str| {
            let mut outcome = Outcome::default();
            text.lines().for_each(|line| outcome.take(line));
            outcome
        };
        Unit::judge(unit, has_tests, &lists(skip), passes.iter().map(outcome).collect(), Duration::ZERO)
    }

    const DONE: &str = "[1/1 done]: unit (0 seconds)\n";

    #[test]
    fn a_unit_passes_only_if_its_end_was_reached() {
        assert!(judge("unit/scan", true, "", &[&format!("[ok]: a (1 ms)\n{DONE}")]).passes());
        assert!(!judge("unit/scan", true, "", &["[ok]: a (1 ms)\n"]).passes());
    }

    #[test]
    fn a_unit_that_ran_no_test_fails_unless_it_has_none() {
        assert!(!judge("unit/scan", true, "", &[DONE]).passes());
        assert!(judge("unit/printver", false, "", &[DONE]).passes());
    }

    #[test]
    fn a_stale_entry_fails_the_unit() {
        let text = format!("[ok]: a (1 ms)\n[skip]: b\n{DONE}");
        assert!(judge("unit/scan", true, "unit/scan\tb\tx\n", &[&text]).passes());
        assert!(!judge("unit/scan", true, "unit/scan\tb\tx\nunit/scan\tc\tx\n", &[&text]).passes());
    }

    #[test]
    fn a_failure_or_a_break_fails_the_unit() {
        assert!(!judge("unit/scan", true, "", &[&format!("[ok]: a (1 ms)\n[err]: b in tests/x.tcl\n{DONE}")]).passes());
        assert!(!judge("unit/scan", true, "", &[&format!("[ok]: a (1 ms)\n[exception]: b\n{DONE}")]).passes());
    }

    #[test]
    fn a_test_that_runs_alone_counts_once() {
        let first = format!("[ok]: a (1 ms)\n[skip]: MOVE\n[skip]: b\n{DONE}");
        let second = format!("[skip]: a\n[ok]: MOVE (1 ms)\n[skip]: b\n{DONE}");
        let unit = judge("unit/keyspace", true, "unit/keyspace\tb\tx\n", &[&first, &second]);
        assert!(unit.passes());
        assert_eq!((unit.passed, unit.skipped), (2, 1));
        let gone = judge("unit/keyspace", true, "unit/keyspace\tb\tx\n", &[&first, DONE]);
        assert!(!gone.passes());
    }

    #[test]
    fn failed_tests_are_printed_as_lines_that_the_list_takes() {
        let text = format!("[err]: LPOP a in tests/x.tcl\nExpected\t'a'\n[err]: RPOP in tests/x.tcl\n{DONE}");
        let unit = judge("unit/type/list", true, "", &[&text]);
        let lines = skip_lines(&[unit]);
        assert_eq!(lines, "unit/type/list\tLPOP a\tExpected 'a'\nunit/type/list\tRPOP\tfailed without a message\n");
        assert!(lists(&lines).skip_arguments("unit/type/list").contains(&"RPOP".to_owned()));
    }
}
