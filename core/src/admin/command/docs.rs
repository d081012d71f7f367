//! One command as COMMAND DOCS shows it.
//!
//! What a spec leaves empty is left out of the map, as in the reference; a group is
//! always there.

use crate::base::foreign::{text, widened};
use crate::engine::call::Registered;
use crate::engine::server::Server;
use crate::wire::write::Writer;
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::command::{self as abi, Arg, Docs};

/// A command's docs, if it has any.
pub(super) fn of(command: &Registered) -> Option<Docs> {
    let docs = command.spec.docs;
    // SAFETY: docs are constants of the module that registered the command, and begin
    // with their size.
    (!docs.is_null()).then(|| unsafe { widened(docs, Docs::NEW) })
}

/// Text of a constant in docs.
fn shown(bytes: Bytes) -> String {
    // SAFETY: docs live as long as their command is registered, which it is while it
    // is described.
    unsafe { text(bytes) }.into_owned()
}

/// Write a command's docs.
pub(super) fn write(reply: &mut Writer<'_>, command: &Registered, server: &Server) {
    let docs = of(command).unwrap_or(Docs::NEW);
    let of_module = crate::admin::command::is_of_module(command);
    let group = match shown(docs.group) {
        named if !of_module && !named.is_empty() => named,
        _ if of_module => "module".into(),
        _ => "generic".into(),
    };
    let mut texts = vec![("summary", shown(docs.summary)), ("since", shown(docs.since)), ("group", group)];
    texts.push(("complexity", shown(docs.complexity)));
    if of_module {
        texts.push(("module", server.registry.modules.name(command.module).to_owned()));
    }
    let deprecated = shown(docs.deprecated_since);
    let replaced_by = shown(docs.replaced_by);
    texts.retain(|(_, text)| !text.is_empty());
    let later = [("deprecated_since", &deprecated), ("replaced_by", &replaced_by)];
    let later: Vec<_> = later.into_iter().filter(|(_, text)| !text.is_empty()).collect();
    let lists = [docs.history.count > 0, docs.args.count > 0, !command.subcommands.is_empty(), !deprecated.is_empty()];
    reply.map(texts.len() + later.len() + lists.iter().filter(|is_there| **is_there).count());
    texts.iter().for_each(|(name, text)| write_text(reply, name, text));
    if !deprecated.is_empty() {
        reply.bulk("doc_flags");
        reply.set(1);
        reply.simple("deprecated");
    }
    later.iter().for_each(|(name, text)| write_text(reply, name, text));
    write_history(reply, &docs);
    if docs.args.count > 0 {
        reply.bulk("arguments");
        write_args(reply, docs.args);
    }
    if !command.subcommands.is_empty() {
        reply.bulk("subcommands");
        reply.map(command.subcommands.len());
        for sub in &command.subcommands {
            reply.bulk(&sub.name);
            write(reply, sub, server);
        }
    }
}

fn write_text(reply: &mut Writer<'_>, name: &str, text: &str) {
    reply.bulk(name);
    reply.bulk(text);
}

fn write_history(reply: &mut Writer<'_>, docs: &Docs) {
    if docs.history.count == 0 {
        return;
    }
    reply.bulk("history");
    reply.set(docs.history.count as usize);
    for change in docs.history.iter() {
        // SAFETY: as in `shown`.
        let change = unsafe { *change };
        reply.array(2);
        reply.bulk(shown(change.version));
        reply.bulk(shown(change.what));
    }
}

const KINDS: &[(u32, &str)] = &[
    (abi::ARG_STRING, "string"),
    (abi::ARG_INTEGER, "integer"),
    (abi::ARG_DOUBLE, "double"),
    (abi::ARG_KEY, "key"),
    (abi::ARG_PATTERN, "pattern"),
    (abi::ARG_UNIX_TIME, "unix-time"),
    (abi::ARG_PURE_TOKEN, "pure-token"),
    (abi::ARG_ONE_OF, "oneof"),
    (abi::ARG_BLOCK, "block"),
];

const ARG_FLAGS: &[(u32, &str)] =
    &[(abi::ARG_OPTIONAL, "optional"), (abi::ARG_MULTIPLE, "multiple"), (abi::ARG_MULTIPLE_TOKEN, "multiple_token")];

fn write_args(reply: &mut Writer<'_>, args: Slice<Arg>) {
    reply.array(args.count as usize);
    for arg in args.iter() {
        // SAFETY: as in `shown`; each argument begins with its size.
        let arg = unsafe { widened(arg, Arg::new(abi::ARG_STRING, "")) };
        write_arg(reply, &arg);
    }
}

fn write_arg(reply: &mut Writer<'_>, arg: &Arg) {
    let name = shown(arg.name);
    let kind = KINDS.iter().find(|(kind, _)| *kind == arg.kind).map_or("string", |(_, word)| *word);
    let has_members = matches!(arg.kind, abi::ARG_ONE_OF | abi::ARG_BLOCK);
    // The reference shows what to call an argument besides its name, unless it is
    // made of others.
    let display = if has_members { String::new() } else { name.clone() };
    let (token, since) = (shown(arg.token), shown(arg.since));
    let optional = [("display_text", &display), ("token", &token), ("since", &since)];
    let is_key = arg.key_spec >= 0;
    let given = optional.iter().filter(|(_, text)| !text.is_empty()).count();
    reply.map(2 + given + usize::from(is_key) + usize::from(arg.flags != 0) + usize::from(has_members));
    write_text(reply, "name", &name);
    write_text(reply, "type", kind);
    for (field, text) in optional {
        if field == "token" && is_key {
            reply.bulk("key_spec_index");
            reply.integer(i64::from(arg.key_spec));
        }
        if !text.is_empty() {
            write_text(reply, field, text);
        }
    }
    if arg.flags != 0 {
        let set: Vec<&str> = ARG_FLAGS.iter().filter(|(bit, _)| arg.flags & bit != 0).map(|(_, word)| *word).collect();
        reply.bulk("flags");
        reply.set(set.len());
        set.iter().for_each(|word| reply.simple(word));
    }
    if has_members {
        reply.bulk("arguments");
        write_args(reply, arg.args);
    }
}
