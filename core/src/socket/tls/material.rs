//! Material: certificates, keys and rules, made from files into what handshakes are done with.
//!
//! It is made as a whole and shared; connections keep the one that they began with, so a change drops none.

use crate::socket::tls::certificate::{self, Validity};
use crate::socket::tls::sessions::Sessions;
use crate::socket::tls::{choice, files};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig, SignatureScheme,
};
use std::sync::Arc;
use std::time::Duration;

/// Whether clients have to show a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clients {
    /// They are not asked.
    No,
    /// They must.
    Yes,
    /// They may.
    Optional,
}

/// What the material is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Certificate and key of the server: paths, and the password of the key or nothing.
    pub own: Pair,
    /// Certificate and key for links that go out; the server's if there is no path.
    pub outgoing: Pair,
    /// File of the authorities, or nothing.
    pub ca_file: String,
    /// Folder of the authorities, or nothing.
    pub ca_dir: String,
    /// Whether clients show a certificate.
    pub clients: Clients,
    /// Versions, as `tls-protocols` has them.
    pub protocols: String,
    /// Suites of 1.2, as `tls-ciphers` has them.
    pub ciphers: String,
    /// Suites of 1.3, as `tls-ciphersuites` has them.
    pub ciphersuites: String,
    /// Whether the order of the suites is the server's.
    pub prefers_own_order: bool,
    /// Sessions that are kept, and for how long; none if they are not.
    pub sessions: Option<(usize, Duration)>,
}

/// A certificate and its key.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Pair {
    /// File of the certificate, and of those that lead to its authority.
    pub certificate: String,
    /// File of the key.
    pub key: String,
    /// Password of the key, or nothing.
    pub password: Vec<u8>,
}

/// What handshakes are done with.
pub struct Material {
    /// Of connections that come in.
    pub server: Arc<ServerConfig>,
    /// Of links that go out.
    pub client: Arc<ClientConfig>,
    /// What INFO shows: of the server's certificate, of that for links, of the authority's.
    pub shown: [Option<Validity>; 3],
}

impl Material {
    /// From files; the reason when it cannot be.
    pub fn new(options: &Options) -> Result<Material, String> {
        if options.own.certificate.is_empty() || options.own.key.is_empty() {
            return Err("No tls-cert-file and tls-key-file configured!".into());
        }
        if options.clients != Clients::No && options.ca_file.is_empty() && options.ca_dir.is_empty() {
            return Err("Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, \
                        tls-replication or tls-auth-clients are enabled!"
                .into());
        }
        let text = |error: Error| error.to_string();
        let suites = choice::suites(&options.ciphers, &options.ciphersuites)?;
        let versions = choice::versions(&options.protocols)?;
        let provider = Arc::new(CryptoProvider { cipher_suites: suites, ..ring::default_provider() });
        let (roots, authority) = files::authorities(&options.ca_file, &options.ca_dir)?;
        let roots = Arc::new(roots);
        let own = certified(&options.own, &provider)?;
        let outgoing = if options.outgoing.certificate.is_empty() {
            own.clone()
        } else {
            certified(&options.outgoing, &provider)?
        };
        let shown = [own.cert.first(), outgoing.cert.first(), authority.as_ref()];
        let shown = shown.map(|certificate| certificate.and_then(certificate::validity));

        let builder = ServerConfig::builder_with_provider(provider.clone());
        let builder = builder.with_protocol_versions(&versions).map_err(text)?;
        let builder = match options.clients {
            Clients::No => builder.with_no_client_auth(),
            clients => {
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone());
                let verifier = if clients == Clients::Optional { verifier.allow_unauthenticated() } else { verifier };
                builder.with_client_cert_verifier(verifier.build().map_err(|error| error.to_string())?)
            }
        };
        let mut server = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(own)));
        server.ignore_client_order = options.prefers_own_order;
        match options.sessions {
            Some((count, lifetime)) => server.session_storage = Arc::new(Sessions::new(count, lifetime)),
            None => {
                server.session_storage = Arc::new(NoServerSessionStorage {});
                server.send_tls13_tickets = 0;
            }
        }

        let builder = ClientConfig::builder_with_provider(provider.clone());
        let builder = builder.with_protocol_versions(&versions).map_err(text)?;
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyName::new(roots, provider)?));
        let mut client = builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(outgoing)));
        client.resumption = Resumption::disabled();
        Ok(Material { server: Arc::new(server), client: Arc::new(client), shown })
    }
}

/// A certificate with its key, which must belong to it.
fn certified(pair: &Pair, provider: &CryptoProvider) -> Result<CertifiedKey, String> {
    let chain = files::chain(&pair.certificate)?;
    let key = files::key(&pair.key, &pair.password)?;
    let key = provider.key_provider.load_private_key(key).map_err(|error| format!("{}: {error}", pair.key))?;
    // Not by `keys_match` of rustls, which reads no certificates of version 1, such as `openssl x509 -req` makes.
    let of_certificate = chain.first().and_then(certificate::public_key);
    if of_certificate.as_deref() != key.public_key().as_deref() {
        return Err(format!("{}: the key is not that of the certificate in {}", pair.key, pair.certificate));
    }
    Ok(CertifiedKey::new(chain, key))
}

/// Looks whether a server's certificate comes from one of the authorities, and not whose name it has: links are
/// made to addresses, which certificates seldom name.
#[derive(Debug)]
struct AnyName {
    /// `None` where there is no authority: then no certificate will do.
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl AnyName {
    fn new(roots: Arc<RootCertStore>, provider: Arc<CryptoProvider>) -> Result<AnyName, String> {
        let build = |roots| WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build();
        let chain = if roots.is_empty() { None } else { Some(build(roots).map_err(|error| error.to_string())?) };
        Ok(AnyName { chain, provider })
    }
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let unknown = Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let chain = self.chain.as_ref().ok_or(unknown)?;
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is looked at last, when all else is found good.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
