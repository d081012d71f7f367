//! The constants of a module: whether what they point to is there.
//!
//! Specs are structs of the ABI with addresses in them, and their fields are public, so that a command reads
//! as it does. So safe code can write any address into them, or a length that is too long. It is found when
//! the module is compiled: [`check`] follows every address, and for the compiler, which runs it, following
//! one that leads nowhere is an error.

use crate::abi::bytes::{Bytes, Slice};
use crate::abi::command::{Arg, Change, Command, Docs, KeySpec};
use crate::abi::config::Config;
use crate::abi::info::Section;
use crate::export::Module;

/// Looks at each element of a list.
macro_rules! each {
    ($list:expr, $look:ident) => {{
        let (list, mut at) = ($list, 0);
        while at < list.count as usize {
            $look(list.items.cast::<u8>().add(at * list.stride as usize).cast());
            at += 1;
        }
    }};
}

/// Follows all addresses in a module's constants, as far as they are no functions, nor made by unsafe code.
///
/// # Safety
/// It runs when the module is compiled.
pub(crate) const unsafe fn check(module: &Module) {
    // SAFETY: as the caller vouches, in which case nothing undefined happens, but an error.
    unsafe {
        each!(Slice::new(module.commands), command);
        each!(Slice::new(module.configs), config);
        each!(Slice::new(module.infos), section);
    }
}

// Each of these is called by `check` only, with what a list has at a place.

const unsafe fn bytes(at: *const Bytes) {
    // SAFETY: see above.
    unsafe { text(at.read()) }
}

const unsafe fn text(bytes: Bytes) {
    if bytes.len > 0 {
        // SAFETY: see above; a range of which the first and the last byte are there is there.
        unsafe {
            bytes.data.read();
            bytes.data.add(bytes.len - 1).read();
        }
    }
}

const unsafe fn command(at: *const Command) {
    // SAFETY: see above.
    unsafe {
        let one = at.read();
        assert!(one.run.invoke.is_none() || !one.run.data.get().is_null(), "a handler comes from `run`");
        text(one.name);
        each!(one.keys, key_spec);
        each!(one.tips, bytes);
        each!(one.subcommands, command);
        each!(one.category_names, bytes);
        if !one.docs.is_null() {
            docs(one.docs.read());
        }
    }
}

const unsafe fn key_spec(at: *const KeySpec) {
    // SAFETY: see above.
    unsafe {
        let spec = at.read();
        text(spec.keyword);
        text(spec.notes);
    }
}

const unsafe fn docs(docs: Docs) {
    // SAFETY: see above.
    unsafe {
        text(docs.summary);
        text(docs.since);
        text(docs.group);
        text(docs.complexity);
        text(docs.deprecated_since);
        text(docs.replaced_by);
        each!(docs.history, change);
        each!(docs.args, arg);
    }
}

const unsafe fn change(at: *const Change) {
    // SAFETY: see above.
    unsafe {
        let change = at.read();
        text(change.version);
        text(change.what);
    }
}

const unsafe fn arg(at: *const Arg) {
    // SAFETY: see above.
    unsafe {
        let one = at.read();
        text(one.name);
        text(one.token);
        text(one.since);
        each!(one.args, arg);
    }
}

const unsafe fn config(at: *const Config) {
    // SAFETY: see above.
    unsafe {
        let config = at.read();
        text(config.name);
        text(config.default);
        text(config.alias);
        each!(config.choices, bytes);
    }
}

const unsafe fn section(at: *const Section) {
    // SAFETY: see above.
    unsafe { text(at.read().name) }
}
