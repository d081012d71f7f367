//! The commands of lists, over any storage.
//!
//! A list of a few elements is bytes in its key's entry; a longer one is whatever implements
//! [`Storage`]. The module `list` puts these commands over a deque of packs; another module puts
//! them over its own structure with
//!
//! ```text
//! export!(Module { name: "list", version: "1.0.0", ..Lists::<Mine>::MODULE });
//! ```
//!
//! Reading order: [`storage`] (what is asked of a structure), [`small`] (the form in the entry),
//! [`large`] (a structure, with what is kept beside it), [`value`] (either of them), [`limit`] (the
//! parameters), [`codec`] (files), [`commands`], [`service`]
//! (`plinth.list/1`).
//!
//! Invariants:
//! - No key holds a list without elements.
//! - Every change is announced once per key and kind, after the value is in place.
//! - LPUSH, RPUSH, LPOP and RPOP look a key up once, and allocate nothing while the list is small.

#![deny(unsafe_code)]

pub mod codec;
pub mod commands;
pub mod large;
pub mod limit;
pub mod service;
pub mod small;
pub mod storage;
pub mod value;

pub use crate::storage::Storage;

use plinth_module::list::{ListService, table};
use plinth_module::prelude::*;
use plinth_module::service::Provided;
use std::marker::PhantomData;

/// Lists over a storage: what a module of them consists of.
pub struct Lists<S>(PhantomData<S>);

impl<S: Storage> Lists<S> {
    const TYPES: &'static [Type] = &[Type::mixed::<codec::List<S>>()];
    const COMMANDS: &'static [Command] = &commands::all::<S>();
    const TABLE: &'static ListService = &table::<service::Provider<S>>();
    const PROVIDES: &'static [Provided] = &[provided(Self::TABLE)];

    /// The module, to be given a name and a version.
    pub const MODULE: Module = Module {
        types: Self::TYPES,
        commands: Self::COMMANDS,
        configs: &limit::CONFIGS,
        provides: Self::PROVIDES,
        ..Module::NEW
    };
}
