//! Lists: the module, which joins the commands with a storage.

#![deny(unsafe_code)]

pub mod store;

use plinth_module::prelude::*;

export!(Module { name: "list", version: env!("CARGO_PKG_VERSION"), ..Module::NEW });
