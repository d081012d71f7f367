//! Values as JSON.

use super::{SETTINGS, depth};
use crate::libraries::{WORK_PER_BYTE, keys_of};
use crate::lua::{Kind, Lua, Outcome, Raised};
use std::sync::atomic::Ordering::Relaxed;

pub(super) fn encode(lua: Lua) -> Outcome {
    if lua.top() != 1 {
        return Err(lua.raise_argument(1, "expected 1 argument"));
    }
    let mut out = Vec::new();
    put(lua, 1, &mut out, 0)?;
    lua.spend(out.len().saturating_mul(WORK_PER_BYTE));
    lua.push_bytes(out);
    Ok(1)
}

fn refuse(lua: Lua, at: i32, why: &str) -> Raised {
    let kind = lua.kind_name(at);
    lua.raise_here(format!("Cannot serialise {kind}: {why}"))
}

fn put(lua: Lua, at: i32, out: &mut Vec<u8>, nested: usize) -> Result<(), Raised> {
    match lua.kind(at) {
        Kind::String => put_text(out, lua.bytes(at).unwrap_or_default()),
        Kind::Number => put_number(lua, at, out)?,
        Kind::Boolean => out.extend_from_slice(if lua.boolean(at) { b"true" } else { b"false" }),
        Kind::Nil | Kind::Address => out.extend_from_slice(b"null"),
        Kind::Table => put_table(lua, at, out, nested + 1)?,
        _ => return Err(refuse(lua, at, "type not supported")),
    }
    Ok(())
}

fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for &byte in text {
        let short = match byte {
            b'"' | b'\\' | b'/' => byte,
            8 => b'b',
            9 => b't',
            10 => b'n',
            12 => b'f',
            13 => b'r',
            0..32 | 127 => {
                out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                continue;
            }
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend([b'\\', short]);
    }
    out.push(b'"');
}

fn put_number(lua: Lua, at: i32, out: &mut Vec<u8>) -> Result<(), Raised> {
    let number = lua.number(at);
    if !number.is_finite() {
        match SETTINGS.encode_invalid.load(Relaxed) {
            0 => return Err(refuse(lua, at, "must not be NaN or Inf")),
            1 if number.is_nan() => out.extend_from_slice(b"nan"),
            1 => out.extend_from_slice(if number > 0.0 { b"inf" } else { b"-inf" }),
            _ => out.extend_from_slice(b"null"),
        }
        return Ok(());
    }
    out.extend_from_slice(digits(number, SETTINGS.precision.load(Relaxed) as usize).as_bytes());
    Ok(())
}

/// A number with so many digits, as C's `%g` writes it.
fn digits(number: f64, precision: usize) -> String {
    let text = format!("{number:.*e}", precision - 1);
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| -> String {
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
    };
    if (-4..precision as i32).contains(&exponent) {
        let behind = usize::try_from(precision as i32 - 1 - exponent).unwrap_or(0);
        return trimmed(&format!("{number:.behind$}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trimmed(digits), exponent.abs())
}

fn put_table(lua: Lua, at: i32, out: &mut Vec<u8>, nested: usize) -> Result<(), Raised> {
    if nested > depth(&SETTINGS.encode_depth) || !lua.has_room(4) {
        return Err(lua.raise_here(format!("Cannot serialise, excessive nesting ({nested})")));
    }
    let (count, most) = keys_of(lua, at, larger);
    match most.and_then(|most| usize::try_from(most).ok()) {
        Some(most) if most > 0 && !is_sparse(lua, at, count, most)? => put_array(lua, at, out, nested, most),
        _ => put_object(lua, at, out, nested),
    }
}

/// The larger of two keys, as an `int` of C's: one that is out of its range is less than all others, as with Redis's
/// `cjson`, where a table with such a key is an object and not a sparse array.
fn larger(most: i64, key: f64) -> i64 {
    if key <= most as f64 {
        most
    } else if key < 2f64.powi(31) {
        key as i64
    } else {
        i64::from(i32::MIN)
    }
}

/// Whether an array has so few elements that it is none.
fn is_sparse(lua: Lua, at: i32, count: usize, most: usize) -> Result<bool, Raised> {
    let ratio = SETTINGS.sparse_ratio.load(Relaxed) as usize;
    let safe = SETTINGS.sparse_safe.load(Relaxed) as usize;
    let is_sparse = ratio > 0 && most > count.saturating_mul(ratio) && most > safe;
    if is_sparse && SETTINGS.sparse_convert.load(Relaxed) == 0 {
        return Err(refuse(lua, at, "excessively sparse array"));
    }
    Ok(is_sparse)
}

fn put_array(lua: Lua, at: i32, out: &mut Vec<u8>, nested: usize, most: usize) -> Result<(), Raised> {
    out.push(b'[');
    for index in 1..=most {
        if index > 1 {
            out.push(b',');
        }
        lua.raw_get_at(at, index);
        put(lua, lua.top(), out, nested)?;
        lua.pop(1);
    }
    out.push(b']');
    Ok(())
}

fn put_object(lua: Lua, at: i32, out: &mut Vec<u8>, nested: usize) -> Result<(), Raised> {
    out.push(b'{');
    let begin = out.len();
    lua.push_nil();
    while lua.next(at) {
        if out.len() > begin {
            out.push(b',');
        }
        let value = lua.top();
        match lua.kind(value - 1) {
            Kind::Number => {
                out.push(b'"');
                put_number(lua, value - 1, out)?;
                out.push(b'"');
            }
            Kind::String => put_text(out, lua.bytes(value - 1).unwrap_or_default()),
            _ => return Err(refuse(lua, value - 1, "table key must be a number or string")),
        }
        out.push(b':');
        put(lua, value, out, nested)?;
        lua.pop(1);
    }
    out.push(b'}');
    Ok(())
}
