//! The value in its entry: finding a stream, to be read or changed.

use crate::codec::{BOXED, StreamType};
use crate::storage::Storage;
use crate::stream::Stream;
use plinth_module::prelude::*;

/// The handle of the type.
#[inline(always)]
pub fn handle<S: Storage>() -> Result<&'static TypeHandle> {
    TypeHandle::of::<StreamType<S>>()
}

/// The stream of an entry. Fails with `Unsupported` for a value in no form of ours.
#[inline]
pub fn of<'e, S: Storage>(entry: &'e Entry<'_>) -> Result<&'e Stream<S>> {
    match entry.stored::<StreamType<S>>() {
        Some(Stored::Boxed { value, .. }) => Ok(value),
        _ => Err(Error::Unsupported),
    }
}

/// The stream of an entry, to be changed. Fails as [`of`].
#[inline]
pub fn of_mut<'e, S: Storage>(entry: &'e mut Entry<'_>) -> Result<&'e mut Stream<S>> {
    entry.boxed::<StreamType<S>>().ok_or(Error::Unsupported)
}

/// Makes a key that holds a stream, or puts one in the place of what a key holds. `flags` are `PUT_*`.
pub fn put<'k, S: Storage>(keys: &'k mut Keys<'_>, key: &'k [u8], stream: Stream<S>, flags: u32) -> Result<Entry<'k>> {
    keys.put_boxed::<StreamType<S>>(key, BOXED, stream, flags)
}

/// Has the waste of a key's stream freed elsewhere, by putting all else in its place as a new value. Where
/// nothing may be put, as in a hook, the waste stays for another time.
pub fn renew<S: Storage>(keys: &mut Keys<'_>, key: &[u8]) -> Result {
    let flags = GET_WRITE | GET_NO_STATS | GET_NO_TOUCH;
    let Some(mut entry) = keys.get_with(handle::<S>()?, key, flags)? else { return Ok(()) };
    let Some(live) = of_mut::<S>(&mut entry)?.renew() else { return Ok(()) };
    let Err((_, live)) = keys.put_boxed_or_give_back::<StreamType<S>>(key, BOXED, live, PUT_KEEP_EXPIRY) else {
        return Ok(());
    };
    let Some(mut entry) = keys.get_with(handle::<S>()?, key, flags)? else { return Ok(()) };
    of_mut::<S>(&mut entry)?.take_back(live);
    Ok(())
}
