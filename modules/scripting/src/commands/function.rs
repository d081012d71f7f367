//! FUNCTION, FCALL and FCALL_RO.

use super::GROUP;
use super::eval::{READS, RUNS, flags_with, key_count};
use crate::engine::Failure;
use crate::functions::{self, Absent, with_libraries};
use crate::library::{Library, flag_names};
use crate::payload;
use crate::run::{Origin, running};
use plinth_module::glob::Pattern;
use plinth_module::prelude::*;

pub(super) const COMMANDS: &[Command] = &[FCALL, FCALL_RO, FUNCTION];

const ARGS: &[Arg] = &[
    Arg::new(ARG_STRING, "function"),
    Arg::new(ARG_INTEGER, "numkeys"),
    Arg::key("key", 0).flags(ARG_OPTIONAL | ARG_MULTIPLE),
    Arg::new(ARG_STRING, "arg").flags(ARG_OPTIONAL | ARG_MULTIPLE),
];

const DOCS: Docs = Docs { since: text("7.0.0"), group: GROUP, complexity: text("O(1)"), ..Docs::NEW };

const FCALL: Command = Command {
    name: text("fcall"),
    docs: &Docs {
        summary: text("Calls a function."),
        complexity: text("Depends on the function that is executed."),
        args: list(ARGS),
        ..DOCS
    },
    run: run(|call| fcall(call, false)),
    find_flags: find_flags(|args| {
        let name = String::from_utf8_lossy(args.bytes(1));
        flags_with(with_libraries(|libraries| libraries.function(&name).map(|one| one.flags)))
    }),
    ..RUNS
};

const FCALL_RO: Command = Command {
    name: text("fcall_ro"),
    docs: &Docs {
        summary: text("Calls a function that does not write."),
        complexity: text("Depends on the function that is executed."),
        args: list(ARGS),
        ..DOCS
    },
    run: run(|call| fcall(call, true)),
    ..READS
};

const FUNCTION: Command = Command {
    name: text("function"),
    arity: -2,
    subcommands: list(&[DELETE, DUMP, FLUSH, HELP, KILL, LIST, LOAD, RESTORE, STATS]),
    docs: &Docs { summary: text("Manages functions."), complexity: text("Depends on subcommand."), ..DOCS },
    ..Command::NEW
};

/// What the subcommands share.
const MANAGES: Command = Command { flags: COMMAND_NO_SCRIPT, categories: CATEGORY_SCRIPTING, ..Command::NEW };
/// Those that change something.
const CHANGES: Command = Command { flags: COMMAND_NO_SCRIPT | COMMAND_WRITE, ..MANAGES };
/// Those that bring something.
const BRINGS: Command = Command { flags: COMMAND_NO_SCRIPT | COMMAND_WRITE | COMMAND_DENY_OOM, ..MANAGES };

const DELETE: Command = Command {
    name: text("delete"),
    arity: 3,
    docs: &Docs {
        summary: text("Deletes a library and its functions."),
        args: list(&[Arg::new(ARG_STRING, "library-name")]),
        ..DOCS
    },
    run: run(delete),
    ..CHANGES
};

const DUMP: Command = Command {
    name: text("dump"),
    arity: 2,
    docs: &Docs {
        summary: text("Answers all libraries as one payload."),
        complexity: text("O(N), for N functions."),
        ..DOCS
    },
    run: run(dump),
    ..MANAGES
};

const FLUSH: Command = Command {
    name: text("flush"),
    arity: -2,
    docs: &Docs {
        summary: text("Deletes all libraries."),
        complexity: text("O(N), for N functions."),
        args: list(&[Arg::group(ARG_ONE_OF, "flush-type", &[Arg::word("async", "ASYNC"), Arg::word("sync", "SYNC")])
            .flags(ARG_OPTIONAL)]),
        ..DOCS
    },
    run: run(flush),
    ..CHANGES
};

const HELP: Command = Command {
    name: text("help"),
    arity: 2,
    flags: COMMAND_LOADING | COMMAND_STALE,
    docs: &Docs { summary: text("Lists the subcommands."), ..DOCS },
    run: run(help),
    ..MANAGES
};

const KILL: Command = Command {
    name: text("kill"),
    arity: 2,
    flags: COMMAND_NO_SCRIPT | COMMAND_ALLOW_BUSY,
    docs: &Docs { summary: text("Ends the function that runs, unless it has written."), ..DOCS },
    run: run(|call| crate::busy::kill(call, Origin::Function)),
    ..MANAGES
};

const LIST: Command = Command {
    name: text("list"),
    arity: -2,
    docs: &Docs {
        summary: text("Shows libraries and their functions."),
        complexity: text("O(N), for N functions."),
        args: list(&[
            Arg::new(ARG_STRING, "library-name-pattern").token("LIBRARYNAME").flags(ARG_OPTIONAL),
            Arg::word("withcode", "WITHCODE").flags(ARG_OPTIONAL),
        ]),
        ..DOCS
    },
    run: run(list_libraries),
    ..MANAGES
};

const LOAD: Command = Command {
    name: text("load"),
    arity: -3,
    docs: &Docs {
        summary: text("Loads a library, and answers its name."),
        args: list(&[Arg::word("replace", "REPLACE").flags(ARG_OPTIONAL), Arg::new(ARG_STRING, "function-code")]),
        ..DOCS
    },
    run: run(load),
    ..BRINGS
};

const RESTORE: Command = Command {
    name: text("restore"),
    arity: -3,
    docs: &Docs {
        summary: text("Loads the libraries of a payload."),
        complexity: text("O(N), for N functions."),
        args: list(&[
            Arg::new(ARG_STRING, "serialized-value"),
            Arg::group(
                ARG_ONE_OF,
                "policy",
                &[Arg::word("flush", "FLUSH"), Arg::word("append", "APPEND"), Arg::word("replace", "REPLACE")],
            )
            .flags(ARG_OPTIONAL),
        ]),
        ..DOCS
    },
    run: run(restore),
    ..BRINGS
};

const STATS: Command = Command {
    name: text("stats"),
    arity: 2,
    flags: COMMAND_NO_SCRIPT | COMMAND_ALLOW_BUSY,
    docs: &Docs { summary: text("Shows the function that runs, and how many there are."), ..DOCS },
    run: run(stats),
    ..MANAGES
};

const HELP_LINES: &[&str] = &[
    "FUNCTION <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "LOAD [REPLACE] <FUNCTION CODE>",
    "    Load a library, and answer its name.",
    "DELETE <LIBRARY NAME>",
    "    Delete a library and its functions.",
    "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
    "    Show libraries and their functions, all or those whose names fit PATTERN.",
    "STATS",
    "    The function that runs, and the numbers of libraries and functions.",
    "KILL",
    "    End the function that runs, unless it has written.",
    "FLUSH [ASYNC|SYNC]",
    "    Delete all libraries.",
    "DUMP",
    "    All libraries as one payload.",
    "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
    "    Load the libraries of a payload: instead of what is there, beside it (the default), or over it.",
    "HELP",
    "    Shows this text.",
];

fn fcall(call: &mut Call<'_>, reads: bool) -> Result {
    let name = String::from_utf8_lossy(call.args.bytes(1)).into_owned();
    if !functions::has_function(call, &name) {
        return Err(call.reply.error("ERR Function not found"));
    }
    let Ok(count) = call.args.integer(2) else { return Err(call.reply.error("ERR Bad number of keys provided")) };
    if count < 0 {
        return Err(call.reply.error("ERR Number of keys can't be negative"));
    }
    let keys = key_count(call)?;
    functions::call_function(call, &name, keys, reads)
}

/// Something has changed that is no key: the next snapshot is due for it, and those who are told are told.
fn changed(call: &mut Call<'_>) {
    let args: Vec<&[u8]> = call.args.iter().collect();
    let _ = call.propagate.instead(&args);
}

fn load(call: &mut Call<'_>) -> Result {
    let last = call.args.len() - 1;
    for at in 2..last {
        if !call.args.word(at, "replace") {
            let word = String::from_utf8_lossy(call.args.bytes(at)).into_owned();
            return Err(call.reply.error(format!("ERR Unknown option given: {word}")));
        }
    }
    let source = call.args.bytes(last);
    // What a file or a primary says is kept; who asks for it himself learns that the language is not there.
    let absent = if call.client_id().is_none() { Absent::Kept } else { Absent::Refused };
    match functions::load(call, source, last > 2, absent) {
        Ok(name) => {
            changed(call);
            call.reply.bulk(name);
            Ok(())
        }
        Err(Failure(text)) => Err(call.reply.error(text)),
    }
}

fn delete(call: &mut Call<'_>) -> Result {
    let name = String::from_utf8_lossy(call.args.bytes(2)).into_owned();
    if !functions::delete(&name) {
        return Err(call.reply.error("ERR Library not found"));
    }
    changed(call);
    call.reply.ok();
    Ok(())
}

/// A subcommand takes fewer words.
fn too_many(call: &mut Call<'_>) -> Error {
    let word = String::from_utf8_lossy(call.args.bytes(1)).into_owned();
    let text = format!("ERR unknown subcommand or wrong number of arguments for '{word}'. Try FUNCTION HELP.");
    call.reply.error(text)
}

fn flush(call: &mut Call<'_>) -> Result {
    let is_known = call.args.word(2, "sync") || call.args.word(2, "async");
    if call.args.len() > 3 {
        return Err(too_many(call));
    }
    if call.args.len() == 3 && !is_known {
        return Err(call.reply.error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option"));
    }
    functions::flush();
    changed(call);
    call.reply.ok();
    Ok(())
}

fn help(call: &mut Call<'_>) -> Result {
    call.reply.array(HELP_LINES.len());
    HELP_LINES.iter().for_each(|line| call.reply.simple(line));
    Ok(())
}

fn list_libraries(call: &mut Call<'_>) -> Result {
    let (mut pattern, mut with_code, mut at) = (None, false, 2);
    while let Some(word) = call.args.get(at) {
        if !with_code && word.eq_ignore_ascii_case(b"withcode") {
            with_code = true;
        } else if pattern.is_none() && word.eq_ignore_ascii_case(b"libraryname") {
            at += 1;
            if at >= call.args.len() {
                return Err(call.reply.error("ERR library name argument was not given"));
            }
            pattern = call.args.get(at);
        } else {
            let word = String::from_utf8_lossy(word).into_owned();
            return Err(call.reply.error(format!("ERR Unknown argument {word}")));
        }
        at += 1;
    }
    functions::revive(call);
    let pattern = pattern.map_or(Pattern::All, Pattern::new);
    let mark = call.reply.open();
    let count = with_libraries(|libraries| {
        let fitting = libraries.iter().filter(|(name, _)| pattern.matches(name.as_bytes()));
        fitting.map(|(name, library)| show(&mut call.reply, name, library, with_code)).count()
    });
    call.reply.close_array(mark, count);
    Ok(())
}

fn show(reply: &mut ReplyBuffer<'_>, name: &str, library: &Library, with_code: bool) {
    reply.map(if with_code { 4 } else { 3 });
    reply.bulk("library_name");
    reply.bulk(name);
    reply.bulk("engine");
    reply.bulk(library.engine.to_ascii_uppercase());
    reply.bulk("functions");
    reply.array(library.functions.len());
    for function in &library.functions {
        reply.map(3);
        reply.bulk("name");
        reply.bulk(&function.name);
        reply.bulk("description");
        match &function.description {
            Some(description) => reply.bulk(description),
            None => reply.null(),
        }
        reply.bulk("flags");
        reply.set(flag_names(function.flags).count());
        flag_names(function.flags).for_each(|flag| reply.simple(flag));
    }
    if with_code {
        reply.bulk("library_code");
        reply.bulk(&library.source);
    }
}

fn stats(call: &mut Call<'_>) -> Result {
    match running().as_ref().map(|run| run.origin) {
        Some(Origin::Function) => {}
        Some(origin) => return Err(call.reply.error(crate::busy::refusal(origin))),
        None => functions::revive(call),
    }
    call.reply.map(2);
    call.reply.bulk("running_script");
    {
        let running = running();
        match running.as_ref().filter(|run| run.origin == Origin::Function) {
            None => call.reply.null(),
            Some(run) => {
                call.reply.map(3);
                call.reply.bulk("name");
                call.reply.bulk(run.name.as_str());
                call.reply.bulk("command");
                call.reply.array(run.command.len());
                run.command.iter().for_each(|word| call.reply.bulk(word));
                call.reply.bulk("duration_ms");
                call.reply.integer(run.begun.elapsed().as_millis() as i64);
            }
        }
    }
    call.reply.bulk("engines");
    with_libraries(|all| {
        let engines = all.engines();
        call.reply.map(engines.len());
        for engine in engines {
            let (libraries, functions) = all.counts_of(engine);
            call.reply.bulk(engine.to_ascii_uppercase());
            call.reply.map(2);
            call.reply.bulk("libraries_count");
            call.reply.count(libraries);
            call.reply.bulk("functions_count");
            call.reply.count(functions);
        }
    });
    Ok(())
}

fn dump(call: &mut Call<'_>) -> Result {
    let payload = with_libraries(|libraries| payload::write(libraries.iter().map(|(_, library)| &library.source[..])));
    call.reply.bulk(payload);
    Ok(())
}

fn restore(call: &mut Call<'_>) -> Result {
    let policy = call.args.get(3).unwrap_or(b"append").to_ascii_lowercase();
    if call.args.len() > 4 {
        return Err(too_many(call));
    }
    if !matches!(&policy[..], b"append" | b"replace" | b"flush") {
        let text = "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.";
        return Err(call.reply.error(text));
    }
    let Some(sources) = payload::read(call.args.bytes(2)) else {
        return Err(call.reply.error("ERR DUMP payload version or checksum are wrong"));
    };
    // All or nothing: what was there comes back where one does not load.
    let before: Vec<Vec<u8>> =
        with_libraries(|libraries| libraries.iter().map(|(_, one)| one.source.clone()).collect());
    if &policy[..] == b"flush" {
        functions::flush();
    }
    for source in &sources {
        let loaded = match functions::taken_name(source).filter(|_| &policy[..] == b"append") {
            Some(name) => Err(Failure(format!("ERR Library {name} already exists").into_bytes())),
            None => functions::load(call, source, &policy[..] == b"replace", Absent::Refused),
        };
        if let Err(Failure(text)) = loaded {
            functions::flush();
            before.iter().for_each(|source| drop(functions::load(call, source, true, Absent::Kept)));
            return Err(call.reply.error(text));
        }
    }
    changed(call);
    call.reply.ok();
    Ok(())
}
