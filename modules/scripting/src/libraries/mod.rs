//! Libraries beside Lua's own, with the behaviour of those that Redis links.

mod math;

use crate::lua::Lua;

/// Put all into the globals.
pub(crate) fn install(lua: Lua, globals: i32) {
    math::install(lua, globals);
}
