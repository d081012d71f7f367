//! Hooks: which module is told of which events.

use crate::base::id::ModuleId;
use plinth_abi::bytes::{Bytes, Opaque};
use plinth_abi::events::{Event, Hook, ON_KEY};

/// One subscription.
#[derive(Clone, Copy)]
pub struct Subscription {
    /// Never used twice.
    pub id: u64,
    /// Who is told.
    pub module: ModuleId,
    /// `ON_*` bits.
    pub kinds: u32,
    /// Classes of the events of keys that it is told of, [`ALL_CLASSES`] for those without a class, too.
    pub classes: u32,
    /// The function.
    pub hook: Hook,
    /// What it gets.
    pub data: Opaque,
    /// Whether it runs now.
    pub is_running: bool,
}

/// All events of keys, whether they have a class or not.
pub const ALL_CLASSES: u32 = u32::MAX;

impl Subscription {
    /// Whether it is told of an event of a key, as far as its class goes.
    pub fn wants_class(&self, event: &Event) -> bool {
        event.kind != ON_KEY || is_of(event.class, self.classes)
    }
}

/// Whether an event of a class is one of those that somebody wants.
#[inline]
pub fn is_of(class: u32, wanted: u32) -> bool {
    wanted == ALL_CLASSES || class & wanted != 0
}

/// Most subscriptions of a module.
const OF_MODULE_MAX: usize = 1024;

/// All subscriptions.
#[derive(Default)]
pub struct Hooks {
    all: Vec<Subscription>,
    kinds: u32,
    /// Classes of the events of keys that anybody is told of.
    classes: u32,
    last_id: u64,
}

impl Hooks {
    /// Whether anybody is told of an event of a kind.
    #[inline]
    pub fn wants(&self, kind: u32) -> bool {
        self.kinds & kind != 0
    }

    /// Classes of the events of keys that anybody is told of.
    pub fn classes(&self) -> u32 {
        self.classes
    }

    /// Add a subscription; its id, or `None` when the module has too many.
    pub fn add(&mut self, module: ModuleId, kinds: u32, classes: u32, hook: Hook, data: Opaque) -> Option<u64> {
        if self.all.iter().filter(|one| one.module == module).count() >= OF_MODULE_MAX {
            return None;
        }
        self.last_id += 1;
        self.all.push(Subscription { id: self.last_id, module, kinds, classes, hook, data, is_running: false });
        self.count();
        Some(self.last_id)
    }

    /// End a subscription of a module; whether there was one.
    pub fn remove(&mut self, module: ModuleId, id: u64) -> bool {
        let before = self.all.len();
        self.all.retain(|one| one.id != id || one.module != module);
        self.count();
        self.all.len() < before
    }

    /// End all subscriptions of a module.
    pub fn remove_module(&mut self, module: ModuleId) {
        self.all.retain(|one| one.module != module);
        self.count();
    }

    /// The subscriptions of a module, which end.
    pub fn take_module(&mut self, module: ModuleId) -> Vec<Subscription> {
        let taken = self.all.extract_if(.., |one| one.module == module).collect();
        self.count();
        taken
    }

    /// Go on with subscriptions that were taken.
    pub fn put_back(&mut self, subscriptions: Vec<Subscription>) {
        self.all.extend(subscriptions);
        self.count();
    }

    /// The subscriptions to events of a kind.
    pub fn of_kind(&self, kind: u32) -> Vec<Subscription> {
        self.all.iter().filter(|one| one.kinds & kind != 0).copied().collect()
    }

    /// A subscription is to run: whether it may, since it has not ended and does not run already.
    pub fn begin(&mut self, id: u64) -> bool {
        let found = self.all.iter_mut().find(|one| one.id == id && !one.is_running);
        found.map(|one| one.is_running = true).is_some()
    }

    /// A subscription has run.
    pub fn end(&mut self, id: u64) {
        if let Some(one) = self.all.iter_mut().find(|one| one.id == id) {
            one.is_running = false;
        }
    }

    fn count(&mut self) {
        self.kinds = self.all.iter().fold(0, |kinds, one| kinds | one.kinds);
        let of_keys = self.all.iter().filter(|one| one.kinds & ON_KEY != 0);
        self.classes = of_keys.fold(0, |classes, one| classes | one.classes);
    }
}

/// An event of a kind about a key or a name.
pub fn event(kind: u32, db: i32, key: &[u8]) -> Event {
    Event {
        size: size_of::<Event>() as u32,
        kind,
        class: 0,
        db,
        other_db: 0,
        reserved: 0,
        name: Bytes::EMPTY,
        key: Bytes::of(key),
        client_id: 0,
        unit: std::ptr::null(),
    }
}
