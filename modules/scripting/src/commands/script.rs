//! SCRIPT: what is there of scripts.

use super::GROUP;
use crate::engine::{self, Failure};
use crate::run::Origin;
use crate::scripts::{Sha, sha_of};
use plinth_module::prelude::*;

pub(super) const COMMANDS: &[Command] = &[SCRIPT];

const SCRIPT: Command = Command {
    name: text("script"),
    arity: -2,
    subcommands: list(&[DEBUG, EXISTS, FLUSH, HELP, KILL, LOAD, SHOW]),
    docs: &Docs {
        summary: text("Manages scripts."),
        since: text("2.6.0"),
        group: GROUP,
        complexity: text("Depends on subcommand."),
        ..Docs::NEW
    },
    ..Command::NEW
};

/// What the subcommands share.
const MANAGES: Command = Command { flags: COMMAND_NO_SCRIPT, categories: CATEGORY_SCRIPTING, ..Command::NEW };
const DOCS: Docs = Docs { since: text("2.6.0"), group: GROUP, complexity: text("O(1)"), ..Docs::NEW };

const DEBUG: Command = Command {
    name: text("debug"),
    arity: 3,
    docs: &Docs {
        summary: text("Is refused, unless it turns debugging off, which it is."),
        since: text("3.2.0"),
        args: list(&[Arg::group(
            ARG_ONE_OF,
            "mode",
            &[Arg::word("yes", "YES"), Arg::word("sync", "SYNC"), Arg::word("no", "NO")],
        )]),
        ..DOCS
    },
    run: run(debug),
    ..MANAGES
};

const EXISTS: Command = Command {
    name: text("exists"),
    arity: -3,
    docs: &Docs {
        summary: text("Tells which scripts are there."),
        complexity: text("O(N), for N scripts."),
        args: list(&[Arg::new(ARG_STRING, "sha1").flags(ARG_MULTIPLE)]),
        ..DOCS
    },
    run: run(exists),
    ..MANAGES
};

const FLUSH: Command = Command {
    name: text("flush"),
    arity: -2,
    docs: &Docs {
        summary: text("Forgets all scripts."),
        complexity: text("O(N), for N scripts."),
        args: list(&[Arg::group(ARG_ONE_OF, "flush-type", &[Arg::word("async", "ASYNC"), Arg::word("sync", "SYNC")])
            .flags(ARG_OPTIONAL)]),
        ..DOCS
    },
    run: run(flush),
    ..MANAGES
};

const HELP: Command = Command {
    name: text("help"),
    arity: 2,
    flags: COMMAND_LOADING | COMMAND_STALE,
    docs: &Docs { summary: text("Lists the subcommands."), since: text("5.0.0"), ..DOCS },
    run: run(help),
    ..MANAGES
};

const KILL: Command = Command {
    name: text("kill"),
    arity: 2,
    flags: COMMAND_NO_SCRIPT | COMMAND_ALLOW_BUSY,
    docs: &Docs { summary: text("Ends the script that runs, unless it has written."), ..DOCS },
    run: run(|call| crate::busy::kill(call, Origin::Script)),
    ..MANAGES
};

const LOAD: Command = Command {
    name: text("load"),
    arity: 3,
    flags: COMMAND_NO_SCRIPT | COMMAND_STALE,
    docs: &Docs {
        summary: text("Keeps a script, and answers its SHA-1."),
        complexity: text("O(N), for N bytes of the script."),
        args: list(&[Arg::new(ARG_STRING, "script")]),
        ..DOCS
    },
    run: run(load),
    ..MANAGES
};

const SHOW: Command = Command {
    name: text("show"),
    arity: 3,
    docs: &Docs {
        summary: text("Shows the source of a script, as Valkey does."),
        since: text("8.0.0"),
        args: list(&[Arg::new(ARG_STRING, "sha1")]),
        ..DOCS
    },
    run: run(show),
    ..MANAGES
};

const HELP_LINES: &[&str] = &[
    "SCRIPT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "DEBUG (YES|SYNC|NO)",
    "    Only NO is accepted: there is no debugger.",
    "EXISTS <sha1> [<sha1> ...]",
    "    Which of the scripts are there, as 1 or 0 each.",
    "FLUSH [ASYNC|SYNC]",
    "    Forget all scripts.",
    "KILL",
    "    End the script that runs, unless it has written.",
    "LOAD <script>",
    "    Keep a script without running it, and answer its SHA-1.",
    "SHOW <sha1>",
    "    The source of a script.",
    "HELP",
    "    Shows this text.",
];

fn debug(call: &mut Call<'_>) -> Result {
    if call.args.word(2, "no") {
        call.reply.ok();
        return Ok(());
    }
    let is_known = call.args.word(2, "yes") || call.args.word(2, "sync");
    let text = if is_known { "ERR there is no debugger of scripts" } else { "ERR Use SCRIPT DEBUG YES/SYNC/NO" };
    Err(call.reply.error(text))
}

fn sha(bytes: &[u8]) -> Option<Sha> {
    let mut sha = Sha::try_from(bytes).ok()?;
    sha.make_ascii_lowercase();
    Some(sha)
}

fn exists(call: &mut Call<'_>) -> Result {
    call.reply.array(call.args.len() - 2);
    for name in call.args.from(2) {
        let is_there = sha(name).is_some_and(|sha| engine::has_script(&sha));
        call.reply.integer(is_there.into());
    }
    Ok(())
}

fn flush(call: &mut Call<'_>) -> Result {
    let is_known = call.args.word(2, "sync") || call.args.word(2, "async");
    if call.args.len() > 3 || call.args.len() == 3 && !is_known {
        return Err(call.reply.error("ERR SCRIPT FLUSH only support SYNC|ASYNC option"));
    }
    engine::flush_scripts();
    call.reply.ok();
    Ok(())
}

fn help(call: &mut Call<'_>) -> Result {
    call.reply.array(HELP_LINES.len());
    HELP_LINES.iter().for_each(|line| call.reply.simple(line));
    Ok(())
}

fn load(call: &mut Call<'_>) -> Result {
    let source = call.args.bytes(2);
    let sha = sha_of(source);
    match engine::find_script(call, &sha, Some(source), true) {
        Ok(_) => call.reply.bulk(sha),
        Err(Failure(text)) => return Err(call.reply.error(text)),
    }
    Ok(())
}

fn show(call: &mut Call<'_>) -> Result {
    let source = sha(call.args.bytes(2)).and_then(|sha| engine::source_of(&sha));
    match source {
        Some(source) => call.reply.bulk(source),
        None => return Err(call.reply.error("NOSCRIPT No matching script. Please use EVAL.")),
    }
    Ok(())
}
