//! The two lists in `tests/conformance/`, and whether they still say something true.
//!
//! ```text
//! skip.tsv    unit <TAB> test <TAB> reason     not run: Plinth has not got what it needs
//! alone.tsv   unit <TAB> test <TAB> reason     run on a fresh server after the rest of its unit
//! ```
//!
//! A test is its name in the suite or `/regex/`, which the suite and we search for anywhere in a
//! name; the two dialects differ, so keep to what both know. Lines that begin with `#` are
//! comments. The suite tells by its output what it left out, so an entry that fits nothing there
//! is stale: tests that were renamed or removed cannot hide in the lists.

use std::path::Path;

use regex::Regex;

use super::output::Outcome;
use super::suite::Suite;

/// One line.
#[derive(Debug)]
struct Entry {
    unit: String,
    test: Test,
    /// Where it stands, for messages.
    place: String,
}

#[derive(Debug)]
enum Test {
    Name(String),
    Regex(Regex),
}

/// Both lists.
#[derive(Debug)]
pub(crate) struct Lists {
    skip: Vec<Entry>,
    alone: Vec<Entry>,
}

impl Lists {
    /// # Errors
    /// When a list is missing or a line is not well formed.
    pub(crate) fn read(folder: &Path) -> Result<Lists, String> {
        let read = |name: &str| {
            let text = std::fs::read_to_string(folder.join(name))
                .map_err(|error| format!("cannot read {}: {error}", folder.join(name).display()))?;
            entries(name, &text)
        };
        Ok(Lists { skip: read("skip.tsv")?, alone: read("alone.tsv")? })
    }

    /// # Errors
    /// When a list names a unit that the suite has not got.
    pub(crate) fn check_units(&self, suite: &Suite) -> Result<(), String> {
        match self.skip.iter().chain(&self.alone).find(|entry| !suite.has_unit(&entry.unit)) {
            None => Ok(()),
            Some(entry) => Err(format!("{}: the suite has no unit {}", entry.place, entry.unit)),
        }
    }

    /// What the unit's first pass leaves out.
    pub(crate) fn skip_arguments(&self, unit: &str) -> Vec<String> {
        of_unit(&self.skip, unit).chain(of_unit(&self.alone, unit)).map(|entry| entry.test.argument()).collect()
    }

    /// What the unit's second pass runs; most units have none.
    pub(crate) fn alone_arguments(&self, unit: &str) -> Vec<String> {
        of_unit(&self.alone, unit).map(|entry| entry.test.argument()).collect()
    }

    /// Whether this test, left out by the first pass, is left to the second.
    pub(crate) fn is_alone(&self, unit: &str, name: &str) -> bool {
        of_unit(&self.alone, unit).any(|entry| entry.test.fits(name))
    }

    /// A sentence for each entry of the unit that fits no test any more. Only to be asked about
    /// units that reached their end.
    pub(crate) fn stale(&self, unit: &str, passes: &[Outcome]) -> Vec<String> {
        let left_out = passes.first().map_or(&[][..], |outcome| &outcome.skipped);
        of_unit(&self.skip, unit)
            .chain(of_unit(&self.alone, unit))
            .filter(|entry| !left_out.iter().any(|name| entry.test.fits(name)))
            .map(|entry| format!("stale: {} names no test of {unit}: {}", entry.place, entry.test.argument()))
            .collect()
    }
}

impl Test {
    /// As the suite takes it: a name, or `/` and a regular expression.
    fn argument(&self) -> String {
        match self {
            Test::Name(name) => name.clone(),
            Test::Regex(regex) => format!("/{regex}"),
        }
    }

    fn fits(&self, name: &str) -> bool {
        match self {
            Test::Name(own) => own == name,
            Test::Regex(regex) => regex.is_match(name),
        }
    }
}

fn of_unit<'a>(entries: &'a [Entry], unit: &'a str) -> impl Iterator<Item = &'a Entry> {
    entries.iter().filter(move |entry| entry.unit == unit)
}

fn entries(file: &str, text: &str) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<Entry> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let place = format!("{file}, line {}", number + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        let &[unit, test, reason] = fields.as_slice() else {
            return Err(format!("{place}: a line is a unit, a test and a reason with one tab between them"));
        };
        if unit.is_empty() || test.is_empty() || reason.trim().is_empty() {
            return Err(format!("{place}: unit, test and reason must all be there"));
        }
        let test = match test.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
            Some(regex) => Test::Regex(Regex::new(regex).map_err(|error| format!("{place}: {error}"))?),
            None => Test::Name(test.to_owned()),
        };
        let argument = test.argument();
        if let Some(twin) = of_unit(&entries, unit).find(|entry| entry.test.argument() == argument) {
            return Err(format!("{place}: {} has the same test", twin.place));
        }
        entries.push(Entry { unit: unit.to_owned(), test, place });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(skip: &str, alone: &str) -> Lists {
        Lists { skip: entries("skip.tsv", skip).unwrap(), alone: entries("alone.tsv", alone).unwrap() }
    }

    fn left_out(names: &[&str]) -> Vec<Outcome> {
        let mut outcome = Outcome::default();
        names.iter().for_each(|name| outcome.take(&format!("[skip]: {name}")));
        vec![outcome]
    }

    #[test]
    fn both_lists_are_left_out_of_the_first_pass() {
        let lists = lists("# why\nunit/scan\tSSCAN\tsets\nunit/other\tBGSAVE\trdb\n", "unit/scan\tlast one\tempty\n");
        assert_eq!(lists.skip_arguments("unit/scan"), ["SSCAN", "last one"]);
        assert_eq!(lists.alone_arguments("unit/scan"), ["last one"]);
        assert!(lists.is_alone("unit/scan", "last one") && !lists.is_alone("unit/scan", "SSCAN"));
        assert!(lists.alone_arguments("unit/other").is_empty());
    }

    #[test]
    fn a_regex_is_passed_on_as_the_suite_takes_it() {
        let lists = lists("unit/scan\t/^[HSZ]SCAN /\ttypes\n", "");
        assert_eq!(lists.skip_arguments("unit/scan"), ["/^[HSZ]SCAN "]);
        assert!(lists.stale("unit/scan", &left_out(&["ZSCAN with PATTERN"])).is_empty());
        assert_eq!(lists.stale("unit/scan", &left_out(&["SCAN basic"])).len(), 1);
    }

    #[test]
    fn an_entry_without_a_test_is_stale() {
        let lists = lists("unit/scan\there\tx\nunit/scan\tgone\tx\nunit/other\telsewhere\tx\n", "");
        let stale = lists.stale("unit/scan", &left_out(&["here"]));
        assert_eq!(stale, ["stale: skip.tsv, line 2 names no test of unit/scan: gone"]);
    }

    #[test]
    fn malformed_lines_are_refused_with_their_place() {
        for text in ["unit/scan\tname only\n", "unit/scan\ta\tb\tc\n", "unit/scan\ta\t \n", "unit/scan\t/(/\tx\n"] {
            assert!(entries("skip.tsv", text).unwrap_err().starts_with("skip.tsv, line 1: "), "{text}");
        }
        assert!(entries("skip.tsv", "u\ta\tx\nu\ta\ty\n").unwrap_err().contains("line 1 has the same test"));
    }
}
