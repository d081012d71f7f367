//! `cjson`. <https://www.kyne.com.au/~mark/software/lua-cjson-manual.html>
//!
//! What scripts set of it stays set for those that come later, as with the library of this name.

mod decode;
mod encode;

use super::fill;
use crate::lua::{Kind, Lua, Outcome, Raised};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// What can be set.
struct Settings {
    encode_depth: AtomicI64,
    decode_depth: AtomicI64,
    precision: AtomicI64,
    /// 0 for an error, 1 for an object instead.
    sparse_convert: AtomicI64,
    sparse_ratio: AtomicI64,
    sparse_safe: AtomicI64,
    /// 0 for an error, 1 as it is, 2 for null.
    encode_invalid: AtomicI64,
    decode_invalid: AtomicI64,
    keep_buffer: AtomicI64,
}

static SETTINGS: Settings = Settings {
    encode_depth: AtomicI64::new(1000),
    decode_depth: AtomicI64::new(1000),
    precision: AtomicI64::new(14),
    sparse_convert: AtomicI64::new(0),
    sparse_ratio: AtomicI64::new(2),
    sparse_safe: AtomicI64::new(10),
    encode_invalid: AtomicI64::new(0),
    decode_invalid: AtomicI64::new(1),
    keep_buffer: AtomicI64::new(1),
};

/// Deepest nesting that can be allowed: reading and writing are recursive.
const DEPTH_MAX: i64 = 4000;

pub(super) fn push(lua: Lua) {
    lua.push_table(0, 16);
    fill(
        lua,
        &[
            ("encode", |lua| lua.push_function(encode::encode)),
            ("decode", |lua| lua.push_function(decode::decode)),
            ("null", |lua| lua.push_address(std::ptr::null())),
            ("_NAME", |lua| lua.push_bytes("cjson")),
            ("_VERSION", |lua| lua.push_bytes("2.1.0")),
            ("encode_max_depth", |lua| {
                lua.push_function(|lua| number(lua, &SETTINGS.encode_depth, i64::from(i32::MAX)))
            }),
            ("decode_max_depth", |lua| {
                lua.push_function(|lua| number(lua, &SETTINGS.decode_depth, i64::from(i32::MAX)))
            }),
            ("encode_number_precision", |lua| lua.push_function(|lua| number(lua, &SETTINGS.precision, 14))),
            ("encode_keep_buffer", |lua| lua.push_function(|lua| choice(lua, 1, &SETTINGS.keep_buffer, false))),
            ("encode_invalid_numbers", |lua| lua.push_function(|lua| choice(lua, 1, &SETTINGS.encode_invalid, true))),
            ("decode_invalid_numbers", |lua| lua.push_function(|lua| choice(lua, 1, &SETTINGS.decode_invalid, false))),
            ("encode_sparse_array", |lua| lua.push_function(sparse_array)),
        ],
    );
}

/// How deep something may be nested.
fn depth(setting: &AtomicI64) -> usize {
    setting.load(Relaxed).min(DEPTH_MAX) as usize
}

fn whole(lua: Lua, at: i32, least: i64, most: i64, setting: &AtomicI64) -> Result<(), Raised> {
    if matches!(lua.kind(at), Kind::None | Kind::Nil) {
        return Ok(());
    }
    let number = lua.want_number(at)? as i64;
    if !(least..=most).contains(&number) {
        let text = format!("expected integer between {least} and {most}");
        return Err(lua.raise_argument(at, &text));
    }
    setting.store(number, Relaxed);
    Ok(())
}

fn few(lua: Lua, most: i32) -> Result<(), Raised> {
    if lua.top() > most { Err(lua.raise_argument(most + 1, "found too many arguments")) } else { Ok(()) }
}

/// Set a number, if one is given, and answer it.
fn number(lua: Lua, setting: &AtomicI64, most: i64) -> Outcome {
    few(lua, 1)?;
    whole(lua, 1, 1, most, setting)?;
    lua.push_number(setting.load(Relaxed) as f64);
    Ok(1)
}

/// The same of a yes or no, where `"null"` may be a third.
fn choice(lua: Lua, at: i32, setting: &AtomicI64, has_null: bool) -> Outcome {
    few(lua, at)?;
    match lua.kind(at) {
        Kind::None | Kind::Nil => {}
        Kind::Boolean => setting.store(lua.boolean(at).into(), Relaxed),
        Kind::String => {
            let value = match lua.bytes(at).unwrap_or_default() {
                b"off" => 0,
                b"on" => 1,
                b"null" if has_null => 2,
                other => {
                    let text = format!("invalid option '{}'", String::from_utf8_lossy(other));
                    return Err(lua.raise_argument(at, &text));
                }
            };
            setting.store(value, Relaxed);
        }
        _ => return Err(lua.raise_kind(at, "string")),
    }
    match setting.load(Relaxed) {
        2 => lua.push_bytes("null"),
        value => lua.push_boolean(value == 1),
    }
    Ok(1)
}

fn sparse_array(lua: Lua) -> Outcome {
    few(lua, 3)?;
    let top = lua.top();
    lua.set_top(3);
    if top >= 1 && lua.kind(1) == Kind::Boolean {
        SETTINGS.sparse_convert.store(lua.boolean(1).into(), Relaxed);
    }
    whole(lua, 2, 0, i64::from(i32::MAX), &SETTINGS.sparse_ratio)?;
    whole(lua, 3, 0, i64::from(i32::MAX), &SETTINGS.sparse_safe)?;
    lua.push_boolean(SETTINGS.sparse_convert.load(Relaxed) == 1);
    lua.push_number(SETTINGS.sparse_ratio.load(Relaxed) as f64);
    lua.push_number(SETTINGS.sparse_safe.load(Relaxed) as f64);
    Ok(3)
}
