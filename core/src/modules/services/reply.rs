//! `plinth.reply/1`: each kind of reply.

use crate::engine::call::Context;
use crate::wire::write::head;
use plinth_abi::bytes::Bytes;
use plinth_abi::call::Call;
use plinth_abi::reply::ReplyService;

/// The table.
pub static TABLE: ReplyService = ReplyService {
    size: size_of::<ReplyService>() as u32,
    reserved: 0,
    simple,
    error,
    integer,
    bulk,
    null,
    null_array,
    aggregate,
    double,
    boolean,
    verbatim,
    big_number,
    open,
    close,
};

// Every function below is called by a loaded module with the call that runs and bytes
// that are valid for the call, which is what `Context::of` and `as_slice` ask for.

unsafe extern "C" fn simple(call: *mut Call, text: Bytes) {
    // SAFETY: see above.
    let (context, text) = unsafe { (Context::of(call), text.as_slice()) };
    context.reply().simple(&String::from_utf8_lossy(text));
}

unsafe extern "C" fn error(call: *mut Call, text: Bytes) {
    // SAFETY: see above.
    let (context, text) = unsafe { (Context::of(call), text.as_slice()) };
    context.reply().error(text);
}

unsafe extern "C" fn integer(call: *mut Call, value: i64) {
    // SAFETY: see above.
    unsafe { Context::of(call) }.reply().integer(value);
}

unsafe extern "C" fn bulk(call: *mut Call, bytes: Bytes) {
    // SAFETY: see above.
    let (context, bytes) = unsafe { (Context::of(call), bytes.as_slice()) };
    context.reply().bulk(bytes);
}

unsafe extern "C" fn null(call: *mut Call) {
    // SAFETY: see above.
    unsafe { Context::of(call) }.reply().null();
}

unsafe extern "C" fn null_array(call: *mut Call) {
    // SAFETY: see above.
    unsafe { Context::of(call) }.reply().null_array();
}

unsafe extern "C" fn aggregate(call: *mut Call, kind: u32, count: usize) {
    // SAFETY: see above.
    unsafe { Context::of(call) }.reply().aggregate(kind, count);
}

unsafe extern "C" fn double(call: *mut Call, value: f64) {
    // SAFETY: see above.
    unsafe { Context::of(call) }.reply().double(value);
}

unsafe extern "C" fn boolean(call: *mut Call, value: u32) {
    // SAFETY: see above.
    unsafe { Context::of(call) }.reply().boolean(value != 0);
}

unsafe extern "C" fn verbatim(call: *mut Call, format: Bytes, text: Bytes) {
    // SAFETY: see above.
    let (context, format, text) = unsafe { (Context::of(call), format.as_slice(), text.as_slice()) };
    context.reply().verbatim(format, text);
}

unsafe extern "C" fn big_number(call: *mut Call, digits: Bytes) {
    // SAFETY: see above.
    let (context, digits) = unsafe { (Context::of(call), digits.as_slice()) };
    context.reply().big_number(digits);
}

unsafe extern "C" fn open(call: *mut Call) -> u64 {
    // SAFETY: see above.
    unsafe { Context::of(call) }.output().open()
}

unsafe extern "C" fn close(call: *mut Call, mark: u64, kind: u32, count: usize) {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let head = head(kind, count, context.is_resp3());
    context.output().close(mark, &head);
}
