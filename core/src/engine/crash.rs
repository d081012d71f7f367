//! The report of a crash where it looks into the server: which commands were running, and in which module.
//!
//! Nobody notes which command runs, for each one would pay for that. But whoever runs one has its context on the
//! stack of the thread that runs commands: so the report looks there, word by word, for what can be nothing else.

use crate::base::crash;
use crate::engine::call::{Context, Registered};
use crate::engine::server::Server;
use crate::registry::modules::Module;
use plinth_abi::call::Call;
use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::OnceLock;

/// Most commands that are looked for.
const COMMANDS_MAX: usize = 16;

/// A part of the report, of whoever knows something of the server.
pub struct Part {
    /// What it is called.
    pub title: &'static str,
    /// Gives its text.
    pub text: fn(&mut Server) -> String,
}

static PARTS: OnceLock<&'static [Part]> = OnceLock::new();

/// Have reports end with these parts about a server that is never dropped.
pub fn watch(server: &'static mut Server, parts: &'static [Part]) -> &'static mut Server {
    let _ = PARTS.set(parts);
    let titles = parts.iter().map(|part| part.title).collect::<Vec<_>>().leak();
    let at = &raw mut *server;
    // SAFETY: the server stays where it is for ever, and `text` takes the address for what it is.
    unsafe { crash::watch(at.cast(), titles, text) };
    server
}

/// The text of a part.
///
/// # Safety
/// The address is a server's, whose thread this is; whoever had a reference to it never runs again.
unsafe fn text(server: *mut c_void, part: usize) -> String {
    // SAFETY: promised by the caller.
    let server = unsafe { &mut *server.cast::<Server>() };
    PARTS.get().and_then(|parts| parts.get(part)).map_or_else(String::new, |part| (part.text)(server))
}

/// A command that was running.
pub struct Running<'a> {
    /// The command.
    pub command: &'a Registered,
    /// Its words.
    pub words: Vec<&'a [u8]>,
    /// Token of the client.
    pub client: Option<usize>,
    /// Database.
    pub db: u32,
}

/// The commands that were running when the server died, the innermost first. One that ended a moment before may
/// be among them, where what it has left on the stack was not written over.
pub fn running(server: &Server) -> Vec<Running<'_>> {
    let (begin, end) = (crash::stack_pointer(), stack_end().unwrap_or(0));
    let words = (begin.next_multiple_of(8)..end.saturating_sub(size_of::<Context>())).step_by(8);
    // SAFETY: the stack is mapped from its pointer to its end, and this thread's.
    let word = |at: usize| unsafe { (at as *const usize).read_volatile() };
    let own = std::ptr::from_ref(server) as usize;
    let begins =
        |at: &usize| word(at + offset_of!(Context, server)) == own && word(*at) as u32 == size_of::<Call>() as u32;
    words.filter(begins).filter_map(|at| running_at(server, at)).take(COMMANDS_MAX).collect()
}

/// The command of what looks like a context.
fn running_at(server: &Server, at: usize) -> Option<Running<'_>> {
    // SAFETY: the memory is there, and any bytes are a context as far as it is read here.
    let context = unsafe { &*(at as *const Context) };
    let all = server.commands.iter().flat_map(Registered::with_subcommands);
    let command = all.into_iter().find(|command| std::ptr::eq(&raw const command.spec, context.call.command))?;
    let client = context.client;
    // SAFETY: arguments live as long as their command runs; where it does not, the report goes on behind this part.
    let words = context.args().iter().map(|word| unsafe { word.as_slice() }).collect();
    Some(Running { command, words, client, db: context.db })
}

/// Where the stack of the thread that runs commands ends.
fn stack_end() -> Option<usize> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find(|line| line.ends_with("[stack]"))?;
    usize::from_str_radix(line.split(['-', ' ']).nth(1)?, 16).ok()
}

/// The module whose code is nearest to where the server died, and whether it died in that very code: else in
/// something that the module had called.
pub fn module(server: &Server) -> Option<(&Module, bool)> {
    let libraries = crash::libraries();
    let of = |path: &String| {
        let is = |module: &&Module| module.library.as_ref().is_some_and(|library| library.is_at(path));
        server.registry.modules.list.iter().find(is)
    };
    libraries.iter().enumerate().find_map(|(at, path)| Some((of(path)?, at == 0)))
}
