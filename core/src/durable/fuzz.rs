//! Damaged input for everything that reads: nothing panics, nothing believes a size.
//!
//! A plain loop: it makes sound bytes with the writers, damages them, reads them in
//! every way there is and checks what must hold even then. `plinth_fuzz` says how to run it for longer.

use plinth_fuzz::Random;

use crate::durable::footer as payload;
use crate::durable::footer::PayloadError;
use crate::durable::{ContainerId, EncodedString, Field, Reader, Writer, crc64, lzf};

/// Bytes that the formats give a meaning.
const TELLING: [u8; 12] = [0, 1, 0x1f, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xff];

/// Bytes of few or many values, so that some compress and some do not.
fn text(random: &mut Random) -> Vec<u8> {
    let values = [2, 10, 256][random.below(3)];
    let bytes = [4, 30, 400][random.below(3)];
    (0..random.below(bytes)).map(|_| random.below(values) as u8).collect()
}

/// Runs `check` on what `make` makes until the time is up.
fn fuzz(make: impl Fn(&mut Random) -> Vec<u8>, check: impl Fn(&mut Random, &[u8])) {
    plinth_fuzz::run(|random| {
        let input = make(random);
        check(random, &input);
    });
}

/// A writer's output of random primitives and fields.
fn primitives(random: &mut Random) -> Vec<u8> {
    let mut out = Writer::new(random.below(4) > 0);
    for _ in 0..random.below(10) {
        match random.below(11) {
            0 => out.put_length(random.number()),
            1 => out.put_string(&text(random)),
            2 => out.put_integer_string(random.number() as i64),
            3 => out.put_ascii_double(f64::from_bits(random.word())),
            4 => out.put_f64(f64::from_bits(random.word())),
            5 => out.put_raw(&text(random)),
            _ => put_field(random, &mut out),
        }
    }
    out.put_end();
    out.into_bytes()
}

/// A writer's output of a whole tagged value, without type byte and id.
fn container(random: &mut Random) -> Vec<u8> {
    let mut out = Writer::new(true);
    for _ in 0..random.below(10) {
        put_field(random, &mut out);
    }
    out.put_end();
    out.into_bytes()
}

fn put_field(random: &mut Random, out: &mut Writer) {
    match random.below(5) {
        0 => out.put_signed_field(random.number() as i64),
        1 => out.put_unsigned_field(random.number()),
        2 => out.put_float_field(random.number() as f32),
        3 => out.put_double_field(random.number() as f64),
        _ => out.put_string_field(&text(random)),
    }
}

/// One call, chosen by the random; answers whether it succeeded.
fn read_something(random: &mut Random, from: &mut Reader<'_>, bytes_max: usize) -> bool {
    match random.below(16) {
        0 => from.u8().is_ok(),
        1 => from.u16().is_ok(),
        2 => from.u32().is_ok(),
        3 => from.u64().is_ok(),
        4 => from.f32().is_ok(),
        5 => from.f64().is_ok(),
        6 => from.raw(random.below(40)).is_ok(),
        7 => from.length().is_ok(),
        8 => {
            let count = from.count(2);
            assert!(count.is_err() || count.unwrap() * 2 <= from.remaining().len());
            count.is_ok()
        }
        9 => from.ascii_double().is_ok(),
        10 => from.skip_string().is_ok(),
        11 => from.skip_container().is_ok(),
        12 => from.module_id().map(|id| (id.to_string(), ContainerId::new(&id.name(), 0))).is_ok(),
        13 => from.signed_field().is_ok(),
        14 => from.field().is_ok(),
        _ => {
            let string = from.string();
            assert!(string.is_err() || string.as_ref().unwrap().len() <= bytes_max);
            string.is_ok()
        }
    }
}

#[test]
fn a_reader_never_panics_and_never_moves_on_failure() {
    let make = |random: &mut Random| {
        let mut bytes = primitives(random);
        random.damage(&mut bytes, &TELLING);
        bytes
    };
    fuzz(make, |random, bytes| {
        let limit = [usize::MAX, 100][random.below(2)];
        let bytes_max = limit.min(bytes.len() * lzf::EXPANSION_MAX + 11);
        let mut from = Reader::new(bytes).with_string_limit(limit);
        let mut failures = 0;
        while !from.is_at_end() && failures < 5 {
            let before = from.offset();
            let succeeded = read_something(random, &mut from, bytes_max);
            assert!(from.offset() <= bytes.len());
            if !succeeded {
                failures += 1;
                assert_eq!(from.offset(), before);
            }
        }
    });
}

#[test]
fn a_damaged_container_is_passed_over_to_the_end_that_reading_finds() {
    let make = |random: &mut Random| {
        let mut bytes = container(random);
        random.damage(&mut bytes, &TELLING);
        bytes
    };
    fuzz(make, |_, bytes| {
        let mut skipping = Reader::new(bytes);
        let skipped = skipping.skip_container();
        let mut from = Reader::new(bytes);
        let read = loop {
            match from.field() {
                Ok(Field::End) => break Ok(()),
                Ok(_) => {}
                Err(error) => break Err(error),
            }
        };
        match (skipped, read) {
            (Ok(skipped), Ok(())) => {
                assert_eq!(skipped, &bytes[..from.offset()]);
                assert_eq!(skipping.offset(), from.offset());
            }
            // Passing over does not look into compressed strings; reading does.
            (Ok(_), Err(_)) => {
                from.length().unwrap(); // the opcode, perhaps in a long form
                let string = from.encoded_string();
                assert!(matches!(string, Ok(EncodedString::Compressed { .. })), "{string:?}");
            }
            (Err(_), Ok(())) => panic!("read but not passed over"),
            (Err(_), Err(_)) => assert_eq!(skipping.offset(), 0),
        }
    });
}

/// LZF by the letter of the format, a byte at a time; none if it is damaged.
fn expand_plainly(input: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut bytes = input.iter().map(|byte| usize::from(*byte));
    while let Some(first) = bytes.next() {
        let mut length = first >> 5;
        if length == 0 {
            for _ in 0..=first {
                out.push(bytes.next()? as u8);
            }
        } else {
            if length == 7 {
                length += bytes.next()?;
            }
            let distance = ((first & 0x1f) << 8) + bytes.next()? + 1;
            for _ in 0..length + 2 {
                out.push(out[out.len().checked_sub(distance)?]);
            }
        }
        if out.len() > bytes_max {
            return None;
        }
    }
    Some(out)
}

#[test]
fn damaged_lzf_is_refused_or_expands_as_the_format_says() {
    let make = |random: &mut Random| {
        let mut bytes = Vec::new();
        assert!(lzf::compress(&text(random), &mut bytes, usize::MAX));
        random.damage(&mut bytes, &TELLING);
        bytes
    };
    fuzz(make, |random, bytes| {
        let plain = expand_plainly(bytes, 1 << 20);
        let declared = match &plain {
            Some(plain) if random.below(4) > 0 => plain.len(),
            _ => [random.below(600), usize::MAX, 1 << 40][random.below(3)],
        };
        match (lzf::decompress(bytes, declared), plain) {
            (Ok(out), Some(plain)) => {
                assert_eq!(out, plain);
                assert_eq!((out.len(), out.capacity()), (declared, declared));
            }
            (Ok(_), None) => panic!("damaged, and expanded all the same"),
            (Err(_), Some(plain)) => assert_ne!(plain.len(), declared),
            (Err(_), None) => {}
        }
    });
}

#[test]
fn compressed_text_comes_back_whatever_its_length() {
    let make = |random: &mut Random| {
        let (period, bytes) = (1 + random.below(9000), random.below(30_000));
        let values = [2, 40, 256][random.below(3)];
        let seen: Vec<u8> = (0..period).map(|_| random.below(values) as u8).collect();
        let mut text: Vec<u8> = seen.iter().copied().cycle().take(bytes).collect();
        random.damage(&mut text, &TELLING);
        text
    };
    fuzz(make, |random, text| {
        let mut packed = Vec::new();
        let bytes_max = [usize::MAX, text.len().saturating_sub(4)][random.below(2)];
        if lzf::compress(text, &mut packed, bytes_max) {
            assert!(packed.len() <= bytes_max);
            assert_eq!(lzf::decompress(&packed, text.len()).unwrap(), text);
            assert_eq!(expand_plainly(&packed, text.len()).unwrap(), text);
        } else {
            assert!(packed.is_empty());
        }
    });
}

#[test]
fn a_damaged_payload_opens_only_with_the_checksum_of_its_bytes() {
    let make = |random: &mut Random| {
        let mut body = primitives(random);
        let mend = random.below(3) == 0;
        if mend {
            random.damage(&mut body, &TELLING);
        }
        let mut bytes = payload::seal(body, 11);
        if !mend {
            random.damage(&mut bytes, &TELLING);
        }
        bytes
    };
    fuzz(make, |_, bytes| match payload::open(bytes) {
        Ok(opened) => {
            let (checked, stored) = bytes.split_last_chunk::<8>().unwrap();
            assert_eq!(crc64::checksum(checked), u64::from_le_bytes(*stored));
            assert_eq!(opened.body.len() + payload::FOOTER_BYTES, bytes.len());
            assert_eq!(payload::open_unchecked(bytes), Ok(opened));
            let _ = Reader::new(opened.body).skip_container();
        }
        Err(PayloadError::Short { bytes: size }) => assert!(size < payload::FOOTER_BYTES),
        Err(PayloadError::Version { version }) => assert_ne!(version, 11),
        Err(PayloadError::Checksum { stored, computed }) => assert_ne!(stored, computed),
    });
}
