//! What a certificate says: whom it belongs to, its number, and how long it holds.

use rustls::pki_types::CertificateDer;
use std::time::{SystemTime, UNIX_EPOCH};
use x509_cert::Certificate;
use x509_cert::der::asn1::{Ia5StringRef, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use x509_cert::der::oid::db::rfc4519::COMMON_NAME;
use x509_cert::der::{Any, Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// Names that a certificate gives to whom it belongs to, each at most so long; others are left out.
const NAME_BYTES_MAX: usize = 256;
/// Most names that are looked at.
const NAMES_MAX: usize = 64;

/// Whom a peer's certificate names.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The common name (CN) of its subject.
    pub common_name: Option<String>,
    /// The URIs of its subject's alternative names, in their order.
    pub uris: Vec<String>,
}

/// What INFO shows of a certificate.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Validity {
    /// Its serial number, in hexadecimal digits.
    pub serial: String,
    /// The end of the time for which it holds, in seconds since 1970.
    pub until_s: u64,
}

impl Validity {
    /// Seconds for which it still holds, 0 if it does not any more.
    pub fn left_s(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.until_s.saturating_sub(now)
    }
}

/// Whom a certificate names; nobody if it is none.
pub fn identity(certificate: &CertificateDer<'_>) -> Identity {
    let Ok(certificate) = Certificate::from_der(certificate) else { return Identity::default() };
    let certificate = certificate.tbs_certificate();
    let subject = certificate.subject();
    let common_name =
        subject.iter().filter(|attribute| attribute.oid == COMMON_NAME).find_map(|attribute| text(&attribute.value));
    let names = certificate.get_extension::<SubjectAltName>().ok().flatten().map(|(_, names)| names.0);
    let uris = names.unwrap_or_default().into_iter().take(NAMES_MAX).filter_map(|name| match name {
        GeneralName::UniformResourceIdentifier(uri) => usable(uri.as_str()),
        _ => None,
    });
    Identity { common_name, uris: uris.collect() }
}

/// Number and end of a certificate.
pub fn validity(certificate: &CertificateDer<'_>) -> Option<Validity> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let certificate = certificate.tbs_certificate();
    let serial = certificate.serial_number().as_bytes();
    let serial = serial.iter().map(|byte| format!("{byte:02X}")).collect();
    Some(Validity { serial, until_s: certificate.validity().not_after.to_unix_duration().as_secs() })
}

/// The public key of a certificate, as it stands there.
pub fn public_key(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    Certificate::from_der(certificate).ok()?.tbs_certificate().subject_public_key_info().to_der().ok()
}

/// A name as text, if it is one of the kinds of text that certificates hold.
fn text(value: &Any) -> Option<String> {
    let utf8 = value.decode_as::<Utf8StringRef<'_>>().map(|text| text.as_str().to_owned());
    let printable = || value.decode_as::<PrintableStringRef<'_>>().map(|text| text.as_str().to_owned());
    let ia5 = || value.decode_as::<Ia5StringRef<'_>>().map(|text| text.as_str().to_owned());
    let teletex = || value.decode_as::<TeletexStringRef<'_>>().map(|text| text.as_str().to_owned());
    usable(&utf8.or_else(|_| printable()).or_else(|_| ia5()).or_else(|_| teletex()).ok()?)
}

/// A name without zeros, behind which another name might be hidden, and of an ordinary length.
fn usable(name: &str) -> Option<String> {
    (!name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.contains('\0')).then(|| name.to_owned())
}
