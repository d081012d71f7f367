//! DEBUG LOADAOF and AOF-FLUSH-SLEEP.

use crate::base::number::parse_i64;
use crate::engine::call::Context;
use crate::persist::aof;
use crate::registry::standing::LOADING;
use plinth_abi::status::{STATUS_NOT_INTEGER, Status};
use std::time::Duration;

pub(super) fn load(context: &mut Context) -> Status {
    if context.server().registry.standing.is_loading {
        // What loads would end with this.
        return context.error(LOADING);
    }
    match aof::load::reload(context.server()) {
        Ok(()) => context.ok(),
        Err(error) => {
            crate::base::log::warning(&error);
            context.error("ERR Error trying to load the AOF files, check server logs.")
        }
    }
}

pub(super) fn sleep_before_writes(context: &mut Context) -> Status {
    let Some(us) = parse_i64(context.arg(2)) else { return STATUS_NOT_INTEGER };
    aof::sleep_before_writes(context.server(), Duration::from_micros(us.max(0).unsigned_abs()));
    context.ok()
}
