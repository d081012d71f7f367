//! Users: who clients are, and what they may do.

use crate::abi;
use crate::abi::acl::AuthHook;
use crate::abi::bytes::{Bytes, Opaque};
use crate::abi::status::{STATUS_NONE, STATUS_NOT_ALLOWED, STATUS_OK, Status};
use crate::call::{Call, part};
use crate::error::{Error, Result, check};
use crate::host;
use crate::panic::guard;
use std::marker::PhantomData;
use std::ptr::NonNull;

pub use crate::abi::acl::{
    ACL_NOTE, ACL_NOTE_SCRIPT, ACL_READ_ANY, DENIED_CHANNEL, DENIED_COMMAND, DENIED_DATABASE, DENIED_KEY,
};

/// Users, in [`Call::acl`]. A name that is empty stands for the user of the call's client.
pub struct Acl<'a> {
    call: NonNull<abi::call::Call>,
    marker: PhantomData<&'a mut ()>,
}

part!(Acl);

/// Why a command is not allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Denied {
    /// `DENIED_*`.
    pub kind: u32,
    /// Position of the key or channel among the arguments, else 0.
    pub position: usize,
}

/// What a hook says of a client that says who it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It does not know the user: the next is asked, and in the end the passwords.
    Pass,
    /// It has let the client in, with [`Acl::authenticate`].
    LetIn,
    /// Nobody shall let it in; the error that the client is sent, or an empty one for the usual.
    Refuse(String),
}

/// A hook: the run's call, the client's id, the name of the user, and the password.
pub type AuthHookFn = fn(&mut Call<'_>, u64, &[u8], &[u8]) -> Verdict;

fn is_allowed(status: Status) -> Result<bool> {
    match status {
        STATUS_OK => Ok(true),
        STATUS_NOT_ALLOWED => Ok(false),
        other => Err(Error::from_status(other)),
    }
}

impl Acl<'_> {
    /// Name of the user that a client is. Fails with `None`.
    pub fn user_of(&mut self, client_id: u64) -> Result<Vec<u8>> {
        let mut user = Bytes::EMPTY;
        // SAFETY: the call is valid; the name is copied before the service is called again.
        unsafe {
            check((host::acl().user_of)(self.call.as_ptr(), client_id, &mut user))?;
            Ok(user.as_slice().to_vec())
        }
    }

    /// Whether a user may run a command, with `ACL_*` flags; why not, if so. Fails with `None` for no such user,
    /// `Unsupported` for no such command, and `Arity` for one that is allowed but for its arguments.
    pub fn check_command(&mut self, user: &[u8], args: &[Bytes], flags: u32) -> Result<Option<Denied>> {
        let size = size_of::<abi::acl::Denied>() as u32;
        let mut denied = abi::acl::Denied { size, kind: 0, position: 0, reserved: 0 };
        // SAFETY: the call is valid, and all is borrowed for it.
        let status = unsafe {
            let check = host::acl().check_command;
            check(self.call.as_ptr(), Bytes::of(user), args.as_ptr(), args.len() as u32, flags, &mut denied)
        };
        let denied = Denied { kind: denied.kind, position: denied.position as usize };
        is_allowed(status).map(|is_allowed| (!is_allowed).then_some(denied))
    }

    /// Whether a user may use a key as `KEY_*` flags say. Fails with `None` for no such user.
    pub fn check_key(&mut self, user: &[u8], key: &[u8], flags: u64) -> Result<bool> {
        // SAFETY: the call is valid, and both are borrowed for it.
        is_allowed(unsafe { (host::acl().check_key)(self.call.as_ptr(), Bytes::of(user), Bytes::of(key), flags) })
    }

    /// Whether a user may use a channel, or with `CHANNEL_PATTERN` a pattern. Fails with `None` for no such user.
    pub fn check_channel(&mut self, user: &[u8], channel: &[u8], flags: u32) -> Result<bool> {
        let (user, channel) = (Bytes::of(user), Bytes::of(channel));
        // SAFETY: the call is valid, and both are borrowed for it.
        is_allowed(unsafe { (host::acl().check_channel)(self.call.as_ptr(), user, channel, flags) })
    }

    /// Has a client be a user from now on. Fails with `None` for no such client or user, and with `NotAllowed` for
    /// a user that is off.
    pub fn authenticate(&mut self, client_id: u64, user: &[u8]) -> Result {
        // SAFETY: the call is valid, and the name is borrowed for it.
        check(unsafe { (host::acl().authenticate)(self.call.as_ptr(), client_id, Bytes::of(user)) })
    }

    /// Has `hook` asked when a client says who it is, until the module leaves. Fails with `OutOfRange` when the
    /// module has 16.
    pub fn add_auth_hook(&mut self, hook: AuthHookFn) -> Result {
        // SAFETY: the call is valid; `run` makes a function of the address again.
        check(unsafe { (host::acl().add_auth_hook)(self.call.as_ptr(), AuthHook { run }, hook as Opaque) })
    }
}

unsafe extern "C" fn run(
    raw: *mut abi::call::Call,
    client_id: u64,
    user: Bytes,
    password: Bytes,
    data: Opaque,
) -> Status {
    // SAFETY: the host lends call and texts for this run, and `data` is what `add_auth_hook` gave it.
    let (mut call, user, password, hook) = unsafe {
        let hook = std::mem::transmute::<Opaque, AuthHookFn>(data);
        (Call::from_raw(raw), user.as_slice(), password.as_slice(), hook)
    };
    // One that panics lets nobody in.
    let mut status = STATUS_NOT_ALLOWED;
    guard(|| {
        status = match hook(&mut call, client_id, user, password) {
            Verdict::Pass => STATUS_NONE,
            Verdict::LetIn => STATUS_OK,
            Verdict::Refuse(text) => {
                if !text.is_empty() {
                    // It only says that there is an error.
                    let _ = call.reply.error(text);
                }
                STATUS_NOT_ALLOWED
            }
        };
    });
    status
}
