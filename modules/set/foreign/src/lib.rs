//! Sets over a storage that another module brings: the module `set` for those who have written
//! a structure for large sets in C.
//!
//! ```text
//!   loadmodule my-storage.so         provides plinth.set-storage/1
//!   loadmodule libset_foreign.so     the commands of sets over it, as the module `set`
//! ```
//!
//! The module `set` that would load by itself is left out then, since its name is taken.
//! `examples/set-c` is such a storage.

#![deny(unsafe_code)]

use plinth_module::prelude::*;
use plinth_module::set_storage::SET_STORAGE_SERVICE;
use plinth_set_commands::SetModule;
use plinth_set_commands::foreign::{self, Foreign};

export!(Module {
    name: "set",
    version: env!("CARGO_PKG_VERSION"),
    requires: &[SET_STORAGE_SERVICE],
    start: Some(foreign::resolve),
    ..SetModule::<Foreign>::MODULE
});
