//! What others are told of fields that a command has found expired and removed.
//!
//! Nothing expires where a command is done again, in a replica or from the append-only file: there the field
//! would still be counted on, or found. So it is removed there first:
//!
//! ```text
//!   HDEL key field ...       what was found expired
//!   the command              as it was sent, or what stands for it
//!   PEXPIREAT key time       only if the key expires: with its last field it has lost that, too
//! ```

use plinth_module::prelude::*;

/// Fields that a command has found expired and removed, one at least.
pub(crate) struct Gone {
    pub(crate) fields: Vec<Vec<u8>>,
    /// When the key expires.
    pub(crate) key_expires_ms: Option<i64>,
}

/// Tells the running command as it was sent, behind what is gone. Where nothing is, that need not be said.
#[inline]
pub(crate) fn as_sent(call: &mut Call<'_>, key: &[u8], gone: Option<Gone>) -> Result {
    let Some(gone) = gone else { return Ok(()) };
    let sent: Vec<&[u8]> = call.args.iter().collect();
    tell(call, key, &gone, &sent)
}

/// Tells what stands for the running command, nothing if it has no words, behind what is gone.
#[inline]
pub(crate) fn instead(call: &mut Call<'_>, key: &[u8], gone: Option<Gone>, command: &[&[u8]]) -> Result {
    match gone {
        Some(gone) => tell(call, key, &gone, command),
        None if command.is_empty() => call.propagate.nothing(),
        None => call.propagate.instead(command),
    }
}

/// Tells what is gone before the command that runs, whatever that is and is told as.
#[cold]
pub(crate) fn before(call: &mut Call<'_>, key: &[u8], gone: &Gone) -> Result {
    call.propagate.before(&removal(key, gone))
}

/// Tells what is gone, of which a timer has found out.
pub(crate) fn by_timer(call: &mut Call<'_>, key: &[u8], gone: &Gone) -> Result {
    if call.propagate.is_wanted() { call.propagate.instead(&removal(key, gone)) } else { Ok(()) }
}

fn removal<'g>(key: &'g [u8], gone: &'g Gone) -> Vec<&'g [u8]> {
    let fields = gone.fields.iter().map(Vec::as_slice);
    [&b"HDEL"[..], key].into_iter().chain(fields).collect()
}

#[cold]
fn tell(call: &mut Call<'_>, key: &[u8], gone: &Gone, command: &[&[u8]]) -> Result {
    before(call, key, gone)?;
    if command.is_empty() {
        return call.propagate.nothing();
    }
    call.propagate.instead(command)?;
    match gone.key_expires_ms {
        Some(at_ms) => call.propagate.instead(&[b"PEXPIREAT", key, itoa::Buffer::new().format(at_ms).as_bytes()]),
        None => Ok(()),
    }
}
