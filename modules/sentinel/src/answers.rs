//! What answers and messages mean.

use crate::machine::{HELLO_CHANNEL, Sentinel};
use crate::model::{Expect, Id, Kind, Ms};
use crate::reply::Reply;

impl Sentinel {
    /// Something has come on a link: an answer, or a message on one that listens.
    pub fn came(&mut self, link: u64, reply: Reply, now: Ms) {
        let Some((id, listens)) = self.owner(link) else { return };
        let Some(at) = self.group_of(id) else { return };
        let Some(one) = self.groups[at].get_mut(id) else { return };
        if listens {
            one.pc_activity = now;
            if one.pc.pending.pop_front() == Some(Expect::Subscribed) && matches!(reply, Reply::Error(_)) {
                // It may not listen: with another password, perhaps, it may.
                return self.disconnect_one(at, id, true);
            }
            let Reply::Array(items) = reply else { return };
            if let [Reply::Bulk(kind), Reply::Bulk(channel), Reply::Bulk(text)] = &items[..]
                && kind == b"message"
                && channel == HELLO_CHANNEL.as_bytes()
            {
                self.hello_came(text, now);
            }
            return;
        }
        match (one.cc.pending.pop_front(), reply) {
            (Some(Expect::Pong), Reply::Simple(text)) => self.pong_came(at, id, &text, now),
            (Some(Expect::Pong), Reply::Error(text)) => self.pong_came(at, id, &text, now),
            (Some(Expect::Info), Reply::Bulk(text)) => {
                self.info_came(at, id, &String::from_utf8_lossy(&text), now);
            }
            (Some(Expect::Vote), Reply::Array(items)) => {
                if let [Reply::Integer(down), Reply::Bulk(leader), Reply::Integer(epoch)] = &items[..] {
                    let leader = String::from_utf8_lossy(leader);
                    self.vote_came(at, id, *down == 1, &leader, (*epoch).max(0) as u64, now);
                }
            }
            _ => {}
        }
    }

    /// PING has been answered.
    fn pong_came(&mut self, at: usize, id: Id, text: &[u8], now: Ms) {
        let is_pong = text.starts_with(b"PONG");
        let serves = is_pong || text.starts_with(b"LOADING") || text.starts_with(b"MASTERDOWN");
        let group = &mut self.groups[at];
        if is_pong && group.master.id == id {
            group.rebooted_since = None;
        }
        let Some(one) = group.get_mut(id) else { return };
        one.last_pong = now;
        if serves {
            (one.last_avail, one.act_ping) = (now, 0);
        }
        let is_busy = text.starts_with(b"BUSY") && one.s_down && !one.script_killed;
        if is_busy && one.kind != Kind::Sentinel {
            one.script_killed = true;
            self.send(at, id, &["SCRIPT", "KILL"], Expect::Nothing);
        }
    }
}
