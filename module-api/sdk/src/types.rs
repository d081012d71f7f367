//! The type: how a data type is told to the host, and found again.
//!
//! The host gives each type a number when its module is loaded and writes it through
//! `id_out`. For a type that is written against the low-level interface that place is a
//! [`TypeHandle`] of the module's own. For a type that is a Rust type ([`DataType`], [`MixedType`])
//! the SDK keeps the place itself, so that `keys.get_value::<Gauge>(key)` needs nothing else:
//!
//! ```text
//!   Gauge::NAME ── hash at compile time ──> SLOTS[n] = { id: what the host wrote,
//!                                                        owner: hash of the Rust type }
//! ```
//!
//! `start` writes the owner, and every access compares it with the Rust type asked for: two
//! constants from the same cache line. So a type that was never registered, or another one under
//! the same name, is an error and never a reinterpreted value. Two types of one module whose
//! names fall into one slot are refused by `start`; with 1,024 slots that is rare, and
//! [`DataType::SLOT`] settles it.

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque, Slice};
use crate::codec::{Loader, Saver};
use crate::convert::Conversion;
use crate::datatype::{Boxed, DataType, InlineOf, InlineType, Loaded, MixedType, Stored};
use crate::digest::Digester;
use crate::error::{Error, Result, check, status_of};
use crate::host;
use crate::panic::guard;
use crate::rewrite::Rewriter;
use std::any::TypeId;
use std::ffi::CStr;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// Number of places for ids of Rust types.
pub const SLOTS_COUNT: usize = 1024;

/// The id that the host gave a type: `static STRING: TypeHandle = TypeHandle::new();`.
pub struct TypeHandle {
    id: AtomicU32,
}

impl TypeHandle {
    /// A handle that the host has not written yet.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> TypeHandle {
        TypeHandle { id: AtomicU32::new(0) }
    }

    /// The type's id, or 0 before the module is loaded.
    #[inline(always)]
    pub fn id(&self) -> u32 {
        self.id.load(Relaxed)
    }

    /// Where the host writes the id, for [`abi::value::Type::id_out`].
    pub const fn id_out(&'static self) -> *mut u32 {
        self.id.as_ptr()
    }

    /// The id of a type that is loaded; `Unsupported` before.
    #[inline(always)]
    pub(crate) fn loaded(&self) -> Result<u32> {
        let id = self.id();
        if id == 0 { Err(Error::Unsupported) } else { Ok(id) }
    }

    /// The handle of a Rust type. Fails with `Unsupported` when this module did not register it.
    #[inline]
    pub fn of<M: MixedType>() -> Result<&'static TypeHandle> {
        let slot = &SLOTS[M::SLOT % SLOTS_COUNT];
        if slot.owner.load(Relaxed) == owner_of::<M>() { Ok(&slot.handle) } else { Err(Error::Unsupported) }
    }
}

struct Slot {
    handle: TypeHandle,
    owner: AtomicU64,
}

static SLOTS: [Slot; SLOTS_COUNT] =
    [const { Slot { handle: TypeHandle::new(), owner: AtomicU64::new(0) } }; SLOTS_COUNT];

/// The slot that a type's name falls into.
pub const fn slot_of(name: &CStr) -> usize {
    let bytes = name.to_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x100_0000_01b3);
        at += 1;
    }
    (hash ^ (hash >> 32)) as usize % SLOTS_COUNT
}

/// A number for a Rust type, never 0: the hash that the compiler made of it. Folds to a constant.
#[inline(always)]
fn owner_of<M: 'static>() -> u64 {
    struct Take(u64);
    impl Hasher for Take {
        fn write(&mut self, bytes: &[u8]) {
            for &byte in bytes {
                self.0 = self.0.rotate_left(8) ^ u64::from(byte);
            }
        }
        fn write_u64(&mut self, value: u64) {
            self.0 ^= value;
        }
        fn finish(&self) -> u64 {
            self.0
        }
    }
    let mut take = Take(0);
    TypeId::of::<M>().hash(&mut take);
    take.finish() | 1
}

/// What the SDK keeps behind [`abi::value::Type::data`]: how `start` claims the type's slot.
struct Identity {
    claim: fn() -> bool,
}

/// Claims the slots of a module's types. Fails with the name of a type whose slot another has.
pub(crate) fn claim_all(types: &'static [Type]) -> std::result::Result<(), &'static [u8]> {
    for one in types {
        let one = &one.0;
        // SAFETY: the constructors put an `Identity` constant or null here.
        let identity = unsafe { one.data.cast::<Identity>().as_ref() };
        if identity.is_some_and(|identity| !(identity.claim)()) {
            // SAFETY: the name is a constant.
            return Err(unsafe { one.name.as_slice() });
        }
    }
    Ok(())
}

fn claim<M: MixedType>() -> bool {
    let owner = owner_of::<M>();
    match SLOTS[M::SLOT % SLOTS_COUNT].owner.compare_exchange(0, owner, Relaxed, Relaxed) {
        Ok(_) => true,
        Err(previous) => previous == owner,
    }
}

/// The description of a data type, for a module's list: `Type::of::<Gauge>()`. Its functions are those of one
/// Rust type, all of them.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Type(abi::value::Type);

impl Type {
    /// A type whose values are Rust values in boxes.
    pub const fn of<T: DataType>() -> Type {
        Type::mixed::<Boxed<T>>()
    }

    /// A type whose values are bytes in the entry, with the handle that its id goes to.
    pub const fn inline<T: InlineType>(handle: &'static TypeHandle) -> Type {
        let mut description = Functions::<InlineOf<T>>::describe(handle);
        description.drop = None;
        description.memory = None;
        description.free_effort = None;
        description.copy = None;
        Type(description)
    }

    /// A type whose values are bytes in the entry or Rust values in boxes.
    pub const fn mixed<M: MixedType>() -> Type {
        let mut description = Functions::<M>::describe(&SLOTS[M::SLOT % SLOTS_COUNT].handle);
        description.data = (&raw const *Functions::<M>::IDENTITY).cast_mut().cast();
        Type(description)
    }

    /// The description as the ABI has it, for who writes an entry by hand.
    pub const fn description(self) -> abi::value::Type {
        self.0
    }

    /// The descriptions as the host reads them.
    pub(crate) const fn list(types: &'static [Type]) -> Slice<abi::value::Type> {
        Slice { items: types.as_ptr().cast(), count: types.len() as u32, stride: size_of::<abi::value::Type>() as u32 }
    }
}

/// The functions of a type that the host calls.
struct Functions<M>(std::marker::PhantomData<M>);

/// A value as the type's own functions see it.
///
/// # Safety
/// `value` is a value of type `M` that nobody changes for `'v`.
unsafe fn stored<'v, M: MixedType>(value: *const abi::value::Value) -> Stored<'v, M::Boxed> {
    // SAFETY: the host hands over a value of this type: inline bytes, or the address of a box
    // that `into_boxed` of this type made.
    unsafe {
        let value = &*value;
        if value.form == abi::value::FORM_BOXED {
            Stored::Boxed { tag: value.tag, value: &*value.boxed.cast() }
        } else {
            Stored::Inline { tag: value.tag, bytes: Bytes { data: value.data, len: value.len }.as_slice() }
        }
    }
}

impl<M: MixedType> Functions<M> {
    const IDENTITY: &'static Identity = &Identity { claim: claim::<M> };

    const fn describe(handle: &'static TypeHandle) -> abi::value::Type {
        abi::value::Type {
            size: size_of::<abi::value::Type>() as u32,
            encoding: M::ENCODING,
            name: Bytes::of(M::NAME.to_bytes()),
            id_out: handle.id_out(),
            rdb_tags: Slice::new(M::RDB_TAGS),
            save: Self::save,
            load: Self::load,
            drop: Some(Self::drop),
            memory: Some(Self::memory),
            free_effort: Some(Self::free_effort),
            encoding_name: Some(Self::encoding_name),
            copy: Some(Self::copy),
            data: std::ptr::null_mut(),
            convert: Conversion::table(M::CONVERT),
            rdb_version: Some(Self::rdb_version),
            rewrite: Some(Self::rewrite),
            digest: Some(Self::digest),
        }
    }

    unsafe extern "C" fn save(value: *const abi::value::Value, saver: Opaque) -> abi::status::Status {
        // SAFETY: the host hands over a value of this type and a saver, both for this call.
        let done = guard(|| unsafe { M::save(stored::<M>(value), &mut Saver::new(saver)) });
        status_of(done.ok_or(Error::Panic))
    }

    unsafe extern "C" fn load(loader: Opaque, encoding: u32) -> abi::status::Status {
        let done = guard(|| {
            // SAFETY: the host hands over a loader for this call.
            let mut from = unsafe { Loader::new(loader) };
            match M::load(&mut from, encoding)? {
                Loaded::Boxed { tag, value } => Self::finish_boxed(loader, tag, value),
                Loaded::Inline { tag, bytes } => {
                    // SAFETY: the loader is this call's, the bytes are borrowed for the call.
                    check(unsafe { (host::codec().finish_inline)(loader, tag, Bytes::of(bytes.as_slice())) })
                }
            }
        });
        status_of(done.unwrap_or(Err(Error::Panic)))
    }

    fn finish_boxed(loader: Opaque, tag: u32, value: M::Boxed) -> Result {
        let boxed = into_boxed(value);
        // SAFETY: the loader is this call's; on success the host owns the box.
        let status = unsafe { (host::codec().finish_boxed)(loader, tag, boxed) };
        if status != abi::status::STATUS_OK {
            // SAFETY: a call that fails transfers nothing, so the box is still ours.
            drop(unsafe { from_boxed::<M::Boxed>(boxed) });
        }
        check(status)
    }

    unsafe extern "C" fn drop(boxed: Opaque) {
        // SAFETY: the host hands back a box of this type, once; `Boxed: Send` allows any thread.
        guard(|| drop(unsafe { from_boxed::<M::Boxed>(boxed) }));
    }

    unsafe extern "C" fn memory(value: *const abi::value::Value) -> usize {
        // SAFETY: the host hands over a value of this type for this call.
        let bytes = guard(|| match unsafe { stored::<M>(value) } {
            Stored::Boxed { value, .. } => M::memory(value),
            Stored::Inline { .. } => 0,
        });
        bytes.unwrap_or(0)
    }

    unsafe extern "C" fn free_effort(value: *const abi::value::Value) -> usize {
        // SAFETY: the host hands over a value of this type for this call.
        let effort = guard(|| match unsafe { stored::<M>(value) } {
            Stored::Boxed { value, .. } => M::free_effort(value),
            Stored::Inline { .. } => 1,
        });
        effort.unwrap_or(1)
    }

    unsafe extern "C" fn encoding_name(value: *const abi::value::Value) -> Bytes {
        // SAFETY: the host hands over a value of this type for this call.
        let name = guard(|| unsafe { M::encoding_name(stored::<M>(value)) });
        Bytes::new(name.unwrap_or("raw"))
    }

    unsafe extern "C" fn copy(boxed: Opaque) -> Opaque {
        // SAFETY: the host hands over a box of this type for this call.
        let copy = guard(|| M::copy(unsafe { &*boxed.cast::<M::Boxed>() })).flatten();
        copy.map_or(std::ptr::null_mut(), into_boxed)
    }

    unsafe extern "C" fn rdb_version(value: *const abi::value::Value) -> u32 {
        if value.is_null() {
            return guard(M::rdb_version_max).unwrap_or(0);
        }
        // SAFETY: the host hands over a value of this type for this call.
        guard(|| M::rdb_version(unsafe { stored::<M>(value) })).unwrap_or(0)
    }

    unsafe extern "C" fn rewrite(value: *const abi::value::Value, key: Bytes, rewriter: Opaque) -> abi::status::Status {
        // SAFETY: the host hands over a value of this type, its key and a rewriter, all for this call.
        let done = guard(|| unsafe { M::rewrite(stored::<M>(value), &mut Rewriter::new(rewriter, key.as_slice())) });
        status_of(done.unwrap_or(Err(Error::Panic)))
    }

    unsafe extern "C" fn digest(value: *const abi::value::Value, digester: Opaque) -> abi::status::Status {
        // SAFETY: the host hands over a value of this type and a digester, both for this call.
        let done = guard(|| unsafe { M::digest(stored::<M>(value), &mut Digester::new(digester)) });
        status_of(done.unwrap_or(Err(Error::Panic)))
    }
}

/// Moves a value into the box that the host will keep the address of.
#[inline]
pub(crate) fn into_boxed<B>(value: B) -> Opaque {
    Box::into_raw(Box::new(value)).cast()
}

/// Takes a value back.
///
/// # Safety
/// `boxed` came from [`into_boxed`] of the same type and is not used afterwards.
#[inline]
pub(crate) unsafe fn from_boxed<B>(boxed: Opaque) -> Box<B> {
    // SAFETY: as the caller vouches.
    unsafe { Box::from_raw(boxed.cast()) }
}
