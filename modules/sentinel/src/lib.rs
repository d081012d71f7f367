//! Sentinel: watches over groups of a primary and its replicas, and puts a replica in the place of a primary that is
//! down, together with other Sentinels, Redis's own among them.
//!
//! ```text
//!   plinth-server sentinel.conf --sentinel       loads this module, which makes the server a Sentinel
//! ```
//!
//! Reading order: [`model`] (what is known), [`machine`] (time and messages in, actions out) with [`failover`],
//! [`info`], [`hello`], [`answers`], [`scripts`] and [`config`]; then `commands`, and this file, which connects the
//! machine with sockets, timers, programs and the file.
//!
//! *Invariant*: the machine is let go of before anything of the server is called, which may ask for it again.
//!
//! <https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/>

#![deny(unsafe_code)]

pub mod answers;
mod commands;
pub mod config;
pub mod failover;
pub mod hello;
pub mod info;
pub mod machine;
pub mod model;
pub mod names;
pub mod reply;
pub mod scripts;

use crate::machine::{Action, Level, Sentinel};
use crate::reply::Fault;
use crate::scripts::Order;
use plinth_module::bus::{BUS_SERVICE, Bus};
use plinth_module::directives::{DIRECTIVES_SERVICE, Directive, Directives, LineWriter};
use plinth_module::mode::{MODE_SERVICE, Modes};
use plinth_module::prelude::*;
use plinth_module::process::{PROCESS_SERVICE, Processes, Program};
use plinth_module::socket::{Limits, Peer, SOCKET_SERVICE, Sockets};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

static SOCKETS: Sockets = Sockets::new();
static PROCESSES: Processes = Processes::new();
static LINES: Directives = Directives::new();
static MODES: Modes = Modes::new();
static BUS: Bus = Bus::new();

/// The machine, and what the host calls its links and scripts.
struct Whole {
    machine: Sentinel,
    sockets: HashMap<u64, u64>,
    processes: HashMap<u64, u64>,
    /// Lines of the file, until all have been read.
    lines: Vec<Vec<String>>,
    /// Whether the file could be written when it was last.
    is_flushed: bool,
}

static WHOLE: LazyLock<Mutex<Whole>> = LazyLock::new(|| Mutex::new(fresh()));

fn fresh() -> Whole {
    Whole {
        machine: Sentinel::new(seed()),
        sockets: HashMap::new(),
        processes: HashMap::new(),
        lines: Vec::new(),
        is_flushed: true,
    }
}

/// The machine, which only the main thread asks for.
fn whole() -> MutexGuard<'static, Whole> {
    WHOLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes that may have come on a link and not be a whole answer.
const INPUT_BYTES_MAX: u64 = 2 << 20;
/// Least and most time between two ticks, in ms. It varies, so that not all Sentinels ask for votes at once.
const TICK_MS: (i64, i64) = (50, 50);

/// Numbers that nobody guesses, from what the standard library seeds its tables with.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

fn identity() -> String {
    (0..3).map(|_| format!("{:016x}", seed())).collect::<String>()[..40].to_owned()
}

/// The lines of the configuration file.
struct Configured;

impl Directive for Configured {
    const NAME: &'static str = "sentinel";

    fn read(_call: &mut Call<'_>, words: &[&[u8]]) -> Result {
        if words.is_empty() {
            return Err(Error::Syntax);
        }
        let words = words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        whole().lines.push(words);
        Ok(())
    }

    fn write(_call: &mut Call<'_>, out: &mut LineWriter<'_>) {
        let lines = whole().machine.lines();
        for line in lines {
            out.line(&line.iter().map(String::as_bytes).collect::<Vec<_>>());
        }
    }
}

/// A link.
struct Linked;

impl Peer for Linked {
    fn connected(call: &mut Call<'_>, socket: u64, link: u64) {
        let address = SOCKETS.address(call, socket, false).unwrap_or_default();
        let ip = address.rsplit_once(':').map_or("", |(ip, _)| ip.trim_matches(['[', ']'])).to_owned();
        let now = call.now_ms();
        whole().machine.connected(link, ip, now);
        follow(call);
    }

    fn received(call: &mut Call<'_>, socket: u64, bytes: &[u8], link: u64) -> usize {
        let (mut taken, now) = (0, call.now_ms());
        loop {
            match reply::read(&bytes[taken..]) {
                Ok((reply, len)) => {
                    taken += len;
                    whole().machine.came(link, reply, now);
                }
                Err(Fault::Partial) => break,
                Err(Fault::Bad) => {
                    let _ = SOCKETS.close(call, socket);
                    ended(link);
                    break;
                }
            }
        }
        follow(call);
        taken
    }

    fn closed(call: &mut Call<'_>, _socket: u64, _reason: i32, link: u64) {
        ended(link);
        follow(call);
    }
}

fn ended(link: u64) {
    let mut whole = whole();
    whole.sockets.remove(&link);
    whole.machine.closed(link);
}

/// A script.
struct Ran;

impl Program for Ran {
    fn ended(call: &mut Call<'_>, _process: u64, code: i32, script: u64) {
        let now = call.now_ms();
        {
            let mut whole = whole();
            whole.processes.remove(&script);
            whole.machine.script_ended(script, code, now);
        }
        follow(call);
    }
}

/// Do what the machine has asked for.
fn follow(call: &mut Call<'_>) {
    loop {
        let (actions, orders) = {
            let mut whole = whole();
            (std::mem::take(&mut whole.machine.actions), std::mem::take(&mut whole.machine.scripts.orders))
        };
        if actions.is_empty() && orders.is_empty() {
            return;
        }
        let mut is_flushed = false;
        for action in actions {
            // What is told after several changes needs them in the file, and once.
            match action {
                Action::Flush if is_flushed => {}
                Action::Flush => {
                    is_flushed = true;
                    flush(call);
                }
                action => act(call, action),
            }
        }
        orders.into_iter().for_each(|order| obey(call, order));
    }
}

fn flush(call: &mut Call<'_>) {
    let is_flushed = LINES.rewrite(call).is_ok();
    if !is_flushed {
        call.log(LOG_WARNING, "WARNING: Sentinel was not able to save the new configuration on disk!!!");
    }
    whole().is_flushed = is_flushed;
}

fn act(call: &mut Call<'_>, action: Action) {
    match action {
        Action::Connect(link, ip, port) => {
            let limits = Limits { input_bytes_max: INPUT_BYTES_MAX, ..Limits::default() };
            let speaks_tls = whole().machine.own.speaks_tls;
            let made = SOCKETS.connect::<Linked>(call, &ip, port, "", limits, link).and_then(|socket| {
                let secured = if speaks_tls { SOCKETS.tls(call, socket, "") } else { Ok(()) };
                // In clear text nothing is said that was to be kept from others.
                secured.inspect_err(|_| _ = SOCKETS.close(call, socket)).map(|()| socket)
            });
            match made {
                Ok(socket) => _ = whole().sockets.insert(link, socket),
                Err(_) => ended(link),
            }
        }
        Action::Close(link) => {
            let socket = whole().sockets.remove(&link);
            // It may have ended by itself, of which the machine is told.
            let _ = socket.map(|socket| SOCKETS.close(call, socket));
        }
        Action::Send(link, words) => {
            let socket = whole().sockets.get(&link).copied();
            let _ = socket.map(|socket| SOCKETS.write(call, socket, &request(&words)));
        }
        Action::Publish(channel, text) => {
            // What nobody can be told is in the log.
            let _ = BUS.publish(call, channel.as_bytes(), text.as_bytes());
        }
        Action::Log(level, text) => call.log(
            match level {
                Level::Debug => LOG_DEBUG,
                Level::Verbose => LOG_VERBOSE,
                Level::Notice => LOG_NOTICE,
                Level::Warning => LOG_WARNING,
            },
            &text,
        ),
        Action::Flush => flush(call),
        Action::Crash => {
            call.log(LOG_WARNING, "Sentinel CRASH because of SENTINEL simulate-failure");
            // Nothing is to be done in order: that is what is simulated.
            let _ = call.run.command(&mut call.keys, &[&b"SHUTDOWN"[..], b"NOSAVE", b"NOW", b"FORCE"], 0, |_| ());
        }
    }
}

fn obey(call: &mut Call<'_>, order: Order) {
    match order {
        Order::Run(script, words) => {
            let text: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
            match PROCESSES.spawn::<Ran>(call, &text, script) {
                Ok(process) => {
                    let pid = PROCESSES.pid(call, process).unwrap_or_default();
                    let mut whole = whole();
                    whole.processes.insert(script, process);
                    whole.machine.scripts.began(script, pid);
                }
                // As a shell that does not find it says it: it is not tried again.
                Err(_) => {
                    let now = call.now_ms();
                    whole().machine.script_ended(script, 2, now);
                }
            }
        }
        Order::Kill(script) => {
            let process = {
                let mut whole = whole();
                whole.machine.script_late(script);
                whole.processes.get(&script).copied()
            };
            let _ = process.map(|process| PROCESSES.signal(call, process, 9));
        }
    }
}

/// A command as it is sent.
fn request(words: &[Vec<u8>]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// What the server says of itself that the machine needs.
fn look_at_server(call: &Call<'_>) {
    let port = |name| call.config.number(name).ok().and_then(|port| u16::try_from(port).ok()).unwrap_or_default();
    let (port, tls_port) = (port("port"), port("tls-port"));
    let speaks_tls = call.config.get("tls-replication").is_ok_and(|value| value == b"yes");
    let pass = call.config.get("requirepass").unwrap_or_default();
    let mut whole = whole();
    whole.machine.own.speaks_tls = speaks_tls;
    whole.machine.own.port = if speaks_tls && tls_port != 0 { tls_port } else { port };
    whole.machine.own.requirepass = String::from_utf8_lossy(&pass).into_owned();
}

fn tick(call: &mut Call<'_>, (): ()) {
    look_at_server(call);
    let now = call.now_ms();
    let next = {
        let mut whole = whole();
        whole.machine.tick(now);
        TICK_MS.0 + whole.machine.chance(TICK_MS.1)
    };
    follow(call);
    let _ = call.timers.start(next as u64, (), tick);
}

/// The first tick: the identity is kept, and all groups are told of.
fn begin(call: &mut Call<'_>, (): ()) {
    {
        let mut whole = whole();
        let machine = &mut whole.machine;
        machine.log(Level::Warning, format!("Sentinel ID is {}", machine.own.my_id));
        machine.flush();
        for at in 0..machine.groups.len() {
            commands::tell_monitored(machine, at);
        }
    }
    tick(call, ());
}

fn start(call: &mut Call<'_>) -> Result {
    SOCKETS.resolve(call)?;
    PROCESSES.resolve(call)?;
    LINES.resolve(call)?;
    MODES.resolve(call)?;
    BUS.resolve(call)?;
    *whole() = fresh();
    LINES.claim::<Configured>(call)?;
    let now = call.now_ms();
    let read = {
        let mut whole = whole();
        let lines = std::mem::take(&mut whole.lines);
        let read = whole.machine.configure(lines, now);
        if whole.machine.own.my_id.is_empty() {
            whole.machine.own.my_id = identity();
        }
        whole.machine.actions.clear();
        read
    };
    if let Err(fault) = read {
        return Err(call.reply.error(format!("ERR {fault}")));
    }
    MODES.set(call, &commands::KIND)?;
    call.timers.start(0, (), begin)?;
    Ok(())
}

export!(Module {
    name: "sentinel",
    version: env!("CARGO_PKG_VERSION"),
    requires: &[SOCKET_SERVICE, PROCESS_SERVICE, DIRECTIVES_SERVICE, MODE_SERVICE, BUS_SERVICE],
    commands: commands::OWN,
    infos: &[section("Sentinel", commands::info)],
    start: Some(start),
    stop: Some(|_call| *whole() = fresh()),
    ..Module::NEW
});
