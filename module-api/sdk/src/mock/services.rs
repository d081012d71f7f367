//! The mock's smaller services: parameters, INFO, events, timers, clients, propagation, and running
//! commands.

use super::dispatch;
use super::host::calling;
use super::keys::frame_of;
use super::state::{Host, Started, Subscribed};
use crate::abi::bytes::{Bytes, Opaque, Take};
use crate::abi::call::Call;
use crate::abi::clients::{Client, ClientsService};
use crate::abi::config::{CONFIG_TEXT, ConfigService};
use crate::abi::events::{Event, EventsService, Hook};
use crate::abi::info::InfoService;
use crate::abi::propagate::PropagateService;
use crate::abi::run::{RUN_READ_ONLY, RUN_RESP3, RunService};
use crate::abi::status::{
    STATUS_NONE, STATUS_NOT_ALLOWED, STATUS_NOT_INTEGER, STATUS_OK, STATUS_OUT_OF_RANGE, STATUS_SYNTAX,
    STATUS_UNSUPPORTED, Status,
};
use crate::abi::timers::{Fire, TimersService};
use std::ptr::null_mut;

/// How deep commands may run commands.
const RUN_DEPTH_MAX: u32 = 16;

/// Calls the hooks that want an event.
pub(super) fn tell(host: Host, event: &Event) {
    let hooks: Vec<Subscribed> =
        host.with(|state| state.hooks.iter().filter(|hook| hook.kinds & event.kind != 0).copied().collect());
    for hook in hooks {
        if host.with(|state| state.hooks.iter().all(|other| other.id != hook.id)) {
            continue;
        }
        host.with(|state| state.hook_depth += 1);
        // SAFETY: the subscriber gave data that fits its hook; call and event are lent.
        calling(host, hook.module, std::ptr::null(), &[], |call| unsafe { (hook.hook.run)(call, event, hook.data) });
        host.with(|state| state.hook_depth -= 1);
    }
}

unsafe extern "C" fn config_get(call: *mut Call, name: Bytes, take: Take, data: Opaque) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (host, name) = unsafe { (Host::of(call), String::from_utf8_lossy(name.as_slice())) };
    let text = host.with(|state| state.parameter(&name).map(|parameter| parameter.text.clone()));
    let Some(text) = text else { return STATUS_NONE };
    // SAFETY: the asker gave data that fits its function.
    unsafe { (take.run)(data, Bytes::of(&text)) };
    STATUS_OK
}

unsafe extern "C" fn config_get_number(call: *mut Call, name: Bytes, number_out: *mut i64) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (host, name) = unsafe { (Host::of(call), String::from_utf8_lossy(name.as_slice())) };
    host.with(|state| {
        let Some(parameter) = state.parameter(&name) else { return STATUS_NONE };
        // SAFETY: a parameter's declaration is a constant; the result goes where the caller says.
        unsafe {
            if (*parameter.config).kind == CONFIG_TEXT {
                return STATUS_NOT_INTEGER;
            }
            number_out.write(parameter.number);
        }
        STATUS_OK
    })
}

unsafe extern "C" fn config_set(call: *mut Call, name: Bytes, value: Bytes) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (host, name, value) = unsafe { (Host::of(call), String::from_utf8_lossy(name.as_slice()), value.as_slice()) };
    if !host.with(|state| state.parameter(&name).is_some()) {
        return STATUS_NONE;
    }
    match dispatch::set_parameter(host, &name, value) {
        Ok(()) => STATUS_OK,
        Err(_) => STATUS_SYNTAX,
    }
}

/// Parameters.
pub(super) static CONFIG: ConfigService = ConfigService {
    size: size_of::<ConfigService>() as u32,
    reserved: 0,
    get: config_get,
    get_number: config_get_number,
    set: config_set,
};

/// Adds a line to the text that a sink is.
///
/// # Safety
/// `sink` is the sink of a running section.
unsafe fn info_line(sink: Opaque, name: Bytes, value: &str) {
    // SAFETY: as the caller vouches.
    let (out, name) = unsafe { (&mut *sink.cast::<String>(), String::from_utf8_lossy(name.as_slice())) };
    out.push_str(&format!("{name}:{value}\r\n"));
}

unsafe extern "C" fn info_text(sink: Opaque, name: Bytes, value: Bytes) {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { info_line(sink, name, &String::from_utf8_lossy(value.as_slice())) }
}
unsafe extern "C" fn info_integer(sink: Opaque, name: Bytes, value: i64) {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { info_line(sink, name, &value.to_string()) }
}
unsafe extern "C" fn info_double(sink: Opaque, name: Bytes, value: f64) {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { info_line(sink, name, &value.to_string()) }
}

/// INFO.
pub(super) static INFO: InfoService = InfoService {
    size: size_of::<InfoService>() as u32,
    reserved: 0,
    text: info_text,
    integer: info_integer,
    double: info_double,
};

unsafe extern "C" fn subscribe(call: *mut Call, kinds: u32, hook: Hook, data: Opaque, id_out: *mut u64) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (frame, id_out) = unsafe { (frame_of(call), &mut *id_out) };
    if kinds >> 9 != 0 {
        return STATUS_UNSUPPORTED;
    }
    *id_out = frame.state.with(|state| {
        let id = state.next_id();
        state.hooks.push(Subscribed { id, kinds, hook, data, module: frame.module });
        id
    });
    STATUS_OK
}

unsafe extern "C" fn unsubscribe(call: *mut Call, id: u64) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let frame = unsafe { frame_of(call) };
    frame.state.with(|state| {
        let before = state.hooks.len();
        state.hooks.retain(|hook| hook.id != id || hook.module != frame.module);
        if state.hooks.len() < before { STATUS_OK } else { STATUS_NONE }
    })
}

/// Events.
pub(super) static EVENTS: EventsService =
    EventsService { size: size_of::<EventsService>() as u32, reserved: 0, subscribe, unsubscribe };

unsafe extern "C" fn timer_start(call: *mut Call, delay_ms: u64, fire: Fire, data: Opaque, id_out: *mut u64) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (frame, id_out) = unsafe { (frame_of(call), &mut *id_out) };
    *id_out = frame.state.with(|state| {
        let id = state.next_id();
        let at_ms = state.now_ms.saturating_add_unsigned(delay_ms);
        state.timers.push(Started { id, at_ms, fire, data, module: frame.module });
        id
    });
    STATUS_OK
}

unsafe extern "C" fn timer_stop(call: *mut Call, id: u64, data_out: *mut Opaque) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let frame = unsafe { frame_of(call) };
    let stopped = frame.state.with(|state| {
        let at = state.timers.iter().position(|timer| timer.id == id && timer.module == frame.module)?;
        Some(state.timers.remove(at))
    });
    let Some(timer) = stopped else { return STATUS_NONE };
    if !data_out.is_null() {
        // SAFETY: as the table's comments ask of the caller.
        unsafe { data_out.write(timer.data) };
    }
    STATUS_OK
}

unsafe extern "C" fn timer_remaining(call: *mut Call, id: u64, remaining_ms_out: *mut u64) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (frame, out) = unsafe { (frame_of(call), &mut *remaining_ms_out) };
    frame.state.with(|state| match state.timers.iter().find(|timer| timer.id == id) {
        Some(timer) => {
            *out = timer.at_ms.saturating_sub(state.now_ms).max(0) as u64;
            STATUS_OK
        }
        None => STATUS_NONE,
    })
}

/// Timers.
pub(super) static TIMERS: TimersService = TimersService {
    size: size_of::<TimersService>() as u32,
    reserved: 0,
    start: timer_start,
    stop: timer_stop,
    remaining: timer_remaining,
};

unsafe extern "C" fn client_info(call: *mut Call, client_id: u64, client_out: *mut Client) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (host, out) = unsafe { (Host::of(call), &mut *client_out) };
    host.with(|state| {
        if !state.pushed.contains_key(&client_id) {
            return STATUS_NONE;
        }
        *out = Client {
            size: out.size,
            db: state.db,
            id: client_id,
            resp: state.resp,
            is_unix: 0,
            address: Bytes::new("127.0.0.1:50000"),
            name: Bytes::EMPTY,
            user: Bytes::new("default"),
            age_s: 0,
            idle_s: 0,
        };
        STATUS_OK
    })
}

unsafe extern "C" fn client_push(call: *mut Call, client_id: u64, bytes: Bytes) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (host, bytes) = unsafe { (Host::of(call), bytes.as_slice()) };
    host.with(|state| match state.pushed.get_mut(&client_id) {
        Some(pushed) => {
            pushed.extend_from_slice(bytes);
            STATUS_OK
        }
        None => STATUS_NONE,
    })
}

unsafe extern "C" fn client_disconnect(call: *mut Call, client_id: u64) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let host = unsafe { Host::of(call) };
    host.with(|state| if state.pushed.remove(&client_id).is_some() { STATUS_OK } else { STATUS_NONE })
}

/// Clients.
pub(super) static CLIENTS: ClientsService = ClientsService {
    size: size_of::<ClientsService>() as u32,
    reserved: 0,
    info: client_info,
    push: client_push,
    disconnect: client_disconnect,
};

unsafe extern "C" fn propagate_instead(call: *mut Call, args: *const Bytes, argc: u32) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (frame, args) = unsafe { (frame_of(call), owned_args(args, argc)) };
    if frame.call.command.is_null() {
        return STATUS_NOT_ALLOWED;
    }
    frame.instead.get_or_insert_default().push(args);
    STATUS_OK
}

unsafe extern "C" fn propagate_nothing(call: *mut Call) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let frame = unsafe { frame_of(call) };
    if frame.call.command.is_null() {
        return STATUS_NOT_ALLOWED;
    }
    frame.instead = Some(Vec::new());
    STATUS_OK
}

/// # Safety
/// `args` points at `argc` byte strings.
pub(super) unsafe fn owned_args(args: *const Bytes, argc: u32) -> Vec<Vec<u8>> {
    // SAFETY: as the caller vouches.
    (0..argc as usize).map(|at| unsafe { (*args.add(at)).as_slice().to_vec() }).collect()
}

/// Propagation.
pub(super) static PROPAGATE: PropagateService = PropagateService {
    size: size_of::<PropagateService>() as u32,
    reserved: 0,
    instead: propagate_instead,
    nothing: propagate_nothing,
};

unsafe extern "C" fn run_resolve(call: *mut Call, name: Bytes) -> Opaque {
    // SAFETY: as the table's comments ask of the caller.
    let (host, name) = unsafe { (Host::of(call), name.as_slice().to_ascii_lowercase()) };
    host.with(|state| state.commands.get(&name).map_or(null_mut(), |found| found.command.cast_mut().cast()))
}

unsafe extern "C" fn run_command(
    call: *mut Call,
    _command: Opaque,
    args: *const Bytes,
    argc: u32,
    flags: u32,
    take: Take,
    data: Opaque,
) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (host, args, db) = unsafe { (Host::of(call), owned_args(args, argc), (*call).db) };
    let args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
    let Some(name) = args.first() else { return STATUS_NONE };
    let Some(found) = host.with(|state| state.commands.get(&name.to_ascii_lowercase()).copied()) else {
        return STATUS_NONE;
    };
    // SAFETY: a registered command is a constant of its module.
    let writes = unsafe { (*found.command).flags } & crate::abi::command::COMMAND_WRITE != 0;
    if host.with(|state| state.hook_depth > 0) || (writes && flags & RUN_READ_ONLY != 0) {
        return STATUS_NOT_ALLOWED;
    }
    if host.with(|state| state.run_depth >= RUN_DEPTH_MAX) {
        return STATUS_OUT_OF_RANGE;
    }
    let before = host.with(|state| {
        let before = (state.db, state.resp);
        state.run_depth += 1;
        state.db = db;
        if flags & RUN_RESP3 != 0 {
            state.resp = 3;
        }
        before
    });
    let ran = dispatch::run(host, &args);
    host.with(|state| {
        state.run_depth -= 1;
        (state.db, state.resp) = before;
    });
    // A nested run is told that it must not wait, and cannot.
    let dispatch::Ran::Replied(reply) = ran else { return STATUS_NOT_ALLOWED };
    // SAFETY: the asker gave data that fits its function.
    unsafe { (take.run)(data, Bytes::of(&reply)) };
    STATUS_OK
}

/// Running commands.
pub(super) static RUN: RunService =
    RunService { size: size_of::<RunService>() as u32, reserved: 0, resolve: run_resolve, run: run_command };
