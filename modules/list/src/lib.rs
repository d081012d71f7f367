//! Lists: the module, which joins the commands with a storage.

use plinth_module::prelude::*;

export!(Module { name: "list", version: env!("CARGO_PKG_VERSION"), ..Module::NEW });
