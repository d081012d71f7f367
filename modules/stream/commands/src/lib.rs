//! The commands of streams, over any storage.
//!
//! ```text
//!   commands   one file per family, each command's spec beside its function
//!      │
//!   stream     the value: a log, its counters, and the groups that read it
//!      ├── storage   what is asked of a log
//!      └── group     a group: consumers, and what they have not acknowledged
//!             └── pending   an ordered map of ids, in chunks
//!   codec      the type `stream`, and its values in files
//!   convert    a stream handed over to another module, a slice at a time
//!   service    `plinth.stream/1`, for other modules
//! ```
//!
//! The module `stream` puts these commands over a tree of packs; another module puts them over its
//! own structure with
//!
//! ```text
//! export!(Module { name: "stream", version: "1.0.0", ..Streams::<Mine>::MODULE });
//! ```

#![deny(unsafe_code)]

pub mod codec;
pub mod convert;
pub mod group;
pub mod id;
pub mod layout;
pub mod pending;
pub mod storage;
pub mod stream;

pub use crate::storage::Storage;
