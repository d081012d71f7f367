//! The mock's state: everything that a host would keep, in plain collections.

use super::block::Waiting;
use crate::abi;
use crate::abi::bytes::{Bytes, Opaque};
use crate::abi::call::Call;
use crate::abi::command::Command;
use crate::abi::config::Config;
use crate::abi::events::Hook;
use crate::abi::keys::EXPIRE_NONE;
use crate::abi::reply::Reply;
use crate::abi::timers::Fire;
use crate::abi::value::{FORM_BOXED, FORM_INLINE, Type, Value};
use std::collections::{BTreeMap, HashMap};
use std::ptr::{NonNull, null_mut};
use std::sync::{Mutex, PoisonError};

/// Number of databases.
pub(super) const DATABASES: usize = 16;
/// The clock of a new mock: some day in 2023, so that times look like times.
pub(super) const START_MS: i64 = 1_700_000_000_000;
/// What inline bytes hold that nobody has filled.
pub(super) const UNFILLED: u8 = 0xa5;

/// One database.
pub(super) type Database = HashMap<Vec<u8>, NonNull<Item>>;

/// A key with its value. Its address is what entries hold.
pub(super) struct Item {
    pub(super) type_id: u32,
    pub(super) tag: u32,
    pub(super) form: Form,
    pub(super) expire_at_ms: i64,
}

/// The two forms of a value.
pub(super) enum Form {
    Inline(Vec<u8>),
    Boxed(Opaque),
}

impl Item {
    /// The value as a type's functions want it.
    pub(super) fn value(&mut self) -> Value {
        let (form, data, len, boxed) = match &mut self.form {
            Form::Inline(bytes) => (FORM_INLINE, bytes.as_mut_ptr(), bytes.len(), null_mut()),
            Form::Boxed(boxed) => (FORM_BOXED, null_mut(), 0, *boxed),
        };
        Value { size: size_of::<Value>() as u32, form, tag: self.tag, reserved: 0, data, len, boxed }
    }

    /// Whether it is past its time.
    pub(super) fn is_expired(&self, now_ms: i64) -> bool {
        self.expire_at_ms != EXPIRE_NONE && self.expire_at_ms <= now_ms
    }
}

/// A module that is loaded.
pub(super) struct LoadedModule {
    pub(super) entry: &'static abi::entry::Module,
    pub(super) name: String,
    pub(super) data: Opaque,
    pub(super) is_gone: bool,
}

/// A command and whose it is.
#[derive(Clone, Copy)]
pub(super) struct Registered {
    pub(super) command: *const Command,
    pub(super) module: usize,
}

/// A parameter as it stands.
pub(super) struct Parameter {
    /// Its second name, or an empty one.
    pub(super) alias: String,
    pub(super) config: *const Config,
    pub(super) module: usize,
    pub(super) text: Vec<u8>,
    pub(super) number: i64,
}

/// A subscription.
#[derive(Clone, Copy)]
pub(super) struct Subscribed {
    pub(super) id: u64,
    pub(super) kinds: u32,
    pub(super) hook: Hook,
    pub(super) data: Opaque,
    pub(super) module: usize,
}

/// A timer that has not fired.
#[derive(Clone, Copy)]
pub(super) struct Started {
    pub(super) id: u64,
    pub(super) at_ms: i64,
    pub(super) fire: Fire,
    pub(super) data: Opaque,
    pub(super) module: usize,
}

/// An event of a key, as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEvent {
    /// Database.
    pub db: u32,
    /// An `EVENT_*` bit.
    pub class: u32,
    /// Name, such as `set`.
    pub name: String,
    /// The key.
    pub key: Vec<u8>,
    /// Whether it was said that the value changed.
    pub is_modified: bool,
}

/// Everything.
pub(super) struct State {
    pub(super) host: &'static abi::host::Host,
    pub(super) log: &'static Mutex<Vec<String>>,
    pub(super) databases: Vec<Database>,
    pub(super) types: BTreeMap<u32, &'static Type>,
    pub(super) modules: Vec<LoadedModule>,
    pub(super) commands: HashMap<Vec<u8>, Registered>,
    pub(super) provided: HashMap<Vec<u8>, (Opaque, usize)>,
    pub(super) parameters: BTreeMap<String, Parameter>,
    pub(super) hooks: Vec<Subscribed>,
    pub(super) timers: Vec<Started>,
    pub(super) events: Vec<KeyEvent>,
    pub(super) propagated: Vec<Vec<Vec<u8>>>,
    pub(super) pushed: BTreeMap<u64, Vec<u8>>,
    pub(super) now_ms: i64,
    pub(super) db: u32,
    pub(super) resp: u32,
    pub(super) dirty: u64,
    pub(super) id_last: u64,
    pub(super) hook_depth: u32,
    pub(super) run_depth: u32,
    pub(super) refuses_memory: bool,
    /// `CALL_*` bits of commands that are not nested.
    pub(super) call_flags: u32,
    /// Who waits, in order.
    pub(super) waiting: Vec<Waiting>,
    /// Keys that were changed while somebody waits, by database.
    pub(super) ready: Vec<(u32, Vec<u8>)>,
    /// The ticket for which a command is being run again.
    pub(super) resumed: Option<u64>,
    /// What those who waited were sent.
    pub(super) served: Vec<(u64, Vec<u8>)>,
}

/// One run of a function of the module: the call that it gets, and behind it what only the mock
/// knows. A pointer to the call is a pointer to the frame.
#[repr(C)]
pub(super) struct Frame {
    pub(super) call: Call,
    pub(super) state: Host,
    pub(super) output: Output,
    pub(super) module: usize,
    pub(super) args: Vec<Vec<u8>>,
    pub(super) arg_bytes: Vec<Bytes>,
    pub(super) instead: Option<Vec<Vec<Vec<u8>>>>,
    pub(super) waits: Option<Waiting>,
}

/// A reply in the making. A pointer to the reply is a pointer to the output.
#[repr(C)]
pub(super) struct Output {
    pub(super) reply: Reply,
    pub(super) bytes: Vec<u8>,
    pub(super) marks: Vec<usize>,
}

/// The way to the state from inside a function of a table.
#[derive(Clone, Copy)]
pub(super) struct Host(NonNull<State>);

impl Host {
    /// # Safety
    /// The state outlives every use, on one thread.
    pub(super) unsafe fn new(state: NonNull<State>) -> Host {
        Host(state)
    }

    /// # Safety
    /// `call` is the call of a frame that is on the stack.
    pub(super) unsafe fn of(call: *mut Call) -> Host {
        // SAFETY: a call of the mock is the beginning of a frame.
        unsafe { (*call.cast::<Frame>()).state }
    }

    /// Works on the state. `work` calls no code of a module, so that no two borrows meet.
    pub(super) fn with<R>(self, work: impl FnOnce(&mut State) -> R) -> R {
        // SAFETY: the state is alive, this is its thread, and borrows end with `work`.
        work(unsafe { &mut *self.0.as_ptr() })
    }
}

impl State {
    pub(super) fn new() -> State {
        let log: &'static Mutex<Vec<String>> = Box::leak(Box::default());
        State {
            host: super::host::leak_host(log),
            log,
            databases: (0..DATABASES).map(|_| Database::new()).collect(),
            types: BTreeMap::new(),
            modules: Vec::new(),
            commands: HashMap::new(),
            provided: HashMap::new(),
            parameters: BTreeMap::new(),
            hooks: Vec::new(),
            timers: Vec::new(),
            events: Vec::new(),
            propagated: Vec::new(),
            pushed: BTreeMap::from([(1, Vec::new())]),
            now_ms: START_MS,
            db: 0,
            resp: 2,
            dirty: 0,
            id_last: 0,
            hook_depth: 0,
            run_depth: 0,
            refuses_memory: false,
            call_flags: 0,
            waiting: Vec::new(),
            ready: Vec::new(),
            resumed: None,
            served: Vec::new(),
        }
    }

    /// The name under which a parameter is kept, given either of its names.
    pub(super) fn parameter_name(&self, name: &str) -> Option<String> {
        if self.parameters.contains_key(name) {
            return Some(name.to_owned());
        }
        let mut named = self.parameters.iter().filter(|(_, one)| !name.is_empty() && one.alias == name);
        named.next().map(|(name, _)| name.clone())
    }

    /// A parameter by either of its names.
    pub(super) fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.get(&self.parameter_name(name)?)
    }

    /// A number that was not given out before.
    pub(super) fn next_id(&mut self) -> u64 {
        self.id_last += 1;
        self.id_last
    }
}

/// The id of a type's name: the same in every mock of the process, because a module's statics are
/// shared by them.
pub(super) fn type_id_of(name: &[u8]) -> u32 {
    let mut names = TYPE_NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let at = names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_vec());
        names.len() - 1
    });
    at as u32 + 1
}

static TYPE_NAMES: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
