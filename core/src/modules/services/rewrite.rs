//! `plinth.rewrite/1`: a value as the commands that make it anew.

use crate::store::rewrite::Rewriter;
use plinth_abi::bytes::{Bytes, Opaque};
use plinth_abi::rewrite::{REWRITE_WORDS_MAX, RewriteService};
use plinth_abi::status::{STATUS_TOO_LARGE, Status};

/// The table.
pub static TABLE: RewriteService = RewriteService { size: size_of::<RewriteService>() as u32, reserved: 0, emit };

unsafe extern "C" fn emit(rewriter: Opaque, words: *const Bytes, count: u32) -> Status {
    if count > REWRITE_WORDS_MAX {
        return STATUS_TOO_LARGE;
    }
    // SAFETY: called from a type's `rewrite` with the rewriter that it was given, and with `count` words that
    // are valid for the call.
    let (rewriter, words) = unsafe {
        let words: Vec<&[u8]> = (0..count as usize).map(|at| (*words.add(at)).as_slice()).collect();
        (&mut *rewriter.cast::<Rewriter<'_>>(), words)
    };
    rewriter.emit(&words)
}
