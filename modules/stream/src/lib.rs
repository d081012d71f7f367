//! Streams: the module, which joins the commands with a storage.
//!
//! A stream is always a box: a log of entries in [`store::PackTree`], and the groups that read it, which
//! are `plinth-stream-commands`' own. That crate knows the log only as the trait
//! [`Storage`](plinth_stream_commands::Storage); this one brings it.
//!
//! Reading order: [`store`] with its parts `entry`, `pack`, `node`.

#![deny(unsafe_code)]

pub mod store;

use plinth_module::prelude::*;
use plinth_stream_commands::Streams;

export!(Module { name: "stream", version: env!("CARGO_PKG_VERSION"), ..Streams::<store::PackTree>::MODULE });
