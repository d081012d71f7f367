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
