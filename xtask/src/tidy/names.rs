//! The core knows no data type: none of their names, commands and encodings is in its code.
//!
//! Three of the names are words of the language too (a list of clients, the hash of a key, to set
//! a parameter), and a fourth is a socket's. As parts of identifiers these are let be; as a text
//! of their own they are names of types, and so are `HashType`, `list_type`, `RDB_TYPE_SET` and the
//! like. The names of encodings and commands mean nothing else. Tests are left out.

use super::Fault;
use super::source::{File, Word};
use regex::Regex;

/// Names of types, as texts of their own.
const TYPES: [&str; 6] = ["string", "list", "hash", "set", "zset", "stream"];

/// Parts of identifiers and texts that mean a data type.
const MARKS: &str = r"(?x)
    zset | sorted_?set | quick_?list | list_?pack | zip_?list | zip_?map | int_?set | skip_?list
    | hyper_?log_?log | radix_?tree | rax_ | embstr | geohash
    | (string|list|hash|set|stream)_?(type|object|value)s?\b
    | (type|obj|object|encoding)_(string|list|hash|set|stream)\b
    | \b(hset|hget|hdel|lpush|rpush|lpop|rpop|sadd|srem|smembers|zadd|zrem|xadd|xread|pfadd|geoadd|setbit|getbit
        |incrby|setex|getex|setrange|bitcount)\b";

/// Checks the core's code.
pub(super) fn check(files: &[File]) -> Vec<Fault> {
    let Ok(marks) = Regex::new(&format!("(?i){MARKS}")) else { return Vec::new() };
    let core = files.iter().filter(|file| file.path.starts_with("core/src/") && !is_test(&file.path));
    core.flat_map(|file| {
        let found = file.words.iter().filter(|word| !word.in_tests && is_type_name(word, &marks));
        found.map(|word| Fault {
            rule: "names",
            path: file.path.clone(),
            line: word.line,
            word: word.text.clone(),
            advice: "the core knows no data type".into(),
        })
    })
    .collect()
}

/// Tests and fuzzers send commands of modules as any client does.
fn is_test(path: &str) -> bool {
    path.ends_with("_tests.rs") || path.ends_with("_fuzz.rs") || path.ends_with("/tests.rs")
}

fn is_type_name(word: &Word, marks: &Regex) -> bool {
    !word.is_name && TYPES.contains(&word.text.to_ascii_lowercase().as_str()) || marks.is_match(&word.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let marks = Regex::new(&format!("(?i){MARKS}")).unwrap();
        let words = super::super::source::words(text).unwrap();
        words.into_iter().filter(|word| is_type_name(word, &marks)).map(|word| word.text).collect()
    }

    #[test]
    fn names_of_types_and_encodings_are_found() {
        let text = "enum T { SortedSet } fn list_type() { put(\"zset\", HashType, b\"listpack\", \"ZADD\", \"hash\") }";
        assert_eq!(found(text), ["SortedSet", "list_type", "zset", "HashType", "listpack", "ZADD", "hash"]);
    }

    #[test]
    fn words_of_the_language_are_let_be() {
        let text =
            "fn set(list: Vec<TcpStream>, hash: u64, stringify: bool) { listen(\"a list of sets\"); value_type() }";
        assert!(found(text).is_empty(), "{:?}", found(text));
    }
}
