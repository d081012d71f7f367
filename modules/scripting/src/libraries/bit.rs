//! `bit`: operations on 32 bits. <https://bitop.luajit.org/api.html>

use super::fill;
use crate::lua::{Lua, Outcome, Raised};

pub(super) fn push(lua: Lua) {
    lua.push_table(0, 12);
    fill(
        lua,
        &[
            ("tobit", |lua| lua.push_function(|lua| one(lua, |bits| bits))),
            ("bnot", |lua| lua.push_function(|lua| one(lua, |bits| !bits))),
            ("bswap", |lua| lua.push_function(|lua| one(lua, u32::swap_bytes))),
            ("band", |lua| lua.push_function(|lua| many(lua, |one, other| one & other))),
            ("bor", |lua| lua.push_function(|lua| many(lua, |one, other| one | other))),
            ("bxor", |lua| lua.push_function(|lua| many(lua, |one, other| one ^ other))),
            ("lshift", |lua| lua.push_function(|lua| shift(lua, |bits, by| bits << by))),
            ("rshift", |lua| lua.push_function(|lua| shift(lua, |bits, by| bits >> by))),
            ("arshift", |lua| lua.push_function(|lua| shift(lua, |bits, by| (bits as i32 >> by) as u32))),
            ("rol", |lua| lua.push_function(|lua| shift(lua, u32::rotate_left))),
            ("ror", |lua| lua.push_function(|lua| shift(lua, u32::rotate_right))),
            ("tohex", |lua| lua.push_function(tohex)),
        ],
    );
}

/// The low 32 bits of a number, rounded to the nearest: where the sum's digits end at 1, they are its lowest.
fn bits(lua: Lua, at: i32) -> Result<u32, Raised> {
    const ENDS_AT_ONE: f64 = 6_755_399_441_055_744.0;
    Ok((lua.want_number(at)? + ENDS_AT_ONE).to_bits() as u32)
}

fn answer(lua: Lua, bits: u32) -> Outcome {
    lua.push_number(f64::from(bits as i32));
    Ok(1)
}

fn one(lua: Lua, work: fn(u32) -> u32) -> Outcome {
    answer(lua, work(bits(lua, 1)?))
}

fn many(lua: Lua, work: fn(u32, u32) -> u32) -> Outcome {
    let mut all = bits(lua, 1)?;
    for at in 2..=lua.top() {
        all = work(all, bits(lua, at)?);
    }
    answer(lua, all)
}

fn shift(lua: Lua, work: fn(u32, u32) -> u32) -> Outcome {
    answer(lua, work(bits(lua, 1)?, bits(lua, 2)? & 31))
}

fn tohex(lua: Lua) -> Outcome {
    let value = bits(lua, 1)?;
    let digits = if lua.top() < 2 { 8 } else { bits(lua, 2)? as i32 };
    let count = digits.unsigned_abs().min(8) as usize;
    let text = if digits < 0 { format!("{value:08X}") } else { format!("{value:08x}") };
    lua.push_bytes(&text[8 - count..]);
    Ok(1)
}
