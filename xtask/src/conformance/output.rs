//! What the suite's runner prints, line by line.
//!
//! ```text
//! [ok]: NAME (3 ms)                        a test passed
//! [err]: NAME in tests/unit/FILE.tcl       a test failed; the lines below say how
//! [err]: Can't start the Redis server      no test at all, but a failure as well
//! [skip]: NAME                             our lists name it
//! [ignore]: NAME: REASON                   the suite leaves it out by itself
//! [exception]: TEXT                        the unit broke off outside a test
//! [TIMEOUT]: ...                           the unit hung and was given up
//! [1/1 done]: UNIT (2 seconds)             the unit's end was reached
//!                    The End               a repetition of the failures follows
//! ```

/// What one pass of the runner came to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) passed: Vec<String>,
    pub(crate) failed: Vec<Failure>,
    pub(crate) skipped: Vec<String>,
    pub(crate) ignored: Vec<String>,
    /// Whether the runner said that the unit is done.
    pub(crate) done: bool,
    /// What went wrong outside any test.
    pub(crate) breaks: Vec<Failure>,
    detail: Detail,
    over: bool,
}

/// A test, or a break, and the lines below its own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) name: String,
    pub(crate) detail: Vec<String>,
}

/// To what the next line belongs if it says nothing by itself.
#[derive(Debug, Default)]
enum Detail {
    #[default]
    Nothing,
    Failed,
    /// The configuration of a server that did not start, up to `ERROR:`. It tells nothing.
    Configuration,
    /// What that server printed; the reason is near the end.
    Log,
    Breaks,
}

/// Lines kept of what a failure says, and characters of each: a value of megabytes may be quoted.
const DETAIL_LINES: usize = 12;
const DETAIL_CHARACTERS: usize = 400;

impl Outcome {
    /// Takes the next line, without its end.
    pub(crate) fn take(&mut self, line: &str) {
        if self.over {
            return;
        }
        if line.trim() == "The End" {
            self.over = true;
            return;
        }
        if line.starts_with("Forcing process ") {
            // The suite is content with a server that has to be killed; we are not.
            self.break_off(format!("a server did not end when told to: {line}"));
            return;
        }
        match line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
            Some((status, rest)) => self.take_status(status, rest, line),
            None => self.take_detail(line),
        }
    }

    fn take_status(&mut self, status: &str, rest: &str, line: &str) {
        self.detail = match status {
            "ok" => {
                self.passed.push(without_time(rest).to_owned());
                Detail::Nothing
            }
            "skip" => {
                self.skipped.push(rest.to_owned());
                Detail::Nothing
            }
            "ignore" => {
                self.ignored.push(rest.to_owned());
                Detail::Nothing
            }
            "err" => {
                let name = rest.rsplit_once(" in tests/").map_or(rest, |(name, _)| name);
                self.failed.push(Failure { name: shortened(name), detail: Vec::new() });
                Detail::Failed
            }
            "exception" => return self.break_off(format!("the unit broke off: {rest}")),
            "TIMEOUT" => return self.break_off("the unit made no progress and was given up".to_owned()),
            status if status.ends_with(" done") => {
                self.done = true;
                Detail::Nothing
            }
            _ => return self.take_detail(line),
        };
    }

    fn take_detail(&mut self, line: &str) {
        match self.detail {
            Detail::Failed if line.starts_with("CONFIGURATION:") => self.detail = Detail::Configuration,
            Detail::Configuration if line.starts_with("ERROR:") => self.detail = Detail::Log,
            _ => {}
        }
        let failures = match self.detail {
            Detail::Nothing | Detail::Configuration => return,
            Detail::Failed | Detail::Log => &mut self.failed,
            Detail::Breaks => &mut self.breaks,
        };
        let Some(Failure { detail, .. }) = failures.last_mut() else { return };
        if detail.len() == 1 && line.ends_with(detail[0].as_str()) {
            // The suite takes every error for an assertion and cuts off as much as that word has;
            // then it prints the error once more, whole.
            detail.clear();
        }
        if matches!(self.detail, Detail::Log) && detail.len() == DETAIL_LINES {
            detail.remove(0);
        }
        if detail.len() < DETAIL_LINES {
            detail.push(shortened(line));
        }
    }

    /// Notes that the unit cannot be trusted any more.
    pub(crate) fn break_off(&mut self, reason: String) {
        self.breaks.push(Failure { name: shortened(&reason), detail: Vec::new() });
        self.detail = Detail::Breaks;
    }
}

fn without_time(rest: &str) -> &str {
    match rest.rsplit_once(" (") {
        Some((name, time)) if time.ends_with(" ms)") => name,
        _ => rest,
    }
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(DETAIL_CHARACTERS) {
        None => line.to_owned(),
        Some((end, _)) => format!("{} ...", &line[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(text: &str) -> Outcome {
        let mut outcome = Outcome::default();
        text.lines().for_each(|line| outcome.take(line));
        outcome
    }

    #[test]
    fn a_whole_unit_is_counted() {
        let outcome = outcome(
            "Starting test server at port 21079\n[ready]: 4711\nTesting unit/quit\n\
             [ok]: QUIT returns OK (12 ms)\n[skip]: needs (much) more\n[ignore]: huge: large memory flag not provided\n\
             [1/1 done]: unit/quit (0 seconds)\n\n                   The End\n",
        );
        assert_eq!(outcome.passed, ["QUIT returns OK"]);
        assert_eq!(outcome.skipped, ["needs (much) more"]);
        assert_eq!(outcome.ignored, ["huge: large memory flag not provided"]);
        assert!(outcome.done && outcome.failed.is_empty() && outcome.breaks.is_empty());
    }

    #[test]
    fn a_name_may_look_like_a_time() {
        assert_eq!(outcome("[ok]: DEL all keys (DB 0) (7 ms)").passed, ["DEL all keys (DB 0)"]);
        assert_eq!(outcome("[ok]: RENAMENX key (2)").passed, ["RENAMENX key (2)"]);
    }

    #[test]
    fn a_failure_has_its_lines_and_is_counted_once() {
        let outcome = outcome(
            "[err]: SET in GET in tests/unit/type/string.tcl\nExpected 'a' to be equal to 'b'\n[ok]: next (0 ms)\n\
             not a detail\n[1/1 done]: unit/type/string (0 seconds)\n                   The End\n\
             *** [err]: SET in GET in tests/unit/type/string.tcl\n[err]: never\n",
        );
        let expected =
            Failure { name: "SET in GET".to_owned(), detail: vec!["Expected 'a' to be equal to 'b'".to_owned()] };
        assert_eq!(outcome.failed, [expected]);
        assert_eq!(outcome.passed, ["next"]);
    }

    #[test]
    fn a_server_that_does_not_start_is_a_failure() {
        let log: String = (1..=100).map(|number| format!("line {number}\n")).collect();
        let text = format!("[err]: Can't start the Redis server\nCONFIGURATION:port 1\ndir x\nERROR:first\n{log}");
        let outcome = outcome(&text);
        assert_eq!(outcome.failed[0].name, "Can't start the Redis server");
        assert_eq!(outcome.failed[0].detail.len(), DETAIL_LINES);
        assert_eq!(outcome.failed[0].detail.last().unwrap(), "line 100");
        assert!(!outcome.done);
    }

    #[test]
    fn an_error_that_the_suite_cuts_is_shown_whole() {
        let text =
            "[err]: MOVE in tests/unit/x.tcl\nn command 'move'\nERR unknown command 'move'\n    while executing\n";
        assert_eq!(outcome(text).failed[0].detail, ["ERR unknown command 'move'", "    while executing"]);
    }

    #[test]
    fn an_exception_and_a_timeout_break_the_unit_off() {
        let exception = outcome("[ok]: a (0 ms)\n[exception]: Executing test client: no such field.\n    while\n");
        assert!(exception.breaks[0].name.contains("no such field"));
        assert_eq!(exception.breaks[0].detail, ["    while"]);
        let timeout = outcome("[TIMEOUT]: clients state report follows.\nsock5 => (IN PROGRESS) SCAN basic\n");
        assert_eq!(timeout.breaks[0].detail, ["sock5 => (IN PROGRESS) SCAN basic"]);
        assert!(!exception.done && !timeout.done);
    }

    #[test]
    fn a_server_that_had_to_be_killed_is_noticed() {
        assert_eq!(outcome("Forcing process 12 to crash...").breaks.len(), 1);
        assert_eq!(outcome("Waiting for process 12 to exit...").breaks.len(), 0);
    }

    #[test]
    fn long_lines_and_long_details_are_cut() {
        let text = format!("[err]: big in tests/unit/x.tcl\n{}\n{}", "é".repeat(1000), "more\n".repeat(100));
        let failure = &outcome(&text).failed[0];
        assert_eq!(failure.detail.len(), DETAIL_LINES);
        assert_eq!(failure.detail[0].chars().count(), DETAIL_CHARACTERS + 4);
    }
}
