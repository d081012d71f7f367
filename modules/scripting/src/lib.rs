//! Scripts and functions in Lua.
//!
//! ```text
//!   EVAL ──> scripts: source to function ──┐
//!   FCALL ─> functions: name to function ──┴─> a state of Lua ──> redis.call ──> plinth.run/1 ──> any command
//!                                       └────> another language's module
//! ```
//!
//! Reading order: [`lua`] (what is unsafe about Lua, and nothing else), `vm` (what scripts find), `api` and
//! `convert` (how they reach the server), `scripts`, `engine`, then the commands. `functions` and `library` know no
//! language: Lua, in `registration`, is one by the same table that other modules provide.
//!
//! *What is deliberately absent*: a debugger of scripts.

#![deny(unsafe_code)]

mod api;
mod busy;
mod command;
mod commands;
mod convert;
mod engine;
mod functions;
mod libraries;
mod library;
#[allow(unsafe_code, reason = "Lua is in C")]
mod lua;
mod payload;
mod permit;
mod registration;
mod run;
mod scripts;
mod shebang;
mod vm;

use plinth_module::prelude::*;
use plinth_module::rdb::{Claim, RDB_FUNCTIONS, RDB_MERGES};
use plinth_module::rewrite::Rewriter;

/// Most bytes that the scripts of EVAL, and those of functions, may take their state to.
static MEMORY_MAX: ConfigInteger = ConfigInteger::new();

static PARAMETERS: [Config; 1] = [MEMORY_MAX.declare_memory("memory-max", "1gb", 1 << 20, i64::MAX)];

/// The libraries of functions in RDB files.
static CLAIM: Claim =
    Claim { kind: RDB_FUNCTIONS, encoding: 1, clear, load, save, rewrite: Some(rewrite), ..Claim::NEW };

fn clear(_call: &mut Call<'_>) {
    functions::flush();
}

fn load(call: &mut Call<'_>, from: &mut Loader<'_>, _encoding: u32, flags: u32) -> Result {
    let source = from.bytes()?.to_vec();
    match functions::load(call, &source, flags & RDB_MERGES != 0, functions::Absent::Kept) {
        Ok(_) => Ok(()),
        Err(engine::Failure(text)) => Err(call.reply.error(text)),
    }
}

fn save(_call: &mut Call<'_>, out: &mut Saver<'_>) -> Result {
    functions::with_libraries(|libraries| libraries.iter().for_each(|(_, library)| out.put(&library.source[..])));
    Ok(())
}

fn rewrite(_call: &mut Call<'_>, out: &mut Rewriter<'_>) -> Result {
    functions::with_libraries(|libraries| {
        libraries.iter().try_for_each(|(_, library)| out.emit(&[b"FUNCTION", b"LOAD", &library.source]))
    })
}

fn start(call: &mut Call<'_>) -> Result {
    call.rdb.claim(&CLAIM)
}

/// Bytes as a person reads them.
fn human(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes}B"),
        1024..0x10_0000 => format!("{:.2}K", bytes as f64 / 1024.0),
        0x10_0000..0x4000_0000 => format!("{:.2}M", bytes as f64 / 1_048_576.0),
        _ => format!("{:.2}G", bytes as f64 / 1_073_741_824.0),
    }
}

fn memory_fields(call: &mut Call<'_>, out: &mut InfoWriter<'_>) {
    let (eval, scripts, count, _) = engine::standing();
    let (vm, libraries, library_count, function_count) = functions::standing(call);
    out.integer("used_memory_vm_eval", eval as i64);
    out.integer("used_memory_lua", eval as i64);
    out.text("used_memory_lua_human", &human(eval));
    out.integer("used_memory_scripts_eval", scripts as i64);
    out.integer("number_of_cached_scripts", count as i64);
    out.integer("number_of_functions", function_count as i64);
    out.integer("number_of_libraries", library_count as i64);
    out.integer("used_memory_vm_functions", vm as i64);
    out.integer("used_memory_vm_total", (eval + vm) as i64);
    out.text("used_memory_vm_total_human", &human(eval + vm));
    out.integer("used_memory_functions", libraries as i64);
    out.integer("used_memory_scripts", (scripts + libraries) as i64);
    out.text("used_memory_scripts_human", &human(scripts + libraries));
}

fn statistics(_call: &mut Call<'_>, out: &mut InfoWriter<'_>) {
    out.integer("evicted_scripts", engine::standing().3 as i64);
}

fn stop(_call: &mut Call<'_>) {
    engine::flush_scripts();
    functions::flush();
}

export!(Module {
    name: "scripting",
    version: env!("CARGO_PKG_VERSION"),
    commands: commands::ALL,
    configs: &PARAMETERS,
    infos: &[fields_of("memory", memory_fields), fields_of("stats", statistics)],
    start: Some(start),
    stop: Some(stop),
    ..Module::NEW
});
