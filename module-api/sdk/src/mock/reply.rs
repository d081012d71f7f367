//! The mock's replies. The buffer never has more room than was asked for and a few bytes, so that
//! a writer's every step over its end shows.

use super::state::{Frame, Output};
use crate::abi;
use crate::abi::bytes::Bytes;
use crate::abi::call::Call;
use crate::abi::reply::{REPLY_ATTRIBUTE, REPLY_GROW_MAX, REPLY_MAP, REPLY_PUSH, REPLY_SET, Reply, ReplyService};
use crate::call::Call as SafeCall;

/// Free bytes beyond what was asked for.
const SPARE_BYTES: usize = 8;

/// Takes over what was written since the last room was given.
pub(super) fn commit(output: &mut Output) {
    let base = output.bytes.as_mut_ptr();
    if output.bytes.capacity() > 0 {
        let len = output.reply.at as usize - base as usize;
        assert!(len <= output.bytes.capacity(), "a reply was written past its room");
        // SAFETY: `at` started at the end of the initialised bytes and was advanced over bytes that
        // the writer wrote; it lies within the capacity.
        unsafe { output.bytes.set_len(len) };
    }
}

fn give_room(output: &mut Output, need: usize) {
    output.bytes.reserve(need + SPARE_BYTES);
    let free = output.bytes.spare_capacity_mut();
    output.reply.at = free.as_mut_ptr().cast();
    output.reply.end = output.reply.at.wrapping_add(need + SPARE_BYTES);
}

pub(super) unsafe extern "C" fn grow(reply: *mut Reply, need: usize) {
    // SAFETY: a reply of the mock is the beginning of an output.
    let output = unsafe { &mut *reply.cast::<Output>() };
    assert!(need <= REPLY_GROW_MAX, "more room was asked for than a host gives");
    commit(output);
    give_room(output, need);
}

pub(super) unsafe extern "C" fn append(reply: *mut Reply, bytes: Bytes) {
    // SAFETY: as in `grow`; the bytes are borrowed for the call.
    let (output, bytes) = unsafe { (&mut *reply.cast::<Output>(), bytes.as_slice()) };
    commit(output);
    output.bytes.extend_from_slice(bytes);
    give_room(output, 0);
}

/// The safe writer of a call, which the table's functions forward to.
unsafe fn writer<R>(call: *mut Call, write: impl FnOnce(&mut SafeCall<'_>) -> R) -> R {
    // SAFETY: the caller hands over a call of the mock for the time of the call.
    write(&mut unsafe { SafeCall::from_raw(call) })
}

unsafe fn output<'o>(call: *mut Call) -> &'o mut Output {
    // SAFETY: a call of the mock is the beginning of a frame.
    unsafe { &mut (*call.cast::<Frame>()).output }
}

unsafe extern "C" fn simple(call: *mut Call, text: Bytes) {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { writer(call, |call| call.reply.simple(text.as_slice())) }
}
unsafe extern "C" fn error(call: *mut Call, text: Bytes) {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { writer(call, |call| _ = call.reply.error(text.as_slice())) }
}
unsafe extern "C" fn integer(call: *mut Call, value: i64) {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { writer(call, |call| call.reply.integer(value)) }
}
unsafe extern "C" fn bulk(call: *mut Call, bytes: Bytes) {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { writer(call, |call| call.reply.bulk(bytes.as_slice())) }
}
unsafe extern "C" fn null(call: *mut Call) {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { writer(call, |call| call.reply.null()) }
}
unsafe extern "C" fn null_array(call: *mut Call) {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { writer(call, |call| call.reply.null_array()) }
}
unsafe extern "C" fn double(call: *mut Call, value: f64) {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { writer(call, |call| call.reply.double(value)) }
}
unsafe extern "C" fn boolean(call: *mut Call, value: u32) {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { writer(call, |call| call.reply.boolean(value != 0)) }
}
unsafe extern "C" fn verbatim(call: *mut Call, format: Bytes, text: Bytes) {
    // SAFETY: as the table's comments ask of the caller.
    let (format, text) = unsafe { (format.as_slice(), text.as_slice()) };
    let format = format.try_into().unwrap_or(b"txt");
    // SAFETY: as above.
    unsafe { writer(call, |call| call.reply.verbatim(format, text)) }
}
unsafe extern "C" fn big_number(call: *mut Call, digits: Bytes) {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { writer(call, |call| call.reply.big_number(digits.as_slice())) }
}

unsafe extern "C" fn aggregate(call: *mut Call, kind: u32, count: usize) {
    // SAFETY: as the table's comments ask of the caller.
    let resp = unsafe { (*call).resp };
    if let Some(head) = head_of(resp, kind, count) {
        // SAFETY: as above.
        unsafe { writer(call, |call| call.reply.raw(head.as_bytes())) }
    }
}

/// The head of an aggregate, if it has one in this version of the protocol.
fn head_of(resp: u32, kind: u32, count: usize) -> Option<String> {
    let letter = match (resp >= 3, kind) {
        (true, REPLY_MAP) => '%',
        (true, REPLY_SET) => '~',
        (true, REPLY_PUSH) => '>',
        (true, REPLY_ATTRIBUTE) => '|',
        (false, REPLY_ATTRIBUTE) => return None,
        (false, REPLY_MAP) => return Some(format!("*{}\r\n", count * 2)),
        _ => '*',
    };
    Some(format!("{letter}{count}\r\n"))
}

unsafe extern "C" fn open(call: *mut Call) -> u64 {
    // SAFETY: as the table's comments ask of the caller.
    let output = unsafe { output(call) };
    commit(output);
    give_room(output, 0);
    output.marks.push(output.bytes.len());
    output.marks.len() as u64
}

unsafe extern "C" fn close(call: *mut Call, mark: u64, kind: u32, count: usize) {
    // SAFETY: as the table's comments ask of the caller.
    let (output, resp) = unsafe { (output(call), (*call).resp) };
    commit(output);
    assert_eq!(output.marks.len() as u64, mark, "aggregates close in reverse order of opening");
    if let Some(at) = output.marks.pop() {
        let head = head_of(resp, kind, count).unwrap_or_default();
        output.bytes.splice(at..at, head.bytes());
    }
    give_room(output, 0);
}

/// The table.
pub(super) static TABLE: ReplyService = ReplyService {
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

/// The error that a host sends for a status.
pub(super) fn standard_error(status: abi::status::Status, command: &str) -> String {
    use crate::error::Error;
    match Error::from_status(status) {
        Error::None => "ERR no such key".into(),
        Error::WrongType => "WRONGTYPE Operation against a key holding the wrong kind of value".into(),
        Error::OutOfMemory => "OOM command not allowed when used memory > 'maxmemory'.".into(),
        Error::NotInteger => "ERR value is not an integer or out of range".into(),
        Error::NotFloat => "ERR value is not a valid float".into(),
        Error::OutOfRange => "ERR index out of range".into(),
        Error::Arity => format!("ERR wrong number of arguments for '{command}' command"),
        Error::TooLarge => "ERR string exceeds maximum allowed size (proto-max-bulk-len)".into(),
        Error::InvalidExpire => format!("ERR invalid expire time in '{command}' command"),
        Error::Overflow => "ERR increment or decrement would overflow".into(),
        Error::DbRange => "ERR DB index is out of range".into(),
        other => format!("ERR {}", other.message()),
    }
}
