//! The limit: up to how many bytes a value stays in the sparse form.
//!
//! Above some 12,000 bytes the dense form is the smaller one, and going through runs takes time: so
//! the default is what Redis has, and more than 16,000 gains nothing. It is checked when a value
//! grows, not when it is read.

use crate::value::HEADER_BYTES;
use plinth_module::prelude::*;

static SPARSE_BYTES: ConfigInteger = ConfigInteger::new();

/// The module's parameters.
pub static PARAMETERS: [Config; 1] =
    [Config { flags: CONFIG_BARE, ..SPARSE_BYTES.declare_memory("hll-sparse-max-bytes", "3000", 0, i64::MAX) }];

/// Most bytes of the runs of a value.
#[inline]
pub fn runs_bytes_max() -> usize {
    (SPARSE_BYTES.get() as usize).saturating_sub(HEADER_BYTES)
}
