//! The commands of sets, over any storage.
//!
//! ```text
//! storage.rs    the trait that a storage of large sets implements; what a member is
//! large.rs      a storage, and what it is called
//! intset.rs, small.rs    the two small forms, in the key's entry; pure
//! view.rs       a set to be read, in whichever form it is
//! value.rs      adding, removing, and when the form changes
//! limits.rs     the parameters that say when
//! codec.rs      the type, saving and loading
//! commands/     one file per family, each command's spec beside its function
//! service.rs    `plinth.set/1`, sets for other modules
//! foreign.rs    a storage over a table of C functions
//! ```
//!
//! A module with the commands of sets over a storage of its own is
//!
//! ```text
//! export!(Module { name: "set", version: "1.0.0", ..SetModule::<MyStorage>::MODULE });
//! ```

#![deny(unsafe_code)]

pub mod codec;
pub mod commands;
pub mod foreign;
pub mod intset;
pub mod large;
pub mod limits;
pub mod service;
pub mod small;
pub mod storage;
pub mod value;
pub mod view;

pub use storage::Storage;

use plinth_module::prelude::*;
use std::marker::PhantomData;

/// All that a module of sets over a storage consists of.
pub struct SetModule<S>(PhantomData<S>);

impl<S: Storage> SetModule<S> {
    /// The module but for its name and version.
    pub const MODULE: Module = Module {
        types: &[Type::mixed::<codec::SetType<S>>()],
        commands: &commands::Commands::<S>::ALL,
        configs: &limits::PARAMETERS,
        provides: &[provided(service::Provider::<S>::TABLE)],
        ..Module::NEW
    };
}
