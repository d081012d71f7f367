//! The node: some entries as one listpack, the form that files have.
//!
//! ```text
//!   master   [ entries ][ removed ][ names' count ][ name ] ... [ 0 ]
//!   entry    [ flags ][ ms ][ sequence ][ value ] ...                       [ elements before ]
//!            [ flags ][ ms ][ sequence ][ count ][ name ][ value ] ...      [ elements before ]
//!
//!   flags    1 removed     2 the names are the master's
//! ```
//!
//! `ms` and `sequence` are what is to be added to the master id, which stands beside the node; the
//! second may be negative. Entries that were removed, which Redis keeps until the node goes, are passed
//! over when one is read, and never written.
//!
//! A few bytes of an entry may stand for a megabyte of the master's names, which a storage may repeat
//! for each entry. So there is a bound to how much a file has repeated ([`REPEATS_PER_BYTE`]). And where
//! entries lie together by names that no longer are the first one's, a node repeats them: so there is a
//! bound to a node (`NODE_BYTES_MAX`).

use crate::id::Id;
use crate::storage::{Layout, Storage};
use plinth_module::pack::{Digits, Reader, Value, listpack};
use plinth_module::prelude::{Error, Result};
use std::ops::ControlFlow;

const REMOVED: i64 = 1;
const SAME_NAMES: i64 = 2;
/// Bytes that an element has beside its text, or as an integer, about.
const ELEMENT_BYTES: usize = 10;
/// Elements of an entry beside values: flags and both parts of the id.
const HEAD_LEN: usize = 3;

/// Texts one behind the other: room that is used again for each entry.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Texts {
    fn push(&mut self, value: Value<'_>) {
        self.bytes.extend_from_slice(value.text(&mut Digits::new()));
        self.ends.push(self.bytes.len());
    }

    /// The names among names and values in turn.
    fn take_names<'s>(&mut self, fields: impl Iterator<Item = Value<'s>>) {
        self.clear();
        fields.step_by(2).for_each(|name| self.push(name));
    }

    /// Whether they are the names among names and values in turn.
    fn are_of<'s>(&self, fields: impl ExactSizeIterator<Item = Value<'s>>) -> bool {
        fields.len() == 2 * self.len()
            && fields.step_by(2).zip(self.iter()).all(|(name, text)| name.text(&mut Digits::new()) == text)
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    /// One of them.
    ///
    /// # Panics
    /// If there are fewer.
    fn get(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }

    fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> + Clone {
        (0..self.len()).map(|at| self.get(at))
    }
}

// ---- Writing ----

/// Bytes of texts and elements from which on an entry begins another node. What a storage keeps together is
/// far below, unless names that it keeps once are to be repeated.
const NODE_BYTES_MAX: usize = 4 << 20;

fn element_bytes(value: Value<'_>) -> usize {
    match value {
        Value::Text(text) => text.len() + ELEMENT_BYTES,
        Value::Integer(_) => ELEMENT_BYTES,
    }
}

/// A log as nodes: its pieces, in parts where one is too long. The master id of each, and its listpack.
pub fn write<S: Storage>(log: &S) -> impl ExactSizeIterator<Item = (Id, Vec<u8>)> + '_ {
    let mut node = Writer::default();
    plan(log).into_iter().map(move |(master, count)| {
        let mut left = count;
        let _ = log.visit(master..=Id::MAX, |id, fields| {
            node.push(master, count, id, fields);
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        (master, node.finish())
    })
}

/// Where the nodes begin that a log is to be written as, and how many entries each has.
fn plan<S: Storage>(log: &S) -> Vec<(Id, usize)> {
    let (mut nodes, mut names) = (Vec::<(Id, usize)>::new(), Texts::default());
    let mut start = log.first();
    while let Some(first) = start {
        start = log.next_piece(first);
        let end = start.and_then(Id::previous).unwrap_or(Id::MAX);
        let mut bytes = NODE_BYTES_MAX;
        let _ = log.visit(first..=end, |id, fields| {
            let step = if names.are_of(fields.clone()) { 2 } else { 1 };
            let texts = fields.clone().skip(step - 1).step_by(step).map(element_bytes);
            let more = texts.sum::<usize>() + HEAD_LEN * ELEMENT_BYTES;
            bytes = bytes.saturating_add(more);
            match nodes.last_mut() {
                Some((_, count)) if bytes <= NODE_BYTES_MAX => *count += 1,
                _ => {
                    nodes.push((id, 1));
                    names.take_names(fields);
                    bytes = more;
                }
            }
            ControlFlow::<()>::Continue(())
        });
    }
    nodes
}

/// Writes nodes, one after the other.
#[derive(Default)]
struct Writer {
    node: listpack::Writer,
    names: Texts,
}

impl Writer {
    /// Writes an entry. Before the first of a node `count` says how many entries it will have.
    fn push<'s>(&mut self, master: Id, count: usize, id: Id, fields: impl ExactSizeIterator<Item = Value<'s>> + Clone) {
        if self.names.len() == 0 {
            self.begin(count, fields.clone());
        }
        let (is_same, len) = (self.names.are_of(fields.clone()), fields.len());
        self.integer(if is_same { SAME_NAMES } else { 0 });
        self.integer(id.ms.wrapping_sub(master.ms) as i64);
        self.integer(id.seq.wrapping_sub(master.seq) as i64);
        let len = if is_same {
            fields.skip(1).step_by(2).for_each(|value| self.node.push(value));
            HEAD_LEN + len / 2
        } else {
            self.integer((len / 2) as i64);
            fields.for_each(|field| self.node.push(field));
            HEAD_LEN + 1 + len
        };
        self.integer(len as i64);
    }

    /// The master, with the names of the entry that comes first.
    fn begin<'s>(&mut self, count: usize, fields: impl Iterator<Item = Value<'s>>) {
        self.names.take_names(fields);
        self.integer(count as i64);
        self.integer(0);
        self.integer(self.names.len() as i64);
        self.names.iter().for_each(|name| self.node.push(Value::Text(name)));
        self.integer(0);
    }

    fn integer(&mut self, integer: i64) {
        self.node.push(Value::Integer(integer));
    }

    /// The node whose entries were written.
    fn finish(&mut self) -> Vec<u8> {
        self.names.clear();
        std::mem::take(&mut self.node).finish()
    }
}

// ---- Reading ----

/// Layout with which an entry begins another piece.
const APART: Layout = Layout { node_bytes: 0, node_entries: 1 };
/// Layout with which it lies with the one before.
const TOGETHER: Layout = Layout { node_bytes: 0, node_entries: 0 };

/// Most bytes of names that entries say are the master's, for each byte of all nodes. Real nodes have fewer:
/// below the number of their entries, which by default is 100 at most, and below half of the mean length of a
/// name, as each repeated name stands for a value of two bytes at least.
pub const REPEATS_PER_BYTE: usize = 256;
/// As many are taken whatever the nodes' length.
pub const REPEATED_BYTES_MIN: usize = 64 << 20;

/// Reads nodes into a log, one after the other.
#[derive(Default)]
pub struct Loading {
    names: Texts,
    values: Texts,
    last: Option<Id>,
    /// Bytes of the nodes so far, and of the names that their entries repeat.
    node_bytes: usize,
    repeated_bytes: usize,
}

impl Loading {
    /// Adds the entries of a node to the log.
    ///
    /// # Errors
    /// `BadData` when it is no node, its counts are wrong, ids do not rise, or too much is repeated.
    pub fn read<S: Storage>(&mut self, node: &[u8], master: Id, log: &mut S) -> Result {
        self.node_bytes = self.node_bytes.saturating_add(node.len());
        let mut elements = listpack::read(node)?;
        let (live, removed, count) = (length(&mut elements)?, length(&mut elements)?, length(&mut elements)?);
        take(&mut elements, count, &mut self.names)?;
        if integer(&mut elements)? != 0 {
            return Err(Error::BadData);
        }
        let (mut live_seen, mut removed_seen, mut was_same) = (0, 0, false);
        while let Some(flags) = elements.next() {
            let flags = flags?.integer().filter(|flags| flags & !(REMOVED | SAME_NAMES) == 0).ok_or(Error::BadData)?;
            let id = id(&mut elements, master)?;
            let is_same = flags & SAME_NAMES != 0;
            self.fields(&mut elements, is_same)?;
            if flags & REMOVED != 0 {
                removed_seen += 1;
                continue;
            }
            self.rise_to(id)?;
            if self.values.len() == 0 {
                return Err(Error::BadData);
            }
            let layout = if live_seen == 0 { APART } else { TOGETHER };
            live_seen += 1;
            if is_same {
                self.count_repeated()?;
                let (names, values) = (&self.names, &self.values);
                let field = |at: usize| if at.is_multiple_of(2) { names.get(at / 2) } else { values.get(at / 2) };
                let fields = (0..2 * names.len()).map(field);
                if was_same { log.append_same(layout, id, fields) } else { log.append(layout, id, fields) }
            } else {
                log.append(layout, id, self.values.iter());
            }
            was_same = is_same;
        }
        if (live_seen, removed_seen) == (live, removed) { Ok(()) } else { Err(Error::BadData) }
    }

    /// Counts the master's names as repeated once more.
    fn count_repeated(&mut self) -> Result {
        self.repeated_bytes = self.repeated_bytes.saturating_add(self.names.bytes.len());
        let most = self.node_bytes.saturating_mul(REPEATS_PER_BYTE).max(REPEATED_BYTES_MIN);
        if self.repeated_bytes <= most { Ok(()) } else { Err(Error::BadData) }
    }

    /// Checks that an entry's id is above those of all entries before. Of removed ones nobody does: what
    /// their ids are is of no use to anybody.
    fn rise_to(&mut self, id: Id) -> Result {
        if id == Id::MIN || self.last.is_some_and(|last| id <= last) {
            return Err(Error::BadData);
        }
        self.last = Some(id);
        Ok(())
    }

    /// The values of an entry, or its names and values, and how many elements it has.
    fn fields(&mut self, elements: &mut Reader<'_>, is_same: bool) -> Result {
        let len = if is_same {
            take(elements, self.names.len(), &mut self.values)?;
            HEAD_LEN + self.names.len()
        } else {
            let count = length(elements)?.checked_mul(2).ok_or(Error::BadData)?;
            take(elements, count, &mut self.values)?;
            HEAD_LEN + 1 + count
        };
        if length(elements)? == len { Ok(()) } else { Err(Error::BadData) }
    }
}

fn id(elements: &mut Reader<'_>, master: Id) -> Result<Id> {
    let (ms, seq) = (integer(elements)? as u64, integer(elements)? as u64);
    Ok(Id { ms: master.ms.wrapping_add(ms), seq: master.seq.wrapping_add(seq) })
}

fn integer(elements: &mut Reader<'_>) -> Result<i64> {
    elements.next().ok_or(Error::BadData)??.integer().ok_or(Error::BadData)
}

fn length(elements: &mut Reader<'_>) -> Result<usize> {
    usize::try_from(integer(elements)?).map_err(|_| Error::BadData)
}

/// Takes so many elements over, as far as they are there.
fn take(elements: &mut Reader<'_>, count: usize, texts: &mut Texts) -> Result {
    texts.clear();
    for _ in 0..count {
        texts.push(elements.next().ok_or(Error::BadData)??);
    }
    Ok(())
}
