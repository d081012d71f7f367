//! Services of other modules: tables of C functions under an id.
//!
//! The tables of the core are wrapped by the parts of a [`Call`]. Those of the data types have safe
//! wrappers, too: [`string`](crate::string), [`hash`](crate::hash), [`list`](crate::list),
//! [`set`](crate::set), [`zset`](crate::zset) and [`stream`](crate::stream). Any other that a module
//! provides is used as it is, in `unsafe` code that keeps to the comments of its functions; a module
//! that needs one on every command keeps it in a [`ServiceHandle`]:
//!
//! ```
//! use plinth_module::abi::string::StringService;
//! use plinth_module::prelude::*;
//!
//! static STRINGS: ServiceHandle<StringService> = ServiceHandle::new();
//!
//! fn start(call: &mut Call<'_>) -> Result {
//!     STRINGS.resolve(call)
//! }
//! ```
//!
//! To provide a service a module fills such a table with `extern "C"` functions, each of which
//! begins with [`Call::from_raw`](crate::call::Call::from_raw) and [`answer`], and lists it with
//! [`provided`].

use crate::abi;
use crate::abi::bytes::Bytes;
use crate::abi::entry::Provided;
use crate::abi::status::Status;
use crate::call::Call;
use crate::error::{Error, Result, status_of};
use crate::panic::guard;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// A table of functions that can be asked for by id.
///
/// # Safety
/// The type is `repr(C)`, begins with its size as `u32`, is only read, and is the layout that
/// everybody uses for tables of this id.
pub unsafe trait Service: 'static {
    /// Id with its revision, such as `"plinth.string/1"`.
    const ID: &'static str;
}

// SAFETY: the ABI defines this table for this id.
unsafe impl Service for abi::string::StringService {
    const ID: &'static str = abi::string::STRING_SERVICE;
}

// SAFETY: the ABI defines this table for this id.
unsafe impl Service for abi::set::SetService {
    const ID: &'static str = abi::set::SET_SERVICE;
}

// SAFETY: the ABI defines this table for this id.
unsafe impl Service for abi::zset::ZsetService {
    const ID: &'static str = abi::zset::ZSET_SERVICE;
}

// SAFETY: the ABI defines this table for this id.
unsafe impl Service for abi::set_storage::SetStorageService {
    const ID: &'static str = abi::set_storage::SET_STORAGE_SERVICE;
}

/// A table that `start` looked up, for use in every later call.
pub struct ServiceHandle<S> {
    table: AtomicPtr<S>,
}

impl<S: Service> ServiceHandle<S> {
    /// A handle without a table.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> ServiceHandle<S> {
        ServiceHandle { table: AtomicPtr::new(null_mut()) }
    }

    /// Looks the table up; for `start`. Fails with `Unsupported` when nobody provides it.
    pub fn resolve(&self, call: &Call<'_>) -> Result {
        let table: &S = call.service().ok_or(Error::Unsupported)?;
        self.table.store((&raw const *table).cast_mut(), Relaxed);
        Ok(())
    }

    /// The table, or `None` when it was not resolved. The call shows that the module is loaded.
    #[inline]
    pub fn get<'a>(&self, _call: &Call<'a>) -> Option<&'a S> {
        self.table().ok()
    }

    /// The table for a wrapper that has a part of a call. Fails with `Unsupported` when it was not
    /// resolved.
    #[inline]
    pub(crate) fn table(&self) -> Result<&'static S> {
        // SAFETY: null, or a table whose address stays the same while this module is loaded, which
        // is as long as any of its code runs.
        unsafe { self.table.load(Relaxed).as_ref() }.ok_or(Error::Unsupported)
    }
}

/// A table that this module provides, for [`Module::provides`](crate::export::Module::provides).
pub const fn provided<S: Service>(table: &'static S) -> Provided {
    Provided { id: Bytes::new(S::ID), table: (&raw const *table).cast_mut().cast() }
}

/// Runs the safe part of a function of a provided table: a panic becomes `STATUS_PANIC`.
///
/// # Safety
/// As for [`Call::from_raw`].
#[inline(always)]
pub unsafe fn answer(call: *mut abi::call::Call, work: impl FnOnce(&mut Call<'_>) -> Result) -> Status {
    // SAFETY: as the caller vouches.
    let mut call = unsafe { Call::from_raw(call) };
    status_of(guard(|| work(&mut call)).unwrap_or(Err(Error::Panic)))
}
