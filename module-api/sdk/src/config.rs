//! Parameters: those that a module declares, and the server's.
//!
//! A declared parameter lives in a static of the module and is read like a variable; the host
//! checks the text of `redis.conf`, CONFIG SET and MODULE LOADEX and writes the value:
//!
//! ```
//! use plinth_module::prelude::*;
//!
//! static LIMIT: ConfigInteger = ConfigInteger::new();
//! static PARAMETERS: [Config; 1] = [LIMIT.declare("limit", "100", 1, 1000)];
//!
//! fn within(count: i64) -> bool {
//!     count < LIMIT.get()
//! }
//! ```
//!
//! Flags and a second name, such as a former one, are set on the declaration:
//!
//! ```
//! # use plinth_module::prelude::*;
//! # static LIMIT: ConfigInteger = ConfigInteger::new();
//! static PARAMETERS: [Config; 1] = [Config {
//!     flags: CONFIG_IMMUTABLE,
//!     alias: text("maximum"),
//!     ..LIMIT.declare("limit", "100", 1, 1000)
//! }];
//! ```

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque, Slice};
use crate::abi::status::Status;
use crate::call::{Call, part};
use crate::error::{Error, Result, check, status_of};
use crate::host;
use crate::keys::Keys;
use crate::panic::{guard, install_hook};
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

pub use crate::abi::config::{
    CONFIG_BARE, CONFIG_BOOLEAN, CONFIG_CHOICE, CONFIG_HIDDEN, CONFIG_IMMUTABLE, CONFIG_INTEGER, CONFIG_MEMORY,
    CONFIG_SENSITIVE, CONFIG_TEXT, Config, ConfigData,
};

/// Looks at a number before it is set: an error refuses it, and one written to the call's
/// reply is what is shown.
pub type CheckNumber = fn(&mut Call<'_>, i64) -> Result;
/// Looks at a text before it is set. As [`CheckNumber`].
pub type CheckText = fn(&mut Call<'_>, &[u8]) -> Result;

/// What a parameter's static begins with, by which its function knows that it is the right one: a declaration may
/// be put together from two.
const INTEGER: u32 = 1;
/// See [`INTEGER`].
const TEXT: u32 = 2;

/// Where the host writes a number: an integer, a size in bytes, or the position of a choice.
/// Readable from any thread.
#[repr(C)]
pub struct ConfigInteger {
    holds: u32,
    value: AtomicI64,
    check: Option<CheckNumber>,
}

impl ConfigInteger {
    /// A parameter that takes any value its declaration allows.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> ConfigInteger {
        ConfigInteger { holds: INTEGER, value: AtomicI64::new(0), check: None }
    }

    /// A parameter with a check of its own.
    pub const fn checked(check: CheckNumber) -> ConfigInteger {
        ConfigInteger { holds: INTEGER, value: AtomicI64::new(0), check: Some(check) }
    }

    /// The value; 0 before the module is loaded.
    #[inline(always)]
    pub fn get(&self) -> i64 {
        self.value.load(Relaxed)
    }

    /// Declares it as an integer from `min` to `max`; `default` is text as in `redis.conf`.
    pub const fn declare(&'static self, name: &'static str, default: &'static str, min: i64, max: i64) -> Config {
        Config { min, max, ..self.of_kind(CONFIG_INTEGER, name, default) }
    }

    /// Declares it as a number of bytes: `default` such as `64mb`.
    pub const fn declare_memory(
        &'static self,
        name: &'static str,
        default: &'static str,
        min: i64,
        max: i64,
    ) -> Config {
        Config { min, max, ..self.of_kind(CONFIG_MEMORY, name, default) }
    }

    /// Declares it as one of `choices`, whose position is the value.
    pub const fn declare_choice(
        &'static self,
        name: &'static str,
        default: &'static str,
        choices: &'static [Bytes],
    ) -> Config {
        Config { choices: Slice::new(choices), ..self.of_kind(CONFIG_CHOICE, name, default) }
    }

    const fn of_kind(&'static self, kind: u32, name: &'static str, default: &'static str) -> Config {
        Config {
            kind,
            name: Bytes::new(name),
            default: Bytes::new(default),
            apply: Some(apply_integer),
            data: data_of(self),
            ..Config::NEW
        }
    }
}

/// Where the host writes `yes` or `no`. Readable from any thread.
pub struct ConfigBool(ConfigInteger);

impl ConfigBool {
    /// A parameter that takes either value.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> ConfigBool {
        ConfigBool(ConfigInteger::new())
    }

    /// The value; false before the module is loaded.
    #[inline(always)]
    pub fn get(&self) -> bool {
        self.0.get() != 0
    }

    /// Declares it.
    pub const fn declare(&'static self, name: &'static str, default: bool) -> Config {
        self.0.of_kind(CONFIG_BOOLEAN, name, if default { "yes" } else { "no" })
    }
}

/// Where the host writes a text. Readable from any thread.
#[repr(C)]
pub struct ConfigText {
    holds: u32,
    value: Mutex<Vec<u8>>,
    check: Option<CheckText>,
}

impl ConfigText {
    /// A parameter that takes any text.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> ConfigText {
        ConfigText { holds: TEXT, value: Mutex::new(Vec::new()), check: None }
    }

    /// A parameter with a check of its own.
    pub const fn checked(check: CheckText) -> ConfigText {
        ConfigText { holds: TEXT, value: Mutex::new(Vec::new()), check: Some(check) }
    }

    /// A copy of the text; empty before the module is loaded.
    pub fn get(&self) -> Vec<u8> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Declares it.
    pub const fn declare(&'static self, name: &'static str, default: &'static str) -> Config {
        Config {
            kind: CONFIG_TEXT,
            name: Bytes::new(name),
            default: Bytes::new(default),
            apply: Some(apply_text),
            data: data_of(self),
            ..Config::NEW
        }
    }
}

/// The address of a parameter's static.
const fn data_of<T>(parameter: &'static T) -> ConfigData {
    // SAFETY: each function looks what the static holds before it takes it for its own.
    unsafe { ConfigData::new((&raw const *parameter).cast_mut().cast()) }
}

/// The static of a parameter, if it is what a function needs.
///
/// # Safety
/// `data` is null or a static of [`data_of`], and `T` holds what begins with `holds`.
unsafe fn parameter<T>(data: Opaque, holds: u32) -> Result<&'static T> {
    // SAFETY: as the caller vouches; all statics begin with what they hold.
    unsafe {
        if data.is_null() || data.cast::<u32>().read() != holds {
            return Err(Error::Unsupported);
        }
        Ok(&*data.cast())
    }
}

/// Runs the Rust part of an `apply`, which may come before `start`, so that it resolves the
/// services itself, and has panics go to the log.
///
/// # Safety
/// `raw` is the call that the host handed to `apply`.
unsafe fn applying(raw: *mut abi::call::Call, work: impl FnOnce(&mut Call<'_>) -> Result) -> Status {
    // SAFETY: as the caller vouches.
    let done = guard(|| unsafe {
        host::resolve((*raw).host)?;
        install_hook();
        work(&mut Call::from_raw(raw))
    });
    status_of(done.unwrap_or(Err(Error::Panic)))
}

unsafe extern "C" fn apply_integer(call: *mut abi::call::Call, number: i64, _text: Bytes, data: Opaque) -> Status {
    // SAFETY: the call is the host's; only `data_of` makes what stands here.
    unsafe {
        applying(call, |call| {
            let parameter: &ConfigInteger = parameter(data, INTEGER)?;
            if let Some(check) = parameter.check {
                check(call, number)?;
            }
            parameter.value.store(number, Relaxed);
            Ok(())
        })
    }
}

unsafe extern "C" fn apply_text(call: *mut abi::call::Call, _number: i64, text: Bytes, data: Opaque) -> Status {
    // SAFETY: the call is the host's, the text is borrowed for it; only `data_of` makes what stands here.
    unsafe {
        applying(call, |call| {
            let parameter: &ConfigText = parameter(data, TEXT)?;
            let text = text.as_slice();
            if let Some(check) = parameter.check {
                check(call, text)?;
            }
            *parameter.value.lock().unwrap_or_else(PoisonError::into_inner) = text.to_vec();
            Ok(())
        })
    }
}

/// The server's parameters, in [`Call::config`].
pub struct Configs<'a> {
    call: NonNull<abi::call::Call>,
    marker: PhantomData<&'a mut ()>,
}

part!(Configs);

impl Configs<'_> {
    /// The value of a parameter as CONFIG GET shows it. Fails with `None` when there is no such
    /// parameter.
    pub fn get(&self, name: &str) -> Result<Vec<u8>> {
        crate::take::taking(
            |text: &[u8]| text.to_vec(),
            |function, data| {
                // SAFETY: the call is valid; the name is borrowed and `data` fits `function` for it.
                unsafe { (host::config().get)(self.call.as_ptr(), Bytes::of(name.as_bytes()), function, data) }
            },
        )
    }

    /// The number of a parameter that is one: an integer, a boolean (1 or 0), a size in bytes, the
    /// position of a choice. Fails with `None` and `NotInteger`.
    pub fn number(&self, name: &str) -> Result<i64> {
        let mut number = 0;
        // SAFETY: the call is valid; the name is borrowed for the call.
        check(unsafe { (host::config().get_number)(self.call.as_ptr(), Bytes::of(name.as_bytes()), &mut number) })?;
        Ok(number)
    }

    /// Sets a parameter as CONFIG SET does. Takes the keys because other modules' code runs. Fails
    /// with `None`, `NotAllowed`, `Syntax`.
    pub fn set(&mut self, _keys: &mut Keys<'_>, name: &str, value: &[u8]) -> Result {
        // SAFETY: the call is valid; both are borrowed for the call; nobody holds an entry.
        check(unsafe { (host::config().set)(self.call.as_ptr(), Bytes::of(name.as_bytes()), Bytes::of(value)) })
    }
}
