//! Lists as a stranger would write them, to be loaded in the place of the server's own.
//!
//! Nothing of `modules/list` is used here, neither its commands nor its storage. What makes this
//! module a list for everybody else is three names: the module is called `list`, so the default one
//! is left out when this one was loaded before; its type is called `list`, so TYPE and the files
//! of other servers find it; and it provides `plinth.list/1`, so SORT works with it.
//!
//! ```text
//! list.rs       the value: a ring of byte strings; pure, with a test against a model
//! load.rs       the four forms in which Redis has saved lists; survives any bytes
//! convert.rs    handing a list over to another module, and taking one, while clients use it
//! value.rs      the data type: saving, loading, what OBJECT and MEMORY see
//! service.rs    what other modules may do with lists
//! commands/     the commands, one file per family
//! ```
//!
//! Invariants: an empty list is never stored; a list's `bytes` is the sum of its elements' lengths.
//!
//! *What is deliberately absent*: a compact form, compression, and a structure that grows without
//! copying. It is the simplest whole list, and OBJECT ENCODING names the forms only as tools expect.

#![deny(unsafe_code)]

mod commands;
mod convert;
mod list;
mod load;
mod service;
mod value;

use plinth_module::prelude::*;

export!(Module {
    name: "list",
    version: env!("CARGO_PKG_VERSION"),
    provides: &[provided(&service::TABLE)],
    types: &[Type::mixed::<value::Lists>()],
    commands: commands::ALL,
    configs: value::PARAMETERS,
    ..Module::NEW
});
