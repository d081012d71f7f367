//! What is let through: lines of rule, file, word and reason, with tabs between them.

use super::Fault;
use std::path::Path;

struct Line {
    number: usize,
    rule: String,
    path: String,
    word: String,
    used: bool,
}

/// A list.
pub(super) struct List {
    /// Its file, from the workspace's root.
    file: &'static str,
    lines: Vec<Line>,
}

impl List {
    /// Reads the list; `#` begins a comment.
    ///
    /// # Errors
    /// When it cannot be read, or a line has no reason.
    pub(super) fn read(root: &Path, file: &'static str) -> Result<List, String> {
        let text = std::fs::read_to_string(root.join(file)).map_err(|error| format!("{file}: {error}"))?;
        List::parse(file, &text)
    }

    fn parse(file: &'static str, text: &str) -> Result<List, String> {
        let mut lines = Vec::new();
        for (at, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fields: Vec<&str> = line.split('\t').collect();
            let [rule, path, word, reason] = fields[..] else {
                return Err(format!("{file}:{}: a line is rule, file, word and reason", at + 1));
            };
            if reason.trim().len() < 10 {
                return Err(format!("{file}:{}: without a reason nothing is let through", at + 1));
            }
            lines.push(Line { number: at + 1, rule: rule.into(), path: path.into(), word: word.into(), used: false });
        }
        Ok(List { file, lines })
    }

    /// Whether a fault is let through.
    pub(super) fn lets(&mut self, fault: &Fault) -> bool {
        let fits = |line: &&mut Line| line.rule == fault.rule && line.path == fault.path && line.word == fault.word;
        let found = self.lines.iter_mut().find(fits);
        found.map(|line| line.used = true).is_some()
    }

    /// Lines that have let nothing through.
    pub(super) fn unused(&self) -> Vec<Fault> {
        let unused = self.lines.iter().filter(|line| !line.used);
        let fault = |line: &Line| Fault {
            rule: "allow",
            path: self.file.into(),
            line: line.number,
            word: format!("{} {} {}", line.rule, line.path, line.word),
            advice: "lets nothing through any more: remove the line".into(),
        };
        unused.map(fault).collect()
    }

    /// A fault for a list that has grown beyond a number of lines.
    pub(super) fn beyond(&self, most: usize) -> Option<Fault> {
        let advice = format!("{} lines, and at most {most}: the list only shrinks", self.lines.len());
        (self.lines.len() > most).then(|| Fault {
            rule: "allow",
            path: self.file.into(),
            line: 0,
            word: "lines".into(),
            advice,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(word: &str) -> Fault {
        Fault { rule: "names", path: "core/src/x.rs".into(), line: 3, word: word.into(), advice: String::new() }
    }

    #[test]
    fn a_fault_is_let_through_by_its_own_line_only() {
        let mut list =
            List::parse("x.tsv", "# comment\nnames\tcore/src/x.rs\tlist\tthe name of a subcommand\n").unwrap();
        assert_eq!(list.unused().len(), 1);
        assert!(!list.lets(&fault("hash")));
        assert!(list.lets(&fault("list")) && list.lets(&fault("list")));
        assert!(list.unused().is_empty());
    }

    #[test]
    fn a_line_needs_a_reason() {
        assert!(List::parse("x.tsv", "names\tcore/src/x.rs\tlist\t\n").is_err());
        assert!(List::parse("x.tsv", "names\tcore/src/x.rs\tlist\n").is_err());
    }
}
