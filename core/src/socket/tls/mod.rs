//! TLS on sockets, with rustls on ring: versions 1.2 and 1.3, suites with forward secrecy only.
//!
//! - [`material`]: certificates, keys and rules, made from files into what handshakes are done with.
//! - [`files`]: reading certificates and keys.
//! - [`choice`]: versions and suites by the names that OpenSSL has for them.
//! - [`sessions`]: what is kept so that a client that comes back is spared half of the handshake.
//! - [`session`]: the state of TLS on a connection; [`stream`]: a socket with one, read and written like a plain
//!   one; [`link`]: a connection of ours, for a thread.
//! - [`certificate`]: what a certificate says of whom it belongs to.

pub mod certificate;
pub mod choice;
pub mod files;
pub mod link;
pub mod material;
pub mod session;
pub mod sessions;
pub mod stream;
