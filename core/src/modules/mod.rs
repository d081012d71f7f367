//! Modules: how they come, go and take over from each other, and what the host offers them.
//!
//! - [`copies`], [`elf`], [`library`]: from a file to a private copy of it that is mapped, and what is read
//!   of it before.
//! - [`export`]: reading and checking what a module exports, before any of its functions runs.
//! - [`beside`]: what modules keep in files beside keys.
//! - [`keys`]: the keys of threads that are left in the process.
//! - [`load`]: the transaction that makes a module's things visible, or leaves nothing.
//! - [`leave`]: unloading, with values or without.
//! - [`replace`]: another module in the place of one, live; [`sweep`]: the walk that makes values
//!   follow.
//! - [`services`]: the tables that modules ask for, one file each.
//! - [`folder`]: where those are that load by themselves.
//! - [`inspect`]: `plinth-server --inspect`.

pub mod beside;
pub mod copies;
pub mod elf;
pub mod export;
pub mod folder;
pub mod inspect;
pub mod keys;
pub mod leave;
pub mod library;
pub mod load;
pub mod replace;
pub mod services;
pub mod sweep;
