//! What the report of a crash says of the server: in which module it died, what it ran, for whom, and INFO.
//!
//! All of it is ordinary code that looks at what may be broken. It is called part by part, so that one that dies
//! leaves the others (`base::crash`).

use crate::admin::info;
use crate::base::words;
use crate::engine::crash::{Part, module, running};
use crate::engine::lookback::shown;
use crate::engine::server::Server;
use crate::session::line::{Running, line};
use std::backtrace::Backtrace;

/// The parts, those that touch least first.
pub static PARTS: &[Part] = &[
    Part { title: "MODULE", text: died_in },
    Part { title: "COMMANDS THAT RAN, THE INNERMOST FIRST", text: commands },
    Part { title: "STACK TRACE WITH NAMES", text: |_| Backtrace::force_capture().to_string() },
    Part { title: "INFO OUTPUT", text: |server| info::text(server, vec!["all".into()]) },
    Part { title: "CLIENT LIST OUTPUT", text: clients },
];

/// Most words of a command, bytes of a word, and clients that are shown.
const WORDS_MAX: usize = 32;
const WORD_BYTES_MAX: usize = 128;
const CLIENTS_MAX: usize = 100;

fn died_in(server: &mut Server) -> String {
    match module(server) {
        None => "It died in the server itself.".into(),
        Some((module, is_its)) => {
            let how = if is_its { "It died in" } else { "It died in something called by" };
            format!("{how} the module '{}' {}, loaded from {}", module.name, module.version, module.path.display())
        }
    }
}

fn commands(server: &mut Server) -> String {
    let hides = server.settings.process.hides_user_data;
    let mut text = String::new();
    for one in running(server) {
        let mut line_of = format!("{} (db {})", one.command.name, one.db).into_bytes();
        for word in shown(one.command, one.words).into_iter().skip(1).take(WORDS_MAX) {
            line_of.push(b' ');
            let word = if hides { b"*redacted*".as_slice() } else { word };
            words::quote(&word[..word.len().min(WORD_BYTES_MAX)], &mut line_of);
        }
        text.push_str(&String::from_utf8_lossy(&line_of));
        text.push('\n');
        if let Some(client) = one.client.and_then(|token| server.sessions.clients.peek(token)) {
            text.push_str(&format!("    for {}\n", line(client, server.clock.now_s, Running::default())));
        }
    }
    if text.is_empty() { "None.".into() } else { text }
}

fn clients(server: &mut Server) -> String {
    let tokens = server.sessions.clients.tokens();
    let all = tokens.iter().filter_map(|token| server.sessions.clients.peek(*token)).take(CLIENTS_MAX);
    all.map(|client| line(client, server.clock.now_s, Running::default())).collect::<Vec<_>>().join("\n")
}
