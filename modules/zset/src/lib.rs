//! Sorted sets: the module, which joins the commands with a storage.
//!
//! A sorted set holds members, each once, in the order of their scores. Two forms keep it:
//!
//! ```text
//!   form    where                       up to                           OBJECT ENCODING
//!   pack    bytes in the key's entry    zset-max-listpack-entries, 128   listpack
//!                                       zset-max-listpack-value, 64
//!   large   [`store::BlobTree`]         memory                           skiplist
//! ```
//!
//! The commands, the pack, the thresholds and the formats of files are `plinth-zset-commands`, which
//! knows the large form only as the trait [`Storage`](plinth_zset_commands::storage::Storage). This
//! crate brings the storage: a counted B+tree with a table. Another crate that brings another
//! storage exports the same commands in as many lines as this one: `examples/zset-skiplist` does.
//!
//! Reading order: [`store`] with its parts `blob`, `order`, `leaf`, `node`, `tree`.
//!
//! *What is deliberately absent*: the way back from large to pack when elements leave, which Redis
//! does not go either.

pub mod store;

use plinth_module::prelude::*;

export!(plinth_zset_commands::module::<store::BlobTree>("zset", env!("CARGO_PKG_VERSION")));
