//! Hashes of whichever module implements them: the safe side of `plinth.hash/1`, for those who
//! use it and for the one who provides it.
//!
//! ```
//! use plinth_module::hash::{HASH_SERVICE, HashScratch, Hashes};
//! use plinth_module::prelude::*;
//!
//! static HASHES: Hashes = Hashes::new();
//! const MODULE: Module = Module { requires: &[HASH_SERVICE], start: Some(start), ..Module::NEW };
//!
//! fn start(call: &mut Call<'_>) -> Result {
//!     HASHES.resolve(call)
//! }
//!
//! fn name_of(call: &mut Call<'_>) -> Result {
//!     let mut scratch = HashScratch::default();
//!     match HASHES.get(&mut call.keys, call.args.bytes(1), b"name", &mut scratch)? {
//!         Some(name) => call.reply.bulk(name),
//!         None => call.reply.null(),
//!     }
//!     Ok(())
//! }
//! ```
//!
//! The module that has hashes implements [`HashProvider`] and lists
//! `provided(&TABLE)`, where `static TABLE: HashService = table::<ItsProvider>();`.

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque};
use crate::abi::status::Status;
use crate::call::Call;
use crate::error::{Error, Result, check, check_found};
use crate::keys::Keys;
use crate::service::{Service, answer, answer_found, answer_value, face};
use crate::visit::{next, turn, visiting};
use std::ops::ControlFlow;

pub use crate::abi::hash::{HASH_SCRATCH_BYTES, HASH_SERVICE, HashService, HashVisit};

/// Room for the digits of a value that is kept as an integer.
pub type HashScratch = [u8; HASH_SCRATCH_BYTES];

// SAFETY: the ABI defines this table for this id.
unsafe impl Service for HashService {
    const ID: &'static str = HASH_SERVICE;
}

face! {
    /// Hashes, for a module that requires [`HASH_SERVICE`].
    Hashes, HashService,
    /// Number of a hash's fields, or `None` when there is no such key. Fails with `WrongType`.
    len
}

impl Hashes {
    /// A field's value, or `None` without such a key or field. Fails with `WrongType`.
    pub fn get<'k>(
        &self,
        keys: &'k mut Keys<'_>,
        key: &[u8],
        field: &[u8],
        scratch: &'k mut HashScratch,
    ) -> Result<Option<&'k [u8]>> {
        let mut value = Bytes::EMPTY;
        let (key, field, room) = (Bytes::of(key), Bytes::of(field), scratch.as_mut_ptr());
        // SAFETY: the call is valid, both are borrowed for the call, and there is enough scratch.
        let status =
            unsafe { (self.handle.table()?.function(|table| table.get))(keys.as_raw(), key, field, room, &mut value) };
        // SAFETY: the bytes lie in the key's value or in `scratch`, both of which `'k` borrows.
        Ok(check_found(status)?.then(|| unsafe { value.as_slice() }))
    }

    /// Sets a field, making the hash if there is none. Fails with `WrongType` and `OutOfMemory`.
    pub fn set(&self, keys: &mut Keys<'_>, key: &[u8], field: &[u8], value: &[u8]) -> Result {
        let (key, field, value) = (Bytes::of(key), Bytes::of(field), Bytes::of(value));
        // SAFETY: the call is valid; all are borrowed for the call.
        check(unsafe { (self.handle.table()?.function(|table| table.set))(keys.as_raw(), key, field, value) })
    }

    /// Sets a field unless it is there, making the hash if there is none; announced as `hset`.
    /// Returns whether it did. Fails as [`set`](Hashes::set).
    pub fn set_absent(&self, keys: &mut Keys<'_>, key: &[u8], field: &[u8], value: &[u8]) -> Result<bool> {
        let (key, field, value) = (Bytes::of(key), Bytes::of(field), Bytes::of(value));
        // SAFETY: the call is valid; all are borrowed for the call.
        match check(unsafe {
            (self.handle.table()?.function(|table| table.set_absent))(keys.as_raw(), key, field, value)
        }) {
            Err(Error::Exists) => Ok(false),
            other => other.map(|()| true),
        }
    }

    /// Removes a field, and the key with its last; announced as `hdel`, and `del`. Returns whether
    /// it was there. Fails with `WrongType`.
    pub fn remove(&self, keys: &mut Keys<'_>, key: &[u8], field: &[u8]) -> Result<bool> {
        // SAFETY: the call is valid; both are borrowed for the call.
        check_found(unsafe {
            (self.handle.table()?.function(|table| table.remove))(keys.as_raw(), Bytes::of(key), Bytes::of(field))
        })
    }

    /// Hands every field and its value to `visit` until it breaks. Returns whether there is such a
    /// key. Fails with `WrongType`, and with `Panic` when `visit` panicked.
    pub fn visit<F: FnMut(&[u8], &[u8]) -> ControlFlow<()>>(
        &self,
        keys: &mut Keys<'_>,
        key: &[u8],
        visit: F,
    ) -> Result<bool> {
        unsafe extern "C" fn run<F>(data: Opaque, field: Bytes, value: Bytes) -> u32
        where
            F: FnMut(&[u8], &[u8]) -> ControlFlow<()>,
        {
            // SAFETY: the data is that of the visit below; both are lent for this call.
            let next = unsafe { turn(data, |visit: &mut F| visit(field.as_slice(), value.as_slice())) };
            u32::from(next != Some(ControlFlow::Continue(())))
        }
        let (visitor, table) = (HashVisit { run: run::<F> }, self.handle.table()?);
        let (call, key) = (keys.as_raw(), Bytes::of(key));
        // SAFETY: the call is valid, the key is borrowed for the call, and the data fits the function.
        visiting(visit, |data| unsafe { (table.function(|table| table.visit))(call, key, visitor, data) })
    }
}

/// What is handed every field of a hash, with its value.
pub type VisitField<'v> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'v;

/// What the module that has hashes does for the others.
pub trait HashProvider: 'static {
    /// Number of a hash's fields, or `None` when there is no such key.
    fn len(call: &mut Call<'_>, key: &[u8]) -> Result<Option<usize>>;

    /// A field's value, or `None` without such a key or field; one that is kept as an integer is
    /// written to `scratch`.
    fn get<'k>(
        call: &'k mut Call<'_>,
        key: &'k [u8],
        field: &[u8],
        scratch: &'k mut HashScratch,
    ) -> Result<Option<&'k [u8]>>;

    /// Sets a field, making the hash if there is none, and announces it.
    fn set(call: &mut Call<'_>, key: &[u8], field: &[u8], value: &[u8]) -> Result;

    /// Hands every field and its value to `visit` until it breaks. Returns whether there is such a
    /// key.
    fn visit(call: &mut Call<'_>, key: &[u8], visit: &mut VisitField<'_>) -> Result<bool>;

    /// Sets a field unless it is there, making the hash if there is none, and announces it. Returns
    /// whether it did.
    fn set_absent(call: &mut Call<'_>, key: &[u8], field: &[u8], value: &[u8]) -> Result<bool>;

    /// Removes a field, and the key with its last, and announces it. Returns whether it was there.
    fn remove(call: &mut Call<'_>, key: &[u8], field: &[u8]) -> Result<bool>;
}

/// The table of a provider, for [`provided`](crate::service::provided).
pub const fn table<P: HashProvider>() -> HashService {
    HashService {
        size: size_of::<HashService>() as u32,
        reserved: 0,
        len: len::<P>,
        get: get::<P>,
        set: set::<P>,
        visit: visit::<P>,
        set_absent: set_absent::<P>,
        remove: remove::<P>,
    }
}

unsafe extern "C" fn len<P: HashProvider>(call: *mut abi::call::Call, key: Bytes, len_out: *mut usize) -> Status {
    // SAFETY: the caller keeps to the table's comments: a valid call, a key for the call, room for
    // the result.
    unsafe { answer_value(call, len_out, |call| P::len(call, key.as_slice())) }
}

unsafe extern "C" fn get<P: HashProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    field: Bytes,
    scratch: *mut u8,
    value_out: *mut Bytes,
) -> Status {
    // SAFETY: as in `len`, and scratch of the size agreed on.
    unsafe {
        answer(call, |call| {
            let scratch = &mut *scratch.cast::<HashScratch>();
            let value = P::get(call, key.as_slice(), field.as_slice(), scratch)?.ok_or(Error::None)?;
            value_out.write(Bytes::of(value));
            Ok(())
        })
    }
}

unsafe extern "C" fn set<P: HashProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    field: Bytes,
    value: Bytes,
) -> Status {
    // SAFETY: as in `len`.
    unsafe { answer(call, |call| P::set(call, key.as_slice(), field.as_slice(), value.as_slice())) }
}

unsafe extern "C" fn visit<P: HashProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    function: HashVisit,
    data: Opaque,
) -> Status {
    // SAFETY: as in `len`; the function fits its data.
    unsafe {
        answer_found(call, |call| {
            let mut lend = |field: &[u8], value: &[u8]| next((function.run)(data, Bytes::of(field), Bytes::of(value)));
            P::visit(call, key.as_slice(), &mut lend)
        })
    }
}

unsafe extern "C" fn set_absent<P: HashProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    field: Bytes,
    value: Bytes,
) -> Status {
    // SAFETY: as in `len`.
    unsafe {
        answer(call, |call| {
            let is_set = P::set_absent(call, key.as_slice(), field.as_slice(), value.as_slice())?;
            if is_set { Ok(()) } else { Err(Error::Exists) }
        })
    }
}

unsafe extern "C" fn remove<P: HashProvider>(call: *mut abi::call::Call, key: Bytes, field: Bytes) -> Status {
    // SAFETY: as in `len`.
    unsafe { answer_found(call, |call| P::remove(call, key.as_slice(), field.as_slice())) }
}
