//! A group against a plain model: who gets which entry, what is pending and how often it was delivered.

#![deny(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used)]

use plinth_testbed::Testbed;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write;

/// A stream with one group, as plain maps.
#[derive(Default)]
struct Model {
    entries: BTreeMap<u64, u64>,
    last_added: u64,
    last_read: u64,
    /// By id: consumer and how often delivered.
    pending: BTreeMap<u64, (u8, u64)>,
}

#[derive(Clone, Debug)]
enum Step {
    Add(u64),
    Delete(Vec<u64>),
    Trim(usize),
    Read(u8, usize),
    History(u8, u64),
    Acknowledge(Vec<u64>),
    Claim(u8, Vec<u64>, bool),
    Page(u8, u64, usize),
    SetBack(u64),
    DeleteConsumer(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let ids = || prop::collection::vec(1..60_u64, 1..5);
    prop_oneof![
        6 => (1..3_u64).prop_map(Step::Add),
        2 => ids().prop_map(Step::Delete),
        1 => (0..20_usize).prop_map(Step::Trim),
        5 => (0..3_u8, 1..5_usize).prop_map(|(consumer, count)| Step::Read(consumer, count)),
        2 => (0..3_u8, 0..60_u64).prop_map(|(consumer, id)| Step::History(consumer, id)),
        3 => ids().prop_map(Step::Acknowledge),
        3 => (0..3_u8, ids(), any::<bool>()).prop_map(|(consumer, ids, force)| Step::Claim(consumer, ids, force)),
        2 => (0..3_u8, 0..60_u64, 1..4_usize).prop_map(|(consumer, id, count)| Step::Page(consumer, id, count)),
        1 => (0..60_u64).prop_map(Step::SetBack),
        1 => (0..3_u8).prop_map(Step::DeleteConsumer),
    ]
}

fn spelt(ids: &[u64]) -> String {
    ids.iter().map(|id| format!(" {id}")).collect()
}

impl Step {
    /// The command.
    fn line(&self, model: &Model) -> String {
        match self {
            Step::Add(more) => format!("XADD s {} f {}", model.last_added + more, model.last_added + more),
            Step::Delete(ids) => format!("XDEL s{}", spelt(ids)),
            Step::Trim(count) => format!("XTRIM s MAXLEN {count}"),
            Step::Read(consumer, count) => format!("XREADGROUP GROUP g c{consumer} COUNT {count} STREAMS s >"),
            Step::History(consumer, id) => format!("XREADGROUP GROUP g c{consumer} STREAMS s {id}"),
            Step::Acknowledge(ids) => format!("XACK s g{}", spelt(ids)),
            Step::Claim(consumer, ids, force) => {
                format!("XCLAIM s g c{consumer} 0{}{} JUSTID", spelt(ids), if *force { " FORCE" } else { "" })
            }
            Step::Page(consumer, id, count) => format!("XAUTOCLAIM s g c{consumer} 0 {id} COUNT {count}"),
            Step::SetBack(id) => format!("XGROUP SETID s g {id}"),
            Step::DeleteConsumer(consumer) => format!("XGROUP DELCONSUMER s g c{consumer}"),
        }
    }
}

impl Model {
    fn entry(&self, id: u64) -> String {
        format!("*2|{}*2|$1|f|{}", id_of(id), bulk(&self.entries[&id].to_string()))
    }

    fn read(&mut self, consumer: u8, count: usize) -> String {
        let ids: Vec<u64> = self.entries.range(self.last_read + 1..).map(|(id, _)| *id).take(count).collect();
        let Some(last) = ids.last() else { return "*-1|".into() };
        self.last_read = *last;
        let mut answer = format!("*1|*2|$1|s|*{}|", ids.len());
        for id in &ids {
            self.pending.insert(*id, (consumer, 1));
            answer += &self.entry(*id);
        }
        answer
    }

    fn history(&mut self, consumer: u8, behind: u64) -> String {
        let mine = self.pending.range(behind + 1..).filter(|(_, (whose, _))| *whose == consumer);
        let ids: Vec<u64> = mine.map(|(id, _)| *id).collect();
        let mut answer = format!("*1|*2|$1|s|*{}|", ids.len());
        for id in ids {
            if self.entries.contains_key(&id) {
                self.pending.entry(id).and_modify(|(_, deliveries)| *deliveries += 1);
                answer += &self.entry(id);
            } else {
                write!(answer, "*2|{}*-1|", id_of(id)).unwrap();
            }
        }
        answer
    }

    fn claim(&mut self, consumer: u8, ids: &[u64], force: bool) -> String {
        let mut claimed = Vec::new();
        for id in ids {
            if !self.entries.contains_key(id) {
                self.pending.remove(id);
            } else if self.pending.contains_key(id) || force {
                self.pending.entry(*id).or_insert((consumer, 1)).0 = consumer;
                claimed.push(id_of(*id));
            }
        }
        format!("*{}|{}", claimed.len(), claimed.concat())
    }

    fn page(&mut self, consumer: u8, start: u64, count: usize) -> String {
        let ids: Vec<u64> = self.pending.range(start..).map(|(id, _)| *id).collect();
        let next = ids.get(count).copied().unwrap_or(0);
        let (mut claimed, mut deleted) = (Vec::new(), Vec::new());
        for id in ids.into_iter().take(count) {
            if self.entries.contains_key(&id) {
                self.pending.entry(id).and_modify(|nack| *nack = (consumer, nack.1 + 1));
                claimed.push(self.entry(id));
            } else {
                self.pending.remove(&id);
                deleted.push(id_of(id));
            }
        }
        let (claims, deletions) = (claimed.len(), deleted.len());
        format!("*3|{}*{claims}|{}*{deletions}|{}", id_of(next), claimed.concat(), deleted.concat())
    }

    /// Does a step; what is to be answered.
    fn run(&mut self, step: &Step) -> String {
        match step {
            Step::Add(more) => {
                self.last_added += more;
                self.entries.insert(self.last_added, self.last_added);
                id_of(self.last_added)
            }
            Step::Delete(ids) => {
                format!(":{}|", ids.iter().filter(|id| self.entries.remove(id).is_some()).count())
            }
            Step::Trim(count) => {
                let over = self.entries.len().saturating_sub(*count);
                (0..over).for_each(|_| _ = self.entries.pop_first());
                format!(":{over}|")
            }
            Step::Read(consumer, count) => self.read(*consumer, *count),
            Step::History(consumer, behind) => self.history(*consumer, *behind),
            Step::Acknowledge(ids) => {
                format!(":{}|", ids.iter().filter(|id| self.pending.remove(id).is_some()).count())
            }
            Step::Claim(consumer, ids, force) => self.claim(*consumer, ids, *force),
            Step::Page(consumer, start, count) => self.page(*consumer, *start, *count),
            Step::SetBack(id) => {
                self.last_read = *id;
                "+OK|".into()
            }
            Step::DeleteConsumer(consumer) => {
                let before = self.pending.len();
                self.pending.retain(|_, (whose, _)| whose != consumer);
                format!(":{}|", before - self.pending.len())
            }
        }
    }

    /// All that is pending, as XPENDING shows it when no time has passed.
    fn pending(&self) -> String {
        let one = |(id, (consumer, deliveries)): (&u64, &(u8, u64))| {
            format!("*4|{}$2|c{consumer}|:0|:{deliveries}|", id_of(*id))
        };
        format!("*{}|{}", self.pending.len(), self.pending.iter().map(one).collect::<String>())
    }
}

fn bulk(text: &str) -> String {
    format!("${}|{text}|", text.len())
}

fn id_of(ms: u64) -> String {
    bulk(&format!("{ms}-0"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_group_does_what_plain_maps_do(steps in prop::collection::vec(step(), 1..120)) {
        let mut host = Testbed::new(&plinth_stream::plinth_module_entry).unwrap();
        let mut run = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            String::from_utf8_lossy(&host.run(&words)).replace("\r\n", "|")
        };
        run("XGROUP CREATE s g 0 MKSTREAM");
        let mut model = Model::default();
        for step in steps {
            let line = step.line(&model);
            prop_assert_eq!(run(&line), model.run(&step), "{}", line);
            prop_assert_eq!(run("XPENDING s g - + 1000"), model.pending(), "after {}", line);
            prop_assert_eq!(run("XLEN s"), format!(":{}|", model.entries.len()));
        }
    }
}
