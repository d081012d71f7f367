//! What is published of keys and passed on to replicas: an observer beside the server's own, which keeps
//! it.

use crate::Testbed;
use plinth::engine::effects::Observer;
use plinth::engine::server::Server;
use plinth::store::effects::Effect;
use plinth::wire::request::{Limits, Parsed, Parser};
use plinth_abi::keys::{EVENT_MISS, EVENT_NEW};
use std::sync::OnceLock;

/// An event of a key, as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEvent {
    /// Database.
    pub db: u32,
    /// An `EVENT_*` bit, 0 without a name.
    pub class: u32,
    /// Name, such as `set`; empty for a change that nobody is told of.
    pub name: String,
    /// The key.
    pub key: Vec<u8>,
    /// Whether it was said that the value changed.
    pub is_modified: bool,
}

/// What has happened since it was last asked for.
#[derive(Default)]
struct Seen {
    events: Vec<KeyEvent>,
    /// Whether the last is a change whose event, if it has one, comes next.
    is_open: bool,
    /// Commands that were passed on.
    passed_on: Vec<Vec<Vec<u8>>>,
}

/// The server's observers and this one. The list is the same for every server.
pub(crate) fn with_own(observers: &'static [Observer]) -> &'static [Observer] {
    static ALL: OnceLock<Vec<Observer>> = OnceLock::new();
    ALL.get_or_init(|| [observers, &[observe]].concat())
}

fn observe(server: &mut Server, effect: &Effect) {
    server.slots.with(|seen: &mut Seen| match effect {
        Effect::Changed { db, key, .. } => {
            let event = KeyEvent { db: *db, class: 0, name: String::new(), key: key.clone(), is_modified: true };
            seen.events.push(event);
            seen.is_open = true;
        }
        // That there is a new key, or that one was not found, is of interest to few: not even the
        // server's own notifications tell it unless they are asked to.
        Effect::Event { class, .. } if class & (EVENT_NEW | EVENT_MISS) != 0 => {}
        Effect::Event { db, key, class, name } => {
            let name = String::from_utf8_lossy(name).into_owned();
            let is_of_change = std::mem::take(&mut seen.is_open);
            match seen.events.last_mut().filter(|last| is_of_change && last.db == *db && last.key == *key) {
                Some(change) => (change.class, change.name) = (*class, name),
                None => {
                    seen.events.push(KeyEvent { db: *db, class: *class, name, key: key.clone(), is_modified: false })
                }
            }
        }
        Effect::Propagate { command, .. } => seen.passed_on.push(words(command)),
        Effect::Flushed { .. } | Effect::Swapped { .. } | Effect::UnitEnd => {}
    });
}

/// The words of a command, which is as clients send it.
fn words(command: &[u8]) -> Vec<Vec<u8>> {
    let mut spans = Vec::new();
    let parsed = Parser::default().parse(command, &Limits::default(), &mut spans);
    assert!(matches!(parsed, Ok(Parsed::Complete { .. })), "what is passed on is a whole command");
    spans.iter().map(|span| command[span.start..span.start + span.len].to_vec()).collect()
}

impl Testbed {
    /// The events of keys since this was last asked, but those of new and of missing keys.
    pub fn take_events(&mut self) -> Vec<KeyEvent> {
        self.server.slots.with(|seen: &mut Seen| {
            seen.is_open = false;
            std::mem::take(&mut seen.events)
        })
    }

    /// The names of the events of keys since they were last asked for.
    pub fn take_event_names(&mut self) -> Vec<String> {
        self.take_events().into_iter().map(|event| event.name).collect()
    }

    /// The commands that were passed on to replicas since this was last asked, those of all databases.
    pub fn take_propagated(&mut self) -> Vec<Vec<Vec<u8>>> {
        self.server.slots.with(|seen: &mut Seen| std::mem::take(&mut seen.passed_on))
    }
}
