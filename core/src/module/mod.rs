//! Modules: how they are loaded, what the host keeps of them, and what it offers.
//!
//! - [`entry`]: reading and checking what a module exports, before any of its code runs.
//! - [`load`]: the transaction that makes a module's things visible, or leaves nothing.
//! - [`leave`]: unloading, with values or without.
//! - [`replace`], [`route`], [`migrate`]: another module in the place of one, live.
//! - [`context`]: a call into a module.
//! - [`services`]: the tables that modules ask for, one file each; [`forward`]: those of
//!   other modules.
//! - [`hooks`], [`timer`]: what modules have asked to be told.
//! - [`inspect`]: `plinth-server --inspect`.
//!
//! *Invariant*: all that a module registers carries its [`ModuleId`] and is removed
//! with it. An id is never given twice, so nothing of a module that left can be
//! taken for another's.

pub mod context;
pub mod entry;
pub mod forward;
pub mod hooks;
pub mod inspect;
pub mod leave;
pub mod load;
pub mod migrate;
pub mod replace;
pub mod route;
pub mod services;
pub mod timer;

use crate::config::registry::ModuleParameter;
use libloading::Library;
use plinth_abi::bytes::Opaque;
use plinth_abi::host::Host;
use plinth_abi::info::Section;
use std::path::PathBuf;

/// Identity of one loading of a module; 0 is the core.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct ModuleId(pub u32);

impl ModuleId {
    /// The core's own commands.
    pub const CORE: ModuleId = ModuleId(0);
}

/// A service: who provides it, and its table.
pub struct Service {
    /// Id with revision.
    pub id: String,
    /// Provider; the core for the host's own.
    pub module: ModuleId,
    /// The provider's table.
    pub table: Opaque,
    /// The table that is handed out, of a module's service.
    pub forward: Option<forward::Forward>,
    /// Most bytes of the table that anybody has asked for.
    pub least: u32,
}

/// A loaded module.
pub struct Module {
    /// Identity.
    pub id: ModuleId,
    /// Name.
    pub name: String,
    /// Version as text.
    pub version: String,
    /// Path that it was loaded from.
    pub path: PathBuf,
    /// Arguments that it was loaded with.
    pub args: Vec<Vec<u8>>,
    /// Its own pointer, as `start` left it.
    pub data: Opaque,
    /// The host that it sees.
    pub host: Box<Host>,
    /// What the host's context points at.
    pub link: Box<services::HostLink>,
    /// Ids of services that it required or asked for.
    pub uses: Vec<String>,
    /// Ids of its types.
    pub types: Vec<u8>,
    /// Its parameters.
    pub parameters: Vec<ModuleParameter>,
    /// Its sections of INFO.
    pub sections: Vec<Section>,
    /// Called when it leaves.
    pub stop: Option<unsafe extern "C" fn(*mut plinth_abi::call::Call)>,
    /// Ticks spent in its timers and hooks.
    pub hook_ticks: u64,
    /// Address of its entry, by which a library is recognised that is mapped already.
    pub entry_at: usize,
    /// Whether it has no names: it is being loaded, or another has taken its place.
    pub inert: bool,
    /// Whether it goes when its values have become ghosts.
    pub leaving: bool,
    /// Says when the freeing thread has come to where it was when the last value went.
    pub fence: Option<std::sync::mpsc::Receiver<()>>,
    /// The library; the last field, so that it is unmapped after all else is dropped.
    pub library: Option<Library>,
}

/// All loaded modules, and all services.
#[derive(Default)]
pub struct Modules {
    /// In the order of loading.
    pub list: Vec<Module>,
    /// Services by id.
    pub services: Vec<Service>,
    last_id: u32,
    /// Data pointer by module id, for calls.
    data: Vec<Opaque>,
}

impl Modules {
    /// The next identity.
    pub fn next_id(&mut self) -> ModuleId {
        self.last_id += 1;
        ModuleId(self.last_id)
    }

    /// A module's own pointer.
    #[inline]
    pub fn data(&self, id: ModuleId) -> Opaque {
        self.data.get(id.0 as usize).copied().unwrap_or(std::ptr::null_mut())
    }

    /// Keep a module's own pointer.
    pub fn set_data(&mut self, id: ModuleId, data: Opaque) {
        let at = id.0 as usize;
        if self.data.len() <= at {
            self.data.resize(at + 1, std::ptr::null_mut());
        }
        self.data[at] = data;
    }

    /// A module by identity.
    pub fn get(&self, id: ModuleId) -> Option<&Module> {
        self.list.iter().find(|module| module.id == id)
    }

    /// A module by identity, to change.
    pub fn get_mut(&mut self, id: ModuleId) -> Option<&mut Module> {
        self.list.iter_mut().find(|module| module.id == id)
    }

    /// Modules that have their names: all but those that another has taken the place of.
    pub fn visible(&self) -> impl Iterator<Item = &Module> {
        self.list.iter().filter(|module| !module.inert)
    }

    /// A module by name.
    pub fn find(&self, name: &str) -> Option<&Module> {
        self.visible().find(|module| module.name == name)
    }

    /// Name of a module, for messages.
    pub fn name(&self, id: ModuleId) -> &str {
        self.get(id).map_or("core", |module| &module.name)
    }

    /// A service by id.
    pub fn service(&self, id: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.id == id)
    }
}
