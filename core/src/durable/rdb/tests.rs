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

/// However it is damaged, a file is read or refused, and takes no more memory than a small multiple of its size.
#[test]
fn damaged_files_are_read_or_refused() {
    let sound = written();
    plinth_fuzz::run(|random| {
        let mut bytes = sound.clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[at] = random.below(256) as u8,
                1 => bytes[at] ^= 1 << random.below(8),
                2 => bytes.truncate(at.max(1)),
                _ => drop(bytes.splice(at..at, (0..random.below(9)).map(|_| 0x81))),
            }
        }
        let Ok(mut reader) = open(&bytes) else { return };
        reader.window.ignore_checksum();
        let mut items = 0;
        loop {
            match reader.next() {
                Ok(Item::Key(_, tag)) if crate::durable::shape::pass_value(&mut reader.window, tag).is_ok() => {}
                Ok(Item::Key(..) | Item::End { .. }) | Err(_) => break,
                Ok(_) => {}
            }
            items += 1;
            assert!(items <= bytes.len(), "an item takes a byte");
        }
        assert!(reader.window.offset() <= bytes.len() as u64);
        assert!(reader.window.memory_bytes() <= 2 * bytes.len() + (1 << 20));
    });
}

/// A file of keys, some of them long, whose values are strings.
fn random_file(random: &mut plinth_fuzz::Random) -> Vec<u8> {
    let mut out = written();
    out.truncate(out.len() - 9);
    for _ in 0..random.below(20) {
        let mut item = Writer::new(random.once_in(2));
        match random.below(6) {
            0 => item.put_raw(&[SELECT, random.below(20) as u8]),
            1 => item.put_raw(&[RESIZE, random.word() as u8 & 0x3f, 0]),
            2 => {
                item.put_raw(&[EXPIRE_MS]);
                item.put_raw(&random.word().to_le_bytes());
            }
            _ => {}
        }
        item.put_u8(0);
        item.put_string(format!("key:{}", random.below(1000)).as_bytes());
        item.put_string(&vec![random.word() as u8; random.below(3000)]);
        out.extend_from_slice(item.bytes());
    }
    out.push(END);
    out.extend_from_slice(&[0; 8]);
    out
}

#[test]
fn a_damaged_file_is_read_or_refused_and_holds_no_more_memory_than_it_has_bytes() {
    const TELLING: [u8; 14] = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 245, 247, 252, 254, 255];
    let (mut whole, mut refused) = (0u64, 0u64);
    plinth_fuzz::run(|random| {
        let mut bytes = random_file(random);
        random.damage(&mut bytes, &TELLING);
        let size = random.once_in(2).then_some(bytes.len() as u64);
        let most = 2 * (bytes.len() + crate::durable::window::CHUNK_BYTES);
        let Ok(mut reader) = RdbReader::open(Box::new(Cursor::new(bytes)), size, true) else {
            refused += 1;
            return;
        };
        let end = loop {
            match reader.next() {
                Ok(Item::Key(_, tag)) => match crate::durable::shape::pass_value(&mut reader.window, tag) {
                    Ok(true) => {}
                    _ => break false,
                },
                Ok(Item::End { .. }) => break true,
                Ok(_) => {}
                Err(_) => break false,
            }
            assert!(reader.window.held_bytes() <= most, "{} of {most}", reader.window.held_bytes());
        };
        assert!(reader.window.held_bytes() <= most, "{} of {most}", reader.window.held_bytes());
        *if end { &mut whole } else { &mut refused } += 1;
    });
    assert!(whole > 0 && refused > 0, "{whole} whole, {refused} refused");
}
