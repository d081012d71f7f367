//! What a module keeps in RDB files beside the keys: libraries of functions, or a section of its own.
//!
//! A module claims its part when it starts; the host asks for it when a file is written, and gives it back
//! when one is read.
//!
//! ```
//! use plinth_module::prelude::*;
//! use plinth_module::rdb::{Claim, RDB_SECTION};
//! use std::sync::Mutex;
//!
//! static MOTTO: Mutex<String> = Mutex::new(String::new());
//! static CLAIM: Claim = Claim { kind: RDB_SECTION, encoding: 1, clear, load, save, ..Claim::NEW };
//!
//! fn start(call: &mut Call<'_>) -> Result {
//!     call.rdb.claim(&CLAIM)
//! }
//!
//! fn clear(_call: &mut Call<'_>) {
//!     MOTTO.lock().unwrap().clear();
//! }
//!
//! fn load(_call: &mut Call<'_>, from: &mut Loader<'_>, _encoding: u32, _flags: u32) -> Result {
//!     *MOTTO.lock().unwrap() = from.text()?.to_owned();
//!     Ok(())
//! }
//!
//! fn save(_call: &mut Call<'_>, out: &mut Saver<'_>) -> Result {
//!     // In a child no other thread holds the lock: only the main thread takes it.
//!     let motto = MOTTO.lock().unwrap();
//!     if !motto.is_empty() {
//!         out.put(motto.as_str());
//!     }
//!     Ok(())
//! }
//! ```

use crate::abi;
use crate::abi::bytes::Opaque;
use crate::abi::rdb::RdbClaim;
use crate::abi::status::{STATUS_PANIC, Status};
use crate::call::{Call, part};
use crate::codec::{Loader, Saver};
use crate::error::{Result, check, status_of};
use crate::host;
use crate::panic::guard;
use crate::rewrite::Rewriter;
use std::marker::PhantomData;
use std::ptr::NonNull;

pub use crate::abi::rdb::{RDB_BEFORE_KEYS, RDB_FUNCTIONS, RDB_MERGES, RDB_SECTION};

/// What a module claims, and how it is asked. `save` and `rewrite` may run in a child, where nothing of the
/// call is used.
pub struct Claim {
    /// [`RDB_FUNCTIONS`] or [`RDB_SECTION`].
    pub kind: u32,
    /// [`RDB_BEFORE_KEYS`], or 0.
    pub flags: u32,
    /// The form of what `save` puts.
    pub encoding: u32,
    /// Forgets what there is: a file takes its place.
    pub clear: fn(&mut Call<'_>),
    /// Takes what a file has, given the form and [`RDB_MERGES`] or 0. Of functions it is one library, a
    /// text. An error that was written to the reply says why it is not taken.
    pub load: fn(&mut Call<'_>, &mut Loader<'_>, u32, u32) -> Result,
    /// Gives what there is. Of functions each library is one text.
    pub save: fn(&mut Call<'_>, &mut Saver<'_>) -> Result,
    /// Gives the commands that bring it about where there is nothing.
    pub rewrite: Option<fn(&mut Call<'_>, &mut Rewriter<'_>) -> Result>,
}

impl Claim {
    /// Nothing special; the kind and the three functions are to be given.
    pub const NEW: Claim = Claim {
        kind: 0,
        flags: 0,
        encoding: 0,
        clear: |_| (),
        load: |_, _, _, _| Ok(()),
        save: |_, _| Ok(()),
        rewrite: None,
    };
}

/// Claiming, in [`Call::rdb`].
pub struct Rdb<'a> {
    call: NonNull<abi::call::Call>,
    marker: PhantomData<&'a mut ()>,
}

part!(Rdb);

impl Rdb<'_> {
    /// Claims a part of RDB files, in `start`. Fails with `Exists` when the module has one of the kind or
    /// another has the functions, `NotAllowed` when `start` has returned, `Unsupported` for another kind.
    pub fn claim(&mut self, claim: &'static Claim) -> Result {
        let raw = RdbClaim {
            size: size_of::<RdbClaim>() as u32,
            kind: claim.kind,
            flags: claim.flags,
            encoding: claim.encoding,
            data: std::ptr::from_ref(claim).cast_mut().cast(),
            clear,
            load,
            save,
            rewrite: claim.rewrite.map(|_| rewrite as _),
        };
        // SAFETY: the call is valid; the claim is borrowed for the call, and its data is a static.
        check(unsafe { (host::rdb().claim)(self.call.as_ptr(), &raw const raw) })
    }
}

// The host calls the functions below with the call that runs, the data of a claim above, and a loader, saver
// or rewriter that lives for the call.

unsafe extern "C" fn clear(call: *mut abi::call::Call, data: Opaque) {
    // SAFETY: see above.
    let (claim, mut call) = unsafe { (&*data.cast::<Claim>(), Call::from_raw(call)) };
    guard(|| (claim.clear)(&mut call));
}

unsafe extern "C" fn load(
    call: *mut abi::call::Call,
    loader: Opaque,
    encoding: u32,
    flags: u32,
    data: Opaque,
) -> Status {
    // SAFETY: see above.
    let (claim, mut call, mut loader) = unsafe { (&*data.cast::<Claim>(), Call::from_raw(call), Loader::new(loader)) };
    guard(|| status_of((claim.load)(&mut call, &mut loader, encoding, flags))).unwrap_or(STATUS_PANIC)
}

unsafe extern "C" fn save(call: *mut abi::call::Call, saver: Opaque, data: Opaque) -> Status {
    // SAFETY: see above.
    let (claim, mut call, mut saver) = unsafe { (&*data.cast::<Claim>(), Call::from_raw(call), Saver::new(saver)) };
    guard(|| status_of((claim.save)(&mut call, &mut saver))).unwrap_or(STATUS_PANIC)
}

unsafe extern "C" fn rewrite(call: *mut abi::call::Call, rewriter: Opaque, data: Opaque) -> Status {
    // SAFETY: see above.
    let (claim, mut call, mut out) =
        unsafe { (&*data.cast::<Claim>(), Call::from_raw(call), Rewriter::new(rewriter, b"")) };
    let Some(rewrite) = claim.rewrite else { return abi::status::STATUS_UNSUPPORTED };
    guard(|| status_of(rewrite(&mut call, &mut out))).unwrap_or(STATUS_PANIC)
}
