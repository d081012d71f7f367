//! Timers: calling back later, on the main thread.
//!
//! ```
//! use plinth_module::prelude::*;
//!
//! fn remind(call: &mut Call<'_>) -> Result {
//!     let key = call.args.bytes(1).to_vec();
//!     call.timers.start(1_000, key, fire)?;
//!     call.reply.ok();
//!     Ok(())
//! }
//!
//! fn fire(call: &mut Call<'_>, key: Vec<u8>) {
//!     let _ = call.keys.remove(&key, 0);
//! }
//! ```

use crate::abi;
use crate::abi::bytes::Opaque;
use crate::abi::timers::Fire;
use crate::call::{Call, part};
use crate::error::{Error, Result, check};
use crate::host;
use crate::panic::guard;
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};

/// What a timer calls: the run's call, and the value that it was started with.
pub type FireFn<T> = fn(&mut Call<'_>, T);

struct Started<T> {
    fire: FireFn<T>,
    value: T,
}

/// A timer that was started. Letting go of it changes nothing: the timer fires all the same.
#[derive(Debug)]
pub struct Timer<T> {
    id: u64,
    data: *mut Started<T>,
}

/// Starting timers, in [`Call::timers`].
pub struct Timers<'a> {
    call: NonNull<abi::call::Call>,
    marker: PhantomData<&'a mut ()>,
}

part!(Timers);

impl Timers<'_> {
    /// Calls `fire` with `value` once, `delay_ms` from now. A timer that has not fired is gone with
    /// the module, and its value is not dropped then.
    pub fn start<T: 'static>(&mut self, delay_ms: u64, value: T, fire: FireFn<T>) -> Result<Timer<T>> {
        let data = Box::into_raw(Box::new(Started { fire, value }));
        let mut id = 0;
        // SAFETY: the call is valid, and `data` fits the function until it fires or is stopped.
        let status = unsafe {
            (host::timers().start)(self.call.as_ptr(), delay_ms, Fire { run: run::<T> }, data.cast(), &mut id)
        };
        if let Err(error) = check(status) {
            // SAFETY: a call that fails transfers nothing: the box is still ours.
            drop(unsafe { Box::from_raw(data) });
            return Err(error);
        }
        Ok(Timer { id, data })
    }

    /// Stops a timer and gives its value back. Fails with `None` when it fired already.
    pub fn stop<T: 'static>(&mut self, timer: Timer<T>) -> Result<T> {
        let mut data: Opaque = null_mut();
        // SAFETY: the call is valid.
        check(unsafe { (host::timers().stop)(self.call.as_ptr(), timer.id, &mut data) })?;
        if data != timer.data.cast() {
            return Err(Error::None);
        }
        // SAFETY: the host gave the box of this timer back and forgot it.
        Ok(unsafe { Box::from_raw(timer.data) }.value)
    }

    /// Milliseconds until a timer fires. Fails with `None` when it fired already.
    pub fn remaining_ms<T>(&self, timer: &Timer<T>) -> Result<u64> {
        let mut remaining_ms = 0;
        // SAFETY: the call is valid.
        check(unsafe { (host::timers().remaining)(self.call.as_ptr(), timer.id, &mut remaining_ms) })?;
        Ok(remaining_ms)
    }
}

unsafe extern "C" fn run<T: 'static>(raw: *mut abi::call::Call, data: Opaque) {
    // SAFETY: the host lends the call for this run, and hands `data` back once.
    let (mut call, started) = unsafe { (Call::from_raw(raw), Box::from_raw(data.cast::<Started<T>>())) };
    guard(move || (started.fire)(&mut call, started.value));
}
