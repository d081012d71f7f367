//! Streams over a plain log: the storage of `modules/stream` replaced, its commands kept.
//!
//! What a replacement takes: a structure ([`log`]) with the trait
//! [`Storage`](plinth_stream_commands::Storage) over it, and one line that exports the module. It
//! has the name, the type and the parameters of the original, so either can be loaded in the place of
//! the other, also while clients use it.

#![deny(unsafe_code)]

pub mod log;

use plinth_module::prelude::*;
use plinth_stream_commands::Streams;

export!(Module { name: "stream", version: env!("CARGO_PKG_VERSION"), ..Streams::<log::Log>::MODULE });

#[cfg(test)]
mod tests {
    #[test]
    fn it_does_what_a_storage_does() {
        plinth_stream_commands::storage::conformance::run::<super::log::Log>();
    }
}
