//! Numbers in arguments whose errors are this type's own.

use plinth_module::prelude::*;

/// A count of keys, at least 1. Fails with the reply that ZMPOP and its kin give.
pub(super) fn keys_count(call: &mut Call<'_>, index: usize) -> Result<usize> {
    match call.args.integer(index) {
        Ok(count @ 1..) => Ok(count as usize),
        _ => Err(call.reply.error("ERR numkeys should be greater than 0")),
    }
}

/// A COUNT of at least 1.
pub(super) fn count(call: &mut Call<'_>, index: usize) -> Result<usize> {
    match call.args.integer(index) {
        Ok(count @ 1..) => Ok(count as usize),
        _ => Err(call.reply.error("ERR count should be greater than 0")),
    }
}
