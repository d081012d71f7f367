//! A module that is right in everything but `layout`, which describes a struct of another shape.
//!
//! It stands for a Rust module that was built against another copy of the ABI's mirror: the host
//! must see it before it calls anything, and say where the two differ.

use abi_stable::StableAbi;
use plinth_module::abi::bytes::Bytes;
use plinth_module::abi::call::Call;
use plinth_module::abi::entry::Module as Entry;
use plinth_module::abi::layout::{DESCRIPTION_VERSION, Layout};
use plinth_module::abi::status::{STATUS_OK, Status};
use plinth_module::prelude::*;

/// `Everything`, as somebody else might have laid it out.
#[repr(C)]
#[derive(StableAbi)]
pub struct Everything {
    /// What ought to be a module's entry.
    pub module: u64,
    /// What ought to be the host.
    pub host: [u32; 3],
}

static LAYOUT: Layout = Layout { version: Bytes::new(DESCRIPTION_VERSION), layout: <Everything as StableAbi>::LAYOUT };

static MODULE: Module = Module { name: "badlayout", version: "1.0.0", ..Module::NEW };

static REQUIRES: [Bytes; plinth_module::export::REQUIRES_MAX] = MODULE.requires();

unsafe extern "C" fn start(_call: *mut Call) -> Status {
    STATUS_OK
}

unsafe extern "C" fn stop(_call: *mut Call) {}

/// The entry.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)]
pub static plinth_module_entry: Entry = {
    // SAFETY: this is the value of a static.
    let entry = unsafe { MODULE.entry(&REQUIRES, start, stop) };
    Entry { layout: (&raw const LAYOUT).cast_mut().cast(), ..entry }
};
