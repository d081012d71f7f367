//! The mock's host and frames: how tables are found, and how module code is called.

use super::state::{Frame, Host, Output, State};
use super::{block, codec, keys, reply, services};
use crate::abi;
use crate::abi::bytes::{Bytes, Opaque};
use crate::abi::call::Call;
use crate::abi::reply::Reply;
use std::ptr::{NonNull, null, null_mut};
use std::sync::{Mutex, PoisonError};

/// What a host's `context` points at: the log and the tickets, which outlive the mock because any
/// thread may touch them, and the way to the state.
pub(super) struct Context {
    log: &'static Mutex<Vec<String>>,
    pub(super) state: Mutex<Option<SendHost>>,
    pub(super) tickets: Mutex<block::Tickets>,
}

/// A [`Host`] in a static place; it is used on the mock's thread only.
pub(super) struct SendHost(pub(super) Host);

// SAFETY: `service` alone looks at it, which runs on the main thread, as the ABI says.
unsafe impl Send for SendHost {}

/// A host for a new mock. It is never freed: the log may be written by any thread at any time.
pub(super) fn leak_host(log: &'static Mutex<Vec<String>>) -> &'static abi::host::Host {
    let context: &'static Context =
        Box::leak(Box::new(Context { log, state: Mutex::new(None), tickets: Mutex::default() }));
    let host: &'static abi::host::Host = Box::leak(Box::new(abi::host::Host {
        size: size_of::<abi::host::Host>() as u32,
        abi_major: abi::ABI_MAJOR,
        abi_minor: abi::ABI_MINOR,
        context: (&raw const *context).cast_mut().cast(),
        service,
        log: write_log,
        give_way,
    }));
    HOSTS.lock().unwrap_or_else(PoisonError::into_inner).push(host);
    host
}

/// Nobody waits for a mock.
unsafe extern "C" fn give_way(_host: *const abi::host::Host) {}

/// Every host there was, so that a leak checker sees that they are kept on purpose.
static HOSTS: Mutex<Vec<&'static abi::host::Host>> = Mutex::new(Vec::new());

/// # Safety
/// `host` is one that [`leak_host`] made.
pub(super) unsafe fn context_of(host: *const abi::host::Host) -> &'static Context {
    // SAFETY: `leak_host` put it there and nobody frees it.
    unsafe { &*(*host).context.cast() }
}

unsafe extern "C" fn service(host: *const abi::host::Host, id: Bytes, size_min: u32) -> Opaque {
    // SAFETY: the host is a mock's; the id is borrowed for the call.
    let (context, id) = unsafe { (context_of(host), id.as_slice()) };
    let table = match core_table(id) {
        Some(table) => table,
        None => {
            let state = context.state.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(SendHost(host)) = &*state else { return null_mut() };
            host.with(|state| state.provided.get(id).map_or(null_mut(), |(table, _)| *table))
        }
    };
    // SAFETY: null, or a table, which begins with its size.
    if table.is_null() || unsafe { *table.cast::<u32>() } < size_min { null_mut() } else { table }
}

fn core_table(id: &[u8]) -> Option<Opaque> {
    fn address<T>(table: &'static T) -> Option<Opaque> {
        Some((&raw const *table).cast_mut().cast())
    }
    match std::str::from_utf8(id).ok()? {
        abi::reply::REPLY_SERVICE => address(&reply::TABLE),
        abi::keys::KEYS_SERVICE => address(&keys::TABLE),
        abi::codec::CODEC_SERVICE => address(&codec::TABLE),
        abi::config::CONFIG_SERVICE => address(&services::CONFIG),
        abi::info::INFO_SERVICE => address(&services::INFO),
        abi::events::EVENTS_SERVICE => address(&services::EVENTS),
        abi::timers::TIMERS_SERVICE => address(&services::TIMERS),
        abi::clients::CLIENTS_SERVICE => address(&services::CLIENTS),
        abi::propagate::PROPAGATE_SERVICE => address(&services::PROPAGATE),
        abi::run::RUN_SERVICE => address(&services::RUN),
        abi::block::BLOCK_SERVICE => address(&block::TABLE),
        _ => None,
    }
}

unsafe extern "C" fn write_log(host: *const abi::host::Host, _level: u32, text: Bytes) {
    // SAFETY: the host is a mock's; the text is borrowed for the call.
    let (context, text) = unsafe { (context_of(host), text.as_slice()) };
    let line = String::from_utf8_lossy(text).into_owned();
    context.log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
}

/// Runs module code with a call of its own, and returns what `work` returned, the reply, and what
/// is to be propagated instead. `module` is whose code runs.
pub(super) fn calling<R>(
    host: Host,
    module: usize,
    command: *const abi::command::Command,
    args: &[&[u8]],
    work: impl FnOnce(*mut Call) -> R,
) -> (R, Frame) {
    let frame = host.with(|state| new_frame(host, state, module, command, args));
    let frame = Box::into_raw(Box::new(frame));
    // SAFETY: the frame was just boxed; these pointers into it stay valid while it is. The host
    // answers module code through pointers derived from `frame`, and this function does not
    // touch it before `work` is done.
    let result = unsafe {
        (*frame).arg_bytes = (*frame).args.iter().map(|arg| Bytes::of(arg)).collect();
        (*frame).call.args = (*frame).arg_bytes.as_ptr();
        (*frame).call.reply = (&raw mut (*frame).output).cast();
        work(frame.cast())
    };
    // SAFETY: the frame was boxed above and module code has returned.
    let mut frame = *unsafe { Box::from_raw(frame) };
    reply::commit(&mut frame.output);
    host.with(|state| state.modules[module].data = frame.call.module_data);
    (result, frame)
}

fn new_frame(host: Host, state: &State, module: usize, command: *const abi::command::Command, args: &[&[u8]]) -> Frame {
    let is_command = !command.is_null();
    let flags = match (is_command, state.run_depth) {
        (false, _) => abi::call::CALL_NO_CLIENT,
        (true, 0) => state.call_flags,
        (true, _) => abi::call::CALL_NESTED | abi::call::CALL_NO_BLOCK,
    };
    Frame {
        call: Call {
            size: size_of::<Call>() as u32,
            flags,
            args: null(),
            argc: args.len() as u32,
            resp: state.resp,
            reply: null_mut(),
            module_data: state.modules[module].data,
            command,
            db: state.db,
            key_index: 0,
            key_hash: 0,
            now_ms: state.now_ms,
            client_id: u64::from(is_command),
            host: state.host,
        },
        state: host,
        output: Output {
            reply: Reply {
                size: size_of::<Reply>() as u32,
                reserved: 0,
                at: NonNull::dangling().as_ptr(),
                end: NonNull::dangling().as_ptr(),
                grow: reply::grow,
                append: reply::append,
            },
            bytes: Vec::new(),
            marks: Vec::new(),
        },
        module,
        args: args.iter().map(|arg| arg.to_vec()).collect(),
        arg_bytes: Vec::new(),
        instead: None,
        waits: None,
    }
}
