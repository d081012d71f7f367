//! A session: the state of TLS on one connection, which a thread may share with the loop.
//!
//! Each use takes a lock for as long as it encrypts or decrypts, and never while it waits for a socket. What is
//! encrypted goes to the socket in the order in which it was encrypted, whoever writes it.

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most bytes that are encrypted and not yet taken by the socket.
pub const WRITE_BYTES_MAX: usize = 64 * 1024;

/// A handle of a session; its clones are handles of the same.
#[derive(Clone)]
pub struct Session(Arc<Mutex<Connection>>);

impl Session {
    /// The session of a connection.
    pub fn new(connection: impl Into<Connection>) -> Session {
        let mut connection = connection.into();
        connection.set_buffer_limit(Some(WRITE_BYTES_MAX));
        Session(Arc::new(Mutex::new(connection)))
    }

    /// The state, for one use.
    pub fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that speaks first, to a server of this name.
    ///
    /// # Errors
    /// When TLS has no way to begin.
    pub fn to_server(config: Arc<ClientConfig>, name: &str) -> io::Result<Session> {
        // The name is told to the server, and its certificate is not looked at for it.
        let name = ServerName::try_from(name.to_owned()).or_else(|_| ServerName::try_from("server"));
        let name = name.map_err(io::Error::other)?;
        Ok(Session::new(ClientConnection::new(config, name).map_err(io::Error::other)?))
    }

    /// One with a client, which speaks first.
    ///
    /// # Errors
    /// When TLS has no way to begin.
    pub fn to_client(config: Arc<ServerConfig>) -> io::Result<Session> {
        Ok(Session::new(ServerConnection::new(config).map_err(io::Error::other)?))
    }

    /// Whether the handshake is over.
    pub fn is_agreed(&self) -> bool {
        !self.lock().is_handshaking()
    }

    /// Whether nobody uses it just now.
    pub fn is_free(&self) -> bool {
        self.0.try_lock().is_ok()
    }

    /// Write what is encrypted to the socket.
    ///
    /// # Errors
    /// Those of the socket, `WouldBlock` among them.
    pub fn push_out(&self, socket: &mut impl Write) -> io::Result<()> {
        push_out(&mut self.lock(), socket)
    }

    /// Encrypt some bytes, once what was encrypted before is with the socket; how many.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn write(&self, slices: &[IoSlice<'_>], socket: &mut impl Write) -> io::Result<usize> {
        let mut connection = self.lock();
        push_out(&mut connection, socket)?;
        connection.writer().write_vectored(slices)
    }

    /// Decrypt some of what has come, once all that was decrypted before is read; how many bytes.
    ///
    /// # Errors
    /// `InvalidData` for what is no TLS.
    pub fn take(&self, mut bytes: &[u8]) -> io::Result<usize> {
        let mut connection = self.lock();
        let taken = connection.read_tls(&mut bytes)?;
        connection.process_new_packets().map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        Ok(taken)
    }
}

/// See [`Session::push_out`].
pub(super) fn push_out(connection: &mut Connection, socket: &mut impl Write) -> io::Result<()> {
    while connection.wants_write() {
        match connection.write_tls(socket) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Take what was decrypted; as a read of the socket would, `WouldBlock` where there is nothing yet.
pub(super) fn read(connection: &mut Connection, buffer: &mut [u8]) -> io::Result<usize> {
    connection.reader().read(buffer)
}

/// Take all that was decrypted, behind other bytes.
pub(super) fn read_all(connection: &mut Connection, bytes: &mut Vec<u8>) -> io::Result<()> {
    match connection.reader().read_to_end(bytes) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        other => other.map(drop),
    }
}
