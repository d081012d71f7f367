//! The order of texts (`LC_COLLATE`), which C's `strcoll` goes by in the server and in modules alike.

use std::ffi::CString;

/// Have texts go by a locale, or by that of the environment where the name is empty; whether there is such a
/// locale. Only for the thread that runs commands, while no other orders texts.
pub fn set(name: &str) -> bool {
    let Ok(name) = CString::new(name) else { return false };
    // SAFETY: the name is a text of C for the call, and no other thread of this program reads the locale.
    let set = unsafe { libc::setlocale(libc::LC_COLLATE, name.as_ptr()) };
    !set.is_null()
}
