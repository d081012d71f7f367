//! Services of other modules: tables of C functions under an id.
//!
//! The tables of the core are wrapped by the parts of a [`Call`]. Those of the data types and of channels
//! have safe wrappers, too: [`string`](crate::string), [`hash`](crate::hash), [`list`](crate::list),
//! [`set`](crate::set), [`zset`](crate::zset), [`stream`](crate::stream) and [`bus`](crate::bus). Any other
//! that a module provides is used as it is, in `unsafe` code that keeps to the comments of its functions; a module
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
use crate::abi::bytes::{Bytes, Opaque, Slice};
use crate::abi::status::Status;
use crate::call::Call;
use crate::error::{Error, Result, check_found, status_of};
use crate::panic::guard;
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};
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
        let table: Table<'_, S> = call.service().ok_or(Error::Unsupported)?;
        self.table.store(table.at.as_ptr(), Relaxed);
        Ok(())
    }

    /// The table, or `None` when it was not resolved. The call shows that the module is loaded.
    #[inline]
    pub fn get<'a>(&self, _call: &Call<'a>) -> Option<Table<'a, S>> {
        self.table().ok()
    }

    /// The table for a wrapper that has a part of a call. Fails with `Unsupported` when it was not
    /// resolved.
    #[inline]
    pub(crate) fn table(&self) -> Result<Table<'static, S>> {
        // SAFETY: null, or a table whose address stays the same while this module is loaded, which
        // is as long as any of its code runs.
        unsafe { Table::new(self.table.load(Relaxed)) }.ok_or(Error::Unsupported)
    }
}

/// Where a table lies. Each function is read from it when it is called and not before: the host writes those of
/// another provider there when that takes the place of the present one.
pub struct Table<'a, S> {
    at: NonNull<S>,
    marker: PhantomData<&'a ()>,
}

impl<S> Clone for Table<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S> Copy for Table<'_, S> {}

impl<S> Table<'_, S> {
    /// # Safety
    /// `at` is null, or the host keeps a table of this layout there for as long as the lifetime says.
    #[inline(always)]
    pub(crate) unsafe fn new(at: *mut S) -> Option<Self> {
        NonNull::new(at).map(|at| Table { at, marker: PhantomData })
    }
}

impl<S: Service> Table<'_, S> {
    /// One of its functions, to be called now. `pick` lends no part of the table to anybody.
    #[inline(always)]
    pub fn function<F>(self, pick: fn(&S) -> F) -> F {
        // SAFETY: `new` was promised a table there; it is written only while the host is called, which a
        // function that captures nothing has no call for.
        pick(unsafe { self.at.as_ref() })
    }
}

/// A service that this module provides: an id with a table of its layout.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Provided(abi::entry::Provided);

/// A table that this module provides, for [`Module::provides`](crate::export::Module::provides).
pub const fn provided<S: Service>(table: &'static S) -> Provided {
    Provided(abi::entry::Provided { id: Bytes::new(S::ID), table: (&raw const *table).cast_mut().cast() })
}

impl Provided {
    /// A table under an id that says more than its layout does.
    pub(crate) const fn under(id: &'static str, table: Opaque) -> Provided {
        Provided(abi::entry::Provided { id: Bytes::new(id), table })
    }

    /// The services of a module, as the ABI has them.
    pub const fn list(all: &'static [Provided]) -> Slice<abi::entry::Provided> {
        Slice { items: all.as_ptr().cast(), count: all.len() as u32, stride: size_of::<Provided>() as u32 }
    }
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

/// As [`answer`], for a function that writes what it finds; `work` says `None` where there is no such key.
///
/// # Safety
/// As for [`Call::from_raw`], and `out` may be written.
#[inline(always)]
pub(crate) unsafe fn answer_value<T>(
    call: *mut abi::call::Call,
    out: *mut T,
    work: impl FnOnce(&mut Call<'_>) -> Result<Option<T>>,
) -> Status {
    // SAFETY: as the caller vouches.
    unsafe {
        answer(call, |call| {
            out.write(work(call)?.ok_or(Error::None)?);
            Ok(())
        })
    }
}

/// As [`answer`], for a function that says whether there was what it is about.
///
/// # Safety
/// As for [`Call::from_raw`].
#[inline(always)]
pub(crate) unsafe fn answer_found(
    call: *mut abi::call::Call,
    work: impl FnOnce(&mut Call<'_>) -> Result<bool>,
) -> Status {
    // SAFETY: as the caller vouches.
    unsafe { answer(call, |call| if work(call)? { Ok(()) } else { Err(Error::None) }) }
}

/// What a function of a table writes, or `None` when it says that there is no such key.
#[inline(always)]
pub(crate) fn asking<T: Default>(ask: impl FnOnce(&mut T) -> Status) -> Result<Option<T>> {
    let mut value = T::default();
    Ok(check_found(ask(&mut value))?.then_some(value))
}

/// A key that is set to a collection without elements is no key: removes it, and says so.
pub(crate) fn set_to_nothing(call: &mut Call<'_>, key: &[u8]) -> Result {
    if call.keys.remove(key, 0)? {
        call.keys.modified(key, crate::keys::EVENT_GENERIC, "del");
    }
    Ok(())
}

/// The safe side of a service for those who use it: a handle by this name, and `new` and `resolve`; with
/// `len` also that, for a table that has it.
macro_rules! face {
    ($(#[$docs:meta])* $face:ident, $table:ty) => {
        $(#[$docs])*
        pub struct $face {
            handle: $crate::service::ServiceHandle<$table>,
        }

        impl $face {
            /// A handle that `start` resolves.
            #[allow(clippy::new_without_default)]
            pub const fn new() -> $face {
                $face { handle: $crate::service::ServiceHandle::new() }
            }

            /// Looks the service up; for `start`. Fails with `Unsupported` when nobody provides it.
            pub fn resolve(&self, call: &$crate::call::Call<'_>) -> $crate::error::Result {
                self.handle.resolve(call)
            }
        }
    };
    ($(#[$docs:meta])* $face:ident, $table:ty, $(#[$len_docs:meta])* len) => {
        $crate::service::face! { $(#[$docs])* $face, $table }

        impl $face {
            $(#[$len_docs])*
            pub fn len(
                &self,
                keys: &mut $crate::keys::Keys<'_>,
                key: &[u8],
            ) -> $crate::error::Result<Option<usize>> {
                let (len, key) = (self.handle.table()?.function(|table| table.len), $crate::abi::bytes::Bytes::of(key));
                // SAFETY: the call is valid; the key is borrowed for the call.
                $crate::service::asking(|count| unsafe { len(keys.as_raw(), key, count) })
            }
        }
    };
}
pub(crate) use face;
