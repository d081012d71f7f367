//! Versions and suites by the names that OpenSSL, and so `redis.conf`, has for them.

use rustls::crypto::ring::cipher_suite as suite;
use rustls::version::{TLS12, TLS13};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

/// Suites of version 1.2, in the order in which the server likes them.
static OF_12: &[(&str, SupportedCipherSuite)] = &[
    ("ECDHE-ECDSA-AES256-GCM-SHA384", suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE-RSA-AES256-GCM-SHA384", suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("ECDHE-RSA-CHACHA20-POLY1305", suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
    ("ECDHE-ECDSA-AES128-GCM-SHA256", suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("ECDHE-RSA-AES128-GCM-SHA256", suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
];

/// Suites of version 1.3.
static OF_13: &[(&str, SupportedCipherSuite)] = &[
    ("TLS_AES_256_GCM_SHA384", suite::TLS13_AES_256_GCM_SHA384),
    ("TLS_CHACHA20_POLY1305_SHA256", suite::TLS13_CHACHA20_POLY1305_SHA256),
    ("TLS_AES_128_GCM_SHA256", suite::TLS13_AES_128_GCM_SHA256),
];

/// The versions that `tls-protocols` names; both if it names none. Older ones are refused if nothing else is
/// named.
pub fn versions(text: &str) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    let mut versions: Vec<&'static SupportedProtocolVersion> = Vec::new();
    for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
        match word.to_ascii_lowercase().as_str() {
            "tlsv1.3" => versions.push(&TLS13),
            "tlsv1.2" => versions.push(&TLS12),
            // They were withdrawn by RFC 8996.
            "tlsv1" | "tlsv1.1" => {}
            _ => {
                return Err(format!(
                    "Invalid tls-protocols specified: {word}. Use a combination of TLSv1.2 and TLSv1.3"
                ));
            }
        }
    }
    if !versions.is_empty() {
        return Ok(versions);
    }
    if text.trim().is_empty() {
        return Ok(vec![&TLS13, &TLS12]);
    }
    Err("TLSv1 and TLSv1.1 are not supported: add TLSv1.2 or TLSv1.3 to tls-protocols".into())
}

/// The suites that `tls-ciphers` (version 1.2) and `tls-ciphersuites` (version 1.3) name, in their order.
pub fn suites(of_12: &str, of_13: &str) -> Result<Vec<SupportedCipherSuite>, String> {
    let mut suites = named("tls-ciphersuites", of_13, OF_13)?;
    suites.extend(named("tls-ciphers", of_12, OF_12)?);
    Ok(suites)
}

/// The suites that a list names. OpenSSL's words for groups (DEFAULT, HIGH, !aNULL, ...) stand for all that
/// there are, since none of the weak ones is there; `!` or `-` before a name takes it away.
fn named(
    parameter: &str,
    list: &str,
    known: &[(&str, SupportedCipherSuite)],
) -> Result<Vec<SupportedCipherSuite>, String> {
    let mut chosen: Vec<(&str, SupportedCipherSuite)> = Vec::new();
    let mut is_all = list.trim().is_empty();
    let mut away: Vec<&str> = Vec::new();
    for word in list.split([':', ',', ' ']).filter(|word| !word.is_empty()) {
        let without = word.strip_prefix(['!', '-']);
        let found = known.iter().find(|(name, _)| name.eq_ignore_ascii_case(without.unwrap_or(word)));
        match (found, without) {
            (Some((name, _)), Some(_)) => away.push(name),
            (Some(found), None) => chosen.push(*found),
            (None, Some(_)) => {}
            (None, None) => is_all |= is_group(word),
        }
    }
    if is_all {
        chosen.extend(
            known
                .iter()
                .filter(|(name, _)| !chosen.iter().any(|(other, _)| other == name))
                .copied()
                .collect::<Vec<_>>(),
        );
    }
    chosen.retain(|(name, _)| !away.contains(name));
    if chosen.is_empty() {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        return Err(format!("{parameter} names no suite that is supported; there are {}", names.join(":")));
    }
    Ok(chosen.into_iter().map(|(_, suite)| suite).collect())
}

/// Whether a word names a group that holds suites of ours.
fn is_group(word: &str) -> bool {
    const GROUPS: [&str; 10] =
        ["default", "all", "high", "ecdhe", "eecdh", "kecdhe", "aesgcm", "chacha20", "tlsv1.2", "complementofdefault"];
    word.split('+').any(|part| GROUPS.contains(&part.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_named_and_old_ones_alone_are_refused() {
        let count = |text| versions(text).map(|versions| versions.len());
        assert_eq!((count(""), count("TLSv1.2"), count("tlsv1.3, TLSv1.1")), (Ok(2), Ok(1), Ok(1)));
        assert!(count("TLSv1 TLSv1.1").is_err() && count("SSLv3").is_err());
    }

    #[test]
    fn suites_are_taken_in_the_order_given_and_groups_stand_for_all() {
        let names = |list| suites(list, "").map(|suites| suites.len());
        assert_eq!((names(""), names("DEFAULT"), names("HIGH:!aNULL")), (Ok(9), Ok(9), Ok(9)));
        let two = suites("ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA256", "TLS_AES_128_GCM_SHA256").unwrap();
        assert_eq!(
            two.iter().map(|suite| suite.suite()).collect::<Vec<_>>(),
            [suite::TLS13_AES_128_GCM_SHA256.suite(), suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256.suite()]
        );
        assert_eq!(names("DEFAULT:-ECDHE-RSA-AES128-GCM-SHA256"), Ok(8));
        assert!(names("AES128-SHA256").is_err());
        assert!(suites("", "NO_SUCH").is_err());
    }
}
