//! Reading certificates and keys from files in PEM form.

use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::path::Path;

/// Longest file that is read.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// Most files of a folder of certificates that are read.
const FOLDER_FILES_MAX: usize = 4096;
/// How a key that a password protects begins.
const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";

fn read(path: &str) -> Result<Vec<u8>, String> {
    let fail = |error: std::io::Error| format!("{path}: {error}");
    if std::fs::metadata(path).map_err(fail)?.len() > FILE_BYTES_MAX {
        return Err(format!("{path}: the file is too long for certificates or keys"));
    }
    std::fs::read(path).map_err(fail)
}

/// The certificates of a file: the first is the own one, those behind it lead to an authority.
pub fn chain(path: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err(format!("{path}: there is no certificate in the file")),
        Ok(chain) => Ok(chain),
        Err(error) => Err(format!("{path}: {error}")),
    }
}

/// The first private key of a file, which a password may protect.
pub fn key(path: &str, password: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    let bytes = read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    if let Some(start) = text.find(ENCRYPTED) {
        return decrypt(&text[start..], password).map_err(|reason| format!("{path}: {reason}"));
    }
    if text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(format!(
            "{path}: this old form of a protected key is not read; 'openssl pkcs8 -topk8' converts it"
        ));
    }
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| format!("{path}: {error}"))
}

fn decrypt(text: &str, password: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("the key cannot be decrypted: {error}");
    let (_, document) = SecretDocument::from_pem(text).map_err(|error| wrong(&error))?;
    let info = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|error| wrong(&error))?;
    let plain = info.decrypt(password).map_err(|error| wrong(&error))?;
    Ok(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(plain.as_bytes().to_vec())))
}

/// The authorities of a file and of all files of a folder, of which either may be missing; and the first of
/// their certificates.
pub fn authorities(file: &str, folder: &str) -> Result<(RootCertStore, Option<CertificateDer<'static>>), String> {
    let mut store = RootCertStore::empty();
    let mut first = None;
    if !file.is_empty() {
        for certificate in chain(file)? {
            first.get_or_insert_with(|| certificate.clone());
            store.add(certificate).map_err(|error| format!("{file}: {error}"))?;
        }
    }
    if !folder.is_empty() {
        // Folders of certificates hold other files as well, and each certificate under several names.
        let entries = std::fs::read_dir(folder).map_err(|error| format!("{folder}: {error}"))?;
        for entry in entries.flatten().take(FOLDER_FILES_MAX) {
            let Some(certificates) = certificates(&entry.path()) else { continue };
            first = first.or_else(|| certificates.first().cloned());
            store.add_parsable_certificates(certificates);
        }
    }
    Ok((store, first))
}

fn certificates(path: &Path) -> Option<Vec<CertificateDer<'static>>> {
    if !path.is_file() {
        return None;
    }
    chain(path.to_str()?).ok()
}
