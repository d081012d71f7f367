//! The standard errors: what a client reads for each status that a handler
//! returns.

use plinth_abi::status::{self as abi, Status};

/// The error when `maxmemory` is reached.
pub const OUT_OF_MEMORY: &str = "OOM command not allowed when used memory > 'maxmemory'.";

/// The error for a status of a command, or `None` for one that is no error.
pub fn error_text(status: Status, command: &str) -> Option<String> {
    let text = match status {
        abi::STATUS_OK | abi::STATUS_REPLIED | abi::STATUS_REPLIED_AGAIN => return None,
        abi::STATUS_NONE => "ERR no such key".into(),
        abi::STATUS_WRONG_TYPE => "WRONGTYPE Operation against a key holding the wrong kind of value".into(),
        // Not that `maxmemory` is reached, which is found before the command runs.
        abi::STATUS_OUT_OF_MEMORY => format!("OOM there is no memory for what '{command}' needs"),
        abi::STATUS_SYNTAX => "ERR syntax error".into(),
        abi::STATUS_NOT_INTEGER => "ERR value is not an integer or out of range".into(),
        abi::STATUS_NOT_FLOAT => "ERR value is not a valid float".into(),
        abi::STATUS_OUT_OF_RANGE => "ERR index out of range".into(),
        abi::STATUS_ARITY => arity(command),
        abi::STATUS_TOO_LARGE => "ERR string exceeds maximum allowed size (proto-max-bulk-len)".into(),
        abi::STATUS_PANIC => format!("ERR the module failed while it ran '{command}'; see the server's log"),
        abi::STATUS_BAD_DATA => "ERR Bad data format".into(),
        abi::STATUS_UNSUPPORTED => format!("ERR '{command}' asks for a service or type that is not there"),
        abi::STATUS_EXISTS => "BUSYKEY Target key name already exists.".into(),
        abi::STATUS_NOT_ALLOWED => format!("ERR '{command}' is not possible here"),
        abi::STATUS_INVALID_EXPIRE => format!("ERR invalid expire time in '{command}' command"),
        abi::STATUS_GHOST => "GHOST the module of this key's type is not loaded".into(),
        abi::STATUS_OVERFLOW => "ERR increment or decrement would overflow".into(),
        abi::STATUS_DB_RANGE => "ERR DB index is out of range".into(),
        abi::STATUS_INVALID_CURSOR => "ERR invalid cursor".into(),
        other => format!("ERR '{command}' failed with status {other}"),
    };
    Some(text)
}

/// The error for a wrong number of arguments.
pub fn arity(command: &str) -> String {
    format!("ERR wrong number of arguments for '{command}' command")
}

/// What an error shows of an argument: its bytes up to a NUL, which is where a text of C ends.
pub fn shown(arg: &[u8]) -> &[u8] {
    let end = arg.iter().position(|byte| *byte == 0).unwrap_or(arg.len());
    &arg[..end.min(SHOWN_MAX)]
}

/// Bytes that an error shows of an argument.
const SHOWN_MAX: usize = 128;

/// The error for a command that does not exist, with the beginning of what was sent.
pub fn unknown(args: &[&[u8]]) -> Vec<u8> {
    let mut begin = Vec::new();
    for arg in args.iter().skip(1) {
        if begin.len() >= SHOWN_MAX {
            break;
        }
        let arg = shown(arg);
        let arg = &arg[..arg.len().min(SHOWN_MAX - begin.len())];
        begin.extend_from_slice(&[b"'", arg, b"' "].concat());
    }
    let name = args.first().map_or(&[][..], |name| shown(name));
    let text = [b"ERR unknown command '", name, b"', with args beginning with: ", &begin].concat();
    // Here, so that the blank at the end stays.
    text.into_iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }).collect()
}
