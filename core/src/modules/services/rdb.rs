//! `plinth.rdb/1`: what a module keeps in RDB files beside keys; see [`crate::modules::beside`].

use crate::engine::call::Context;
use crate::modules::beside;
use crate::registry::modules::Standing;
use crate::registry::rdb::Claim;
use plinth_abi::call::Call;
use plinth_abi::rdb::{RDB_BEFORE_KEYS, RDB_FUNCTIONS, RDB_SECTION, RdbClaim, RdbService};
use plinth_abi::status::{STATUS_EXISTS, STATUS_NOT_ALLOWED, STATUS_OK, STATUS_UNSUPPORTED, Status};

/// The table.
pub static TABLE: RdbService = RdbService { size: size_of::<RdbService>() as u32, reserved: 0, claim };

unsafe extern "C" fn claim(call: *mut Call, claim: *const RdbClaim) -> Status {
    // SAFETY: called by a loaded module with the call that runs, and with a claim that begins with its size.
    let (context, size) = unsafe { (Context::of(call), claim.cast::<u32>().read()) };
    if (size as usize) < size_of::<RdbClaim>() {
        return STATUS_UNSUPPORTED;
    }
    // SAFETY: it has so many bytes, as its size says.
    let raw = unsafe { claim.read() };
    if !matches!(raw.kind, RDB_FUNCTIONS | RDB_SECTION) || raw.flags & !RDB_BEFORE_KEYS != 0 {
        return STATUS_UNSUPPORTED;
    }
    let module = context.module;
    let server = context.server();
    let Some(own) = server.registry.modules.get(module).filter(|own| !own.has_started) else {
        return STATUS_NOT_ALLOWED;
    };
    // A module that is to take the place of another claims what that one has until then.
    let takes_over = own.standing == Standing::Nameless;
    let is_taken = raw.kind == RDB_FUNCTIONS && !takes_over && beside::functions_of(server).is_some();
    if is_taken || server.registry.beside.of(module, raw.kind).is_some() {
        return STATUS_EXISTS;
    }
    server.registry.beside.claims.push(Claim { module, raw });
    STATUS_OK
}
