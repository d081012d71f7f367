//! Lists: the module, which joins the commands with a storage.
//!
//! ```text
//!   few elements    in the key's entry, as one pack            commands/src/small.rs
//!   more            a deque of packs, found by number          src/store
//! ```
//!
//! The commands, the small form and the files are [`plinth_list_commands`]; [`store`] is the
//! structure for long lists, and [`storage`] makes it one that the commands take.

#![deny(unsafe_code)]

pub mod storage;
pub mod store;

use plinth_list_commands::Lists;
use plinth_module::prelude::*;

export!(Module { name: "list", version: env!("CARGO_PKG_VERSION"), ..Lists::<store::Deque>::MODULE });
