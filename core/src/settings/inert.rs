//! Parameters of the reference that have no effect here: accepted, checked, shown and kept, so that
//! configuration files load and tools find what they ask for.
//!
//! Some steer what is not there yet, and leave this table for `settings` when it is. Others steer what there
//! is not going to be, which the lines say: a table that grows by itself needs no time of the housekeeping, and a
//! server of one thread has none to read for it. Those that name a data type are not here: its module brings them.

use crate::settings::parameters::Parameter;
use crate::settings::parameters::{INT_MAX, inert};
use crate::settings::value;

/// What a value without effect must look like.
#[derive(Clone, Copy)]
pub enum Rule {
    /// `yes` or `no`.
    Bool,
    /// An integer in a range.
    Integer(i64, i64),
    /// A number of bytes in a range.
    Memory(i64, i64),
    /// One of some words.
    Choice(&'static [&'static str]),
    /// Any bytes.
    Text,
    /// Any words, checked together; gives the value as it is shown.
    Words(fn(&[String]) -> Result<String, String>),
    /// One text, checked.
    Checked(fn(&str) -> Result<(), String>),
}

use Rule::{Bool, Checked, Choice, Integer, Memory, Text, Words};

const LONG_MAX: i64 = i64::MAX;
const PORT: Rule = Integer(0, 65_535);
const COUNT: Rule = Integer(0, INT_MAX);

/// All of them.
pub static PARAMETERS: &[Parameter] = &[
    // Memory.
    // The table grows and shrinks a bucket at a time, with what is written.
    inert("activerehashing", Bool, "yes"),
    inert("active-defrag-max-scan-fields", Integer(1, LONG_MAX), "1000"),
    // The allocator is told what to give back when housekeeping is done.
    inert("jemalloc-bg-thread", Bool, "yes"),
    // The process.
    // Memory is tested by programs that are made for it, not by one that is about to die.
    inert("crash-memcheck-enabled", Bool, "yes"),
    // There is no check of the system whose warning could be ignored.
    inert("ignore-warnings", Text, ""),
    // What a primary sends is run whatever the disk does: `no` would end the replica.
    inert("replica-ignore-disk-write-errors", Bool, "no"),
    // One thread reads, runs and writes.
    inert("io-threads", Integer(1, 128), "1").immutable(),
    inert("io-threads-do-reads", Bool, "no").immutable(),
    inert("socket-mark-id", Integer(0, u32::MAX as i64), "0").immutable(),
    inert("bind-source-addr", Text, ""),
    inert("propagation-error-behavior", Choice(&["ignore", "panic", "panic-on-replicas"]), "ignore"),
    // The cluster.
    inert("cluster-enabled", Bool, "no").immutable(),
    inert("cluster-config-file", Text, "nodes.conf").immutable(),
    inert("cluster-port", PORT, "0").immutable(),
    inert("cluster-node-timeout", Integer(0, LONG_MAX), "15000"),
    inert("cluster-announce-ip", Text, ""),
    inert("cluster-announce-hostname", Checked(host_name), ""),
    inert("cluster-announce-human-nodename", Text, ""),
    inert("cluster-announce-port", PORT, "0"),
    inert("cluster-announce-tls-port", PORT, "0"),
    inert("cluster-announce-bus-port", PORT, "0"),
    inert("cluster-preferred-endpoint-type", Choice(&["ip", "hostname", "unknown-endpoint"]), "ip"),
    inert("cluster-allow-pubsubshard-when-down", Bool, "yes"),
    inert("cluster-allow-reads-when-down", Bool, "no"),
    inert("cluster-allow-replica-migration", Bool, "yes"),
    inert("cluster-migration-barrier", COUNT, "1"),
    inert("cluster-link-sendbuf-limit", Memory(0, LONG_MAX), "0"),
    inert("cluster-replica-no-failover", Bool, "no").alias("cluster-slave-no-failover"),
    inert("cluster-replica-validity-factor", COUNT, "10").alias("cluster-slave-validity-factor"),
    inert("cluster-require-full-coverage", Bool, "yes"),
    // Of OpenSSL's ways to agree on a key one that is not used: curves need no such file.
    inert("tls-dh-params-file", Text, ""),
    // For test suites of the cluster.
    inert("cluster-ping-interval", COUNT, "0").hidden(),
    inert("enable-debug-assert", Bool, "no").immutable().hidden(),
    inert("use-exit-on-panic", Bool, "no").hidden(),
];

impl Rule {
    /// The value that words stand for, as it is shown; the reason if they do not fit.
    pub fn check(self, words: &[Vec<u8>]) -> Result<Vec<u8>, String> {
        match (self, words) {
            (Text, [word]) => Ok(word.clone()),
            _ => self.check_text(words).map(String::into_bytes),
        }
    }

    fn check_text(self, words: &[Vec<u8>]) -> Result<String, String> {
        let words: Vec<String> = words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        if let Words(check) = self {
            return check(&words);
        }
        let [word] = words.as_slice() else { return Err("wrong number of arguments".into()) };
        let text = |error: value::ValueError| error.to_string();
        let bytes = word.as_bytes();
        match self {
            Bool => Ok(if value::yes_no(bytes).map_err(text)? { "yes" } else { "no" }.into()),
            Integer(min, max) => Ok(value::integer(bytes, min..=max).map_err(text)?.to_string()),
            Memory(min, max) => Ok(value::memory(bytes, min as u64..=max as u64).map_err(text)?.to_string()),
            Choice(names) => {
                let choices: Vec<(&str, &str)> = names.iter().map(|name| (*name, *name)).collect();
                Ok(value::choice(bytes, &choices).map_err(text)?.into())
            }
            Checked(check) => check(word).map(|()| word.clone()),
            Text | Words(_) => Ok(word.clone()),
        }
    }
}

/// A name without a folder; `what` is how the error calls it.
pub(super) fn base_name(parameter: &str, what: &str, word: &str) -> Result<(), String> {
    if word.contains('/') { Err(format!("{parameter} can't be a path, just a {what}")) } else { Ok(()) }
}

pub(super) fn file_name(parameter: &str, what: &str, word: &str) -> Result<(), String> {
    if word.is_empty() { Err(format!("{parameter} can't be empty")) } else { base_name(parameter, what, word) }
}

fn host_name(word: &str) -> Result<(), String> {
    if word.len() >= 256 {
        return Err("Hostnames must be less than 256 characters".into());
    }
    if word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')) {
        return Ok(());
    }
    Err("Hostnames may only contain alphanumeric characters, hyphens or dots".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: Rule, line: &str) -> Result<String, String> {
        let words: Vec<Vec<u8>> = crate::base::words::split(line.as_bytes()).unwrap();
        rule.check(&words).map(|value| String::from_utf8(value).unwrap())
    }

    #[test]
    fn every_default_fits_its_rule_and_is_shown_as_it_is() {
        for parameter in PARAMETERS {
            let crate::settings::parameters::Kind::Inert(rule, default) = parameter.kind else {
                panic!("{} has an effect", parameter.name);
            };
            let words: Vec<Vec<u8>> = match default {
                "" => vec![Vec::new()],
                text if parameter.several => text.split(' ').map(|word| word.as_bytes().to_vec()).collect(),
                text => vec![text.as_bytes().to_vec()],
            };
            assert_eq!(rule.check(&words).as_deref(), Ok(default.as_bytes()), "{}", parameter.name);
        }
    }

    #[test]
    fn values_that_do_not_fit_are_refused_although_they_would_do_nothing() {
        for (rule, line) in [
            (Bool, "maybe"),
            (Bool, "yes no"),
            (PORT, "65536"),
            (Memory(1, LONG_MAX), "0"),
            (Choice(&["a", "b"]), "c"),
            (Checked(|word| file_name("x", "file", word)), "a/b"),
            (Checked(|word| file_name("x", "file", word)), "''"),
            (Checked(host_name), "a_b"),
        ] {
            assert!(check(rule, line).is_err(), "{line}");
        }
    }

    #[test]
    fn values_are_shown_in_one_form() {
        assert_eq!(check(Memory(0, LONG_MAX), "64mb").as_deref(), Ok("67108864"));
        assert_eq!(check(Bool, "YES").as_deref(), Ok("yes"));
    }
}
