//! `plinth.digest/1`: what a value is, whatever it is kept in.

use crate::store::digest::Digester;
use plinth_abi::bytes::{Bytes, Opaque};
use plinth_abi::digest::DigestService;

/// The table.
pub static TABLE: DigestService = DigestService { size: size_of::<DigestService>() as u32, reserved: 0, add, end };

unsafe extern "C" fn add(digester: Opaque, part: Bytes) {
    // SAFETY: called from a type's `digest` with the digester that it was given, and with bytes that are valid
    // for the call.
    unsafe { (*digester.cast::<Digester>()).add(part.as_slice()) }
}

unsafe extern "C" fn end(digester: Opaque) {
    // SAFETY: called from a type's `digest` with the digester that it was given.
    unsafe { (*digester.cast::<Digester>()).end() }
}
