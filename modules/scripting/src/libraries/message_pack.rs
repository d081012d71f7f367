//! `cmsgpack`. <https://github.com/msgpack/msgpack/blob/master/spec.md>
//!
//! What is nested deeper than [`DEPTH_MAX`] is packed as nil, as by the library of this name.

use super::{WORK_PER_BYTE, fill, keys_of};
use crate::lua::{Kind, Lua, Outcome, Raised};

/// Deepest nesting that is packed.
const DEPTH_MAX: usize = 16;

pub(super) fn push(lua: Lua) {
    lua.push_table(0, 8);
    fill(
        lua,
        &[
            ("pack", |lua| lua.push_function(pack)),
            ("unpack", |lua| lua.push_function(unpack)),
            ("unpack_one", |lua| lua.push_function(unpack_one)),
            ("unpack_limit", |lua| lua.push_function(unpack_limit)),
            ("_NAME", |lua| lua.push_bytes("cmsgpack")),
            ("_VERSION", |lua| lua.push_bytes("lua-cmsgpack 0.4.0")),
            ("_COPYRIGHT", |lua| lua.push_bytes("Copyright (C) 2012, Salvatore Sanfilippo")),
            ("_DESCRIPTION", |lua| lua.push_bytes("MessagePack C implementation for Lua")),
        ],
    );
}

fn pack(lua: Lua) -> Outcome {
    let count = lua.top();
    if count == 0 {
        return Err(lua.raise_argument(0, "MessagePack pack needs input."));
    }
    let mut out = Vec::new();
    for at in 1..=count {
        put(lua, at, &mut out, 0)?;
    }
    lua.spend(out.len().saturating_mul(WORK_PER_BYTE));
    lua.push_bytes(out);
    Ok(1)
}

/// A length: in the first byte where it is small, else in 1 (strings only), 2 or 4 bytes.
fn put_len(out: &mut Vec<u8>, len: usize, small: (u8, usize), long: [u8; 3]) {
    if len < small.1 {
        out.push(small.0 | len as u8);
    } else if len <= 0xff && long[0] != 0 {
        out.extend([long[0], len as u8]);
    } else if len <= 0xffff {
        out.push(long[1]);
        out.extend((len as u16).to_be_bytes());
    } else {
        out.push(long[2]);
        out.extend((len as u32).to_be_bytes());
    }
}

fn put(lua: Lua, at: i32, out: &mut Vec<u8>, depth: usize) -> Result<(), Raised> {
    lua.want_room(4)?;
    match lua.kind(at) {
        Kind::Boolean => out.push(if lua.boolean(at) { 0xc3 } else { 0xc2 }),
        Kind::Number => put_number(out, lua.number(at)),
        Kind::String => {
            let text = lua.bytes(at).unwrap_or_default();
            put_len(out, text.len(), (0xa0, 32), [0xd9, 0xda, 0xdb]);
            out.extend_from_slice(text);
        }
        Kind::Table if depth < DEPTH_MAX => put_table(lua, at, out, depth)?,
        _ => out.push(0xc0),
    }
    Ok(())
}

fn put_table(lua: Lua, at: i32, out: &mut Vec<u8>, depth: usize) -> Result<(), Raised> {
    let (count, most) = keys_of(lua, at, |most, key| most.max(key as i64));
    if most == Some(count as i64) {
        put_len(out, count, (0x90, 16), [0, 0xdc, 0xdd]);
        for index in 1..=count {
            lua.raw_get_at(at, index);
            put(lua, lua.top(), out, depth + 1)?;
            lua.pop(1);
        }
        return Ok(());
    }
    put_len(out, count, (0x80, 16), [0, 0xde, 0xdf]);
    lua.push_nil();
    while lua.next(at) {
        let value = lua.top();
        put(lua, value - 1, out, depth + 1)?;
        put(lua, value, out, depth + 1)?;
        lua.pop(1);
    }
    Ok(())
}

fn put_number(out: &mut Vec<u8>, number: f64) {
    if number.fract() == 0.0 && (-(2f64.powi(63))..2f64.powi(63)).contains(&number) {
        return put_integer(out, number as i64);
    }
    let short = number as f32;
    if f64::from(short) == number {
        out.push(0xca);
        out.extend(short.to_be_bytes());
    } else {
        out.push(0xcb);
        out.extend(number.to_be_bytes());
    }
}

fn put_integer(out: &mut Vec<u8>, number: i64) {
    let (kind, bytes) = match number {
        -32..=127 => return out.push(number as u8),
        128..=0xff => (0xcc, 1),
        0x100..=0xffff => (0xcd, 2),
        0x1_0000..=0xffff_ffff => (0xce, 4),
        0x1_0000_0000.. => (0xcf, 8),
        -0x80..=-33 => (0xd0, 1),
        -0x8000..=-0x81 => (0xd1, 2),
        -0x8000_0000..=-0x8001 => (0xd2, 4),
        _ => (0xd3, 8),
    };
    out.push(kind);
    out.extend_from_slice(&number.to_be_bytes()[8 - bytes..]);
}

/// Why bytes are not what they should be.
enum Fault {
    Missing,
    Bad,
    NilKey,
    Deep,
}

/// Bytes that are read.
struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Fault::Missing)?;
        self.rest = rest;
        Ok(taken)
    }

    fn unsigned(&mut self, bytes: usize) -> Result<u64, Fault> {
        Ok(self.take(bytes)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn signed(&mut self, bytes: usize) -> Result<i64, Fault> {
        let unused = 64 - 8 * bytes as u32;
        Ok((self.unsigned(bytes)? << unused) as i64 >> unused)
    }

    fn text(&mut self, lua: Lua, len: u64) -> Result<(), Fault> {
        lua.push_bytes(self.take(usize::try_from(len).unwrap_or(usize::MAX))?);
        Ok(())
    }

    /// Push the value that comes next.
    fn push(&mut self, lua: Lua) -> Result<(), Fault> {
        if !lua.has_room(4) {
            return Err(Fault::Deep);
        }
        let kind = self.take(1)?[0];
        match kind {
            0x00..=0x7f | 0xe0..=0xff => lua.push_number(f64::from(kind as i8)),
            0x80..=0x8f => self.map(lua, u64::from(kind & 15))?,
            0x90..=0x9f => self.array(lua, u64::from(kind & 15))?,
            0xa0..=0xbf => self.text(lua, u64::from(kind & 31))?,
            0xc0 => lua.push_nil(),
            0xc2 | 0xc3 => lua.push_boolean(kind == 0xc3),
            0xca => lua.push_number(f64::from(f32::from_bits(self.unsigned(4)? as u32))),
            0xcb => lua.push_number(f64::from_bits(self.unsigned(8)?)),
            // Of eight bytes it is signed all the same, as with the library of this name.
            0xcc..=0xcf => lua.push_number(self.unsigned(1 << (kind - 0xcc))? as i64 as f64),
            0xd0..=0xd3 => lua.push_number(self.signed(1 << (kind - 0xd0))? as f64),
            0xd9..=0xdb => {
                let len = self.unsigned(1 << (kind - 0xd9))?;
                self.text(lua, len)?;
            }
            0xdc | 0xdd => {
                let len = self.unsigned(2 << (kind - 0xdc))?;
                self.array(lua, len)?;
            }
            0xde | 0xdf => {
                let len = self.unsigned(2 << (kind - 0xde))?;
                self.map(lua, len)?;
            }
            _ => return Err(Fault::Bad),
        }
        Ok(())
    }

    fn array(&mut self, lua: Lua, len: u64) -> Result<(), Fault> {
        lua.push_table(0, 0);
        let table = lua.top();
        for index in 1..=len {
            self.push(lua)?;
            lua.raw_set_at(table, index as usize);
        }
        Ok(())
    }

    fn map(&mut self, lua: Lua, len: u64) -> Result<(), Fault> {
        lua.push_table(0, 0);
        let table = lua.top();
        for _ in 0..len {
            self.push(lua)?;
            self.push(lua)?;
            let is_key = lua.kind(-2) != Kind::Nil && !(lua.kind(-2) == Kind::Number && lua.number(-2).is_nan());
            if !is_key {
                return Err(Fault::NilKey);
            }
            lua.raw_set(table);
        }
        Ok(())
    }
}

fn unpack(lua: Lua) -> Outcome {
    values(lua, i64::MAX, 0, false)
}

fn unpack_one(lua: Lua) -> Outcome {
    let offset = if lua.top() < 2 { 0 } else { lua.want_number(2)? as i64 };
    values(lua, 1, offset, true)
}

fn unpack_limit(lua: Lua) -> Outcome {
    let limit = lua.want_number(2)? as i64;
    let offset = if lua.top() < 3 { 0 } else { lua.want_number(3)? as i64 };
    if limit == 0 && offset == 0 {
        // No limit, and nowhere to go on from.
        return values(lua, i64::MAX, 0, false);
    }
    values(lua, limit, offset, true)
}

/// Push so many values from an offset on; in front of them, if asked for, the offset behind them or -1.
fn values(lua: Lua, limit: i64, offset: i64, with_offset: bool) -> Outcome {
    let data = lua.want_bytes(1)?;
    if offset < 0 || limit < 0 {
        let text = format!("Invalid request to unpack with offset of {offset} and limit of {}.", data.len());
        return Err(lua.raise_here(text));
    }
    let Some(rest) = data.get(offset as usize..) else {
        let text = format!("Start offset {offset} greater than input length {}.", data.len());
        return Err(lua.raise_here(text));
    };
    lua.set_top(1);
    let mut input = Input { rest };
    let mut count = 0;
    while count < limit && !input.rest.is_empty() {
        input.push(lua).map_err(|fault| raise(lua, fault))?;
        count += 1;
    }
    lua.spend((data.len() - offset as usize - input.rest.len()).saturating_mul(WORK_PER_BYTE));
    if !with_offset {
        return Ok(lua.top() - 1);
    }
    let behind = if input.rest.is_empty() { -1.0 } else { (data.len() - input.rest.len()) as f64 };
    lua.push_number(behind);
    lua.insert(2);
    Ok(lua.top() - 1)
}

fn raise(lua: Lua, fault: Fault) -> Raised {
    let text = match fault {
        Fault::Missing => "Missing bytes in input.",
        Fault::Bad => "Bad data format in input.",
        Fault::Deep => "too many return values at once; use unpack_one or unpack_limit instead.",
        Fault::NilKey => {
            lua.push_bytes("table index is nil");
            return Raised;
        }
    };
    lua.raise_here(text)
}
