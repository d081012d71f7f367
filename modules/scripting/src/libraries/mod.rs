//! Libraries beside Lua's own, with the behaviour of those that Redis links.

mod bit;
mod json;
mod math;
mod message_pack;
mod pack;

use crate::lua::{Lua, Outcome};

/// Work of a byte of a text that is read or written value by value, see `lua::hook`.
const WORK_PER_BYTE: usize = 8;

/// Put all into the globals.
pub(crate) fn install(lua: Lua, globals: i32) {
    math::install(lua, globals);
    for (name, push) in [
        ("bit", bit::push as fn(Lua)),
        ("cjson", json::push),
        ("cmsgpack", message_pack::push),
        ("struct", pack::push),
        ("os", push_clock),
    ] {
        push(lua);
        lua.raw_set_name(globals, name);
    }
}

/// A name, and what pushes the value that it stands for.
pub(crate) type Named = (&'static str, fn(Lua));

/// Take functions into the table on top.
fn fill(lua: Lua, functions: &[Named]) {
    let table = lua.top();
    for (name, push) in functions {
        push(lua);
        lua.raw_set_name(table, name);
    }
}

/// `os`, of which scripts have the time that the server has used and nothing else.
fn push_clock(lua: Lua) {
    lua.push_table(0, 1);
    fill(lua, &[("clock", |lua| lua.push_function(clock))]);
}

fn clock(lua: Lua) -> Outcome {
    static BEGUN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    lua.push_number(BEGUN.elapsed().as_secs_f64());
    Ok(1)
}

/// What the keys of a table make of it: their number, and the largest when all are whole and above 0, which is counted
/// up by `larger` from one number to the next.
fn keys_of(lua: Lua, table: i32, larger: impl Fn(i64, f64) -> i64) -> (usize, Option<i64>) {
    let (mut count, mut most) = (0, Some(0));
    lua.push_nil();
    while lua.next(table) {
        let key = if lua.kind(-2) == crate::lua::Kind::Number { lua.number(-2) } else { 0.0 };
        most = most.filter(|_| key > 0.0 && key.floor() == key).map(|most| larger(most, key));
        count += 1;
        lua.pop(1);
    }
    (count, most)
}
