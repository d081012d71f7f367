//! Channels: messages to whoever listens, and what happens to keys told on them.
//!
//! ```text
//!   SUBSCRIBE ──> bus: a member of a topic          clients.listen: the host knows how much it listens to
//!   PUBLISH ──> the topic's members ──> clients.push_all ──> their outputs, one copy of a long message
//!               patterns that fit   ──>
//!   an event of a key ──> notify ──> PUBLISH to __keyspace@0__:key and __keyevent@0__:event
//!   a client leaves, or RESETs ──> bus: its member leaves, at once or in steps
//! ```
//!
//! Reading order: [`topics`] (names and who joined each), [`bus`] (who joined what), `publish`,
//! `notify`, then the commands.
//!
//! The rest is the host's: what a client that listens may run, in which order replies and messages go, how much
//! may wait for it, what CLIENT LIST shows of it. Other modules publish by `plinth.bus/1`.
//!
//! *Invariant*: what the host was told by `listen` is what the bus holds, whenever no handler runs.
//!
//! *What is deliberately absent*: a list of messages. What nobody listens to is gone.

#![deny(unsafe_code)]

pub mod bus;
mod commands;
mod notify;
mod publish;
pub mod topics;

use crate::bus::Bus;
use crate::topics::Kind;
use plinth_module::bus::{BusProvider, BusService, table};
use plinth_module::prelude::*;
use std::cell::Cell;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// Who listens to what. A static, because other modules publish with calls of their own, which know nothing of
/// this one's data.
static BUS: LazyLock<Mutex<Bus>> = LazyLock::new(Mutex::default);

/// The bus, which only the main thread asks for. It is let go of before anything runs that could ask again.
fn bus() -> MutexGuard<'static, Bus> {
    BUS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the module keeps besides, for its own calls.
#[derive(Default)]
struct State {
    /// The hook on keys, while `notify-keyspace-events` asks for any.
    notified: Cell<Option<Subscription<notify::Forms>>>,
    /// Whether a timer takes those out of their topics who have left.
    is_sweeping: Cell<bool>,
}

/// Most subscriptions of a client, of all kinds together.
static SUBSCRIPTIONS_MAX: ConfigInteger = ConfigInteger::new();

static PARAMETERS: [Config; 1] = [SUBSCRIPTIONS_MAX.declare("client-subscriptions-max", "1000000", 1, u32::MAX as i64)];

/// Topics that a member leaves in one step when it had too many to leave all at once.
const STEP_MAX: usize = 500;
/// Time between two steps.
const STEP_MS: u64 = 1;

fn state<'a>(call: &Call<'a>) -> Result<&'a State> {
    call.data::<State>().ok_or(Error::Unsupported)
}

fn start(call: &mut Call<'_>) -> Result {
    *bus() = Bus::default();
    call.set_data(State::default())?;
    call.events.subscribe(ON_CLIENT_CLOSE | ON_CLIENT_RESET, (), client_left)?;
    call.events.subscribe(ON_CONFIG, (), |call, event, ()| {
        if event.key() == notify::PARAMETER.as_bytes() {
            notify::follow(call);
        }
    })?;
    call.events.subscribe(ON_ACL, (), users_changed)?;
    notify::follow(call);
    Ok(())
}

/// A client is gone, or has begun anew.
fn client_left(call: &mut Call<'_>, event: &Event<'_>, (): &()) {
    let Ok(state) = state(call) else { return };
    let client = event.client_id();
    if !bus().depart(client, STEP_MAX) {
        return;
    }
    if event.kind() == ON_CLIENT_RESET {
        // It is there, and it listens to nobody else.
        let _ = call.clients.listen(client, Listening::default());
    }
    if bus().is_sweep_due() && !state.is_sweeping.get() {
        state.is_sweeping.set(call.timers.start(STEP_MS, (), sweep).is_ok());
    }
}

/// What a user may do has changed, or any: whoever listens to what it may listen to no more is disconnected.
fn users_changed(call: &mut Call<'_>, event: &Event<'_>, (): &()) {
    let mut denied = Vec::new();
    {
        let bus = bus();
        for client in bus.clients() {
            let Ok(user) = call.acl.user_of(client) else { continue };
            if !event.key().is_empty() && user != event.key() {
                continue;
            }
            let is_denied = |(kind, name): (Kind, &[u8])| {
                let flags = CHANNEL_SUBSCRIBE | if kind == Kind::Pattern { CHANNEL_PATTERN } else { 0 };
                // A user that is not there any more has had its clients disconnected.
                call.acl.check_channel(&user, name, flags) == Ok(false)
            };
            if bus.joined(client).any(is_denied) {
                denied.push(client);
            }
        }
    }
    for client in denied {
        // It was there just now.
        let _ = call.clients.disconnect(client);
    }
}

/// One step of taking those out of their topics who have left.
fn sweep(call: &mut Call<'_>, (): ()) {
    let Ok(state) = state(call) else { return };
    let more = bus().sweep(STEP_MAX);
    state.is_sweeping.set(more && call.timers.start(STEP_MS, (), sweep).is_ok());
}

fn fields(_call: &mut Call<'_>, out: &mut InfoWriter<'_>) {
    let bus = bus();
    out.integer("pubsub_channels", bus.topics(Kind::Channel).len() as i64);
    out.integer("pubsub_patterns", bus.topics(Kind::Pattern).len() as i64);
    out.integer("pubsubshard_channels", bus.topics(Kind::Shard).len() as i64);
}

/// The bus as other modules see it.
struct Provider;

impl BusProvider for Provider {
    fn publish(call: &mut Call<'_>, channel: &[u8], message: &[u8]) -> Result<u64> {
        publish::publish(call, Kind::Channel, channel, message)
    }
}

static TABLE: BusService = table::<Provider>();

export!(Module {
    name: "pubsub",
    version: env!("CARGO_PKG_VERSION"),
    provides: &[provided(&TABLE)],
    commands: commands::ALL,
    configs: &PARAMETERS,
    infos: &[fields_of("stats", fields)],
    start: Some(start),
    stop: Some(|_call| *bus() = Bus::default()),
    ..Module::NEW
});
