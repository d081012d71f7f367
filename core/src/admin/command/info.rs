//! One command as COMMAND INFO shows it.
//!
//! ```text
//!   name, arity, flags, first key, last key, step, categories, tips, key specs, subcommands
//! ```

use crate::base::foreign::text;
use crate::command::category::Categories;
use crate::command::keyspec::Range;
use crate::engine::call::Registered;
use crate::wire::write::Writer;
use plinth_abi::command::{self as abi, KeySpec};

/// Names of bits, in the order in which they are shown.
pub(super) type Words = &'static [(u64, &'static str)];

/// Stands for a flag that is not one bit of a spec.
const OF_MODULE: u64 = 1 << 63;

const COMMAND_FLAGS: Words = &[
    (abi::COMMAND_WRITE, "write"),
    (abi::COMMAND_READONLY, "readonly"),
    (abi::COMMAND_DENY_OOM, "denyoom"),
    (OF_MODULE, "module"),
    (abi::COMMAND_ADMIN, "admin"),
    (abi::COMMAND_PUBSUB, "pubsub"),
    (abi::COMMAND_NO_SCRIPT, "noscript"),
    (abi::COMMAND_BLOCKING, "blocking"),
    (abi::COMMAND_LOADING, "loading"),
    (abi::COMMAND_STALE, "stale"),
    (abi::COMMAND_SKIP_MONITOR, "skip_monitor"),
    (abi::COMMAND_SKIP_SLOWLOG, "skip_slowlog"),
    (abi::COMMAND_ASKING, "asking"),
    (abi::COMMAND_FAST, "fast"),
    (abi::COMMAND_NO_AUTH, "no_auth"),
    (abi::COMMAND_NO_ASYNC_LOADING, "no_async_loading"),
    (abi::COMMAND_NO_MULTI, "no_multi"),
    (abi::COMMAND_NO_MANDATORY_KEYS, "no_mandatory_keys"),
    (abi::COMMAND_MOVABLE_KEYS, "movablekeys"),
    (abi::COMMAND_ALLOW_BUSY, "allow_busy"),
];

/// How a command uses a key.
pub(super) const KEY_FLAGS: Words = &[
    (abi::KEY_RO, "RO"),
    (abi::KEY_RW, "RW"),
    (abi::KEY_OW, "OW"),
    (abi::KEY_RM, "RM"),
    (abi::KEY_ACCESS, "access"),
    (abi::KEY_UPDATE, "update"),
    (abi::KEY_INSERT, "insert"),
    (abi::KEY_DELETE, "delete"),
    (abi::KEY_NOT_KEY, "not_key"),
    (abi::KEY_INCOMPLETE, "incomplete"),
    (abi::KEY_VARIABLE_FLAGS, "variable_flags"),
];

/// Write the names of the bits that are set, as a set of statuses.
pub(super) fn write_words(reply: &mut Writer<'_>, words: Words, bits: u64) {
    let set: Vec<&str> = words.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, word)| *word).collect();
    reply.set(set.len());
    set.iter().for_each(|word| reply.simple(word));
}

/// Write a command.
pub(super) fn write(reply: &mut Writer<'_>, command: &Registered, categories: &Categories) {
    let specs = command.keys();
    let range = Range::of(&specs);
    let mut flags = command.spec.flags & !OF_MODULE;
    if range.movable || specs.is_empty() && command.spec.find_keys.is_some() {
        flags |= abi::COMMAND_MOVABLE_KEYS;
    }
    if crate::admin::command::is_of_module(command) {
        flags |= OF_MODULE;
    }
    reply.array(10);
    reply.bulk(&command.name);
    reply.integer(i64::from(command.spec.arity));
    write_words(reply, COMMAND_FLAGS, flags);
    reply.integer(i64::from(range.first));
    reply.integer(i64::from(range.last));
    reply.integer(i64::from(range.step));
    let names: Vec<&str> = categories.names(command.categories()).collect();
    reply.set(names.len());
    names.iter().for_each(|name| reply.simple(&format!("@{name}")));
    write_tips(reply, command);
    reply.set(specs.len());
    specs.iter().for_each(|spec| write_key_spec(reply, spec));
    if command.subcommands.is_empty() {
        reply.set(0);
    } else {
        reply.array(command.subcommands.len());
        command.subcommands.iter().for_each(|sub| write(reply, sub, categories));
    }
}

fn write_tips(reply: &mut Writer<'_>, command: &Registered) {
    reply.set(command.spec.tips.count as usize);
    for tip in command.spec.tips.iter() {
        // SAFETY: tips are constants of the module that registered the command.
        reply.bulk(unsafe { (*tip).as_slice() });
    }
}

fn write_key_spec(reply: &mut Writer<'_>, spec: &KeySpec) {
    // SAFETY: texts in a spec are constants of the module that registered the command.
    let (notes, keyword) = unsafe { (text(spec.notes), text(spec.keyword)) };
    reply.map(if notes.is_empty() { 3 } else { 4 });
    if !notes.is_empty() {
        reply.bulk("notes");
        reply.bulk(notes.as_bytes());
    }
    reply.bulk("flags");
    write_words(reply, KEY_FLAGS, spec.flags);
    reply.bulk("begin_search");
    let index = i64::from(spec.index);
    match spec.begin {
        abi::KEY_BEGIN_INDEX => write_part(reply, "index", None, &[("index", index)]),
        abi::KEY_BEGIN_KEYWORD => {
            write_part(reply, "keyword", Some(("keyword", &keyword)), &[("startfrom", index)]);
        }
        _ => write_part(reply, "unknown", None, &[]),
    }
    reply.bulk("find_keys");
    let (last, step, limit) = (i64::from(spec.last), i64::from(spec.step), i64::from(spec.limit));
    match spec.find {
        abi::KEY_FIND_RANGE => {
            write_part(reply, "range", None, &[("lastkey", last), ("keystep", step), ("limit", limit)]);
        }
        abi::KEY_FIND_KEYNUM => {
            write_part(reply, "keynum", None, &[("keynumidx", last), ("firstkey", limit), ("keystep", step)]);
        }
        _ => write_part(reply, "unknown", None, &[]),
    }
}

/// Write half of a key spec: its kind and its figures.
fn write_part(reply: &mut Writer<'_>, kind: &str, word: Option<(&str, &str)>, figures: &[(&str, i64)]) {
    reply.map(2);
    reply.bulk("type");
    reply.bulk(kind);
    reply.bulk("spec");
    reply.map(figures.len() + usize::from(word.is_some()));
    if let Some((name, value)) = word {
        reply.bulk(name);
        reply.bulk(value);
    }
    for (name, value) in figures {
        reply.bulk(name);
        reply.integer(*value);
    }
}
