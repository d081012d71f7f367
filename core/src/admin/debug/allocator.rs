//! DEBUG MALLCTL: a number that the allocator tells by a name of its own.

use crate::base::allocator;
use crate::engine::call::Context;
use plinth_abi::status::{STATUS_OK, Status};

pub(super) fn number(context: &mut Context) -> Status {
    let name = String::from_utf8_lossy(context.arg(2)).into_owned();
    match allocator::number(&name) {
        Some(number) => context.reply().integer(number),
        None => return context.error("ERR the allocator has no number of this name that may be read"),
    }
    STATUS_OK
}
