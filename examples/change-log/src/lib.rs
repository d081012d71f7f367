//! Change data capture: every change of the data goes into files, in order, for others to follow.
//!
//! ```text
//!   units of propagation ── ON_UNIT ──> log ──> changes/00000000000000000001.aof, ...2.aof, ...
//! ```
//!
//! Units are what the server writes into its append-only file, so the files here are such files too: what is read from
//! them and run makes the same data. The host counts units and keeps the count with the data; [`log`] keeps the last
//! number beside what it has written. So after a restart, a crash or not, it is known which units are there: those
//! that the server reads from its own file and that are not here yet are added, and those that it has lost go.
#![deny(unsafe_code)]

mod log;

use crate::log::{Limits, Log, Unit};
use plinth_module::prelude::*;
use std::cell::{Cell, RefCell};
use std::path::Path;

static FOLDER: ConfigText = ConfigText::new();
static SEGMENT_BYTES: ConfigInteger = ConfigInteger::new();
static SEGMENTS_MAX: ConfigInteger = ConfigInteger::new();

/// What the module keeps.
struct State {
    log: RefCell<Log>,
    units: Cell<i64>,
    errors: Cell<i64>,
    /// Why nothing can be written at present.
    error: RefCell<String>,
}

fn start(call: &mut Call<'_>) -> Result {
    let folder = String::from_utf8_lossy(&FOLDER.get()).into_owned();
    let log = Log::open(Path::new(&folder))
        .map_err(|error| call.reply.error(&format!("ERR the folder {folder} cannot be used: {error}")))?;
    let (units, errors) = (Cell::new(0), Cell::new(0));
    call.set_data(State { log: RefCell::new(log), units, errors, error: RefCell::default() })?;
    call.events.subscribe(ON_UNIT, (), told)?;
    Ok(())
}

fn told(call: &mut Call<'_>, event: &Event<'_>, _: &()) {
    let (Some(state), Some(unit)) = (call.data::<State>(), event.unit()) else { return };
    let commands: Vec<(u32, &[u8])> = unit.commands().collect();
    let Ok(history) = std::str::from_utf8(unit.history()) else { return };
    let told = Unit { history, number: unit.number(), is_replayed: unit.is_replayed(), commands: &commands };
    let limits = Limits {
        segment_bytes: SEGMENT_BYTES.get().unsigned_abs(),
        segments_max: usize::try_from(SEGMENTS_MAX.get()).unwrap_or(0),
    };
    let taken = state.log.borrow_mut().take(&told, limits);
    let mut error = state.error.borrow_mut();
    match taken {
        Ok(()) => {
            state.units.set(state.units.get() + 1);
            if !error.is_empty() {
                error.clear();
                call.log(LOG_WARNING, "The log is written again; units are missing from it.");
            }
        }
        Err(reason) => {
            state.errors.set(state.errors.get() + 1);
            if error.is_empty() {
                call.log(LOG_WARNING, &format!("The log cannot be written: {reason}"));
            }
            *error = reason.to_string();
        }
    }
}

static SECTIONS: [Section; 1] = [section("", |call, out| {
    let Some(state) = call.data::<State>() else { return };
    let log = state.log.borrow();
    out.text("history", log.end().map_or("", |end| &end.history));
    out.integer("last_unit", log.end().map_or(0, |end| end.unit as i64));
    out.integer("units", state.units.get());
    out.integer("segments", log.segments() as i64);
    out.integer("gaps", log.gaps as i64);
    out.integer("errors", state.errors.get());
    out.text("error", &state.error.borrow());
})];

static PARAMETERS: [Config; 3] = [
    Config { flags: CONFIG_IMMUTABLE, ..FOLDER.declare("folder", "changes") },
    SEGMENT_BYTES.declare_memory("segment-bytes", "64mb", 1024, i64::MAX),
    SEGMENTS_MAX.declare("segments-max", "1024", 0, 1_000_000),
];

export!(Module {
    name: "change-log",
    version: "0.1.0",
    configs: &PARAMETERS,
    infos: &SECTIONS,
    start: Some(start),
    ..Module::NEW
});
