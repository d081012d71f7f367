//! The first line of a script that says what it is written in, and what may be done with it.
//! <https://redis.io/docs/latest/develop/programmability/eval-intro/#script-flags>

use plinth_module::language;

/// A script may not write.
pub(crate) const NO_WRITES: u32 = language::FUNCTION_NO_WRITES;
/// A script runs when `maxmemory` is reached.
pub(crate) const ALLOW_OOM: u32 = language::FUNCTION_ALLOW_OOM;
/// A script runs on a replica whose data may be old.
pub(crate) const ALLOW_STALE: u32 = language::FUNCTION_ALLOW_STALE;
/// A script does not run in a cluster.
pub(crate) const NO_CLUSTER: u32 = language::FUNCTION_NO_CLUSTER;
/// A script touches keys of several slots.
pub(crate) const ALLOW_CROSS_SLOT: u32 = language::FUNCTION_ALLOW_CROSS_SLOT;

/// All of them.
pub(crate) const ALL: u32 = NO_WRITES | ALLOW_OOM | ALLOW_STALE | NO_CLUSTER | ALLOW_CROSS_SLOT;

/// Names of the flags, in the order in which they are shown.
pub(crate) const FLAGS: [(u32, &str); 5] = [
    (NO_WRITES, "no-writes"),
    (ALLOW_OOM, "allow-oom"),
    (ALLOW_STALE, "allow-stale"),
    (NO_CLUSTER, "no-cluster"),
    (ALLOW_CROSS_SLOT, "allow-cross-slot-keys"),
];

/// The flag of a name.
pub(crate) fn flag(name: &str) -> Option<u32> {
    FLAGS.iter().find(|(_, known)| *known == name).map(|(flag, _)| *flag)
}

/// What the first line of a script for EVAL says; `None` when there is no such line. Else the error.
pub(crate) fn of_script(source: &[u8]) -> Result<Option<u32>, String> {
    if !source.starts_with(b"#!") {
        return Ok(None);
    }
    let end = source.iter().position(|&byte| byte == b'\n').ok_or("ERR Invalid script shebang")?;
    let line = String::from_utf8_lossy(&source[..end]);
    let mut words = line.split_ascii_whitespace();
    let engine = words.next().unwrap_or_default();
    if engine != "#!lua" {
        return Err(format!("ERR Unexpected engine in script shebang: {engine}"));
    }
    let mut flags = 0;
    for word in words {
        let Some(list) = word.strip_prefix("flags=") else {
            return Err(format!("ERR Unknown lua shebang option: {word}"));
        };
        for name in list.split(',').filter(|_| !list.is_empty()) {
            flags |= flag(name).ok_or_else(|| format!("ERR Unexpected flag in script shebang: {name}"))?;
        }
    }
    Ok(Some(flags))
}

/// The source behind the first line, if that is one, whose break stays so that lines keep their numbers.
pub(crate) fn strip(source: &[u8]) -> &[u8] {
    if !source.starts_with(b"#!") {
        return source;
    }
    let end = source.iter().position(|&byte| byte == b'\n').unwrap_or(source.len());
    &source[end..]
}
