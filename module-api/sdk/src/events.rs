//! Events: being told what happens to keys, databases, modules, clients and the server.
//!
//! A hook is a plain function with a value of its own:
//!
//! ```
//! use plinth_module::prelude::*;
//! use std::cell::Cell;
//!
//! fn start(call: &mut Call<'_>) -> Result {
//!     call.events.subscribe(ON_KEY, Cell::new(0u64), count)?;
//!     Ok(())
//! }
//!
//! fn count(_call: &mut Call<'_>, event: &Event<'_>, changes: &Cell<u64>) {
//!     if event.name() == b"set" {
//!         changes.set(changes.get() + 1);
//!     }
//! }
//! ```
//!
//! A hook may cause events itself, so its value is handed out shared. A hook for [`ON_KEY`] or
//! [`ON_UNIT`] may read keys; the host refuses to change any.

use crate::abi;
use crate::abi::bytes::Opaque;
use crate::abi::events::Hook;
use crate::call::{Call, part};
use crate::error::{Result, check};
use crate::host;
use crate::panic::guard;
use crate::propagate::Unit;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::rc::Rc;

pub use crate::abi::events::{
    ON_ACL, ON_CLIENT_CLOSE, ON_CLIENT_OPEN, ON_CLIENT_RESET, ON_CONFIG, ON_FLUSH, ON_KEY, ON_LINK, ON_MODULE_LOADED,
    ON_MODULE_UNLOADED, ON_REPLICA, ON_REPLICA_GONE, ON_ROLE, ON_SHUTDOWN, ON_SWAP, ON_UNIT,
};

/// One event, for the hook's run.
pub struct Event<'e> {
    raw: &'e abi::events::Event,
}

impl<'e> Event<'e> {
    /// One `ON_*` bit.
    pub fn kind(&self) -> u32 {
        self.raw.kind
    }

    /// Class of a key's event, an `EVENT_*` bit.
    pub fn class(&self) -> u32 {
        self.raw.class
    }

    /// Name of a key's event, such as `set`.
    pub fn name(&self) -> &'e [u8] {
        // SAFETY: the host lends the event and its texts for the hook's run.
        unsafe { self.raw.name.as_slice() }
    }

    /// The key; for modules and parameters their name.
    pub fn key(&self) -> &'e [u8] {
        // SAFETY: as in `name`.
        unsafe { self.raw.key.as_slice() }
    }

    /// Database, or `None` for all of them.
    pub fn db(&self) -> Option<u32> {
        u32::try_from(self.raw.db).ok()
    }

    /// The other database of a swap.
    pub fn other_db(&self) -> Option<u32> {
        u32::try_from(self.raw.other_db).ok()
    }

    /// Id of the client, 0 for none.
    pub fn client_id(&self) -> u64 {
        self.raw.client_id
    }

    /// The unit, for [`ON_UNIT`].
    pub fn unit(&self) -> Option<Unit<'e>> {
        // SAFETY: null, or lent by the host for the hook's run.
        unsafe { self.raw.unit.as_ref() }.map(Unit::new)
    }
}

/// What a hook is: the run's call, what happened, and the subscription's value.
pub type HookFn<T> = fn(&mut Call<'_>, &Event<'_>, &T);

/// A function of the service that adds a subscription.
type SubscribeFn = unsafe extern "C" fn(*mut abi::call::Call, u32, Hook, Opaque, *mut u64) -> abi::status::Status;

struct Subscribed<T> {
    hook: HookFn<T>,
    value: T,
}

/// A subscription that [`Events::unsubscribe`] ends. Letting go of it changes nothing: the hook
/// stays until the module leaves, and its value is never dropped then.
#[derive(Debug)]
pub struct Subscription<T> {
    id: u64,
    data: *const Subscribed<T>,
}

/// Subscribing, in [`Call::events`].
pub struct Events<'a> {
    call: NonNull<abi::call::Call>,
    marker: PhantomData<&'a mut ()>,
}

part!(Events);

impl Events<'_> {
    /// Calls `hook` with `value` for every event of `kinds` (`ON_*` bits). Fails with `Unsupported`
    /// for an unknown kind.
    pub fn subscribe<T: 'static>(&mut self, kinds: u32, value: T, hook: HookFn<T>) -> Result<Subscription<T>> {
        self.subscribe_by(host::events().subscribe, kinds, value, hook)
    }

    /// As [`subscribe`](Events::subscribe) for [`ON_KEY`], of events of some classes (`EVENT_*` bits) only.
    /// Fails with `Unsupported` without a class.
    pub fn subscribe_keys<T: 'static>(&mut self, classes: u32, value: T, hook: HookFn<T>) -> Result<Subscription<T>> {
        self.subscribe_by(host::events().subscribe_keys, classes, value, hook)
    }

    fn subscribe_by<T: 'static>(
        &mut self,
        subscribe: SubscribeFn,
        which: u32,
        value: T,
        hook: HookFn<T>,
    ) -> Result<Subscription<T>> {
        let data = Rc::into_raw(Rc::new(Subscribed { hook, value }));
        let (hook, mut id) = (Hook { run: run::<T> }, 0);
        // SAFETY: the call is valid, and `data` fits the function until unsubscribed.
        let status = unsafe { subscribe(self.call.as_ptr(), which, hook, data.cast_mut().cast(), &mut id) };
        if let Err(error) = check(status) {
            // SAFETY: a call that fails transfers nothing: the count is still ours.
            unsafe { Rc::decrement_strong_count(data) };
            return Err(error);
        }
        Ok(Subscription { id, data })
    }

    /// Ends a subscription; its value is dropped, after the hook's run if this is one.
    pub fn unsubscribe<T: 'static>(&mut self, subscription: Subscription<T>) -> Result {
        // SAFETY: the call is valid.
        check(unsafe { (host::events().unsubscribe)(self.call.as_ptr(), subscription.id) })?;
        // SAFETY: the host no longer holds the data, whose count `subscribe` gave it.
        unsafe { Rc::decrement_strong_count(subscription.data) };
        Ok(())
    }
}

unsafe extern "C" fn run<T: 'static>(raw: *mut abi::call::Call, event: *const abi::events::Event, data: Opaque) {
    // SAFETY: the host lends call and event for this run, and `data` is what `subscribe` gave
    // it. The second count keeps the value while the hook runs, should it unsubscribe itself.
    let (subscribed, mut call, event) = unsafe {
        let data = data.cast::<Subscribed<T>>().cast_const();
        Rc::increment_strong_count(data);
        (Rc::from_raw(data), Call::from_raw(raw), Event { raw: &*event })
    };
    guard(move || (subscribed.hook)(&mut call, &event, &subscribed.value));
}
