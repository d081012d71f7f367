//! Another storage for strings: a string is text in a box, whatever it says.
//!
//! Everything else is the first-party module's: `plinth-string-commands` has the commands, saving and
//! loading, and the service `plinth.string/1` for bitmaps, HyperLogLogs and SORT. So all that this
//! module consists of is [`heap`], and the line below.
//!
//! Against the first-party storage, which keeps strings in their keys' entries, a read here is one
//! more step away, and a string takes an allocation of its own. In return one that grows or is cut
//! moves without its key.

#![deny(unsafe_code)]

pub mod heap;

use plinth_module::prelude::*;
use plinth_string_commands::Strings;

export!(Module { name: "string", version: env!("CARGO_PKG_VERSION"), ..Strings::<heap::Heap>::MODULE });
