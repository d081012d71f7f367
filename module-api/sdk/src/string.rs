//! Strings of whichever module implements them: the safe side of `plinth.string/1`, for those who
//! use it and for the one who provides it.
//!
//! A module that works on strings (bits, registers, a cache) uses them like this:
//!
//! ```
//! use plinth_module::prelude::*;
//! use plinth_module::string::{STRING_SERVICE, Strings};
//!
//! static STRINGS: Strings = Strings::new();
//! const MODULE: Module = Module { requires: &[STRING_SERVICE], start: Some(start), ..Module::NEW };
//!
//! fn start(call: &mut Call<'_>) -> Result {
//!     STRINGS.resolve(call)
//! }
//!
//! fn set_first_bit(call: &mut Call<'_>) -> Result {
//!     let key = call.args.bytes(1);
//!     STRINGS.edit(&mut call.keys, key, 1)?[0] |= 0x80;
//!     call.keys.modified(key, EVENT_STRING, "setbit");
//!     call.reply.ok();
//!     Ok(())
//! }
//! ```
//!
//! The module that has strings implements [`StringProvider`] and lists
//! `provided(&TABLE)`, where `static TABLE: StringService = table::<ItsProvider>();`.

use crate::abi;
use crate::abi::bytes::Bytes;
use crate::abi::status::Status;
use crate::call::Call;
use crate::error::{Error, Result, check, check_found};
use crate::keys::Keys;
use crate::service::{ServiceHandle, answer};

pub use crate::abi::string::{STRING_SCRATCH_BYTES, STRING_SERVICE, StringService};

/// Room for the digits of a string that is kept as an integer.
pub type Scratch = [u8; STRING_SCRATCH_BYTES];

/// Strings, for a module that requires [`STRING_SERVICE`].
pub struct Strings {
    handle: ServiceHandle<StringService>,
}

impl Strings {
    /// A handle that `start` resolves.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Strings {
        Strings { handle: ServiceHandle::new() }
    }

    /// Looks the service up; for `start`. Fails with `Unsupported` when nobody provides it.
    pub fn resolve(&self, call: &Call<'_>) -> Result {
        self.handle.resolve(call)
    }

    /// A string's bytes, or `None` when there is no such key. Fails with `WrongType`.
    #[inline]
    pub fn get<'k>(&self, keys: &'k mut Keys<'_>, key: &[u8], scratch: &'k mut Scratch) -> Result<Option<&'k [u8]>> {
        let mut bytes = Bytes::EMPTY;
        // SAFETY: the call is valid, the key is borrowed for the call, and there is enough scratch.
        let status =
            unsafe { (self.handle.table()?.get)(keys.as_raw(), Bytes::of(key), scratch.as_mut_ptr(), &mut bytes) };
        // SAFETY: the bytes lie in the key's entry or in `scratch`, both of which `'k` borrows.
        Ok(check_found(status)?.then(|| unsafe { bytes.as_slice() }))
    }

    /// Sets a key to a string, whatever it held; its expiry goes. Fails with `OutOfMemory` and
    /// `TooLarge`.
    pub fn set(&self, keys: &mut Keys<'_>, key: &[u8], bytes: &[u8]) -> Result {
        // SAFETY: the call is valid; both are borrowed for the call.
        check(unsafe { (self.handle.table()?.set)(keys.as_raw(), Bytes::of(key), Bytes::of(bytes)) })
    }

    /// A string's bytes, to be changed in place; made if missing, and lengthened with zero bytes to
    /// at least `len_min`. The caller then says [`modified`](Keys::modified). Fails with
    /// `WrongType`, `OutOfMemory`, `TooLarge`.
    pub fn edit<'k>(&self, keys: &'k mut Keys<'_>, key: &[u8], len_min: usize) -> Result<&'k mut [u8]> {
        let mut bytes = Bytes::EMPTY;
        // SAFETY: the call is valid; the key is borrowed for the call.
        check(unsafe { (self.handle.table()?.edit)(keys.as_raw(), Bytes::of(key), len_min, &mut bytes) })?;
        if bytes.len == 0 {
            return Ok(&mut []);
        }
        // SAFETY: the bytes lie in the key's entry, may be changed, and `'k` borrows them.
        Ok(unsafe { std::slice::from_raw_parts_mut(bytes.data.cast_mut(), bytes.len) })
    }
}

/// What the module that has strings does for the others.
pub trait StringProvider: 'static {
    /// A string's bytes, or `None` when there is no such key; a string that is kept as an integer
    /// is written to `scratch`.
    fn get<'k>(call: &'k mut Call<'_>, key: &'k [u8], scratch: &'k mut Scratch) -> Result<Option<&'k [u8]>>;

    /// Sets a key to a string, whatever it held; takes its expiry away, and announces the change.
    fn set(call: &mut Call<'_>, key: &[u8], bytes: &[u8]) -> Result;

    /// A string's bytes, to be changed in place; made if missing, lengthened with zero bytes to at
    /// least `len_min`. Announces nothing.
    fn edit<'k>(call: &'k mut Call<'_>, key: &'k [u8], len_min: usize) -> Result<&'k mut [u8]>;
}

/// The table of a provider, for [`provided`](crate::service::provided).
pub const fn table<P: StringProvider>() -> StringService {
    StringService {
        size: size_of::<StringService>() as u32,
        reserved: 0,
        get: get::<P>,
        set: set::<P>,
        edit: edit::<P>,
    }
}

unsafe extern "C" fn get<P: StringProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    scratch: *mut u8,
    bytes_out: *mut Bytes,
) -> Status {
    // SAFETY: the caller keeps to the table's comments: a valid call, a key for the call, scratch
    // of the size agreed on, room for the result.
    unsafe {
        answer(call, |call| {
            let scratch = &mut *scratch.cast::<Scratch>();
            let bytes = P::get(call, key.as_slice(), scratch)?.ok_or(Error::None)?;
            bytes_out.write(Bytes::of(bytes));
            Ok(())
        })
    }
}

unsafe extern "C" fn set<P: StringProvider>(call: *mut abi::call::Call, key: Bytes, bytes: Bytes) -> Status {
    // SAFETY: as in `get`.
    unsafe { answer(call, |call| P::set(call, key.as_slice(), bytes.as_slice())) }
}

unsafe extern "C" fn edit<P: StringProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    len_min: usize,
    bytes_out: *mut Bytes,
) -> Status {
    // SAFETY: as in `get`. The address is taken from the exclusive borrow, so that it may be
    // written through.
    unsafe {
        answer(call, |call| {
            let bytes = P::edit(call, key.as_slice(), len_min)?;
            bytes_out.write(Bytes { data: bytes.as_mut_ptr(), len: bytes.len() });
            Ok(())
        })
    }
}
