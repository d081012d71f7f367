//! What DUMP answers and RESTORE takes: one value with a footer.
//!
//! ```text
//!   ┌───────────┬─────────────┬──────────────────┬─────────────────────┐
//!   │ type byte │ value bytes │ RDB version      │ CRC-64 of all       │
//!   │           │             │ 2, little endian │ before, 8, l. endian│
//!   └───────────┴─────────────┴──────────────────┴─────────────────────┘
//!   └───────── body ──────────┘
//! ```
//!
//! The version says which server's type bytes the body uses, so it goes on to the
//! reader of the body: Valkey gave numbers of its own from version 80 on, and some
//! of them mean something else in Redis.
//!
//! Invariants:
//!
//! * [`seal`] then [`open`] gives the same body and version.
//! * [`open`] looks at the footer only. The checksum finds accidents; a sender can
//!   compute it for any bytes, so the body is read as carefully as without it.
//! * A checksum of 0 is compared like any other. In an RDB *file* 0 means "not
//!   computed"; in a payload redis-server 7.0.15, 8.2.3 and valkey 9.1.2 refuse it.
//!
//! Source: <https://redis.io/docs/latest/commands/dump/>.

use thiserror::Error;

use crate::durable::crc64;
use crate::durable::version::{NEWEST, VALKEY};

/// Size of version and checksum.
pub const FOOTER_BYTES: usize = VERSION_BYTES + CHECKSUM_BYTES;

const VERSION_BYTES: usize = 2;
const CHECKSUM_BYTES: usize = 8;

/// Why a payload was refused. Redis has one message for all of these: "DUMP
/// payload version or checksum are wrong".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PayloadError {
    /// Too short for a footer.
    #[error("a payload of {bytes} bytes has no room for its footer")]
    Short {
        /// Size of the payload.
        bytes: usize,
    },
    /// Written by a server whose format is not known here.
    #[error("RDB version {version} is not known")]
    Version {
        /// The version in the footer.
        version: u16,
    },
    /// The payload is not what was sealed.
    #[error("the checksum is {stored:016x} where the bytes give {computed:016x}")]
    Checksum {
        /// The checksum in the footer.
        stored: u64,
        /// The checksum of the bytes before it.
        computed: u64,
    },
}

/// An opened payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload<'a> {
    /// RDB version of the server that wrote it; it decides what type bytes mean.
    pub version: u16,
    /// Type byte and value bytes. May be empty, which no reader of values accepts.
    pub body: &'a [u8],
}

/// Appends the footer to `body`, which is a type byte and the value's bytes, and which readers of
/// `version` know.
#[must_use]
pub fn seal(mut body: Vec<u8>, version: u16) -> Vec<u8> {
    body.reserve_exact(FOOTER_BYTES);
    body.extend_from_slice(&version.to_le_bytes());
    let checksum = crc64::checksum(&body);
    body.extend_from_slice(&checksum.to_le_bytes());
    body
}

/// Checks version and checksum, and lends the body.
///
/// # Errors
///
/// [`PayloadError`].
pub fn open(payload: &[u8]) -> Result<Payload<'_>, PayloadError> {
    let (opened, stored) = split(payload)?;
    let computed = crc64::checksum(&payload[..payload.len() - CHECKSUM_BYTES]);
    if stored != computed {
        return Err(PayloadError::Checksum { stored, computed });
    }
    Ok(opened)
}

/// [`open`] without the checksum, for test suites that damage payloads on purpose
/// (`DEBUG SET-SKIP-CHECKSUM-VALIDATION`). The version still counts.
///
/// # Errors
///
/// [`PayloadError::Short`], [`PayloadError::Version`].
pub fn open_unchecked(payload: &[u8]) -> Result<Payload<'_>, PayloadError> {
    split(payload).map(|(opened, _)| opened)
}

/// Takes the footer off; the checksum comes as it is stored.
fn split(payload: &[u8]) -> Result<(Payload<'_>, u64), PayloadError> {
    let short = PayloadError::Short { bytes: payload.len() };
    let (rest, checksum) = payload.split_last_chunk::<CHECKSUM_BYTES>().ok_or(short)?;
    let (body, version) = rest.split_last_chunk::<VERSION_BYTES>().ok_or(short)?;
    let version = u16::from_le_bytes(*version);
    if !matches!(version, 1..=NEWEST | VALKEY) {
        return Err(PayloadError::Version { version });
    }
    Ok((Payload { version, body }, u64::from_le_bytes(*checksum)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn versions_of_redis_up_to_8_and_of_valkey_9_are_opened() {
        let opened: Vec<u16> = (0..=u16::MAX)
            .filter(|version| match open(&seal(b"\x00\x01x".to_vec(), *version)) {
                Ok(payload) => {
                    assert_eq!(payload, Payload { version: *version, body: b"\x00\x01x" });
                    true
                }
                Err(error) => {
                    assert_eq!(error, PayloadError::Version { version: *version });
                    false
                }
            })
            .collect();
        assert_eq!(opened, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 80]);
    }

    #[test]
    fn a_checksum_of_zero_is_refused_as_all_three_servers_refuse_it() {
        let mut payload = seal(b"\x00\x03abc".to_vec(), 9);
        let stored_at = payload.len() - 8;
        payload[stored_at..].fill(0);
        assert!(matches!(open(&payload), Err(PayloadError::Checksum { stored: 0, .. })));
        assert!(open_unchecked(&payload).is_ok());
    }

    #[test]
    fn a_payload_without_room_for_a_footer_is_short() {
        for bytes in 0..10 {
            assert_eq!(open(&vec![b'x'; bytes]), Err(PayloadError::Short { bytes }));
            assert_eq!(open_unchecked(&vec![b'x'; bytes]), Err(PayloadError::Short { bytes }));
        }
        assert_eq!(open(&seal(Vec::new(), 10)).unwrap().body, b"");
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_and_any_changed_byte_is_noticed(
            body in proptest::collection::vec(any::<u8>(), 0..200),
            at in any::<proptest::sample::Index>(),
            change in 1u8..,
        ) {
            let mut payload = seal(body.clone(), 11);
            prop_assert_eq!(open(&payload), Ok(Payload { version: 11, body: &body }));
            payload[at.index(body.len() + FOOTER_BYTES)] ^= change;
            prop_assert!(open(&payload).is_err());
        }
    }
}
