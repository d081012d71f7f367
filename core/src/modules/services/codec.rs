//! `plinth.codec/1`: how types save and load.

use crate::store::codec::{Loaded, Loader, Saver};
use plinth_abi::bytes::{Bytes, Opaque};
use plinth_abi::codec::CodecService;
use plinth_abi::status::{STATUS_NOT_ALLOWED, STATUS_OK, Status};
use plinth_abi::value::TAG_MAX;

/// The table.
pub static TABLE: CodecService = CodecService {
    size: size_of::<CodecService>() as u32,
    reserved: 0,
    put_tag,
    put_u64,
    put_i64,
    put_f64,
    put_bytes,
    put_raw,
    get_u64,
    get_i64,
    get_f64,
    get_bytes,
    get_raw,
    finish_inline,
    finish_boxed,
    knows,
    may_omit,
};

/// # Safety
/// `saver` is what the host gave to the `save` that runs.
unsafe fn saver<'a>(saver: Opaque) -> &'a mut Saver<'a> {
    // SAFETY: promised by the caller.
    unsafe { &mut *saver.cast::<Saver<'a>>() }
}

/// # Safety
/// `loader` is what the host gave to the `load` that runs.
unsafe fn loader<'a>(loader: Opaque) -> &'a mut Loader<'a> {
    // SAFETY: promised by the caller.
    unsafe { &mut *loader.cast::<Loader<'a>>() }
}

/// Hand a number out.
///
/// # Safety
/// The out-parameter is valid for the call.
unsafe fn give<T>(value: Result<T, Status>, value_out: *mut T) -> Status {
    match value {
        Ok(value) => {
            // SAFETY: promised by the caller.
            unsafe { value_out.write(value) };
            STATUS_OK
        }
        Err(status) => status,
    }
}

// Every function below is called from a type's `save` or `load` with the saver or
// loader that it was given, and with bytes and out-parameters valid for the call.

unsafe extern "C" fn put_tag(to: Opaque, tag: u8) {
    // SAFETY: see above.
    let saver = unsafe { saver(to) };
    if !saver.standard || saver.tag.is_some() {
        saver.damaged = true;
        return;
    }
    saver.begin(tag);
}

unsafe extern "C" fn put_u64(to: Opaque, value: u64) {
    // SAFETY: see above.
    let saver = unsafe { saver(to) };
    if saver.may_put() {
        if saver.standard { saver.writer.put_length(value) } else { saver.writer.put_unsigned_field(value) }
    }
}

unsafe extern "C" fn put_i64(to: Opaque, value: i64) {
    // SAFETY: see above.
    let saver = unsafe { saver(to) };
    if saver.may_put() {
        if saver.standard { saver.writer.put_u64(value as u64) } else { saver.writer.put_signed_field(value) }
    }
}

unsafe extern "C" fn put_f64(to: Opaque, value: f64) {
    // SAFETY: see above.
    let saver = unsafe { saver(to) };
    if saver.may_put() {
        if saver.standard { saver.writer.put_f64(value) } else { saver.writer.put_double_field(value) }
    }
}

unsafe extern "C" fn put_bytes(to: Opaque, bytes: Bytes) {
    // SAFETY: see above.
    let (saver, bytes) = unsafe { (saver(to), bytes.as_slice()) };
    if saver.may_put() {
        if saver.standard { saver.writer.put_string(bytes) } else { saver.writer.put_string_field(bytes) }
    }
}

unsafe extern "C" fn put_raw(to: Opaque, bytes: Bytes) {
    // SAFETY: see above.
    let (saver, bytes) = unsafe { (saver(to), bytes.as_slice()) };
    saver.damaged |= !saver.standard;
    if saver.may_put() {
        saver.writer.put_raw(bytes);
    }
}

unsafe extern "C" fn get_u64(from: Opaque, value_out: *mut u64) -> Status {
    // SAFETY: see above.
    unsafe { give(loader(from).unsigned(), value_out) }
}

unsafe extern "C" fn get_i64(from: Opaque, value_out: *mut i64) -> Status {
    // SAFETY: see above.
    unsafe { give(loader(from).signed(), value_out) }
}

unsafe extern "C" fn get_f64(from: Opaque, value_out: *mut f64) -> Status {
    // SAFETY: see above.
    unsafe { give(loader(from).double(), value_out) }
}

unsafe extern "C" fn get_bytes(from: Opaque, bytes_out: *mut Bytes) -> Status {
    // SAFETY: see above.
    unsafe { give(loader(from).text().map(Bytes::of), bytes_out) }
}

unsafe extern "C" fn get_raw(from: Opaque, len: usize, bytes_out: *mut Bytes) -> Status {
    // SAFETY: see above.
    unsafe { give(loader(from).raw(len).map(Bytes::of), bytes_out) }
}

unsafe extern "C" fn finish_inline(from: Opaque, tag: u32, bytes: Bytes) -> Status {
    // SAFETY: see above.
    let (loader, bytes) = unsafe { (loader(from), bytes.as_slice()) };
    if loader.loaded.is_some() || tag > TAG_MAX {
        return STATUS_NOT_ALLOWED;
    }
    loader.loaded = Some(Loaded::Inline(tag as u8, bytes.to_vec()));
    STATUS_OK
}

unsafe extern "C" fn finish_boxed(from: Opaque, tag: u32, boxed: Opaque) -> Status {
    // SAFETY: see above.
    let loader = unsafe { loader(from) };
    if loader.loaded.is_some() || tag > TAG_MAX {
        return STATUS_NOT_ALLOWED;
    }
    loader.loaded = Some(Loaded::Boxed(tag as u8, boxed));
    STATUS_OK
}

unsafe extern "C" fn knows(to: Opaque, tag: u8) -> u32 {
    // SAFETY: see above.
    u32::from(unsafe { saver(to) }.target.knows(tag))
}

unsafe extern "C" fn may_omit(to: Opaque) -> u32 {
    // SAFETY: see above.
    u32::from(unsafe { saver(to) }.target.is_certain)
}
