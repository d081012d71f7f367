//! The modules that are loaded.

use crate::base::id::ModuleId;
use crate::registry::library::Library;
use crate::registry::service::Service;
use crate::settings::of_module::ModuleParameter;
use plinth_abi::bytes::Opaque;
use plinth_abi::host::Host;
use plinth_abi::info::Section;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// How a module stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It is being loaded, or another has taken its place: it has no names.
    Nameless,
    /// It has its names.
    Active,
    /// It goes when its values have become ghosts.
    Leaving,
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
    pub link: Box<dyn std::any::Any>,
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
    /// Panics in its functions, but for those of its commands, which count their own.
    pub panics: Arc<AtomicU64>,
    /// How it stands.
    pub standing: Standing,
    /// Whether its `start` has returned.
    pub has_started: bool,
    /// Says when the freeing thread has come to where it was when the last value went. Holds for what was
    /// queued before: a module that changes sides in a replacement has none.
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
        self.list.iter().filter(|module| module.standing != Standing::Nameless)
    }

    /// A module by name.
    pub fn find(&self, name: &str) -> Option<&Module> {
        self.visible().find(|module| module.name == name)
    }

    /// Name of a module, for messages.
    pub fn name(&self, id: ModuleId) -> &str {
        self.get(id).map_or("core", |module| &module.name)
    }

    /// Forget the services of a module; nobody uses them.
    pub fn remove_services(&mut self, id: ModuleId) {
        self.services.retain(|service| service.module != id);
    }

    /// A service by id.
    pub fn service(&self, id: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.id == id)
    }
}
