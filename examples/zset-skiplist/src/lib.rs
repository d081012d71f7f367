//! Sorted sets over a skip list: the storage of `modules/zset` replaced, its commands kept.
//!
//! What a replacement takes: a structure ([`list`]), a table by member beside it, the trait
//! [`Storage`](plinth_zset_commands::storage::Storage) over both ([`skip`]), and one line that exports
//! the module. It has the name, the type and the service of the original, so either can be loaded in
//! the place of the other.

#![deny(unsafe_code)]

mod list;
mod nodes;
pub mod skip;

use plinth_module::prelude::*;

export!(plinth_zset_commands::module::<skip::Skip>("zset", env!("CARGO_PKG_VERSION")));

#[cfg(test)]
mod tests {
    #[test]
    fn it_does_what_a_storage_does() {
        plinth_zset_commands::storage::conformance::run::<super::skip::Skip>();
    }
}
