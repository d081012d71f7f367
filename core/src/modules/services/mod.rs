//! The host's services: one file per table, named like its header.
//!
//! Every function begins by finding the context behind the call; the table's
//! address is constant, so a module may keep it.

pub mod acl;
pub mod block;
pub mod busy;
pub mod clients;
pub mod codec;
pub mod config;
pub mod digest;
pub mod directives;
pub mod event_loop;
pub mod events;
mod fill;
pub mod info;
pub mod keys;
pub mod mode;
pub mod process;
pub mod propagate;
pub mod rdb;
pub mod replication;
pub mod reply;
pub mod rewrite;
pub mod run;
pub mod socket;
pub mod timers;

use crate::base::id::ModuleId;
use crate::engine::server::Server;
use crate::registry::service::Service;
use crate::session::resume::Resumes;
use plinth_abi::bytes::{Bytes, Opaque};
use plinth_abi::host::Host;
use plinth_abi::{ABI_MAJOR, ABI_MINOR};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// What a module's host is about.
pub struct HostLink {
    server: *mut Server,
    module: ModuleId,
    name: String,
    resumes: Arc<Resumes>,
    panics: Arc<AtomicU64>,
}

impl HostLink {
    /// The link of a module that is being loaded.
    pub fn new(server: &mut Server, module: ModuleId, name: &str) -> HostLink {
        let resumes = server.sessions.blocking.resumes.clone();
        HostLink { server, module, name: name.to_owned(), resumes, panics: Arc::default() }
    }

    /// Where panics of the module are counted.
    pub fn panics(&self) -> Arc<AtomicU64> {
        self.panics.clone()
    }

    /// The host that the module sees.
    pub fn host(&self) -> Host {
        Host {
            size: size_of::<Host>() as u32,
            abi_major: ABI_MAJOR,
            abi_minor: ABI_MINOR,
            context: (&raw const *self).cast_mut().cast(),
            service,
            log,
            give_way,
            panicked,
            allocate,
            release,
            let_go,
        }
    }
}

/// # Safety
/// `host` is one that this server handed out, and its module is loaded.
unsafe fn link<'a>(host: *const Host) -> &'a HostLink {
    // SAFETY: promised by the caller; the link lives as long as the module.
    unsafe { &*(*host).context.cast::<HostLink>() }
}

/// Who waits for threads, for a function that any thread may call.
///
/// # Safety
/// As of [`link`].
unsafe fn resumes<'a>(host: *const Host) -> &'a Resumes {
    // SAFETY: promised by the caller; the field never changes, so any thread may read it.
    unsafe { &link(host).resumes }
}

unsafe extern "C" fn give_way(_host: *const Host) {
    crate::store::background::give_way();
}

unsafe extern "C" fn panicked(host: *const Host) {
    // SAFETY: called by a loaded module; the counter is for any thread.
    unsafe { link(host) }.panics.fetch_add(1, Relaxed);
}

unsafe extern "C" fn allocate(bytes: usize) -> Opaque {
    // It may be asked for nothing, which is something nevertheless.
    crate::base::allocator::allocate(bytes.max(1))
}

unsafe extern "C" fn release(memory: Opaque) {
    // SAFETY: the module gives back what it was given, once.
    unsafe { crate::base::allocator::free(memory) }
}

unsafe extern "C" fn service(host: *const Host, id: Bytes, size_min: u32) -> Opaque {
    // SAFETY: called by a loaded module on the main thread, which waits for the answer.
    let (link, id) = unsafe { (link(host), id.as_slice()) };
    // SAFETY: the server outlives its modules, and services are asked for on its thread.
    let server = unsafe { &mut *link.server };
    let Some(found) = server.registry.modules.services.iter_mut().find(|service| service.id.as_bytes() == id) else {
        return std::ptr::null_mut();
    };
    if found.size() < size_min as usize {
        return std::ptr::null_mut();
    }
    found.least = found.least.max(size_min);
    let table = found.handed_out();
    let id = found.id.clone();
    if let Some(module) = server.registry.modules.get_mut(link.module)
        && !module.uses.contains(&id)
    {
        module.uses.push(id);
    }
    table
}

unsafe extern "C" fn let_go(host: *const Host, id: Bytes) {
    // SAFETY: as in `service`.
    let (link, id) = unsafe { (link(host), id.as_slice()) };
    // SAFETY: as in `service`.
    let server = unsafe { &mut *link.server };
    if let Some(module) = server.registry.modules.get_mut(link.module) {
        module.uses.retain(|used| used.as_bytes() != id);
    }
}

unsafe extern "C" fn log(host: *const Host, level: u32, text: Bytes) {
    // SAFETY: called by a loaded module; the link's name never changes, so any thread
    // may read it.
    let (link, text) = unsafe { (link(host), text.as_slice()) };
    crate::base::log::write(level.min(3) as usize, &format!("<{}> {}", link.name, String::from_utf8_lossy(text)));
}

/// The services of the core.
pub fn core_services() -> Vec<Service> {
    use plinth_abi as abi;
    let service = Service::of_core;
    vec![
        service(abi::reply::REPLY_SERVICE, (&raw const reply::TABLE).cast()),
        service(abi::keys::KEYS_SERVICE, (&raw const keys::TABLE).cast()),
        service(abi::codec::CODEC_SERVICE, (&raw const codec::TABLE).cast()),
        service(abi::config::CONFIG_SERVICE, (&raw const config::TABLE).cast()),
        service(abi::info::INFO_SERVICE, (&raw const info::TABLE).cast()),
        service(abi::events::EVENTS_SERVICE, (&raw const events::TABLE).cast()),
        service(abi::timers::TIMERS_SERVICE, (&raw const timers::TABLE).cast()),
        service(abi::clients::CLIENTS_SERVICE, (&raw const clients::TABLE).cast()),
        service(abi::propagate::PROPAGATE_SERVICE, (&raw const propagate::TABLE).cast()),
        service(abi::run::RUN_SERVICE, (&raw const run::TABLE).cast()),
        service(abi::block::BLOCK_SERVICE, (&raw const block::TABLE).cast()),
        service(abi::rewrite::REWRITE_SERVICE, (&raw const rewrite::TABLE).cast()),
        service(abi::acl::ACL_SERVICE, (&raw const acl::TABLE).cast()),
        service(abi::digest::DIGEST_SERVICE, (&raw const digest::TABLE).cast()),
        service(abi::rdb::RDB_SERVICE, (&raw const rdb::TABLE).cast()),
        service(abi::busy::BUSY_SERVICE, (&raw const busy::TABLE).cast()),
        service(abi::event_loop::LOOP_SERVICE, (&raw const event_loop::TABLE).cast()),
        service(abi::socket::SOCKET_SERVICE, (&raw const socket::TABLE).cast()),
        service(abi::process::PROCESS_SERVICE, (&raw const process::TABLE).cast()),
        service(abi::mode::MODE_SERVICE, (&raw const mode::TABLE).cast()),
        service(abi::directives::DIRECTIVES_SERVICE, (&raw const directives::TABLE).cast()),
        service(abi::replication::REPLICATION_SERVICE, (&raw const replication::TABLE).cast()),
    ]
}
