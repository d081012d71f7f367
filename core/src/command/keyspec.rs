//! Which arguments of a command are keys, by its key specs.
//!
//! ```text
//!   spec = where keys begin         which arguments from there are keys
//!          index 1                  range   last, step, limit
//!          keyword STREAMS          keynum  count at an offset, first key, step
//! ```
//!
//! <https://redis.io/docs/latest/develop/reference/key-specs/>. Clients that do not
//! read specs get three numbers (first, last, step) and the flag `movablekeys` where
//! these do not tell all: [`Range::of`].
//!
//! Invariant: positions are always inside the arguments; specs come from modules and
//! arguments from clients, and no combination of them panics.

use crate::base::number::parse_i64;
use crate::command::table::Registered;
use plinth_abi::bytes::Bytes;
use plinth_abi::command::{self as abi, FoundKey, KeySpec};

/// Flags that say something of a spec and not of the keys that it finds.
const OF_SPEC: u64 = abi::KEY_INCOMPLETE | abi::KEY_VARIABLE_FLAGS;

/// A key among the arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyAt {
    /// Position of the argument; the command's name is 0.
    pub at: usize,
    /// `KEY_*` bits.
    pub flags: u64,
}

/// Why specs do not tell the keys of some arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeysError {
    /// A spec is of a kind that says nothing, or says itself that it may miss keys.
    #[error("the specs do not describe all keys")]
    Incomplete,
    /// The arguments do not fit the spec.
    #[error("the arguments do not fit the key specs")]
    Misfit,
}

/// The keys that specs find in arguments. Specs of what is routed like a key without
/// being one are passed over.
pub fn positions(specs: &[KeySpec], args: &[&[u8]]) -> Result<Vec<KeyAt>, KeysError> {
    let mut found = Vec::new();
    gather(specs, args, &mut found).map(|()| found)
}

/// The same; what was found before an error is kept.
fn gather(specs: &[KeySpec], args: &[&[u8]], found: &mut Vec<KeyAt>) -> Result<(), KeysError> {
    for spec in specs.iter().filter(|spec| spec.flags & abi::KEY_NOT_KEY == 0) {
        let Some(begin) = begin(spec, args)? else { continue };
        let (first, last, step) = extent(spec, args, begin)?;
        if first < 1 || last < first || last >= args.len() as i64 {
            return Err(KeysError::Misfit);
        }
        // Both ends are arguments, so they fit.
        let steps = (first as usize..=last as usize).step_by(step);
        found.extend(steps.map(|at| KeyAt { at, flags: spec.flags & !OF_SPEC }));
        if spec.flags & abi::KEY_INCOMPLETE != 0 {
            return Err(KeysError::Incomplete);
        }
    }
    Ok(())
}

/// The argument where a spec's search ends; `None` when its keyword is not there.
fn begin(spec: &KeySpec, args: &[&[u8]]) -> Result<Option<i64>, KeysError> {
    let argc = args.len() as i64;
    let index = i64::from(spec.index);
    match spec.begin {
        abi::KEY_BEGIN_INDEX if index > 0 => Ok(Some(index)),
        abi::KEY_BEGIN_INDEX => Err(KeysError::Misfit),
        abi::KEY_BEGIN_KEYWORD => {
            // SAFETY: the keyword is a constant of the module that registered the command.
            let keyword = unsafe { spec.keyword.as_slice() };
            let is_keyword = |at: &i64| args.get(*at as usize).is_some_and(|arg| arg.eq_ignore_ascii_case(keyword));
            // A keyword that is the last argument has no keys behind it.
            let at =
                if index > 0 { (index..argc - 1).find(is_keyword) } else { (2..=argc + index).rev().find(is_keyword) };
            Ok(at.map(|at| at + 1))
        }
        _ => Err(KeysError::Incomplete),
    }
}

/// First key, last key and step of a spec that begins at an argument.
fn extent(spec: &KeySpec, args: &[&[u8]], begin: i64) -> Result<(i64, i64, usize), KeysError> {
    let argc = args.len() as i64;
    let (last, limit) = (i64::from(spec.last), i64::from(spec.limit));
    let step = usize::try_from(spec.step).unwrap_or(0).max(1);
    match spec.find {
        abi::KEY_FIND_RANGE if last >= 0 => Ok((begin, begin + last, step)),
        abi::KEY_FIND_RANGE if limit > 1 => Ok((begin, begin + (argc - begin) / limit + last, step)),
        abi::KEY_FIND_RANGE => Ok((begin, argc + last, step)),
        abi::KEY_FIND_KEYNUM => {
            let at = usize::try_from(begin + last).map_err(|_| KeysError::Misfit)?;
            let count = args.get(at).and_then(|arg| parse_i64(arg)).ok_or(KeysError::Misfit)?;
            if !(1..=argc).contains(&count) {
                return Err(KeysError::Misfit);
            }
            let first = begin + limit;
            Ok((first, first + (count - 1) * step as i64, step))
        }
        _ => Err(KeysError::Incomplete),
    }
}

/// The keys of a command in arguments: by its specs, or by its own function where
/// these do not tell.
pub fn keys<R>(command: &Registered<R>, args: &[Bytes]) -> Result<Vec<KeyAt>, KeysError> {
    let (known, by_specs) = keys_known(command, args);
    by_specs.map(|()| known)
}

/// The same; where specs do not tell all keys, those that they tell.
pub fn keys_known<R>(command: &Registered<R>, args: &[Bytes]) -> (Vec<KeyAt>, Result<(), KeysError>) {
    // SAFETY: arguments live as long as the call.
    let slices: Vec<&[u8]> = args.iter().map(|arg| unsafe { arg.as_slice() }).collect();
    let specs = command.keys();
    let mut known = Vec::new();
    let by_specs = gather(&specs, &slices, &mut known);
    let unsure = specs.is_empty() || specs.iter().any(|spec| spec.flags & abi::KEY_VARIABLE_FLAGS != 0);
    let Some(find) = command.spec.find_keys.filter(|_| unsure || by_specs.is_err()) else {
        return (known, by_specs);
    };
    let mut found = vec![FoundKey { flags: 0, position: 0, reserved: 0 }; args.len()];
    // SAFETY: the function belongs to a loaded module; there is room for `argc` keys.
    let count = unsafe { find(args.as_ptr(), args.len() as u32, found.as_mut_ptr()) } as usize;
    found.truncate(count);
    let fallback = if command.is(abi::COMMAND_WRITE) {
        abi::KEY_RW | abi::KEY_ACCESS | abi::KEY_UPDATE
    } else {
        abi::KEY_RO | abi::KEY_ACCESS
    };
    let key = |found: FoundKey| {
        let at = found.position as usize;
        let by_spec = || known.iter().find(|key| key.at == at).map_or(fallback, |key| key.flags);
        KeyAt { at, flags: if found.flags == 0 { by_spec() } else { found.flags & !OF_SPEC } }
    };
    (found.into_iter().map(key).filter(|key| key.at < args.len()).collect(), Ok(()))
}

/// Whether a command can have keys at all.
pub fn has_keys<R>(command: &Registered<R>) -> bool {
    command.spec.find_keys.is_some() || command.keys().iter().any(|spec| spec.flags & abi::KEY_NOT_KEY == 0)
}

/// First key, last key and step, as clients that do not read specs want them; all 0
/// without keys at fixed places.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Range {
    /// Position of the first key.
    pub first: i32,
    /// Position of the last, negative from the end.
    pub last: i32,
    /// Distance between keys.
    pub step: i32,
    /// Whether there may be keys elsewhere too.
    pub movable: bool,
}

impl Range {
    /// What three numbers can tell of specs: the run of consecutive plain ranges that
    /// they begin with.
    pub fn of(specs: &[KeySpec]) -> Range {
        let is_range = |spec: &KeySpec| spec.begin == abi::KEY_BEGIN_INDEX && spec.find == abi::KEY_FIND_RANGE;
        let absolute = |spec: &KeySpec| if spec.last >= 0 { spec.last.saturating_add(spec.index) } else { spec.last };
        let incomplete = |spec: &KeySpec| spec.flags & abi::KEY_INCOMPLETE != 0;
        if let [only] = specs
            && is_range(only)
        {
            return Range { first: only.index, last: absolute(only), step: only.step, movable: incomplete(only) };
        }
        let mut range = Range::default();
        for spec in specs {
            let follows = range.last == 0 || i64::from(range.last) == i64::from(spec.index) - 1;
            if !is_range(spec) || spec.step != 1 || !follows {
                range.movable = true;
                continue;
            }
            range.movable |= incomplete(spec);
            range.first = if range.first == 0 { spec.index } else { range.first.min(spec.index) };
            range.last = absolute(spec);
            range.step = 1;
        }
        range
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(specs: &[KeySpec], line: &str) -> Result<Vec<usize>, KeysError> {
        let args: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        positions(specs, &args).map(|keys| keys.iter().map(|key| key.at).collect())
    }

    fn keynum(index: i32, first: i32) -> KeySpec {
        KeySpec { find: abi::KEY_FIND_KEYNUM, last: 0, limit: first, ..KeySpec::range(abi::KEY_RO, index, 0, 1) }
    }

    fn keyword(word: &'static str, from: i32, last: i32, limit: i32) -> KeySpec {
        KeySpec {
            begin: abi::KEY_BEGIN_KEYWORD,
            keyword: Bytes::new(word),
            limit,
            ..KeySpec::range(abi::KEY_RO, from, last, 1)
        }
    }

    #[test]
    fn ranges_reach_to_an_argument_or_to_the_end() {
        assert_eq!(found(&[KeySpec::at(0, 1)], "get a"), Ok(vec![1]));
        assert_eq!(found(&[KeySpec::range(0, 1, -1, 2)], "mset a 1 b 2"), Ok(vec![1, 3]));
        assert_eq!(found(&[KeySpec::range(0, 1, -2, 1)], "blpop a b 0"), Ok(vec![1, 2]));
        assert_eq!(found(&[KeySpec::at(0, 1), KeySpec::at(0, 2)], "rename a b"), Ok(vec![1, 2]));
        assert_eq!(found(&[KeySpec::at(0, 3)], "get a"), Err(KeysError::Misfit));
    }

    #[test]
    fn a_count_tells_how_many_keys_follow() {
        assert_eq!(found(&[keynum(2, 1)], "eval script 2 a b c"), Ok(vec![3, 4]));
        for count in ["0", "-1", "4", "x", "9223372036854775807"] {
            assert_eq!(found(&[keynum(2, 1)], &format!("eval script {count} a b c")), Err(KeysError::Misfit));
        }
    }

    #[test]
    fn a_keyword_is_searched_from_either_end_and_in_any_case() {
        let streams = keyword("STREAMS", 1, -1, 2);
        assert_eq!(found(&[streams], "xread count 2 streams a b 0 0"), Ok(vec![4, 5]));
        let from_end = keyword("KEYS", -2, -1, 0);
        assert_eq!(found(&[from_end], "migrate host port k 0 10 KEYS a b"), Ok(vec![7, 8]));
        assert_eq!(found(&[streams], "xread count 2"), Ok(vec![]));
        assert_eq!(found(&[streams], "xread streams"), Ok(vec![]));
    }

    #[test]
    fn a_spec_that_says_nothing_makes_the_answer_unsure() {
        let unknown = KeySpec { begin: 0, find: 0, ..KeySpec::at(0, 0) };
        assert_eq!(found(&[KeySpec::at(0, 1), unknown], "sort a"), Err(KeysError::Incomplete));
        let channel = KeySpec::at(abi::KEY_NOT_KEY, 1);
        assert_eq!(found(&[channel], "spublish c m"), Ok(vec![]));
    }

    #[test]
    fn no_spec_reaches_outside_the_arguments() {
        let edges = [i32::MIN, -3, -1, 0, 1, 2, 7, i32::MAX];
        let args: Vec<&[u8]> = vec![b"c", b"2", b"KEY", b"3"];
        for code in 0..3 * 3 * edges.len().pow(4) {
            let edge = |place: u32| edges[code / 9 / edges.len().pow(place) % edges.len()];
            let (index, last, step, limit) = (edge(0), edge(1), edge(2), edge(3));
            let (begin, find) = (code as u32 % 3, code as u32 / 3 % 3);
            let spec = KeySpec { begin, find, index, last, step, limit, ..keyword("key", 1, 0, 0) };
            if let Ok(keys) = positions(&[spec], &args) {
                assert!(keys.iter().all(|key| (1..args.len()).contains(&key.at)));
            }
            Range::of(&[spec, spec]);
        }
    }

    #[test]
    fn three_numbers_tell_what_they_can() {
        let range = |first, last, step, movable| Range { first, last, step, movable };
        assert_eq!(Range::of(&[]), Range::default());
        assert_eq!(Range::of(&[KeySpec::range(0, 1, -1, 2)]), range(1, -1, 2, false));
        assert_eq!(Range::of(&[KeySpec::range(0, 1, 1, 1)]), range(1, 2, 1, false));
        assert_eq!(Range::of(&[KeySpec::at(0, 1), KeySpec::at(0, 2)]), range(1, 2, 1, false));
        assert_eq!(Range::of(&[KeySpec::at(0, 1), keyword("STORE", 6, 0, 0)]), range(1, 1, 1, true));
        assert_eq!(Range::of(&[keynum(1, 1)]), range(0, 0, 0, true));
        assert_eq!(Range::of(&[KeySpec::at(0, 1), KeySpec::range(0, 2, -1, 1)]), range(1, -1, 1, false));
    }
}
