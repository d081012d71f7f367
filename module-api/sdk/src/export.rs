//! The export: what a module is, in one constant.
//!
//! ```
//! # #![allow(missing_docs)]
//! use plinth_module::prelude::*;
//!
//! export!(Module { name: "example", version: "0.1.0", ..Module::NEW });
//! # fn main() {}
//! ```
//!
//! [`export!`](crate::export!) makes the data symbol `plinth_module_entry` out of a [`Module`], and
//! two functions of one line that tie the shared [`start`] and [`stop`] to it. Written out:
//!
//! ```text
//! static PLINTH_MODULE: Module             what the author wrote
//! static REQUIRES: [Bytes; 32]             ids of the core's services and the module's own
//! extern "C" fn start, stop                call export::start(call, &PLINTH_MODULE), export::stop(..)
//! pub static plinth_module_entry           PLINTH_MODULE.entry(&REQUIRES, start, stop)
//! ```

use crate::abi;
use crate::abi::bytes::{Bytes, Slice};
use crate::abi::command::Command;
use crate::abi::config::Config;
use crate::abi::info::Section;
use crate::abi::layout::Layout;
use crate::abi::status::Status;
use crate::call::{Call, drop_data};
use crate::command::HandlerFn;
use crate::constants;
use crate::error::{Error, Result, status_of};
use crate::host;
use crate::panic::{guard, install_hook};
use crate::service::Provided;
use crate::thread;
use crate::types::{Type, claim_all};

/// Most services that a module can require, the core's included.
pub const REQUIRES_MAX: usize = 32;

/// A module. Completed with `..Module::NEW`.
#[derive(Clone, Copy)]
pub struct Module {
    /// Short name, unique among loaded modules.
    pub name: &'static str,
    /// Version, `"1.2.3"`.
    pub version: &'static str,
    /// Ids of services of other modules without which this one is not loaded.
    pub requires: &'static [&'static str],
    /// Services for other modules, made by [`provided`](crate::service::provided).
    pub provides: &'static [Provided],
    /// Data types.
    pub types: &'static [Type],
    /// Commands.
    pub commands: &'static [Command],
    /// Parameters, made by `declare` of [`config`](crate::config).
    pub configs: &'static [Config],
    /// Sections of INFO, made by [`section`](crate::info::section).
    pub infos: &'static [Section],
    /// Runs once before the module is visible; its arguments are those of MODULE LOAD. An error
    /// undoes the load, and one written to the reply is the reason shown.
    pub start: Option<HandlerFn>,
    /// Runs once when the module leaves. What was registered is removed by the host.
    pub stop: Option<fn(&mut Call<'_>)>,
}

impl Module {
    /// A module without anything.
    pub const NEW: Module = Module {
        name: "",
        version: "0.0.0",
        requires: &[],
        provides: &[],
        types: &[],
        commands: &[],
        configs: &[],
        infos: &[],
        start: None,
        stop: None,
    };

    /// The ids of the core's services and of the module's own, padded with empty ones.
    pub const fn requires(&self) -> [Bytes; REQUIRES_MAX] {
        let mut all = [Bytes::EMPTY; REQUIRES_MAX];
        let mut count = 0;
        while count < self.requires_count() {
            all[count] = Bytes::new(if count < host::CORE_SERVICES.len() {
                host::CORE_SERVICES[count]
            } else {
                self.requires[count - host::CORE_SERVICES.len()]
            });
            count += 1;
        }
        all
    }

    const fn requires_count(&self) -> usize {
        host::CORE_SERVICES.len() + self.requires.len()
    }

    /// The entry of the ABI, if all that the constants point to is there.
    ///
    /// # Safety
    /// It is called when the module is compiled.
    ///
    /// # Panics
    /// When a command has a function without what belongs to it.
    pub const unsafe fn entry(
        &self,
        requires: &'static [Bytes; REQUIRES_MAX],
        start: unsafe extern "C" fn(*mut abi::call::Call) -> Status,
        stop: unsafe extern "C" fn(*mut abi::call::Call),
    ) -> abi::entry::Module {
        // SAFETY: as the caller vouches.
        unsafe { constants::check(self) };
        abi::entry::Module {
            magic: abi::entry::MAGIC,
            abi_major: abi::ABI_MAJOR,
            abi_minor: abi::ABI_MINOR,
            size: size_of::<abi::entry::Module>() as u32,
            reserved: 0,
            name: Bytes::new(self.name),
            version: Bytes::new(self.version),
            requires: Slice {
                items: requires.as_ptr(),
                count: self.requires_count() as u32,
                stride: size_of::<Bytes>() as u32,
            },
            provides: Provided::list(self.provides),
            types: Type::list(self.types),
            commands: Slice::new(self.commands),
            configs: Slice::new(self.configs),
            infos: Slice::new(self.infos),
            start: Some(start),
            stop: Some(stop),
            layout: (&raw const LAYOUT).cast_mut().cast(),
        }
    }
}

static LAYOUT: Layout = Layout::NEW;

/// Exports a [`Module`] as the symbol that the host looks for. Once per crate.
#[macro_export]
macro_rules! export {
    ($module:expr) => {
        /// What the host reads before it runs any code of this module.
        #[unsafe(no_mangle)]
        #[allow(non_upper_case_globals)]
        pub static plinth_module_entry: $crate::abi::entry::Module = {
            static PLINTH_MODULE: $crate::export::Module = $module;
            // A block of its own, so that no name in it meets one in `$module`.
            {
                static REQUIRES: [$crate::abi::bytes::Bytes; $crate::export::REQUIRES_MAX] = PLINTH_MODULE.requires();
                unsafe extern "C" fn start(call: *mut $crate::abi::call::Call) -> $crate::abi::status::Status {
                    // SAFETY: the host starts the module with a call of its own, once.
                    unsafe { $crate::export::start(call, &PLINTH_MODULE) }
                }
                unsafe extern "C" fn stop(call: *mut $crate::abi::call::Call) {
                    // SAFETY: the host stops the module with a call of its own, once and last.
                    unsafe { $crate::export::stop(call, &PLINTH_MODULE) }
                }
                // SAFETY: this is the value of a static.
                unsafe { PLINTH_MODULE.entry(&REQUIRES, start, stop) }
            }
        };
    };
}

/// Makes the SDK ready and runs the module's own `start`.
///
/// # Safety
/// `raw` is the call that the host handed to the module's `start`.
pub unsafe fn start(raw: *mut abi::call::Call, module: &'static Module) -> Status {
    let done = guard(|| {
        // SAFETY: the call is the host's, and carries the host that loads this module.
        let mut call = unsafe {
            host::resolve((*raw).host)?;
            Call::from_raw(raw)
        };
        install_hook();
        thread::begin();
        ready(&mut call, module)
    });
    let result = done.unwrap_or(Err(Error::Panic));
    if result.is_err() {
        thread::say_stopping();
        thread::join_all();
        // SAFETY: the call is the host's; `start` failed, so no call will see the data, and the host goes.
        unsafe {
            drop_module_data(raw);
            host::forget((*raw).host);
        }
    }
    status_of(result)
}

fn ready(call: &mut Call<'_>, module: &'static Module) -> Result {
    if let Err(name) = claim_all(module.types) {
        let name = String::from_utf8_lossy(name);
        return Err(call.reply.error(format!("ERR type {name} shares its slot with another type: set DataType::SLOT")));
    }
    module.start.map_or(Ok(()), |start| start(call))
}

/// Runs the module's own `stop`, waits for its threads, and drops what `start` kept.
///
/// # Safety
/// `raw` is the call that the host handed to the module's `stop`; no other call follows.
pub unsafe fn stop(raw: *mut abi::call::Call, module: &'static Module) {
    thread::say_stopping();
    if let Some(stop) = module.stop {
        // SAFETY: the call is the host's.
        let mut call = unsafe { Call::from_raw(raw) };
        guard(|| stop(&mut call));
    }
    thread::join_all();
    // SAFETY: the call is the host's, and it is the last.
    unsafe {
        guard(|| drop_module_data(raw));
        host::forget((*raw).host);
    }
}

/// # Safety
/// `raw` is valid, and nobody uses the module's data any more.
unsafe fn drop_module_data(raw: *mut abi::call::Call) {
    // SAFETY: as the caller vouches; the field is written by `Call::set_data` only.
    unsafe { drop_data(std::mem::replace(&mut (*raw).module_data, std::ptr::null_mut())) }
}
