//! `plinth.codec/1`: how types save and load.

use crate::durable::container::Field;
use crate::store::codec::{Loaded, Loader, Saver};
use plinth_abi::bytes::{Bytes, Opaque};
use plinth_abi::codec::CodecService;
use plinth_abi::status::{STATUS_BAD_DATA, STATUS_NOT_ALLOWED, STATUS_OK, Status};
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
unsafe fn saver<'a>(saver: Opaque) -> &'a mut Saver {
    // SAFETY: promised by the caller.
    unsafe { &mut *saver.cast::<Saver>() }
}

/// # Safety
/// `loader` is what the host gave to the `load` that runs.
unsafe fn loader<'a>(loader: Opaque) -> &'a mut Loader<'a> {
    // SAFETY: promised by the caller.
    unsafe { &mut *loader.cast::<Loader<'a>>() }
}

// Every function below is called from a type's `save` or `load` with the saver or
// loader that it was given, and with bytes and out-parameters valid for the call.

unsafe extern "C" fn put_tag(to: Opaque, tag: u8) {
    // SAFETY: see above.
    let saver = unsafe { saver(to) };
    saver.damaged |= !saver.standard || saver.tag.is_some();
    saver.tag = Some(tag);
    saver.writer.put_u8(tag);
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
    let loader = unsafe { loader(from) };
    let value = if loader.standard { loader.reader.length() } else { loader.reader.unsigned_field() };
    let Ok(value) = value else { return STATUS_BAD_DATA };
    // SAFETY: see above.
    unsafe { value_out.write(value) };
    STATUS_OK
}

unsafe extern "C" fn get_i64(from: Opaque, value_out: *mut i64) -> Status {
    // SAFETY: see above.
    let loader = unsafe { loader(from) };
    let value =
        if loader.standard { loader.reader.u64().map(|bits| bits as i64) } else { loader.reader.signed_field() };
    let Ok(value) = value else { return STATUS_BAD_DATA };
    // SAFETY: see above.
    unsafe { value_out.write(value) };
    STATUS_OK
}

unsafe extern "C" fn get_f64(from: Opaque, value_out: *mut f64) -> Status {
    // SAFETY: see above.
    let loader = unsafe { loader(from) };
    let value = if loader.standard {
        loader.reader.f64().ok()
    } else {
        match loader.reader.field() {
            Ok(Field::Double(value)) => Some(value),
            Ok(Field::Float(value)) => Some(f64::from(value)),
            _ => None,
        }
    };
    let Some(value) = value else { return STATUS_BAD_DATA };
    // SAFETY: see above.
    unsafe { value_out.write(value) };
    STATUS_OK
}

unsafe extern "C" fn get_bytes(from: Opaque, bytes_out: *mut Bytes) -> Status {
    // SAFETY: see above.
    let loader = unsafe { loader(from) };
    let value = if loader.standard { loader.reader.string() } else { loader.reader.string_field() };
    let Ok(value) = value else { return STATUS_BAD_DATA };
    loader.lent = value;
    // SAFETY: see above.
    unsafe { bytes_out.write(Bytes::of(&loader.lent)) };
    STATUS_OK
}

unsafe extern "C" fn get_raw(from: Opaque, len: usize, bytes_out: *mut Bytes) -> Status {
    // SAFETY: see above.
    let loader = unsafe { loader(from) };
    let value = if loader.standard { loader.reader.raw(len).ok() } else { None };
    let Some(value) = value else { return STATUS_BAD_DATA };
    // SAFETY: see above.
    unsafe { bytes_out.write(Bytes::of(value)) };
    STATUS_OK
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
