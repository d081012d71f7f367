//! The safe side of `plinth.stream/1` over a provider that says null where it has nothing, as one in C may.
#![allow(missing_docs)]

use plinth_module::abi::bytes::{Bytes, Opaque};
use plinth_module::abi::call::Call as RawCall;
use plinth_module::abi::status::{STATUS_NONE, STATUS_OK, Status};
use plinth_module::abi::stream::{StreamId, StreamService, StreamVisit};
use plinth_module::prelude::*;
use plinth_module::stream::Streams;
use plinth_testbed::Testbed;
use std::ops::ControlFlow;
use std::ptr::null;

unsafe extern "C" fn len(_: *mut RawCall, _: Bytes, _: *mut usize) -> Status {
    STATUS_NONE
}

unsafe extern "C" fn last_id(_: *mut RawCall, _: Bytes, _: *mut StreamId) -> Status {
    STATUS_NONE
}

unsafe extern "C" fn add(
    _: *mut RawCall,
    _: Bytes,
    _: *const StreamId,
    _: *const Bytes,
    _: usize,
    _: *mut StreamId,
) -> Status {
    STATUS_NONE
}

/// Shows an entry without fields, and one of a name and a value without bytes.
unsafe extern "C" fn visit(
    _: *mut RawCall,
    _: Bytes,
    from: StreamId,
    to: StreamId,
    _: u32,
    visit: StreamVisit,
    data: Opaque,
) -> Status {
    let empty = [Bytes::EMPTY; 2];
    // SAFETY: the function fits its data, and the fields live for the call.
    unsafe {
        (visit.run)(data, from, null(), 0);
        (visit.run)(data, to, empty.as_ptr(), empty.len());
    }
    STATUS_OK
}

unsafe extern "C" fn remove(_: *mut RawCall, _: Bytes, _: *const StreamId, _: usize, _: *mut usize) -> Status {
    STATUS_NONE
}

unsafe extern "C" fn trim(_: *mut RawCall, _: Bytes, _: usize, _: u32, _: *mut usize) -> Status {
    STATUS_NONE
}

static TABLE: StreamService =
    StreamService { size: size_of::<StreamService>() as u32, reserved: 0, len, last_id, add, visit, remove, trim };
static STREAMS: Streams = Streams::new();

fn see(call: &mut Call<'_>) -> Result {
    // The module's own service is there once the module has started.
    STREAMS.resolve(call)?;
    let (from, to) = (StreamId { ms: 1, seq: 0 }, StreamId { ms: 2, seq: 0 });
    let mut seen = String::new();
    let found = STREAMS.visit(&mut call.keys, b"s", from..=to, false, |id, fields| {
        seen += &format!("{}:{fields:?} ", id.ms);
        ControlFlow::Continue(())
    })?;
    assert!(found);
    call.reply.bulk(seen);
    Ok(())
}

export!(Module {
    name: "streams",
    version: "1.0.0",
    provides: &[provided(&TABLE)],
    commands: &[Command { name: text("see"), arity: 1, run: run(see), ..Command::NEW }],
    ..Module::NEW
});

#[test]
fn a_visitor_takes_nulls_for_nothing() {
    let mut host = Testbed::new(&plinth_module_entry).expect("the module starts");
    assert_eq!(host.run(&["see"]), b"$16\r\n1:[] 2:[[], []] \r\n");
}
