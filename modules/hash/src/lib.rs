//! Hashes: the module, which joins the commands with a storage.
//!
//! ```text
//!   small, up to 512 fields      a pack of pairs in the key's entry       plinth-hash-commands
//!   large                        a table of blobs, one for each field     store
//! ```
//!
//! The commands, the small form, saving and loading, and the expiry of fields are in
//! `modules/hash/commands`, for any storage; what is here is [`store`], the storage of large hashes.

pub mod store;

use plinth_module::prelude::*;
use store::Fields;

export!(plinth_hash_commands::module::<Fields>("hash", env!("CARGO_PKG_VERSION")));
