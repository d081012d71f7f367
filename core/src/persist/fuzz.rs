//! Damaged input for everything that reads: nothing panics, nothing believes a size.
//!
//! A plain loop: it makes sound bytes with the writers, damages them, reads them in
//! every way there is and checks what must hold even then. Under `cargo test` each
//! target gets a moment and always the same inputs. `PLINTH_FUZZ_SECONDS=600` gives
//! each one ten minutes, with inputs that differ from run to run; an input that
//! fails is printed in hex, to become a unit test.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::payload::{self, PayloadError};
use super::{EncodedString, Field, ModuleId, Reader, Writer, crc64, lzf};

const SHORT_RUN: Duration = Duration::from_millis(200);

/// Xorshift64*: small, seeded, good enough to pick bytes.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        ((self.roll() >> 32) as usize) % bound.max(1)
    }

    /// An integer of any magnitude.
    fn number(&mut self) -> u64 {
        let shift = self.below(64);
        self.roll() >> shift
    }

    /// Bytes of few or many values, so that some compress and some do not.
    fn text(&mut self) -> Vec<u8> {
        let values = [2, 10, 256][self.below(3)];
        let bytes = [4, 30, 400][self.below(3)];
        (0..self.below(bytes)).map(|_| self.below(values) as u8).collect()
    }

    /// Turns, overwrites, cuts, doubles and moves bytes, a few times over.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        const TELLING: [u8; 12] = [0, 1, 0x1f, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xff];
        for _ in 0..self.below(4) {
            let at = self.below(bytes.len());
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, TELLING[self.below(TELLING.len())]),
                2 => bytes.extend_from_within(at..),
                3 => drop(bytes.drain(at..).take(3).count()),
                _ if bytes.is_empty() => {}
                4 => bytes[at] ^= 1 << self.below(8),
                _ => bytes[at] = TELLING[self.below(TELLING.len())],
            }
        }
    }
}

/// Runs `check` on what `make` rolls until the time is up.
fn fuzz(make: impl Fn(&mut Dice) -> Vec<u8>, check: impl Fn(&mut Dice, &[u8])) {
    let seconds = std::env::var("PLINTH_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let (time, seed) = match seconds {
        Some(seconds) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            (Duration::from_secs(seconds), now.as_nanos() as u64 | 1)
        }
        None => (SHORT_RUN, 0x706c_696e_7468),
    };
    let start = Instant::now();
    let mut dice = Dice(seed);
    let mut inputs = 0u64;
    while start.elapsed() < time {
        for _ in 0..64 {
            let input = make(&mut dice);
            let outcome = catch_unwind(AssertUnwindSafe(|| check(&mut dice, &input)));
            if let Err(panic) = outcome {
                let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
                eprintln!("input {inputs} of seed {seed} fails: {hex}");
                resume_unwind(panic);
            }
            inputs += 1;
        }
    }
    println!("{inputs} inputs from seed {seed}");
}

/// A writer's output of random primitives and fields.
fn primitives(dice: &mut Dice) -> Vec<u8> {
    let mut out = Writer::new(dice.below(4) > 0);
    for _ in 0..dice.below(10) {
        match dice.below(11) {
            0 => out.put_length(dice.number()),
            1 => out.put_string(&dice.text()),
            2 => out.put_integer_string(dice.number() as i64),
            3 => out.put_ascii_double(f64::from_bits(dice.roll())),
            4 => out.put_f64(f64::from_bits(dice.roll())),
            5 => out.put_raw(&dice.text()),
            _ => put_field(dice, &mut out),
        }
    }
    out.put_end();
    out.into_bytes()
}

/// A writer's output of a whole tagged value, without type byte and id.
fn container(dice: &mut Dice) -> Vec<u8> {
    let mut out = Writer::new(true);
    for _ in 0..dice.below(10) {
        put_field(dice, &mut out);
    }
    out.put_end();
    out.into_bytes()
}

fn put_field(dice: &mut Dice, out: &mut Writer) {
    match dice.below(5) {
        0 => out.put_signed_field(dice.number() as i64),
        1 => out.put_unsigned_field(dice.number()),
        2 => out.put_float_field(dice.number() as f32),
        3 => out.put_double_field(dice.number() as f64),
        _ => out.put_string_field(&dice.text()),
    }
}

/// One call, chosen by the dice; answers whether it succeeded.
fn read_something(dice: &mut Dice, from: &mut Reader<'_>, bytes_max: usize) -> bool {
    match dice.below(16) {
        0 => from.u8().is_ok(),
        1 => from.u16().is_ok(),
        2 => from.u32().is_ok(),
        3 => from.u64().is_ok(),
        4 => from.f32().is_ok(),
        5 => from.f64().is_ok(),
        6 => from.raw(dice.below(40)).is_ok(),
        7 => from.length().is_ok(),
        8 => {
            let count = from.count(2);
            assert!(count.is_err() || count.unwrap() * 2 <= from.remaining().len());
            count.is_ok()
        }
        9 => from.ascii_double().is_ok(),
        10 => from.skip_string().is_ok(),
        11 => from.skip_container().is_ok(),
        12 => from.module_id().map(|id| (id.to_string(), ModuleId::new(&id.name(), 0))).is_ok(),
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
    let make = |dice: &mut Dice| {
        let mut bytes = primitives(dice);
        dice.damage(&mut bytes);
        bytes
    };
    fuzz(make, |dice, bytes| {
        let limit = [usize::MAX, 100][dice.below(2)];
        let bytes_max = limit.min(bytes.len() * lzf::EXPANSION_MAX + 11);
        let mut from = Reader::new(bytes).with_string_limit(limit);
        let mut failures = 0;
        while !from.is_at_end() && failures < 5 {
            let before = from.offset();
            let succeeded = read_something(dice, &mut from, bytes_max);
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
    let make = |dice: &mut Dice| {
        let mut bytes = container(dice);
        dice.damage(&mut bytes);
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
    let make = |dice: &mut Dice| {
        let mut bytes = Vec::new();
        assert!(lzf::compress(&dice.text(), &mut bytes, usize::MAX));
        dice.damage(&mut bytes);
        bytes
    };
    fuzz(make, |dice, bytes| {
        let plain = expand_plainly(bytes, 1 << 20);
        let declared = match &plain {
            Some(plain) if dice.below(4) > 0 => plain.len(),
            _ => [dice.below(600), usize::MAX, 1 << 40][dice.below(3)],
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
    let make = |dice: &mut Dice| {
        let (period, bytes) = (1 + dice.below(9000), dice.below(30_000));
        let values = [2, 40, 256][dice.below(3)];
        let seen: Vec<u8> = (0..period).map(|_| dice.below(values) as u8).collect();
        let mut text: Vec<u8> = seen.iter().copied().cycle().take(bytes).collect();
        dice.damage(&mut text);
        text
    };
    fuzz(make, |dice, text| {
        let mut packed = Vec::new();
        let bytes_max = [usize::MAX, text.len().saturating_sub(4)][dice.below(2)];
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
    let make = |dice: &mut Dice| {
        let mut body = primitives(dice);
        let mend = dice.below(3) == 0;
        if mend {
            dice.damage(&mut body);
        }
        let mut bytes = payload::seal(body);
        if !mend {
            dice.damage(&mut bytes);
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
        Err(PayloadError::Version { version }) => assert_ne!(version, payload::VERSION),
        Err(PayloadError::Checksum { stored, computed }) => assert_ne!(stored, computed),
    });
}
