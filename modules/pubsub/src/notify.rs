//! Keyspace notifications: what happens to keys, told on channels, as far as `notify-keyspace-events` says.
//!
//! ```text
//!   K    __keyspace@<db>__:<key>      the event's name
//!   E    __keyevent@<db>__:<name>     the key
//! ```
//!
//! The hook is there only while the parameter asks for anything, and for the classes that it asks for: without,
//! nothing is noted on its account. Source: <https://redis.io/docs/latest/develop/pubsub/keyspace-notifications/>.

use crate::publish::publish;
use crate::topics::Kind;
use crate::{bus, state};
use plinth_module::prelude::*;

/// The parameter.
pub(crate) const PARAMETER: &str = "notify-keyspace-events";

/// Letters of the classes that `A` stands for.
const CLASSES_OF_ALL: &[(u8, u32)] = &[
    (b'g', EVENT_GENERIC),
    (b'$', EVENT_STRING),
    (b'l', EVENT_LIST),
    (b's', EVENT_SET),
    (b'h', EVENT_HASH),
    (b'z', EVENT_ZSET),
    (b'x', EVENT_EXPIRED),
    (b'e', EVENT_EVICTED),
    (b't', EVENT_STREAM),
    (b'd', EVENT_MODULE),
];
/// Those that it does not.
const OTHER_CLASSES: &[(u8, u32)] = &[(b'm', EVENT_MISS), (b'n', EVENT_NEW)];

/// On which channels events are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Forms {
    by_key: bool,
    by_event: bool,
}

/// What the parameter's text asks for: classes, and forms.
fn read(text: &[u8]) -> (u32, Forms) {
    let asks = |letter: u8| text.contains(&letter);
    let of_all = CLASSES_OF_ALL.iter().filter(|(letter, _)| asks(*letter) || asks(b'A'));
    let others = OTHER_CLASSES.iter().filter(|(letter, _)| asks(*letter));
    let classes = of_all.chain(others).fold(0, |classes, (_, class)| classes | class);
    (classes, Forms { by_key: asks(b'K'), by_event: asks(b'E') })
}

/// The parameter may have changed: hook what it asks for.
pub(crate) fn follow(call: &mut Call<'_>) {
    let Ok(state) = state(call) else { return };
    if let Some(before) = state.notified.take() {
        let _ = call.events.unsubscribe(before);
    }
    let (classes, forms) = read(&call.config.get(PARAMETER).unwrap_or_default());
    if classes != 0 && (forms.by_key || forms.by_event) {
        match call.events.subscribe_keys(classes, forms, tell) {
            Ok(subscription) => state.notified.set(Some(subscription)),
            Err(_) => call.log(LOG_WARNING, "keyspace notifications are not told: the hook was refused"),
        }
    }
}

/// Tells of an event.
fn tell(call: &mut Call<'_>, event: &Event<'_>, forms: &Forms) {
    let Some(db) = event.db() else { return };
    let nobody = {
        let bus = bus();
        bus.topics(Kind::Channel).is_empty() && bus.topics(Kind::Pattern).is_empty()
    };
    if nobody {
        return;
    }
    let mut send = |kind: &str, name: &[u8], message: &[u8]| {
        let channel = [format!("__{kind}@{db}__:").as_bytes(), name].concat();
        if publish(call, Kind::Channel, &channel, message).is_err() {
            call.log(LOG_WARNING, "a keyspace notification is lost: there is no memory for it");
        }
    };
    if forms.by_key {
        send("keyspace", event.key(), event.name());
    }
    if forms.by_event {
        send("keyevent", event.name(), event.key());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_classes_and_forms() {
        let both = Forms { by_key: true, by_event: true };
        assert_eq!(read(b""), (0, Forms { by_key: false, by_event: false }));
        assert_eq!(read(b"KE"), (0, both));
        assert_eq!(read(b"g$K"), (EVENT_GENERIC | EVENT_STRING, Forms { by_event: false, ..both }));
        let all = read(b"AKE").0;
        assert_eq!(all, read(b"g$lshzxetdKE").0);
        assert_eq!(all & (EVENT_MISS | EVENT_NEW), 0);
        assert_eq!(read(b"AmnE"), (all | EVENT_MISS | EVENT_NEW, Forms { by_key: false, ..both }));
    }
}
