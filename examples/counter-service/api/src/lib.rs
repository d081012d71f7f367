//! The service `com.example.counter/1`: what the module that has counters and the modules that use
//! them agree on.
//!
//! It is a crate of its own because a module's crate exports its entry, and a library can export
//! only one. It holds the table as it crosses (`repr(C)`, its size first, functions with a status),
//! and the only unsafe code of the example: [`Counters`] for users, [`CounterProvider`] and
//! [`table`] for whoever provides it. In C the same would be a header.

use plinth_module::abi::bytes::Bytes;
use plinth_module::abi::call::Call as RawCall;
use plinth_module::abi::status::{STATUS_OK, Status};
use plinth_module::prelude::*;
use plinth_module::service::answer;

/// Id of the service. A table that is not this one gets another revision.
pub const COUNTER_SERVICE: &str = "com.example.counter/1";

/// The service's table.
#[repr(C)]
pub struct CounterService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Count a key's counter up by `step`, from 0 if there is none.
    ///
    /// Thread: main. Borrow: `key` for the call. Fails: `STATUS_WRONG_TYPE`, `STATUS_OVERFLOW`,
    /// `STATUS_OUT_OF_MEMORY`.
    pub next: unsafe extern "C" fn(call: *mut RawCall, key: Bytes, step: i64, value_out: *mut i64) -> Status,
    /// A key's counter; 0 if there is none.
    ///
    /// Thread: main. Borrow: `key` for the call. Fails: `STATUS_WRONG_TYPE`.
    pub read: unsafe extern "C" fn(call: *mut RawCall, key: Bytes, value_out: *mut i64) -> Status,
}

// SAFETY: `repr(C)`, begins with its size, is only read, and this crate is where everybody takes
// the layout of this id from.
unsafe impl Service for CounterService {
    const ID: &'static str = COUNTER_SERVICE;
}

/// Counters, for a module that requires [`COUNTER_SERVICE`]. A static that `start` resolves.
pub struct Counters {
    handle: ServiceHandle<CounterService>,
}

impl Counters {
    /// A handle that is not resolved yet.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Counters {
        Counters { handle: ServiceHandle::new() }
    }

    /// Looks the service up; for `start`. Fails with `Unsupported` when nobody provides it.
    pub fn resolve(&self, call: &Call<'_>) -> Result {
        self.handle.resolve(call)
    }

    /// Counts a key's counter up. Fails as [`CounterService::next`].
    pub fn next(&self, call: &mut Call<'_>, key: &[u8], step: i64) -> Result<i64> {
        let table = self.handle.get(call).ok_or(Error::Unsupported)?;
        let mut value = 0;
        // SAFETY: the call is valid and nobody holds an entry of it; the key is borrowed for it.
        let status = unsafe { (table.function(|table| table.next))(call.as_raw(), Bytes::of(key), step, &mut value) };
        if status == STATUS_OK { Ok(value) } else { Err(Error::from_status(status)) }
    }

    /// A key's counter. Fails as [`CounterService::read`].
    pub fn read(&self, call: &mut Call<'_>, key: &[u8]) -> Result<i64> {
        let table = self.handle.get(call).ok_or(Error::Unsupported)?;
        let mut value = 0;
        // SAFETY: as in `next`.
        let status = unsafe { (table.function(|table| table.read))(call.as_raw(), Bytes::of(key), &mut value) };
        if status == STATUS_OK { Ok(value) } else { Err(Error::from_status(status)) }
    }
}

/// What the module that has counters does for the others.
///
/// `call` is the user's call: its keys are reached as ever, and its `data` is the user's own.
pub trait CounterProvider: 'static {
    /// As [`CounterService::next`].
    fn next(call: &mut Call<'_>, key: &[u8], step: i64) -> Result<i64>;
    /// As [`CounterService::read`].
    fn read(call: &mut Call<'_>, key: &[u8]) -> Result<i64>;
}

/// The table of a provider, for `provided`.
pub const fn table<P: CounterProvider>() -> CounterService {
    CounterService { size: size_of::<CounterService>() as u32, reserved: 0, next: next::<P>, read: read::<P> }
}

unsafe extern "C" fn next<P: CounterProvider>(
    call: *mut RawCall,
    key: Bytes,
    step: i64,
    value_out: *mut i64,
) -> Status {
    // SAFETY: the caller keeps to the table's comments: a valid call, a key for the call, room for
    // the result.
    unsafe {
        answer(call, |call| {
            value_out.write(P::next(call, key.as_slice(), step)?);
            Ok(())
        })
    }
}

unsafe extern "C" fn read<P: CounterProvider>(call: *mut RawCall, key: Bytes, value_out: *mut i64) -> Status {
    // SAFETY: as in `next`.
    unsafe {
        answer(call, |call| {
            value_out.write(P::read(call, key.as_slice())?);
            Ok(())
        })
    }
}
