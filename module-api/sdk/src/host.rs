//! The host's tables: where the SDK keeps the services that it has resolved.
//!
//! A call of a service is *load the table's address, load the function's address, call*. The
//! addresses of the tables live in one static of this shared object: each module has its own, since
//! each links its own copy of the SDK. They are written once, by the SDK's `start` (or by the first
//! `apply` of a parameter, which comes earlier), before any function of the module that could use
//! them runs; afterwards they are only read. Loads are relaxed: on every machine of today
//! that is a plain load, and the host's start of the module is what orders the write before them.

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque};
use crate::error::{Error, Result};
use plinth_table::memory::Source;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

pub use crate::abi::host::{LOG_DEBUG, LOG_NOTICE, LOG_VERBOSE, LOG_WARNING};

/// Ids of the services that the SDK always resolves; a host that lacks one refuses the load.
pub const CORE_SERVICES: [&str; 16] = [
    abi::reply::REPLY_SERVICE,
    abi::keys::KEYS_SERVICE,
    abi::codec::CODEC_SERVICE,
    abi::config::CONFIG_SERVICE,
    abi::info::INFO_SERVICE,
    abi::events::EVENTS_SERVICE,
    abi::timers::TIMERS_SERVICE,
    abi::clients::CLIENTS_SERVICE,
    abi::propagate::PROPAGATE_SERVICE,
    abi::run::RUN_SERVICE,
    abi::block::BLOCK_SERVICE,
    abi::rewrite::REWRITE_SERVICE,
    abi::digest::DIGEST_SERVICE,
    abi::rdb::RDB_SERVICE,
    abi::acl::ACL_SERVICE,
    abi::busy::BUSY_SERVICE,
];

/// Addresses of the resolved tables.
struct Tables {
    host: AtomicPtr<abi::host::Host>,
    reply: AtomicPtr<abi::reply::ReplyService>,
    keys: AtomicPtr<abi::keys::KeysService>,
    codec: AtomicPtr<abi::codec::CodecService>,
    config: AtomicPtr<abi::config::ConfigService>,
    info: AtomicPtr<abi::info::InfoService>,
    events: AtomicPtr<abi::events::EventsService>,
    timers: AtomicPtr<abi::timers::TimersService>,
    clients: AtomicPtr<abi::clients::ClientsService>,
    propagate: AtomicPtr<abi::propagate::PropagateService>,
    run: AtomicPtr<abi::run::RunService>,
    block: AtomicPtr<abi::block::BlockService>,
    rewrite: AtomicPtr<abi::rewrite::RewriteService>,
    digest: AtomicPtr<abi::digest::DigestService>,
    rdb: AtomicPtr<abi::rdb::RdbService>,
    acl: AtomicPtr<abi::acl::AclService>,
    busy: AtomicPtr<abi::busy::BusyService>,
}

static TABLES: Tables = Tables {
    host: AtomicPtr::new(null_mut()),
    reply: AtomicPtr::new(null_mut()),
    keys: AtomicPtr::new(null_mut()),
    codec: AtomicPtr::new(null_mut()),
    config: AtomicPtr::new(null_mut()),
    info: AtomicPtr::new(null_mut()),
    events: AtomicPtr::new(null_mut()),
    timers: AtomicPtr::new(null_mut()),
    clients: AtomicPtr::new(null_mut()),
    propagate: AtomicPtr::new(null_mut()),
    run: AtomicPtr::new(null_mut()),
    block: AtomicPtr::new(null_mut()),
    rewrite: AtomicPtr::new(null_mut()),
    digest: AtomicPtr::new(null_mut()),
    rdb: AtomicPtr::new(null_mut()),
    acl: AtomicPtr::new(null_mut()),
    busy: AtomicPtr::new(null_mut()),
};

/// One reader per table. A reader is called with a `Call`, a `Saver` or the like in hand, which
/// only the SDK's trampolines make, and those run after [`resolve`] has succeeded.
macro_rules! readers {
    ($($name:ident: $table:ty;)*) => {$(
        #[inline(always)]
        pub(crate) fn $name() -> &'static $table {
            let table = TABLES.$name.load(Relaxed);
            debug_assert!(!table.is_null(), "a service is used before the module started");
            // SAFETY: `resolve` stored the address of a constant table that the host keeps for as
            // long as the module is loaded, before anything that calls this function could run.
            unsafe { &*table }
        }
    )*};
}

readers! {
    reply: abi::reply::ReplyService;
    keys: abi::keys::KeysService;
    codec: abi::codec::CodecService;
    config: abi::config::ConfigService;
    info: abi::info::InfoService;
    events: abi::events::EventsService;
    timers: abi::timers::TimersService;
    clients: abi::clients::ClientsService;
    propagate: abi::propagate::PropagateService;
    run: abi::run::RunService;
    block: abi::block::BlockService;
    rewrite: abi::rewrite::RewriteService;
    digest: abi::digest::DigestService;
    rdb: abi::rdb::RdbService;
    acl: abi::acl::AclService;
    busy: abi::busy::BusyService;
}

/// Looks up every table. Fails with `Unsupported` when the host lacks one, or has it shorter than
/// this SDK needs.
///
/// # Safety
/// `host` is the host that loads this module.
pub(crate) unsafe fn resolve(host: *const abi::host::Host) -> Result {
    /// Looks up one table and stores its address.
    unsafe fn one<T>(host: *const abi::host::Host, id: &str, to: &AtomicPtr<T>) -> Result {
        // SAFETY: the caller of `resolve` vouches for `host`.
        let table = unsafe { find(host, id, size_of::<T>() as u32) };
        if table.is_null() {
            return Err(Error::Unsupported);
        }
        to.store(table.cast(), Relaxed);
        Ok(())
    }
    // SAFETY: as the caller vouches.
    unsafe {
        one(host, abi::reply::REPLY_SERVICE, &TABLES.reply)?;
        one(host, abi::keys::KEYS_SERVICE, &TABLES.keys)?;
        one(host, abi::codec::CODEC_SERVICE, &TABLES.codec)?;
        one(host, abi::config::CONFIG_SERVICE, &TABLES.config)?;
        one(host, abi::info::INFO_SERVICE, &TABLES.info)?;
        one(host, abi::events::EVENTS_SERVICE, &TABLES.events)?;
        one(host, abi::timers::TIMERS_SERVICE, &TABLES.timers)?;
        one(host, abi::clients::CLIENTS_SERVICE, &TABLES.clients)?;
        one(host, abi::propagate::PROPAGATE_SERVICE, &TABLES.propagate)?;
        one(host, abi::run::RUN_SERVICE, &TABLES.run)?;
        one(host, abi::block::BLOCK_SERVICE, &TABLES.block)?;
        one(host, abi::rewrite::REWRITE_SERVICE, &TABLES.rewrite)?;
        one(host, abi::digest::DIGEST_SERVICE, &TABLES.digest)?;
        one(host, abi::rdb::RDB_SERVICE, &TABLES.rdb)?;
        one(host, abi::acl::ACL_SERVICE, &TABLES.acl)?;
        one(host, abi::busy::BUSY_SERVICE, &TABLES.busy)?;
    }
    TABLES.host.store(host.cast_mut(), Relaxed);
    plinth_table::on_give_way(ask_host_to_give_way);
    // SAFETY: as the caller vouches; a host as long as this has both functions, which are the server's and
    // stay as long as it does.
    unsafe {
        if (*host).size as usize >= size_of::<abi::host::Host>() {
            plinth_table::memory::take_from(Source { allocate: (*host).allocate, free: (*host).release });
        }
    }
    Ok(())
}

/// Forgets the host, which is gone when `stop` has returned, while something of this library may go on: it
/// may stay mapped.
pub(crate) fn forget(host: *const abi::host::Host) {
    // Where several modules are linked into one program, another may have been started since.
    let _ = TABLES.host.compare_exchange(host.cast_mut(), null_mut(), Relaxed, Relaxed);
}

/// Has the host count a panic. May be called from any thread.
#[cold]
pub(crate) fn panicked() {
    let host = TABLES.host.load(Relaxed);
    if !host.is_null() {
        // SAFETY: `resolve` stored the host, which lives while the module is loaded; its `panicked` may be
        // called from any thread.
        unsafe { ((*host).panicked)(host) }
    }
}

/// How [`give_way`](crate::give_way) does it in a module.
fn ask_host_to_give_way() {
    let host = TABLES.host.load(Relaxed);
    if host.is_null() {
        return std::thread::yield_now();
    }
    // SAFETY: `resolve` stored the host, which lives while the module is loaded; `give_way` may be called
    // from any thread.
    unsafe { ((*host).give_way)(host) }
}

/// Whether a call's host is this module's, and not that of one that uses its services.
pub(crate) fn is_own(host: *const abi::host::Host) -> bool {
    std::ptr::eq(host, TABLES.host.load(Relaxed))
}

/// The table of a service, or null.
///
/// # Safety
/// `host` is the host of this module.
pub(crate) unsafe fn find(host: *const abi::host::Host, id: &str, size_min: u32) -> Opaque {
    // SAFETY: the caller vouches for `host`; `id` lives for the call.
    unsafe { ((*host).service)(host, Bytes::of(id.as_bytes()), size_min) }
}

/// The table of a service for this module, or null; on the main thread.
pub(crate) fn find_own(id: &str, size_min: u32) -> Opaque {
    let host = TABLES.host.load(Relaxed);
    // SAFETY: null, or the host, which lives while the module is loaded.
    if host.is_null() { null_mut() } else { unsafe { find(host, id, size_min) } }
}

/// Uses a service no longer. Its provider may go, so no address of its table may be left in use.
pub(crate) fn let_go(id: &str) {
    let host = TABLES.host.load(Relaxed);
    if !host.is_null() {
        // SAFETY: `resolve` stored the host, which lives while the module is loaded; `id` lives for the call.
        unsafe { ((*host).let_go)(host, Bytes::of(id.as_bytes())) }
    }
}

/// Writes a line to the server's log at a `LOG_*` level. May be called from any thread. Before
/// the module has started there is no log, and the line is lost.
pub fn log(level: u32, text: &str) {
    let host = TABLES.host.load(Relaxed);
    if !host.is_null() {
        // SAFETY: `resolve` stored the host, which lives while the module is loaded; its `log`
        // may be called from any thread and borrows the text for the call.
        unsafe { ((*host).log)(host, level, Bytes::of(text.as_bytes())) }
    }
}
