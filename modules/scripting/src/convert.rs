//! Replies as values of Lua, and values of Lua as replies.
//! <https://redis.io/docs/latest/develop/programmability/lua-api/#data-type-conversion>

use crate::lua::{Kind, Lua};
use plinth_module::number::{DOUBLE_TEXT_BYTES, format_double, parse_float};
use plinth_module::reply::ReplyBuffer;

/// Values on the stack that one level of a reply needs: what a table may be is looked for under seven names, and a map
/// has a key, a value and a copy.
const ROOM: i32 = 16;

/// A reply that is read from its begin to its end.
struct Reading<'a> {
    bytes: &'a [u8],
}

impl<'a> Reading<'a> {
    /// A line without its break; empty behind the end.
    fn line(&mut self) -> &'a [u8] {
        let end = self.bytes.windows(2).position(|two| two == b"\r\n").unwrap_or(self.bytes.len());
        let line = &self.bytes[..end];
        self.bytes = self.bytes.get(end + 2..).unwrap_or_default();
        line
    }

    /// So many bytes and their line break.
    fn blob(&mut self, len: usize) -> &'a [u8] {
        let blob = self.bytes.get(..len).unwrap_or_default();
        self.bytes = self.bytes.get(len + 2..).unwrap_or_default();
        blob
    }
}

fn count(line: &[u8]) -> Option<usize> {
    std::str::from_utf8(line).ok()?.parse().ok()
}

/// Push a reply as scripts see it; whether it is an error.
pub(crate) fn push_reply(lua: Lua, reply: &[u8]) -> bool {
    push_one(lua, &mut Reading { bytes: reply });
    reply.first() == Some(&b'-')
}

/// Push a table of one field, the value of which is on top.
fn wrap(lua: Lua, name: &str) {
    lua.push_table(0, 1);
    lua.insert(-2);
    let table = lua.top() - 1;
    lua.raw_set_name(table, name);
}

fn push_one(lua: Lua, from: &mut Reading<'_>) {
    if !lua.has_room(ROOM) {
        // There is always room for one more than was asked for.
        from.bytes = &[];
        return lua.push_nil();
    }
    let line = from.line();
    let Some((&kind, rest)) = line.split_first() else { return lua.push_nil() };
    match kind {
        b':' => lua.push_number(std::str::from_utf8(rest).ok().and_then(|text| text.parse().ok()).unwrap_or(0.0)),
        b'$' => match count(rest) {
            Some(len) => lua.push_bytes(from.blob(len)),
            None => lua.push_boolean(false),
        },
        b'+' => {
            lua.push_bytes(rest);
            wrap(lua, "ok");
        }
        b'-' => {
            lua.push_bytes(rest);
            wrap(lua, "err");
        }
        b'*' | b'>' => match count(rest) {
            Some(len) => push_array(lua, from, len),
            None => lua.push_boolean(false),
        },
        b'%' => push_map(lua, from, count(rest).unwrap_or(0)),
        b'~' => push_set(lua, from, count(rest).unwrap_or(0)),
        b'#' => lua.push_boolean(rest == b"t"),
        b',' => {
            lua.push_number(parse_float(rest).unwrap_or(f64::NAN));
            wrap(lua, "double");
        }
        b'(' => {
            lua.push_bytes(rest);
            wrap(lua, "big_number");
        }
        b'=' => push_verbatim(lua, from.blob(count(rest).unwrap_or(0))),
        b'|' => {
            // What is said about a reply is not for scripts.
            for _ in 0..count(rest).unwrap_or(0) * 2 {
                push_one(lua, from);
                lua.pop(1);
            }
            push_one(lua, from);
        }
        _ => lua.push_nil(),
    }
}

fn push_array(lua: Lua, from: &mut Reading<'_>, len: usize) {
    // What begins with nil has the length 0, as with Redis; a table with room for it would find its end otherwise.
    lua.push_table(if from.bytes.first() == Some(&b'_') { 0 } else { len }, 0);
    let table = lua.top();
    for at in 1..=len {
        push_one(lua, from);
        lua.raw_set_at(table, at);
    }
}

fn push_map(lua: Lua, from: &mut Reading<'_>, pairs: usize) {
    lua.push_table(0, pairs);
    let table = lua.top();
    for _ in 0..pairs {
        push_one(lua, from);
        push_one(lua, from);
        set_if_key(lua, table);
    }
    wrap(lua, "map");
}

fn push_set(lua: Lua, from: &mut Reading<'_>, members: usize) {
    lua.push_table(0, members);
    let table = lua.top();
    for _ in 0..members {
        push_one(lua, from);
        lua.push_boolean(true);
        set_if_key(lua, table);
    }
    wrap(lua, "set");
}

/// Take key and value into a table, if that can be a key.
fn set_if_key(lua: Lua, table: i32) {
    match lua.kind(-2) {
        Kind::Nil => lua.pop(2),
        Kind::Number if lua.number(-2).is_nan() => lua.pop(2),
        _ => lua.raw_set(table),
    }
}

fn push_verbatim(lua: Lua, text: &[u8]) {
    lua.push_table(0, 2);
    let table = lua.top();
    lua.push_bytes(text.get(..3).unwrap_or_default());
    lua.raw_set_name(table, "format");
    lua.push_bytes(text.get(4..).unwrap_or_default());
    lua.raw_set_name(table, "string");
    wrap(lua, "verbatim_string");
}

/// A number as an argument of a command: its shortest digits, and those of an integer without an exponent.
pub(crate) fn number_text(number: f64) -> Vec<u8> {
    if number.fract() == 0.0 && number.abs() < i64::MAX as f64 {
        return itoa::Buffer::new().format(number as i64).as_bytes().to_vec();
    }
    if number.is_nan() && number.is_sign_negative() {
        return b"-nan".to_vec();
    }
    let mut room = [0; DOUBLE_TEXT_BYTES];
    format_double(number, &mut room).to_vec()
}

/// Write the value on top as a reply, and take it away.
pub(crate) fn write_reply(lua: Lua, reply: &mut ReplyBuffer<'_>, resp3: bool) {
    if !lua.has_room(ROOM) {
        reply.error("ERR reached lua stack limit");
        return lua.pop(1);
    }
    match lua.kind(-1) {
        Kind::String => reply.bulk(lua.bytes(-1).unwrap_or_default()),
        Kind::Boolean => write_boolean(reply, lua.boolean(-1), resp3),
        Kind::Number => reply.integer(whole(lua.number(-1))),
        Kind::Table => write_table(lua, reply, resp3),
        _ => reply.null(),
    }
    lua.pop(1);
}

/// A number cut off to an integer; one that is out of range as the processor has it.
fn whole(number: f64) -> i64 {
    let range = -(2f64.powi(63))..2f64.powi(63);
    if range.contains(&number) { number as i64 } else { i64::MIN }
}

fn write_boolean(reply: &mut ReplyBuffer<'_>, value: bool, resp3: bool) {
    match (resp3, value) {
        (true, _) => reply.boolean(value),
        (false, true) => reply.integer(1),
        (false, false) => reply.null(),
    }
}

/// Write the table on top, which stays: as what its one field says that it is, or as an array up to the first nil.
fn write_table(lua: Lua, reply: &mut ReplyBuffer<'_>, resp3: bool) {
    let table = lua.top();
    let is_special = write_line(lua, reply, table)
        || write_digits(lua, reply, table)
        || write_verbatim(lua, reply, table)
        || write_pairs(lua, reply, table, resp3);
    lua.set_top(table);
    if is_special {
        return;
    }
    let mark = reply.open();
    let mut count = 0;
    loop {
        lua.raw_get_at(table, count + 1);
        if lua.kind(-1) == Kind::Nil {
            break lua.pop(1);
        }
        write_reply(lua, reply, resp3);
        count += 1;
    }
    reply.close_array(mark, count);
}

/// An error or a status.
fn write_line(lua: Lua, reply: &mut ReplyBuffer<'_>, table: i32) -> bool {
    if lua.raw_get_name(table, "err") == Kind::String {
        reply.error(lua.bytes(-1).unwrap_or_default());
        return true;
    }
    let is_status = lua.raw_get_name(table, "ok") == Kind::String;
    if is_status {
        reply.simple(lua.bytes(-1).unwrap_or_default());
    }
    is_status
}

fn write_digits(lua: Lua, reply: &mut ReplyBuffer<'_>, table: i32) -> bool {
    if lua.raw_get_name(table, "double") == Kind::Number {
        reply.double(lua.number(-1));
        return true;
    }
    let is_big = lua.raw_get_name(table, "big_number") == Kind::String;
    if is_big {
        // A line end would end the reply.
        let digits = lua.bytes(-1).unwrap_or_default().iter();
        let line: Vec<u8> = digits.map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }).collect();
        reply.big_number(&line);
    }
    is_big
}

fn write_verbatim(lua: Lua, reply: &mut ReplyBuffer<'_>, table: i32) -> bool {
    if lua.raw_get_name(table, "verbatim_string") != Kind::Table {
        return false;
    }
    let inner = lua.top();
    let is_whole =
        lua.raw_get_name(inner, "format") == Kind::String && lua.raw_get_name(inner, "string") == Kind::String;
    if is_whole {
        let mut format = [b' '; 3];
        for (to, from) in format.iter_mut().zip(lua.bytes(-2).unwrap_or_default()) {
            *to = *from;
        }
        reply.verbatim(&format, lua.bytes(-1).unwrap_or_default());
    }
    is_whole
}

/// A map or a set.
fn write_pairs(lua: Lua, reply: &mut ReplyBuffer<'_>, table: i32, resp3: bool) -> bool {
    let is_map = lua.raw_get_name(table, "map") == Kind::Table;
    if !is_map && lua.raw_get_name(table, "set") != Kind::Table {
        return false;
    }
    let inner = lua.top();
    let mark = reply.open();
    let mut count = 0;
    lua.push_nil();
    while lua.next(inner) {
        // The key stays for the next step, so a copy is written, which may become a string.
        lua.push_copy(-2);
        write_reply(lua, reply, resp3);
        if is_map {
            write_reply(lua, reply, resp3);
        } else {
            lua.pop(1);
        }
        count += 1;
    }
    if is_map {
        reply.close_map(mark, count)
    } else {
        reply.close_set(mark, count)
    }
    true
}
