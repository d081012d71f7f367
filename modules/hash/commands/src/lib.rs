//! The commands of hashes, over any storage.
//!
//! ```text
//!   commands   one file per family ──> value: View to read, Writer to change
//!                                        │              │
//!                                     small: a pack   large: a Storage in a box
//!                                     in the entry
//!   codec      saving and loading      expiry   removing fields whose time has passed
//!   service    plinth.hash/1           storage  what another implementation implements
//!   told       what replicas and the append-only file are told of fields found expired
//! ```
//!
//! Reading order: [`storage`], [`small`], [`large`], [`value`], then the commands.
//!
//! A module over a storage `S` is `export!(module::<S>("hash", env!("CARGO_PKG_VERSION")))`.

#![deny(unsafe_code)]

pub mod codec;
mod commands;
mod expiry;
pub mod large;
mod service;
pub mod small;
pub mod storage;
mod told;
pub mod value;

use plinth_module::prelude::*;
use plinth_module::service::Provided;
use std::marker::PhantomData;
use storage::Storage;
use value::{ENTRIES_MAX, Hash, VALUE_MAX};

/// The parameters. Names stand alone, as in Redis, and so do the former ones.
static CONFIGS: [Config; 2] = [
    Config {
        flags: CONFIG_BARE,
        alias: text("hash-max-ziplist-entries"),
        ..ENTRIES_MAX.declare("hash-max-listpack-entries", "512", 0, i64::MAX)
    },
    Config {
        flags: CONFIG_BARE,
        alias: text("hash-max-ziplist-value"),
        ..VALUE_MAX.declare_memory("hash-max-listpack-value", "64", 0, i64::MAX)
    },
];

/// What a module over a storage exports.
struct Exported<S>(PhantomData<S>);

impl<S: Storage> Exported<S> {
    const TYPES: &'static [Type] = &[Type::mixed::<Hash<S>>()];
    const COMMANDS: &'static [Command] = &commands::Commands::<S>::ALL;
    const PROVIDES: &'static [Provided] = &[provided(service::Provider::<S>::TABLE)];
}

/// The module of hashes, over a storage.
pub const fn module<S: Storage>(name: &'static str, version: &'static str) -> Module {
    Module {
        name,
        version,
        types: Exported::<S>::TYPES,
        commands: Exported::<S>::COMMANDS,
        provides: Exported::<S>::PROVIDES,
        configs: &CONFIGS,
        start: Some(expiry::start::<S>),
        ..Module::NEW
    }
}
