//! Strings: the module, which joins the commands with a storage.
//!
//! ```text
//!   plinth-string-commands    commands, saving and loading, the service, over any storage
//!   store                     the storage of this module: bytes in the key's entry
//! ```
//!
//! So reading a string is one look-up, and writing one is no allocation of its own.
//!
//! Reading order: [`store`] (which form a string takes), then `plinth_string_commands`
//! ([`storage`](plinth_string_commands::storage), then its commands, then
//! [`service`](plinth_string_commands::service), through which bitmaps, HyperLogLogs and SORT reach
//! strings).
//!
//! *What is deliberately absent*: a shared pool of small integers, since a number takes 8 bytes
//! inside an entry that is there anyway.

#![deny(unsafe_code)]

pub mod store;

use plinth_module::prelude::*;
use plinth_string_commands::Strings;

export!(Module { name: "string", version: env!("CARGO_PKG_VERSION"), ..Strings::<store::Embedded>::MODULE });
