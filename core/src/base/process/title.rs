//! What `ps` shows: the process's title, written over its arguments.
//!
//! ```text
//!   a r g v [0] \0 a r g v [1] \0 … e n v [0] \0 e n v [1] \0 …      one piece of memory, as the kernel made it
//!   └─ arg_start               └─ arg_end = env_start        └─ env_end
//! ```
//!
//! The kernel shows what is between `arg_start` and `arg_end`, and goes on into the environment if the last byte
//! there is no zero. So the environment moves to the heap first, and a title may take the place of both.
//!
//! Invariant: the last byte of the piece stays zero.

use std::ffi::{CStr, c_char};
use std::sync::OnceLock;

/// What a template may name.
pub const NAMES: [&str; 7] = ["title", "listen-addr", "server-mode", "port", "tls-port", "unixsocket", "config-file"];

/// Where the title goes: address and bytes.
static AREA: OnceLock<(usize, usize)> = OnceLock::new();

unsafe extern "C" {
    static mut environ: *mut *mut c_char;
}

/// Whether a text is a template: it says something, and names in braces are known.
pub fn is_template(template: &str) -> bool {
    !template.is_empty() && expand(template, |name| NAMES.contains(&name).then(String::new)).is_some()
}

/// A template with names in braces replaced, without blanks at its end; `None` when a name is unknown or a brace
/// left open. Two braces stand for one.
pub fn expand(template: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut title = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        title.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('{') {
            title.push('{');
            rest = behind;
            continue;
        }
        let (name, behind) = rest.split_once('}')?;
        title.push_str(&value(name)?);
        rest = behind;
    }
    title.push_str(rest);
    title.truncate(title.trim_end().len());
    Some(title)
}

/// Make the place for titles. To be called while the process has one thread.
pub fn claim() {
    let Some((from, to)) = area() else { return };
    // SAFETY: the process has one thread, so nobody reads the environment now. Its entries are texts of C, which
    // live on in copies that are never freed; what was copied is not read by anybody else.
    unsafe {
        let mut copies = Vec::new();
        let mut at = environ;
        while !at.is_null() && !(*at).is_null() {
            copies.push(CStr::from_ptr(*at).to_owned().into_raw());
            at = at.add(1);
        }
        copies.push(std::ptr::null_mut());
        environ = copies.leak().as_mut_ptr();
    }
    let _ = AREA.set((from, to - from));
}

/// Where the arguments and the environment lie, as the kernel says; `None` where it does not say, or
/// something else than one piece.
fn area() -> Option<(usize, usize)> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program is in brackets and may hold blanks; the fields behind it are counted from 3.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<usize>().ok().filter(|address| *address > 0);
    let (arg_start, arg_end, env_start, env_end) = (field(48)?, field(49)?, field(50)?, field(51)?);
    (arg_start < arg_end && arg_end == env_start && env_start <= env_end).then_some((arg_start, env_end))
}

/// Show a title, as much of it as there is room for.
pub fn set(title: &str) {
    let Some((at, len)) = AREA.get().copied() else { return };
    let shown = title.len().min(len - 1);
    // SAFETY: the piece belongs to the process for its whole life and nobody else has a reference into it:
    // arguments were read before, and the environment has moved.
    unsafe {
        let piece = at as *mut u8;
        std::ptr::copy_nonoverlapping(title.as_ptr(), piece, shown);
        piece.add(shown).write_bytes(0, len - shown);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_braces_are_replaced_and_blanks_at_the_end_go() {
        let value = |name: &str| match name {
            "port" => Some("7".into()),
            "server-mode" => Some(String::new()),
            _ => None,
        };
        assert_eq!(expand("a {port}{port} {{x} {server-mode}", value).as_deref(), Some("a 77 {x}"));
        assert_eq!(expand("{port", value), None);
        assert_eq!(expand("{}", value), None);
        assert!(is_template("{title} {listen-addr}") && !is_template("") && !is_template("{nothing}"));
    }

    #[test]
    fn the_kernel_says_where_arguments_lie() {
        let (from, to) = area().unwrap();
        assert!(to - from > std::env::args().next().unwrap().len());
    }
}
