//! Clients: who is connected.

use crate::abi;
use crate::abi::bytes::Bytes;
use crate::call::part;
use crate::error::{Result, check};
use crate::host;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// The clients, in [`Call::clients`](crate::call::Call::clients).
pub struct Clients<'a> {
    call: NonNull<abi::call::Call>,
    marker: PhantomData<&'a mut ()>,
}

part!(Clients);

/// What is known of a client.
#[derive(Clone, Debug)]
pub struct Client {
    /// Id, never used twice.
    pub id: u64,
    /// Selected database.
    pub db: u32,
    /// Protocol version, 2 or 3.
    pub resp: u32,
    /// Whether it is connected through a unix socket.
    pub is_unix: bool,
    /// Address and port as CLIENT LIST shows them.
    pub address: Vec<u8>,
    /// Name set by CLIENT SETNAME, or empty.
    pub name: Vec<u8>,
    /// User, `default` unless it authenticated as another.
    pub user: Vec<u8>,
    /// Seconds connected.
    pub age_s: u64,
    /// Seconds without a command.
    pub idle_s: u64,
}

/// To how much a client listens: see [`Clients::listen`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listening {
    /// Channels, `sub` of CLIENT LIST.
    pub channels: u32,
    /// Patterns of channels, `psub`.
    pub patterns: u32,
    /// Channels of a shard, `ssub`.
    pub shard_channels: u32,
    /// Bytes of memory that the module keeps for it.
    pub bytes: u64,
}

/// A text that many clients are to be sent, once for all of them: see [`Clients::share`].
#[derive(Clone, Copy, Debug)]
pub struct Shared<'a> {
    number: u64,
    marker: PhantomData<&'a ()>,
}

impl<'a> Clients<'a> {
    /// Says to how much a client listens from now on, in all; the default ends it. Fails with `None`, and
    /// with `NotAllowed` when it listens to another module.
    ///
    /// Such a client is of the type `pubsub`. As long as it speaks RESP2 it runs only commands with
    /// [`COMMAND_WHILE_LISTENING`](crate::command::COMMAND_WHILE_LISTENING). When this module leaves, its
    /// listeners are disconnected.
    pub fn listen(&mut self, client_id: u64, listening: Listening) -> Result {
        let Listening { channels, patterns, shard_channels, bytes } = listening;
        let size = size_of::<abi::clients::Listening>() as u32;
        let raw = abi::clients::Listening { size, channels, patterns, shard_channels, bytes };
        // SAFETY: the call is valid, and `raw` is borrowed for it.
        check(unsafe { (host::clients().listen)(self.call.as_ptr(), client_id, &raw) })
    }

    /// Keeps a text that many clients are to be sent. It pays where it is some kilobytes long. Fails with
    /// `OutOfMemory`.
    pub fn share(&mut self, bytes: &[u8]) -> Result<Shared<'a>> {
        let mut number = 0;
        // SAFETY: the call is valid; the bytes are borrowed for the call.
        check(unsafe { (host::clients().share)(self.call.as_ptr(), Bytes::of(bytes), &mut number) })?;
        Ok(Shared { number, marker: PhantomData })
    }

    /// Sends clients a message, an array of RESP in `head`, whose last element is `shared` if there is one; those who
    /// speak RESP3 get it as a push. Returns how many of the clients are there.
    pub fn push_all(&mut self, client_ids: &[u64], head: &[u8], shared: Option<Shared<'a>>) -> usize {
        let number = shared.map_or(0, |shared| shared.number);
        let (head, mut reached) = (Bytes::of(head), 0);
        // SAFETY: the call is valid; ids and head are borrowed for the call, and what is shared is there as
        // long as the call is.
        unsafe {
            let push_all = host::clients().push_all;
            push_all(self.call.as_ptr(), client_ids.as_ptr(), client_ids.len(), head, number, &mut reached);
        }
        reached
    }
}

impl Clients<'_> {
    /// What is known of a client. Fails with `None`.
    pub fn info(&mut self, client_id: u64) -> Result<Client> {
        let mut raw = abi::clients::Client {
            size: size_of::<abi::clients::Client>() as u32,
            db: 0,
            id: client_id,
            resp: 2,
            is_unix: 0,
            address: Bytes::EMPTY,
            name: Bytes::EMPTY,
            user: Bytes::EMPTY,
            age_s: 0,
            idle_s: 0,
        };
        // SAFETY: the call is valid, and `raw` has its size.
        check(unsafe { (host::clients().info)(self.call.as_ptr(), client_id, &mut raw) })?;
        // SAFETY: the texts stay until the next call of the service. They are copied because a
        // command that is run meanwhile could change them.
        let (address, name, user) =
            unsafe { (raw.address.as_slice().to_vec(), raw.name.as_slice().to_vec(), raw.user.as_slice().to_vec()) };
        Ok(Client {
            id: raw.id,
            db: raw.db,
            resp: raw.resp,
            is_unix: raw.is_unix != 0,
            address,
            name,
            user,
            age_s: raw.age_s,
            idle_s: raw.idle_s,
        })
    }

    /// Sends bytes of RESP to a client, after whatever is being written to it. Fails with `None`.
    pub fn push(&mut self, client_id: u64, bytes: &[u8]) -> Result {
        // SAFETY: the call is valid; the bytes are borrowed for the call.
        check(unsafe { (host::clients().push)(self.call.as_ptr(), client_id, Bytes::of(bytes)) })
    }

    /// Closes a client's connection after its pending replies. Fails with `None`.
    pub fn disconnect(&mut self, client_id: u64) -> Result {
        // SAFETY: the call is valid.
        check(unsafe { (host::clients().disconnect)(self.call.as_ptr(), client_id) })
    }
}
