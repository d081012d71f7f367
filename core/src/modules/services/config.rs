//! `plinth.config/1`: reading and setting parameters.

use crate::base::number::parse_i64;
use crate::engine::call::Context;
use crate::engine::parameters::SetError;
use plinth_abi::bytes::{Bytes, Opaque, Take};
use plinth_abi::call::Call;
use plinth_abi::config::{CONFIG_TEXT, ConfigService};
use plinth_abi::status::{STATUS_NONE, STATUS_NOT_ALLOWED, STATUS_NOT_INTEGER, STATUS_OK, STATUS_SYNTAX, Status};

/// The table.
pub static TABLE: ConfigService =
    ConfigService { size: size_of::<ConfigService>() as u32, reserved: 0, get, get_number, set };

// Every function below is called by a loaded module with the call that runs, and with
// bytes and out-parameters valid for the call.

unsafe extern "C" fn get(call: *mut Call, name: Bytes, take: Take, data: Opaque) -> Status {
    // SAFETY: see above.
    let (context, name) = unsafe { (Context::of(call), name.as_slice()) };
    let Some(value) = context.server().get_parameter(&String::from_utf8_lossy(name)) else { return STATUS_NONE };
    // SAFETY: the module's function with the module's data.
    unsafe { (take.run)(data, Bytes::of(&value)) };
    STATUS_OK
}

unsafe extern "C" fn get_number(call: *mut Call, name: Bytes, number_out: *mut i64) -> Status {
    // SAFETY: see above.
    let (context, name) = unsafe { (Context::of(call), name.as_slice()) };
    let server = context.server();
    let name = String::from_utf8_lossy(name);
    let number = match server.registry.find_parameter(&name).and_then(|at| server.registry.parameter(at)) {
        Some(parameter) => (parameter.spec.kind != CONFIG_TEXT).then_some(parameter.number),
        None => match server.get_parameter(&name) {
            Some(value) if value == b"yes" => Some(1),
            Some(value) if value == b"no" => Some(0),
            Some(value) => parse_i64(&value),
            None => return STATUS_NONE,
        },
    };
    let Some(number) = number else { return STATUS_NOT_INTEGER };
    // SAFETY: see above.
    unsafe { number_out.write(number) };
    STATUS_OK
}

unsafe extern "C" fn set(call: *mut Call, name: Bytes, value: Bytes) -> Status {
    // SAFETY: see above.
    let (context, name, value) = unsafe { (Context::of(call), name.as_slice(), value.as_slice()) };
    let name = String::from_utf8_lossy(name).into_owned();
    let server = context.server();
    if !server.parameter_exists(&name) {
        return STATUS_NONE;
    }
    match server.set_parameters(&[(name, value.to_vec())]) {
        Ok(()) => STATUS_OK,
        Err(SetError::Fixed(..) | SetError::Loading) => STATUS_NOT_ALLOWED,
        Err(SetError::Unknown(_) | SetError::Refused(..)) => STATUS_SYNTAX,
    }
}
