//! Looking ahead: a command starts loading the memory that it is going to need, while others run.
//!
//! Most of what a look-up in a large structure costs is waiting for memory. Commands arrive many at
//! a time, so the host lets each of them start its loads before the first of them runs:
//!
//! ```text
//!   stage 0   hash the element, prefetch its bucket          for each command that is in flight
//!   stage 1   prefetch what the bucket points to             for each
//!   run                                                      for each
//! ```
//!
//! The value of a data type says what is to be loaded for an element ([`LookAhead`]), and the
//! command which of its arguments is one:
//!
//! ```ignore
//! Command { name: text("sadd"), look_ahead: look_ahead::<SetType, 2>(), ..Command::NEW }
//! ```

use crate::abi::command::Ahead;
use crate::datatype::MixedType;
use crate::panic::guard;
use crate::types::TypeHandle;

/// Starts loading the cache line at an address, which may be any. A hint.
pub use plinth_table::prefetch::prefetch;

/// A boxed value in which elements are looked up.
pub trait LookAhead {
    /// Starts loading the memory that a look-up of the element is going to need, and says whether
    /// there is a further stage. The stages are 0, 1 and so on, each asked for when the one before
    /// has had time; `memo` is kept between them. It is a hint: nothing may be relied on.
    fn look_ahead(&self, element: &[u8], stage: u32, memo: &mut u64) -> bool;
}

/// The C function of [`Command::look_ahead`](crate::command::Command::look_ahead).
pub type LookAheadFn = unsafe extern "C" fn(*mut Ahead) -> u32;

/// What looks ahead for a command: the argument `ELEMENT` is looked up in the value of the first
/// key, if that is of type `M`.
pub const fn look_ahead<M: MixedType, const ELEMENT: usize>() -> Option<LookAheadFn>
where
    M::Boxed: LookAhead,
{
    Some(ahead_of::<M, ELEMENT>)
}

unsafe extern "C" fn ahead_of<M: MixedType, const ELEMENT: usize>(ahead: *mut Ahead) -> u32
where
    M::Boxed: LookAhead,
{
    // SAFETY: the host hands over what is valid for this call.
    let ahead = unsafe { &mut *ahead };
    let is_of_type = TypeHandle::of::<M>().is_ok_and(|handle| handle.id() == ahead.type_id);
    if !is_of_type || ELEMENT >= ahead.argc as usize {
        return 0;
    }
    // SAFETY: a boxed value of this type is a box that the SDK made; there are `argc` arguments.
    let (value, element) = unsafe { (&*ahead.boxed.cast::<M::Boxed>(), (*ahead.args.add(ELEMENT)).as_slice()) };
    let more = guard(|| value.look_ahead(element, ahead.stage, &mut ahead.memo));
    u32::from(more == Some(true))
}
