//! Publishing: a message to the members of its topic, and of the patterns that fit.
//!
//! ```text
//!   *3 $7 message  $c channel $m message            *4 $8 pmessage $p pattern $c channel $m message
//! ```
//!
//! A long message is copied once, however many are sent it, and under however many patterns; of a short one
//! each output has its copy, which costs less than a share.

use crate::bus;
use crate::topics::Kind;
use plinth_module::glob::Pattern;
use plinth_module::prelude::*;

/// Least bytes of a message that is shared.
const SHARED_BYTES_MIN: usize = 2048;

/// Writes a bulk string.
fn bulk(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(format!("${}\r\n", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

/// Sends a message to those who listen to a channel; how many. O(N + M) for N of them and M patterns.
pub(crate) fn publish<'a>(call: &mut Call<'a>, kind: Kind, channel: &[u8], message: &[u8]) -> Result<u64> {
    // Nothing of a module runs until it is given back: to push puts bytes into outputs.
    let bus = bus();
    let topics = bus.topics(kind);
    let topic = topics.find(channel).map(|number| topics.get(number));
    if topic.is_none() && (kind == Kind::Shard || bus.topics(Kind::Pattern).is_empty()) {
        return Ok(0);
    }
    let (mut shared, mut receivers) = (None, 0);
    let (mut clients, mut head) = (Vec::new(), Vec::new());
    let mut send = |call: &mut Call<'a>, words: &[&[u8]], clients: &[u64]| -> Result {
        if clients.is_empty() {
            return Ok(());
        }
        head.clear();
        head.extend_from_slice(format!("*{}\r\n", words.len() + 1).as_bytes());
        words.iter().for_each(|word| bulk(&mut head, word));
        if message.len() < SHARED_BYTES_MIN {
            bulk(&mut head, message);
        } else if shared.is_none() {
            shared = Some(call.clients.share(message)?);
        }
        receivers += call.clients.push_all(clients, &head, shared) as u64;
        Ok(())
    };
    if let Some(topic) = topic {
        clients.extend(bus.clients_of(topic));
        let word: &[u8] = if kind == Kind::Shard { b"smessage" } else { b"message" };
        send(call, &[word, channel], &clients)?;
    }
    if kind == Kind::Channel {
        for pattern in bus.topics(Kind::Pattern).iter() {
            if Pattern::new(pattern.name()).matches(channel) {
                clients.clear();
                clients.extend(bus.clients_of(pattern));
                send(call, &[&b"pmessage"[..], pattern.name(), channel], &clients)?;
            }
        }
    }
    Ok(receivers)
}
