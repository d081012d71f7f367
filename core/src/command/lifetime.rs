//! Whether a command counts a time from when it runs, by what its docs say of its arguments: an integer that is called
//! `seconds` or `milliseconds` does. A Unix time does not.
//!
//! Who runs a command later than it was meant (a replica) has to know: a primary before Redis 7 passes times to live
//! on as they came.

use crate::base::foreign::widened;
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::command::{ARG_INTEGER, ARG_STRING, Arg, Command, Docs};

/// Most arguments of docs that are looked at, and how deep they are nested.
const ARGS_MAX: u32 = 64;
const DEPTH_MAX: u32 = 4;

/// How a command counts time.
#[derive(Default, Clone, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Whether it always counts from when it runs.
    is_fixed: bool,
    /// Words with which it does.
    words: Vec<Vec<u8>>,
}

impl Lifetime {
    /// That of a command.
    ///
    /// # Safety
    /// The spec's pointers are valid.
    pub unsafe fn of(spec: &Command) -> Lifetime {
        let mut lifetime = Lifetime::default();
        if !std::ptr::eq(spec.docs, std::ptr::null()) {
            // SAFETY: docs are constants of the module that gives the spec, and begin with their size.
            unsafe { lifetime.learn(widened(spec.docs, Docs::NEW).args, DEPTH_MAX) };
        }
        lifetime
    }

    /// # Safety
    /// They are of a spec's docs.
    unsafe fn learn(&mut self, args: Slice<Arg>, depth: u32) {
        let looked_at = Slice { count: args.count.min(ARGS_MAX), ..args };
        for arg in looked_at.iter() {
            // SAFETY: promised by the caller; each argument begins with its size.
            let (arg, name, token) = unsafe {
                let arg = widened(arg, Arg::new(ARG_STRING, ""));
                (arg, arg.name.as_slice(), arg.token.as_slice())
            };
            if arg.kind == ARG_INTEGER && matches!(name, b"seconds" | b"milliseconds") {
                if token.is_empty() {
                    self.is_fixed = true;
                } else {
                    self.words.push(token.to_vec());
                }
            }
            if depth > 0 {
                // SAFETY: as above.
                unsafe { self.learn(arg.args, depth - 1) };
            }
        }
    }

    /// Whether a command with these arguments counts from when it runs.
    ///
    /// # Safety
    /// The arguments are valid.
    pub unsafe fn counts_from_now(&self, args: &[Bytes]) -> bool {
        let is_word = |arg: &Bytes| {
            // SAFETY: promised by the caller.
            let arg = unsafe { arg.as_slice() };
            self.words.iter().any(|word| word.eq_ignore_ascii_case(arg))
        };
        self.is_fixed || !self.words.is_empty() && args.iter().skip(2).any(is_word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_abi::command::{ARG_BLOCK, ARG_ONE_OF, ARG_UNIX_TIME};

    fn of(docs: &'static Docs) -> Lifetime {
        // SAFETY: all of it is a constant.
        unsafe { Lifetime::of(&Command { docs, ..Command::NEW }) }
    }

    #[test]
    fn docs_tell_whether_a_time_is_counted_from_now() {
        const WORDS: &[Arg] =
            &[Arg::new(ARG_INTEGER, "seconds").token("EX"), Arg::new(ARG_UNIX_TIME, "unix-time-seconds").token("EXAT")];
        const NESTED: &[Arg] = &[Arg::group(ARG_BLOCK, "when", &[Arg::group(ARG_ONE_OF, "which", WORDS)])];
        static FIXED: Docs = Docs { args: Slice::new(&[Arg::new(ARG_INTEGER, "seconds")]), ..Docs::NEW };
        static CHOSEN: Docs = Docs { args: Slice::new(NESTED), ..Docs::NEW };
        static NEITHER: Docs = Docs { args: Slice::new(&[Arg::new(ARG_UNIX_TIME, "seconds")]), ..Docs::NEW };
        let counts = |docs, words: &[&'static str]| {
            let args: Vec<Bytes> = words.iter().map(|word| Bytes::of(word.as_bytes())).collect();
            // SAFETY: they are constants.
            unsafe { of(docs).counts_from_now(&args) }
        };
        assert!(counts(&FIXED, &["x", "key", "5"]));
        assert!(counts(&CHOSEN, &["x", "key", "v", "ex", "5"]) && !counts(&CHOSEN, &["x", "key", "v", "EXAT", "5"]));
        assert!(!counts(&NEITHER, &["x", "key", "5"]));
        assert_eq!(of(&Docs::NEW), Lifetime::default());
    }
}
