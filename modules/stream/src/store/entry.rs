//! The entry: one id and its fields, as they lie in a pack.
//!
//! ```text
//!   [ head ][ ms ][ sequence ][ length ][ value ][ value ] ...              the pack's names
//!   [ head ][ ms ][ sequence ][ length ][ count ][ name ][ value ] ...      names of its own
//!
//!   head   mmmmm...   how many ms the id lies behind the one before; 31: as a varint in `ms`
//!          .....s..   the number within the millisecond is not the next one: `sequence` follows
//!          ......n.   names of its own
//!          .......r   removed
//! ```
//!
//! The id is told by what lies between it and the entry before, removed or not: a varint of `ms`, and
//! of how far the number within the millisecond is behind the one that comes next by itself (the
//! number before and one, or 0 in a new millisecond). Ids rise, so no difference is negative or wider than
//! 64 bits. `length` is a varint too, of the bytes behind it, by which a walk comes to the next
//! entry; names and values are [`element`]s. An entry of two short fields a millisecond after the
//! last has two bytes around its values.

use super::varint;
use plinth_module::pack::{Value, element, listpack, parse_integer};
use plinth_stream_commands::id::Id;

const REMOVED: u8 = 1;
const OWN_NAMES: u8 = 1 << 1;
const SEQUENCE: u8 = 1 << 2;
const MS_SHIFT: u32 = 3;
/// Difference of ms in the head that says that it is a varint.
const MS_WIDE: u64 = 31;

/// Most bytes before the names and values of an entry.
const HEAD_MAX: usize = 1 + 3 * varint::BYTES_MAX;

/// An entry in a pack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'p> {
    /// Its id.
    pub(crate) id: Id,
    head: u8,
    /// Its values, or a count, names and values.
    body: &'p [u8],
    /// Bytes from its head to its end.
    pub(crate) len: usize,
}

impl<'p> Entry<'p> {
    /// Whether it was removed.
    #[inline]
    pub(crate) fn is_removed(&self) -> bool {
        self.head & REMOVED != 0
    }

    /// Its names and values, given the count of the pack's names and the names.
    #[inline]
    pub(crate) fn fields(&self, count: usize, names: &'p [u8]) -> Fields<'p> {
        if self.head & OWN_NAMES == 0 {
            return Fields { names: Some(names), rest: self.body, left: count.saturating_mul(2) };
        }
        match varint::read(self.body) {
            Some((count, at)) => {
                Fields { names: None, rest: &self.body[at..], left: (count as usize).saturating_mul(2) }
            }
            None => Fields { names: None, rest: &[], left: 0 },
        }
    }
}

/// Reads the entry that the bytes begin with, behind one of id `before`.
#[inline]
pub(crate) fn read(bytes: &[u8], before: Id) -> Option<Entry<'_>> {
    // Nearly all are a few ms or none behind the one before, and short.
    if let Some((&[head, len], rest)) = bytes.split_first_chunk()
        && head & SEQUENCE == 0
        && u64::from(head >> MS_SHIFT) != MS_WIDE
        && len <= 0x7f
    {
        let body = rest.get(..usize::from(len))?;
        let id = id_behind(before, u64::from(head >> MS_SHIFT), 0);
        return Some(Entry { id, head, body, len: 2 + body.len() });
    }
    read_long(bytes, before)
}

fn read_long(bytes: &[u8], before: Id) -> Option<Entry<'_>> {
    let (&head, mut rest) = bytes.split_first()?;
    let mut number = || {
        let (number, len) = varint::read(rest)?;
        rest = &rest[len..];
        Some(number)
    };
    let ms = match u64::from(head >> MS_SHIFT) {
        MS_WIDE => number()?,
        ms => ms,
    };
    let sequence = if head & SEQUENCE == 0 { 0 } else { number()? };
    let len = usize::try_from(number()?).ok()?;
    let body = rest.get(..len)?;
    Some(Entry { id: id_behind(before, ms, sequence), head, body, len: bytes.len() - rest.len() + len })
}

/// The id that differs so from the one before.
#[inline]
fn id_behind(before: Id, ms: u64, sequence: u64) -> Id {
    match ms {
        0 => Id { seq: before.seq.wrapping_add(1).wrapping_add(sequence), ..before },
        ms => Id { ms: before.ms.wrapping_add(ms), seq: sequence },
    }
}

/// Marks the entry that the bytes begin with as removed.
#[inline]
pub(crate) fn mark_removed(bytes: &mut [u8]) {
    if let Some(head) = bytes.first_mut() {
        *head |= REMOVED;
    }
}

/// Appends what says the id: `before` is the id of the entry before, which a pack's first has not.
#[inline]
fn push_id(to: &mut Vec<u8>, before: Option<Id>, id: Id, own_names: bool) {
    let (ms, sequence) = match before {
        None => (0, 0),
        Some(before) if before.ms == id.ms => (0, id.seq.wrapping_sub(before.seq).wrapping_sub(1)),
        Some(before) => (id.ms.wrapping_sub(before.ms), id.seq),
    };
    let own = if own_names { OWN_NAMES } else { 0 };
    let explicit = if sequence == 0 { 0 } else { SEQUENCE };
    to.push((ms.min(MS_WIDE) as u8) << MS_SHIFT | explicit | own);
    if ms >= MS_WIDE {
        varint::push(to, ms);
    }
    if sequence != 0 {
        varint::push(to, sequence);
    }
}

/// Appends an entry again that may lie behind another one now.
pub(crate) fn push_again(to: &mut Vec<u8>, before: Option<Id>, entry: &Entry<'_>) {
    push_id(to, before, entry.id, entry.head & OWN_NAMES != 0);
    varint::push(to, entry.body.len() as u64);
    to.extend_from_slice(entry.body);
}

/// An entry as it is going to be written.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// Whether its names are others than the pack's.
    pub(crate) own_names: bool,
    count: usize,
    /// Bytes that the length of the body takes.
    len_width: usize,
    /// Most bytes that the whole takes.
    pub(crate) bytes_max: usize,
    /// Bytes of all names and values.
    pub(crate) text_bytes: usize,
    /// What the names and values that are written take as elements of a listpack.
    foreign_bytes: usize,
}

/// Bytes that a text takes in a listpack.
#[inline]
fn foreign_text_bytes(text: &[u8]) -> usize {
    listpack::element_bytes(parse_integer(text).map_or(Value::Text(text), Value::Integer))
}

/// Bytes that an integer takes there.
#[inline]
fn foreign_integer_bytes(integer: u64) -> usize {
    listpack::element_bytes(Value::Integer(integer as i64))
}

/// Most bytes that an element of a text takes.
#[inline]
pub(crate) fn element_bytes_max(text: &[u8]) -> usize {
    let len = text.len();
    len + match len {
        0..=127 => 1,
        128..=65_535 => 3,
        _ => 5,
    }
}

impl Plan {
    /// Looks at the fields of an entry: whether its names are the pack's, which are `count` in `names`.
    #[inline]
    pub(crate) fn new<'t>(count: usize, mut names: &[u8], fields: impl ExactSizeIterator<Item = &'t [u8]>) -> Plan {
        Plan::measure(fields.len() / 2 == count, fields, |name| {
            let name = element::Encoded::of(name);
            let is_next = name.begins(names);
            if is_next {
                names = &names[name.len()..];
            }
            is_next
        })
    }

    /// The plan of an entry whose names are known to be the pack's.
    pub(crate) fn of_same_names<'t>(fields: impl ExactSizeIterator<Item = &'t [u8]>) -> Plan {
        Plan::measure(true, fields, |_| true)
    }

    /// Adds up the fields; `is_next` says whether a name is the next one of the pack, and is asked until one is not.
    #[inline]
    fn measure<'t>(
        mut is_same: bool,
        mut fields: impl ExactSizeIterator<Item = &'t [u8]>,
        mut is_next: impl FnMut(&[u8]) -> bool,
    ) -> Plan {
        let own_count = fields.len() / 2;
        let (mut name_bytes, mut value_bytes, mut text_bytes) = (0, 0, 0);
        let (mut foreign_names, mut foreign_values) = (0, 0);
        while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
            value_bytes += element_bytes_max(value);
            name_bytes += element_bytes_max(name);
            text_bytes += name.len() + value.len();
            foreign_names += foreign_text_bytes(name);
            foreign_values += foreign_text_bytes(value);
            is_same = is_same && is_next(name);
        }
        let body = if is_same { value_bytes } else { varint::width(own_count as u64) + name_bytes + value_bytes };
        let len_width = varint::width(body as u64);
        let foreign_bytes = if is_same { foreign_values } else { foreign_names + foreign_values };
        Plan { own_names: !is_same, count: own_count, len_width, bytes_max: HEAD_MAX + body, text_bytes, foreign_bytes }
    }

    /// Bytes that the entry would take in a node of Redis whose master id is this.
    #[inline]
    pub(crate) fn foreign_bytes(&self, master: Id, id: Id) -> usize {
        let flags = foreign_integer_bytes(0);
        let of_id = foreign_integer_bytes(id.ms.wrapping_sub(master.ms))
            + foreign_integer_bytes(id.seq.wrapping_sub(master.seq));
        let count = self.count as u64;
        let (own_count, elements) =
            if self.own_names { (foreign_integer_bytes(count), 2 * count + 4) } else { (0, count + 3) };
        flags + of_id + own_count + self.foreign_bytes + foreign_integer_bytes(elements)
    }

    /// Bytes that the node would take with this entry alone, which has its names from there: with two counts,
    /// that of the names, and an end.
    pub(crate) fn foreign_node_bytes<'t>(&self, id: Id, names: impl Iterator<Item = &'t [u8]>) -> usize {
        let counts = 3 * foreign_integer_bytes(0) + foreign_integer_bytes(self.count as u64);
        let names: usize = names.map(foreign_text_bytes).sum();
        listpack::EMPTY_BYTES + counts + names + self.foreign_bytes(id, id)
    }

    /// Appends the entry: the fields that the plan was made for.
    #[inline]
    pub(crate) fn push<'t>(
        &self,
        to: &mut Vec<u8>,
        before: Option<Id>,
        id: Id,
        mut fields: impl Iterator<Item = &'t [u8]>,
    ) {
        push_id(to, before, id, self.own_names);
        // How long the body is shows only when integers have become shorter than their digits.
        let at = to.len();
        to.extend_from_slice(&[0; varint::BYTES_MAX][..self.len_width]);
        let start = to.len();
        if self.own_names {
            varint::push(to, self.count as u64);
        }
        while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
            if self.own_names {
                element::Encoded::of(name).push(to);
            }
            element::Encoded::of(value).push(to);
        }
        let len = to.len() - start;
        varint::fill(&mut to[at..start], len as u64);
    }
}

/// The names and values of an entry in turn.
#[derive(Clone, Debug)]
pub struct Fields<'s> {
    /// The names that are still to come, if they lie apart from the values.
    names: Option<&'s [u8]>,
    rest: &'s [u8],
    left: usize,
}

impl<'s> Iterator for Fields<'s> {
    type Item = Value<'s>;

    #[inline]
    fn next(&mut self) -> Option<Value<'s>> {
        self.left = self.left.checked_sub(1)?;
        // An odd number is left when a name is handed out.
        let from = match &mut self.names {
            Some(names) if self.left % 2 == 1 => names,
            _ => &mut self.rest,
        };
        let (value, len) = element::read(from)?;
        *from = &from[len..];
        Some(value)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Fields<'_> {}
