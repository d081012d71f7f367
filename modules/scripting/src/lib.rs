//! Scripts and functions in Lua.
//!
//! ```text
//!   EVAL ──> scripts: source to function ──┐
//!   FCALL ─> functions: name to function ──┴─> a state of Lua ──> redis.call ──> plinth.run/1 ──> any command
//!                                                    └─ every 100,000 instructions: busy
//! ```
//!
//! Reading order: [`lua`] (what is unsafe about Lua, and nothing else), `vm` (what scripts find), `api` and
//! `convert` (how they reach the server), `scripts`, `engine`, then the commands.
//!
//! *What is deliberately absent*: a debugger of scripts.

#![deny(unsafe_code)]

mod api;
mod busy;
mod commands;
mod convert;
mod engine;
mod libraries;
#[allow(unsafe_code, reason = "Lua is in C")]
mod lua;
mod run;
mod scripts;
mod shebang;
mod vm;

use plinth_module::prelude::*;

fn memory_fields(_call: &mut Call<'_>, out: &mut InfoWriter<'_>) {
    let (vm, scripts, count, evicted) = engine::standing();
    out.integer("used_memory_vm_eval", vm as i64);
    out.integer("used_memory_lua", vm as i64);
    out.integer("used_memory_scripts_eval", scripts as i64);
    out.integer("number_of_cached_scripts", count as i64);
    let _ = evicted;
}

fn statistics(_call: &mut Call<'_>, out: &mut InfoWriter<'_>) {
    out.integer("evicted_scripts", engine::standing().3 as i64);
}

export!(Module {
    name: "scripting",
    version: env!("CARGO_PKG_VERSION"),
    commands: commands::ALL,
    infos: &[fields_of("memory", memory_fields), fields_of("stats", statistics)],
    stop: Some(|_call| engine::flush_scripts()),
    ..Module::NEW
});
