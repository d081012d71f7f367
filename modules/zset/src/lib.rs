//! Sorted sets: the module, which joins the commands with a storage.

use plinth_module::prelude::*;

export!(Module { name: "zset", version: env!("CARGO_PKG_VERSION"), ..Module::NEW });
