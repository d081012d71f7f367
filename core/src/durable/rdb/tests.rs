use super::*;
use crate::durable::container::ContainerId;
use crate::durable::disk::{Disk, Real};
use crate::durable::read::Fault;
use crate::durable::sink::Sink;
use crate::durable::window::FileError;
use crate::durable::{Writer, crc64};
use std::io::Cursor;
use std::sync::Arc;

/// A file that has everything, its two values strings.
fn written() -> Vec<u8> {
    let path =
        std::env::temp_dir().join(format!("plinth-rdb-{}-{:?}", std::process::id(), std::thread::current().id()));
    let file = Real.create(&path).unwrap();
    let mut out = RdbWriter::new(Sink::new(Arc::new(Real), file, true, true), 11, true);
    out.put_aux("ctime", b"1700000000");
    let id = ContainerId::new(b"pl-probe_", 7).unwrap();
    let mut fields = Writer::new(false);
    fields.put_string_field(b"kept");
    fields.put_end();
    out.put_section(&Section { id, when: 1, fields: fields.into_bytes() });
    out.put_function(b"#!lua name=x");
    out.put_database(3, 2, 1);
    out.put_attributes(Attributes { expire_at_ms: Some(1 << 41), idle_s: Some(77), frequency: Some(5) });
    for (tag, key) in [(0u8, b"one"), (0, b"two")] {
        out.out.put_u8(tag);
        out.out.put_string(key);
        out.out.put_string(&[b'x'; 100]);
    }
    out.finish().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    bytes
}

fn open(bytes: &[u8]) -> Result<RdbReader, RdbError> {
    RdbReader::open(Box::new(Cursor::new(bytes.to_vec())), Some(bytes.len() as u64), true)
}

/// All of a file; values are passed over.
fn read(bytes: &[u8]) -> Result<Vec<String>, RdbError> {
    let mut reader = open(bytes)?;
    let mut seen = Vec::new();
    loop {
        match reader.next()? {
            Item::Key(attributes, tag) => {
                assert!(crate::durable::shape::pass_value(&mut reader.window, tag)?);
                seen.push(format!("{} {attributes:?}", String::from_utf8_lossy(reader.key())));
            }
            Item::End { is_checked } => {
                seen.push(format!("end {is_checked}"));
                return Ok(seen);
            }
            other => seen.push(format!("{other:?}")),
        }
    }
}

#[test]
fn what_is_written_is_read() {
    let bytes = written();
    let seen = read(&bytes).unwrap();
    assert_eq!(seen.len(), 8, "{seen:?}");
    assert!(seen[1].starts_with("Section") && seen[2].starts_with("Function"), "{seen:?}");
    assert_eq!(seen[3], "Select(3)");
    assert!(seen[5].contains("idle_s: Some(77)") && seen[5].starts_with("one"), "{seen:?}");
    assert_eq!(seen[6], format!("two {:?}", Attributes::default()));
    assert_eq!(seen[7], "end true");
    let end = bytes.len() - 8;
    assert_eq!(bytes[end..], crc64::checksum(&bytes[..end]).to_le_bytes());
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let bytes = written();
    for end in 0..bytes.len() {
        let error = read(&bytes[..end]).unwrap_err();
        let is_cut = matches!(error, RdbError::File(FileError::Damaged { fault: Fault::Truncated { .. }, .. }));
        assert!(is_cut, "{end} bytes: {error}");
    }
}

#[test]
fn a_bit_that_has_flipped_is_found() {
    let bytes = written();
    for at in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[at / 8] ^= 1 << (at % 8);
        // A version below 5 has no checksum; all others have.
        assert!(read(&damaged).is_err() || at / 8 < 9, "bit {at}");
    }
}

#[test]
fn a_checksum_of_zero_says_that_there_is_none() {
    let mut bytes = written();
    let end = bytes.len() - 8;
    bytes[end..].fill(0);
    assert_eq!(read(&bytes).unwrap().pop().as_deref(), Some("end false"));
    bytes[end] = 1;
    assert!(read(&bytes).unwrap_err().to_string().starts_with("RDB CRC error"));
}

#[test]
fn magic_and_version_say_whose_numbers_it_has() {
    let with = |magic: &[u8]| open(&[magic, &[255, 0, 0, 0, 0, 0, 0, 0, 0]].concat());
    for (magic, family, version) in
        [(&b"REDIS0001"[..], Family::Redis, 1), (b"REDIS0012", Family::Redis, 12), (b"VALKEY080", Family::Valkey, 80)]
    {
        let reader = with(magic).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((reader.family, reader.version), (family, version));
    }
    for magic in [&b"REDIS0000"[..], b"REDIS0013", b"VALKEY011", b"VALKEY081"] {
        assert!(matches!(with(magic).err(), Some(RdbError::Version(_))), "{magic:?}");
    }
    for magic in [&b"REDIS00x1"[..], b"REDIX0011", b"VALKEY+80", b"PLINTH011"] {
        assert!(matches!(with(magic).err(), Some(RdbError::Magic)), "{magic:?}");
    }
    assert!(Family::Redis.has_type(25) && !Family::Valkey.has_type(25));
    assert!(Family::Valkey.has_type(22) && !Family::Redis.has_type(22));
}
