//! `math.random`: the sequence that it has everywhere, that of C's `lrand48` from its usual begin.

use crate::lua::{Lua, Outcome};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The begin that C gives the sequence when nobody seeds it.
const BEGIN: u64 = 0x1234_ABCD_330E;
/// What the upper bits of a seed stand above.
const SEED_LOW: u64 = 0x330E;
/// Largest number that C's `rand` gives.
const MOST: u64 = 0x7fff_ffff;

static STATE: AtomicU64 = AtomicU64::new(BEGIN);

/// Put ours in the place of Lua's.
pub(super) fn install(lua: Lua, globals: i32) {
    lua.raw_get_name(globals, "math");
    let table = lua.top();
    lua.push_function(random);
    lua.raw_set_name(table, "random");
    lua.push_function(seed);
    lua.raw_set_name(table, "randomseed");
    lua.pop(1);
}

/// The next of the sequence: 31 bits of the 48 of its state.
fn next() -> u64 {
    let state = (STATE.load(Relaxed).wrapping_mul(0x5_DEEC_E66D).wrapping_add(0xB)) & ((1 << 48) - 1);
    STATE.store(state, Relaxed);
    state >> 17
}

fn whole(lua: Lua, at: i32) -> Result<i32, crate::lua::Raised> {
    if lua.is_number(at) { Ok(lua.number(at) as i64 as i32) } else { Err(lua.raise_kind(at, "number")) }
}

fn random(lua: Lua) -> Outcome {
    let share = (next() % MOST) as f64 / MOST as f64;
    let (low, high) = match lua.top() {
        0 => {
            lua.push_number(share);
            return Ok(1);
        }
        1 => (1, whole(lua, 1)?),
        2 => (whole(lua, 1)?, whole(lua, 2)?),
        _ => return Err(lua.raise_here("wrong number of arguments")),
    };
    if low > high {
        return Err(lua.raise_argument(lua.top(), "interval is empty"));
    }
    let span = f64::from(high) - f64::from(low) + 1.0;
    lua.push_number((share * span).floor() + f64::from(low));
    Ok(1)
}

fn seed(lua: Lua) -> Outcome {
    let seed = whole(lua, 1)? as u32;
    STATE.store(u64::from(seed) << 16 | SEED_LOW, Relaxed);
    Ok(0)
}
