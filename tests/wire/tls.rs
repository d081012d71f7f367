//! Connections that speak TLS, by rustls as a client, with certificates made here.

use pkcs8::pkcs5::pbes2::Parameters;
use plinth_testkit::server::{Stream, free_port, run_to_end};
use plinth_testkit::{Client, Server, TempDir, assert_wire, cc, wait_until};
use rcgen::string::Ia5String;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// An authority, and a folder with its files: `ca.crt`, and `NAME.crt` and `NAME.key` of whom it has issued
/// certificates to.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate and its key.
struct Identity(CertificateDer<'static>, PrivateKeyDer<'static>);

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "An authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("made for a test"))
            .expect("made for a test");
        let folder = TempDir::new();
        folder.write("ca.crt", issuer.pem());
        Authority { issuer, folder }
    }

    /// A certificate for a common name and a URI, whose files are `file.crt` and `file.key`.
    fn issue(&self, file: &str, name: &str, uri: Option<&str>) -> Identity {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("made for a test");
        params.distinguished_name.push(DnType::CommonName, name);
        let uri = uri.map(|uri| SanType::URI(Ia5String::try_from(uri).expect("made for a test")));
        params.subject_alt_names.extend(uri);
        let key = KeyPair::generate().expect("made for a test");
        let certificate = params.signed_by(&key, &self.issuer).expect("made for a test");
        self.folder.write(&format!("{file}.crt"), certificate.pem());
        self.folder.write(&format!("{file}.key"), key.serialize_pem());
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        Identity(certificate.der().clone(), key)
    }

    fn path(&self, file: &str) -> String {
        self.folder.file(file)
    }

    /// A server for TLS, and its port.
    fn server(&self, more: &[&str]) -> (Server, u16) {
        self.issue("server", "A server", None);
        let port = free_port();
        let (text, crt, key, ca) =
            (port.to_string(), self.path("server.crt"), self.path("server.key"), self.path("ca.crt"));
        let mut args =
            vec!["--tls-port", &text, "--tls-cert-file", &crt, "--tls-key-file", &key, "--tls-ca-cert-file", &ca];
        args.extend_from_slice(more);
        (Server::with(&args), port)
    }

    /// A connection that is made, and whose handshake may fail.
    fn connect(&self, port: u16, identity: Option<Identity>) -> std::io::Result<TlsClient> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("made for a test");
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder =
            builder.with_safe_default_protocol_versions().expect("made for a test").with_root_certificates(roots);
        let config = match identity {
            Some(Identity(certificate, key)) => {
                builder.with_client_auth_cert(vec![certificate], key).expect("made for a test")
            }
            None => builder.with_no_client_auth(),
        };
        let name = ServerName::try_from("localhost").expect("made for a test");
        let session = ClientConnection::new(Arc::new(config), name).expect("made for a test");
        let socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut stream = StreamOwned::new(session, socket);
        stream.conn.complete_io(&mut stream.sock)?;
        Ok(TlsClient(stream))
    }

    fn client(&self, port: u16, identity: Option<Identity>) -> Client {
        Client::new(self.connect(port, identity).expect("no handshake"))
    }
}

struct TlsClient(StreamOwned<ClientConnection, TcpStream>);

impl Read for TlsClient {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for TlsClient {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.0.write(buffer)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl Stream for TlsClient {
    fn set_patience(&self, wait: Duration) {
        self.0.sock.set_patience(wait);
    }

    fn end_sending(&self) {
        let _ = self.0.sock.shutdown(Shutdown::Write);
    }
}

/// Whether a client is served: with TLS 1.3 a certificate is refused only after the client's handshake.
fn is_served(connected: std::io::Result<TlsClient>) -> bool {
    let Ok(mut client) = connected else { return false };
    let mut reply = [0; 7];
    client.write_all(b"PING\r\n").is_ok() && client.read_exact(&mut reply).is_ok() && reply == *b"+PONG\r\n"
}

#[test]
fn requests_and_replies_of_all_sizes_go_through() {
    let authority = Authority::new();
    let (server, port) = authority.server(&["--tls-auth-clients", "no"]);
    let mut client = authority.client(port, None);
    let mut pipeline = Vec::new();
    for number in 0..3000 {
        pipeline.extend(plinth_testkit::reply::request(&["RPUSH".to_owned(), "list".into(), format!("{number:0200}")]));
    }
    client.raw(&pipeline);
    for number in 1..=3000 {
        assert_eq!(client.reply().integer(), number);
    }
    assert_eq!(client.ask(&["LRANGE", "list", "0", "-1"]).items().len(), 3000);
    let big = vec![b'x'; 20 << 20];
    assert_wire(&mut client, &[b"SET".as_slice(), b"big", &big], b"+OK\r\n");
    // More than the sockets hold, to one who does not read yet.
    for _ in 0..4 {
        client.send(&["GET", "big"]);
    }
    let mut plain = server.connect();
    assert_wire(&mut plain, &["STRLEN", "big"], format!(":{}\r\n", big.len()));
    for _ in 0..4 {
        assert_eq!(client.reply().text().len(), big.len());
    }
    assert!(plain.info("server", "listener1").unwrap().starts_with("name=tls,"));
    assert_eq!(plain.info("tls", "tls_ca_cert_serial").map(|serial| serial.len() > 10), Some(true));
}

#[test]
fn who_shows_no_certificate_or_no_handshake_is_not_served() {
    let authority = Authority::new();
    let (server, port) = authority.server(&[]);
    let mut plain = server.connect();
    let own = || authority.issue("client", "A client", None);
    assert!(is_served(authority.connect(port, Some(own()))));
    assert!(!is_served(authority.connect(port, None)));
    let stranger = Authority::new();
    let foreign = stranger.issue("foreign", "A stranger", None);
    assert!(!is_served(authority.connect(port, Some(foreign))));
    for (mode, without) in [("optional", true), ("no", true), ("yes", false)] {
        assert_wire(&mut plain, &["CONFIG", "SET", "tls-auth-clients", mode], b"+OK\r\n");
        assert!(is_served(authority.connect(port, Some(own()))), "{mode}");
        assert_eq!(is_served(authority.connect(port, None)), without, "{mode}");
    }
    // Plain requests, and garbage, end the connection without an answer.
    for bytes in [b"PING\r\n".as_slice(), &[0x16, 3, 1, 0xff, 0xff, 1, 2, 3], &[0xff; 70_000]] {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let _ = socket.write_all(bytes);
        let _ = socket.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        assert!(answer.is_empty(), "{answer:?}");
    }
    // Many that never finish a handshake hold up nobody.
    let silent: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    assert!(is_served(authority.connect(port, Some(own()))));
    drop(silent);
    wait_until("the others are gone", || plain.info("clients", "connected_clients").as_deref() == Some("1"));
}

#[test]
fn a_certificate_makes_its_bearer_a_user() {
    let authority = Authority::new();
    let (server, port) = authority.server(&["--tls-auth-clients-user", "CN"]);
    let mut plain = server.connect();
    for user in ["alice", "urn:service:b"] {
        assert_wire(&mut plain, &["ACL", "SETUSER", user, "on", "nopass", "~*", "+@all"], b"+OK\r\n");
    }
    assert_wire(&mut plain, &["ACL", "SETUSER", "default", ">secret"], b"+OK\r\n");
    let who = |name: &str, uri: Option<&str>| {
        authority.client(port, Some(authority.issue("client", name, uri))).text(&["ACL", "WHOAMI"])
    };
    assert_eq!(who("alice", None), "alice");
    assert_eq!(who("nobody", None), "NOAUTH Authentication required.");
    assert_eq!(plain.info("stats", "acl_access_denied_tls_cert").as_deref(), Some("1"));
    assert_wire(&mut plain, &["CONFIG", "SET", "tls-auth-clients-user", "URI"], b"+OK\r\n");
    assert_eq!(who("alice", Some("urn:service:b")), "urn:service:b");
    assert_eq!(who("alice", None), "NOAUTH Authentication required.");
    assert_wire(&mut plain, &["ACL", "SETUSER", "urn:service:b", "off"], b"+OK\r\n");
    assert_eq!(who("alice", Some("urn:service:b")), "NOAUTH Authentication required.");
}

#[test]
fn certificates_are_replaced_while_connections_go_on() {
    let authority = Authority::new();
    let (server, port) = authority.server(&["--tls-auth-clients", "no", "--tls-auto-reload-interval", "1"]);
    let mut plain = server.connect();
    let mut early = authority.client(port, None);
    let serial = |plain: &mut Client| plain.info("tls", "tls_server_cert_serial").unwrap();
    let first = serial(&mut plain);
    authority.issue("next", "Another", None);
    let set = |plain: &mut Client, pairs: &[&str]| plain.text(&[&["CONFIG", "SET"], pairs].concat());
    // Certificate and key belong together, so either alone is refused.
    let (crt, key) = (authority.path("next.crt"), authority.path("next.key"));
    let refused = set(&mut plain, &["tls-cert-file", &crt]);
    assert!(refused.contains("Unable to update TLS configuration. Check server logs."), "{refused}");
    assert_eq!(serial(&mut plain), first);
    assert_eq!(set(&mut plain, &["tls-cert-file", &crt, "tls-key-file", &key]), "OK");
    let second = serial(&mut plain);
    assert_ne!(second, first);
    // A file that is written over is taken up by itself; a bad one is not.
    std::fs::write(&crt, "no certificate").unwrap();
    server.wait_for_log("TLS files have changed and are not taken up");
    assert_eq!(serial(&mut plain), second);
    authority.issue("next", "Yet another", None);
    wait_until("the files are read again", || serial(&mut plain) != second);
    assert_eq!(early.text(&["PING"]), "PONG");
    assert_eq!(authority.client(port, None).text(&["PING"]), "PONG");
}

#[test]
fn ports_for_plain_and_for_tls_change_places() {
    let authority = Authority::new();
    let (server, port) = authority.server(&["--tls-auth-clients", "no"]);
    let mut plain = server.connect();
    let (tcp, tls) = (server.port().to_string(), port.to_string());
    assert_eq!(plain.text(&["CONFIG", "SET", "port", &tls, "tls-port", &tcp]), "OK");
    assert_eq!(authority.client(server.port(), None).text(&["PING"]), "PONG");
    let mut other = Client::new(TcpStream::connect(("127.0.0.1", port)).unwrap());
    assert_eq!(other.text(&["PING"]), "PONG");
    assert_eq!(other.text(&["CONFIG", "SET", "tls-port", "0"]), "OK");
    wait_until("nobody listens there", || TcpStream::connect(("127.0.0.1", server.port())).is_err());
    assert_eq!(other.text(&["CONFIG", "SET", "tls-port", &tcp]), "OK");
    assert_eq!(authority.client(server.port(), None).text(&["PING"]), "PONG");
}

#[test]
fn a_password_protects_a_key_and_versions_and_suites_are_chosen() {
    let authority = Authority::new();
    let (server, port) = authority.server(&["--tls-auth-clients", "no"]);
    let mut plain = server.connect();
    let Identity(_, PrivateKeyDer::Pkcs8(key)) = authority.issue("locked", "Locked", None) else {
        panic!("no such key")
    };
    let plain_key = pkcs8::SecretDocument::try_from(key.secret_pkcs8_der()).unwrap();
    let info = pkcs8::PrivateKeyInfoRef::try_from(plain_key.as_bytes()).unwrap();
    let salt = *b"salt of this key";
    let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(2048, &salt, salt).unwrap();
    let locked = info.encrypt_with_params(parameters, b"1234").unwrap();
    authority
        .folder
        .write("locked.key", locked.to_pem("ENCRYPTED PRIVATE KEY", Default::default()).unwrap().as_bytes());
    let (crt, key) = (authority.path("locked.crt"), authority.path("locked.key"));
    let mut set = |pairs: &[&str]| plain.text(&[&["CONFIG", "SET"], pairs].concat());
    assert!(set(&["tls-cert-file", &crt, "tls-key-file", &key]).contains("Unable to update TLS"));
    assert_eq!(set(&["tls-key-file-pass", "1234", "tls-cert-file", &crt, "tls-key-file", &key]), "OK");
    for (name, value) in [
        ("tls-protocols", "TLSv1.2"),
        ("tls-ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"),
        ("tls-protocols", "TLSv1.3"),
        ("tls-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"),
        ("tls-session-caching", "no"),
        ("tls-prefer-server-ciphers", "yes"),
    ] {
        assert_eq!(set(&[name, value]), "OK", "{name} {value}");
        assert!(is_served(authority.connect(port, None)), "{name} {value}");
    }
    for (name, value) in
        [("tls-protocols", "TLSv1.1"), ("tls-ciphers", "AES128-SHA256"), ("tls-ca-cert-file", "/no/such")]
    {
        assert!(set(&[name, value]).contains("Unable to update TLS"), "{name} {value}");
    }
    drop(server);
    let finished = run_to_end(&["--port", "0", "--tls-port", &port.to_string()]);
    let said = finished.output;
    assert!(said.contains("No tls-cert-file and tls-key-file configured"), "{said}");
}

#[test]
fn a_replica_and_its_primary_speak_tls() {
    let authority = Authority::new();
    for diskless in ["yes", "no"] {
        let (kept, port) = authority.server(&["--repl-diskless-sync", diskless, "--repl-diskless-sync-delay", "0"]);
        let mut primary = kept.connect();
        let big = vec![b'x'; 5 << 20];
        assert_wire(&mut primary, &[b"SET".as_slice(), b"big", &big], b"+OK\r\n");
        let port = port.to_string();
        let more = ["--tls-replication", "yes", "--replicaof", "localhost", &port];
        let (server, replica_port) = authority.server(&more);
        let mut replica = server.connect();
        let is_up = |client: &mut Client| client.info("replication", "master_link_status").as_deref() == Some("up");
        wait_until("the link is up", || is_up(&mut replica));
        assert_wire(&mut replica, &["STRLEN", "big"], format!(":{}\r\n", big.len()));
        assert_wire(&mut primary, &[b"SET".as_slice(), b"next", &big], b"+OK\r\n");
        assert_eq!(primary.ask(&["WAIT", "1", "20000"]).integer(), 1);
        assert_wire(&mut replica, &["STRLEN", "next"], format!(":{}\r\n", big.len()));
        let announced = primary.info("replication", "slave0").unwrap();
        assert!(announced.contains(&format!("port={replica_port},")), "{announced}");
        // Another link goes on from where the first was.
        assert_eq!(primary.ask(&["CLIENT", "KILL", "TYPE", "replica"]).integer(), 1);
        assert_wire(&mut primary, &["SET", "last", "1"], b"+OK\r\n");
        wait_until("the last write is there", || replica.ask(&["EXISTS", "last"]).integer() == 1);
        assert_eq!(primary.info("stats", "sync_full").as_deref(), Some("1"));
        assert_eq!(primary.info("stats", "sync_partial_ok").as_deref(), Some("1"));
    }
}

#[test]
fn a_module_s_sockets_speak_tls() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/watches.c", &[]);
    let (server, port) = authority.server(&["--loadmodule", &path]);
    let mut client = server.connect();
    let wait_seen = |client: &mut Client, expected: &str| {
        wait_until(expected, || client.text(&["WATCHES.SEEN"]).ends_with(expected));
    };
    assert_wire(&mut client, &["WATCHES.SECURE"], b"+OK\r\n");
    let listens = client.ask(&["WATCHES.LISTEN"]).integer() as u16;
    // Accepted: what comes is decrypted, and what goes encrypted.
    let mut other = authority.connect(listens, Some(authority.issue("other", "Another", None))).expect("no handshake");
    for line in [&b"hello\n"[..], b"world\n"] {
        other.write_all(line).unwrap();
        let mut answer = [0; 6];
        other.read_exact(&mut answer).unwrap();
        assert_eq!(answer, line);
    }
    wait_seen(&mut client, "tls 0, accepted 1");
    drop(other);
    wait_seen(&mut client, "closed 0, dead 2");
    // Who speaks no TLS, or shows the certificate of another authority, is not served.
    let mut plain = TcpStream::connect(("127.0.0.1", listens)).unwrap();
    plain.write_all(b"hello there, whoever you are\n").unwrap();
    wait_seen(&mut client, "closed -2, dead 2");
    let known = client.text(&["WATCHES.SEEN"]).len();
    assert!(!is_served(authority.connect(listens, Some(stranger.issue("other", "Another", None)))));
    wait_until("it is told of", || client.text(&["WATCHES.SEEN"])[known..].ends_with("closed -2, dead 2"));
    // Connected: to itself, and to a server whose certificate is another authority's.
    assert_wire(&mut client, &["WATCHES.CONNECT", "127.0.0.1", &listens.to_string(), "hello"], b"+OK\r\n");
    wait_until("the line comes back", || {
        let seen = client.text(&["WATCHES.SEEN"]);
        seen[known..].contains("connected 0") && seen[known..].contains("heard 6")
    });
    let (strange, strange_port) = stranger.server(&[]);
    let known = client.text(&["WATCHES.SEEN"]).len();
    assert_wire(&mut client, &["WATCHES.CONNECT", "127.0.0.1", &strange_port.to_string(), "hello"], b"+OK\r\n");
    wait_until("it is refused", || client.text(&["WATCHES.SEEN"])[known..].contains("closed -2, dead 2"));
    let seen = client.text(&["WATCHES.SEEN"]);
    assert!(!seen[known..].contains("connected"), "{seen}");
    drop(strange);
    // And to a server that serves it.
    assert_wire(&mut client, &["WATCHES.CONNECT", "127.0.0.1", &port.to_string(), "PING"], b"+OK\r\n");
    wait_seen(&mut client, "heard 7");
}

#[test]
fn sentinels_speak_tls_with_servers_and_with_each_other() {
    let authority = Authority::new();
    let (primary, port) = authority.server(&["--repl-diskless-sync-delay", "0"]);
    let (replica, _) = authority.server(&["--tls-replication", "yes", "--replicaof", "127.0.0.1", &port.to_string()]);
    let mut client = replica.connect();
    wait_until("the link is up", || client.info("replication", "master_link_status").as_deref() == Some("up"));
    let sentinel = || {
        let folder = TempDir::new();
        let lines = format!(
            "sentinel monitor m 127.0.0.1 {port} 2\nsentinel down-after-milliseconds m 1000\n\
             sentinel failover-timeout m 5000\n"
        );
        let file = folder.write("sentinel.conf", lines);
        let own_port = free_port().to_string();
        let (crt, key, ca) = (authority.path("server.crt"), authority.path("server.key"), authority.path("ca.crt"));
        let more = ["--tls-replication", "yes", "--tls-port", &own_port, "--tls-cert-file", &crt];
        let more = [&more[..], &["--tls-key-file", &key, "--tls-ca-cert-file", &ca]].concat();
        (Server::within(folder, &[&[file.as_str(), "--sentinel"], &more[..]].concat()), own_port)
    };
    let (first, second) = (sentinel(), sentinel());
    let mut client = first.0.connect();
    wait_until("all know each other", || {
        let known = client.ask(&["SENTINEL", "MASTER", "m"]);
        let field = |name: &str| known.field(name).map(|value| value.text()).unwrap_or_default();
        field("flags") == "master" && field("num-slaves") == "1" && field("num-other-sentinels") == "1"
    });
    let others = client.ask(&["SENTINEL", "SENTINELS", "m"]);
    assert_eq!(others.items()[0].field("port").map(|port| port.text()), Some(second.1));
    wait_until("the other one is asked", || client.text(&["SENTINEL", "CKQUORUM", "m"]).starts_with("OK 2 usable"));
    drop(primary);
    let is_primary = |server: &Server| server.connect().info("replication", "role").as_deref() == Some("master");
    wait_until("the replica is promoted", || is_primary(&replica));
}
