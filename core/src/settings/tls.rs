//! Parameters of connections that speak TLS.

use crate::settings::parameters::Kind::{Bool, Bytes, Choice, Integer, Text};
use crate::settings::parameters::{INT_MAX, Parameter, parameter};

/// Choices of `tls-auth-clients`, in the order of [`Tls::auth_clients`].
pub const AUTH_CLIENTS: &[&str] = &["no", "yes", "optional"];
/// Choices of `tls-auth-clients-user`, in the order of [`Tls::auth_clients_user`].
pub const AUTH_CLIENTS_USER: &[&str] = &["off", "CN", "URI"];

/// Their values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tls {
    /// Port for connections that speak TLS, 0 for none.
    pub port: i64,
    /// Whether links of the cluster speak it.
    pub cluster: bool,
    /// Whether links to a primary speak it.
    pub replication: bool,
    /// Whether clients show a certificate: position in [`AUTH_CLIENTS`].
    pub auth_clients: usize,
    /// By what of its certificate a client is taken as a user: position in [`AUTH_CLIENTS_USER`].
    pub auth_clients_user: usize,
    /// Seconds between looks whether the files have changed, 0 for never.
    pub auto_reload_interval: i64,
    /// Whether the order of the suites is the server's.
    pub prefer_server_ciphers: bool,
    /// Whether sessions are kept, how many, and for how many seconds.
    pub session_caching: bool,
    /// See there.
    pub session_cache_size: i64,
    /// See there.
    pub session_cache_timeout: i64,
    /// The server's certificate.
    pub cert_file: String,
    /// Its key.
    pub key_file: String,
    /// The key's password.
    pub key_file_pass: Vec<u8>,
    /// The certificate for links that go out.
    pub client_cert_file: String,
    /// Its key.
    pub client_key_file: String,
    /// The key's password.
    pub client_key_file_pass: Vec<u8>,
    /// File of the authorities.
    pub ca_cert_file: String,
    /// Folder of the authorities.
    pub ca_cert_dir: String,
    /// Versions.
    pub protocols: String,
    /// Suites of version 1.2.
    pub ciphers: String,
    /// Suites of version 1.3.
    pub ciphersuites: String,
}

impl Default for Tls {
    fn default() -> Tls {
        Tls {
            port: 0,
            cluster: false,
            replication: false,
            auth_clients: 1,
            auth_clients_user: 0,
            auto_reload_interval: 0,
            prefer_server_ciphers: false,
            session_caching: true,
            session_cache_size: 20 * 1024,
            session_cache_timeout: 300,
            cert_file: String::new(),
            key_file: String::new(),
            key_file_pass: Vec::new(),
            client_cert_file: String::new(),
            client_key_file: String::new(),
            client_key_file_pass: Vec::new(),
            ca_cert_file: String::new(),
            ca_cert_dir: String::new(),
            protocols: String::new(),
            ciphers: String::new(),
            ciphersuites: String::new(),
        }
    }
}

/// They, in the order in which CONFIG GET shows them.
pub static PARAMETERS: &[Parameter] = &[
    parameter("tls-port", Integer(|s| &mut s.tls.port, 0, 65_535)),
    parameter("tls-cluster", Bool(|s| &mut s.tls.cluster)),
    parameter("tls-replication", Bool(|s| &mut s.tls.replication)),
    parameter("tls-auth-clients", Choice(|s| &mut s.tls.auth_clients, AUTH_CLIENTS)),
    parameter("tls-auth-clients-user", Choice(|s| &mut s.tls.auth_clients_user, AUTH_CLIENTS_USER)),
    parameter("tls-auto-reload-interval", Integer(|s| &mut s.tls.auto_reload_interval, 0, INT_MAX)),
    parameter("tls-prefer-server-ciphers", Bool(|s| &mut s.tls.prefer_server_ciphers)),
    parameter("tls-session-caching", Bool(|s| &mut s.tls.session_caching)),
    parameter("tls-session-cache-size", Integer(|s| &mut s.tls.session_cache_size, 0, INT_MAX)),
    parameter("tls-session-cache-timeout", Integer(|s| &mut s.tls.session_cache_timeout, 0, INT_MAX)),
    parameter("tls-cert-file", Text(|s| &mut s.tls.cert_file)),
    parameter("tls-key-file", Text(|s| &mut s.tls.key_file)),
    parameter("tls-key-file-pass", Bytes(|s| &mut s.tls.key_file_pass)),
    parameter("tls-client-cert-file", Text(|s| &mut s.tls.client_cert_file)),
    parameter("tls-client-key-file", Text(|s| &mut s.tls.client_key_file)),
    parameter("tls-client-key-file-pass", Bytes(|s| &mut s.tls.client_key_file_pass)),
    parameter("tls-ca-cert-file", Text(|s| &mut s.tls.ca_cert_file)),
    parameter("tls-ca-cert-dir", Text(|s| &mut s.tls.ca_cert_dir)),
    parameter("tls-protocols", Text(|s| &mut s.tls.protocols)),
    parameter("tls-ciphers", Text(|s| &mut s.tls.ciphers)),
    parameter("tls-ciphersuites", Text(|s| &mut s.tls.ciphersuites)),
];
