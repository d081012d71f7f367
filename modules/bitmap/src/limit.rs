//! How far bits reach: to the end of the longest string that `proto-max-bulk-len` allows.
//!
//! The limit is looked at by every command with an offset, and asking the host is a search by name.
//! So it is kept here, and asked for again when a parameter changes.

use plinth_module::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The parameter.
const PARAMETER: &str = "proto-max-bulk-len";
/// What it is unless set.
const DEFAULT_BYTES: u64 = 512 << 20;

static LIMIT_BITS: AtomicU64 = AtomicU64::new(DEFAULT_BYTES * 8);

/// Follows the parameter from now on; for `start`.
pub(crate) fn follow(call: &mut Call<'_>) -> Result {
    read(call);
    call.events.subscribe(ON_CONFIG, (), |call, _, _| read(call))?;
    Ok(())
}

fn read(call: &Call<'_>) {
    let bytes = call.config.number(PARAMETER).map_or(DEFAULT_BYTES, |bytes| bytes.max(0) as u64);
    LIMIT_BITS.store(bytes.saturating_mul(8), Relaxed);
}

/// Number of bits that the longest string has.
#[inline(always)]
pub fn bits() -> u64 {
    LIMIT_BITS.load(Relaxed)
}
