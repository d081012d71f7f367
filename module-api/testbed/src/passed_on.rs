//! What is passed on to replicas. The server keeps a command's decision and has nobody to tell yet;
//! so the testbed hands out a `plinth.propagate/1` of its own, which asks the server's and listens.

use crate::Testbed;
use plinth::engine::call::Context;
use plinth::engine::server::Server;
use plinth::modules::services::propagate;
use plinth::registry::service::Service;
use plinth_abi::bytes::Bytes;
use plinth_abi::call::{CALL_RETRY, Call};
use plinth_abi::propagate::{PROPAGATE_SERVICE, PropagateService};
use plinth_abi::status::{STATUS_OK, Status};

/// A command as it is passed on.
type Args = Vec<Vec<u8>>;

/// What was passed on since this was last asked.
#[derive(Default)]
struct PassedOn {
    /// Token of the client whose command runs.
    client: usize,
    /// What it has said that is to be passed on in its place.
    said: Option<Vec<Args>>,
    all: Vec<Args>,
}

static TABLE: PropagateService =
    PropagateService { size: size_of::<PropagateService>() as u32, reserved: 0, instead, nothing };

// Both functions are called by a loaded module with the call that runs, and with arguments that are
// valid for it.

unsafe extern "C" fn instead(call: *mut Call, args: *const Bytes, argc: u32) -> Status {
    // SAFETY: see above.
    let status = unsafe { (propagate::TABLE.instead)(call, args, argc) };
    if status == STATUS_OK {
        // SAFETY: see above.
        let args = (0..argc as usize).map(|at| unsafe { (*args.add(at)).as_slice().to_vec() }).collect();
        // SAFETY: see above.
        unsafe { note(call, Some(args)) };
    }
    status
}

unsafe extern "C" fn nothing(call: *mut Call) -> Status {
    // SAFETY: see above.
    let status = unsafe { (propagate::TABLE.nothing)(call) };
    if status == STATUS_OK {
        // SAFETY: see above.
        unsafe { note(call, None) };
    }
    status
}

/// # Safety
/// `call` is the call that runs.
unsafe fn note(call: *mut Call, args: Option<Args>) {
    // SAFETY: promised by the caller.
    let context = unsafe { Context::of(call) };
    let (client, is_again) = (context.client, context.call.flags & CALL_RETRY != 0);
    context.server().slots.with(|passed_on: &mut PassedOn| {
        if client != Some(passed_on.client) || is_again {
            // Of somebody who waited.
            passed_on.all.extend(args);
            return;
        }
        let said = passed_on.said.get_or_insert_default();
        match args {
            Some(args) => said.push(args),
            None => said.clear(),
        }
    });
}

/// Has modules find this table.
pub(crate) fn listen(server: &mut Server) {
    let services = &mut server.registry.modules.services;
    services.retain(|service| service.id != PROPAGATE_SERVICE);
    services.push(Service::of_core(PROPAGATE_SERVICE, (&raw const TABLE).cast()));
}

/// A client's command begins; the number of changes up to now.
pub(crate) fn begin(server: &mut Server, client: usize) -> u64 {
    server.slots.with(|passed_on: &mut PassedOn| (passed_on.client, passed_on.said) = (client, None));
    server.store.dirty
}

/// It is over: what it said is passed on, or, when it changed something and said nothing, itself.
pub(crate) fn end(server: &mut Server, dirty: u64, args: &[&[u8]]) {
    let has_changed = server.store.dirty != dirty;
    server.slots.with(|passed_on: &mut PassedOn| {
        let itself = || has_changed.then(|| args.iter().map(|arg| arg.to_vec()).collect());
        let told = passed_on.said.take().unwrap_or_else(|| itself().into_iter().collect());
        passed_on.all.extend(told);
    });
}

impl Testbed {
    /// What was passed on to replicas since this was last asked. A command that changed nothing
    /// itself, but had somebody served who waited, counts as one that did.
    pub fn take_propagated(&mut self) -> Vec<Vec<Vec<u8>>> {
        self.server.slots.with(|passed_on: &mut PassedOn| std::mem::take(&mut passed_on.all))
    }
}
