//! Where a value ends that nobody here reads.
//!
//! A value is a string of primitives and nothing says how long it is. For the types of Redis and Valkey the
//! order of primitives is written down below, as far as it takes to pass over one: a number of items,
//! and what each is made of. A container says itself where it ends.
//!
//! ```text
//!   Length          a length, or any number that is written as one
//!   Lengths(n)      n of them
//!   Text            a string
//!   Bytes(n)        n bytes
//!   Double          a number as text
//!   Many(parts)     a length, and so many times the parts
//! ```
//!
//! Invariant: a value that is passed over was not understood, and whoever keeps it keeps all of its bytes.

use crate::durable::container::FieldKind;
use crate::durable::window::{FileError, Window};

/// A part of a value.
enum Part {
    Length,
    Lengths(usize),
    Text,
    Bytes(usize),
    Double,
    Many(&'static [Part]),
}

use Part::{Bytes, Double, Length, Lengths, Many, Text};

const ONE: &[Part] = &[Text];
const TEXTS: &[Part] = &[Many(&[Text])];
const PAIRS: &[Part] = &[Many(&[Text, Text])];
/// An id of 16 bytes, a time, a count.
const PENDING: Part = Many(&[Bytes(16), Bytes(8), Length]);
const IDS: Part = Many(&[Bytes(16)]);
/// Packs by their first id; how many entries; the last id.
const PACKS: Part = Many(&[Text, Text]);

/// What values of some types are made of, by their number.
const SHAPES: &[(&[u8], &[Part])] = &[
    (&[0, 9, 10, 11, 12, 13, 16, 17, 20], ONE),
    (&[1, 2, 14], TEXTS),
    (&[3], &[Many(&[Text, Double])]),
    (&[4], PAIRS),
    (&[5], &[Many(&[Text, Bytes(8)])]),
    (&[18], &[Many(&[Length, Text])]),
    (&[22], &[Many(&[Text, Text, Bytes(8)])]),
    (&[24], &[Bytes(8), Many(&[Length, Text, Text])]),
    (&[25], &[Bytes(8), Text]),
    (&[15], &[PACKS, Lengths(3), Many(&[Text, Lengths(2), PENDING, Many(&[Text, Bytes(8), IDS])])]),
    (&[19], &[PACKS, Lengths(8), Many(&[Text, Lengths(3), PENDING, Many(&[Text, Bytes(8), IDS])])]),
    (&[21], &[PACKS, Lengths(8), Many(&[Text, Lengths(3), PENDING, Many(&[Text, Bytes(8), Bytes(8), IDS])])]),
];

/// Pass over a value of a type, given what follows the key; whether it is known how.
///
/// # Errors
///
/// When the bytes are not what they should be.
pub fn pass_value(window: &mut Window, tag: u8) -> Result<bool, FileError> {
    if tag == crate::durable::container::TYPE_BYTE {
        window.get(|reader| reader.module_id())?;
        pass_fields(window)?;
        return Ok(true);
    }
    let Some((_, parts)) = SHAPES.iter().find(|(tags, _)| tags.contains(&tag)) else { return Ok(false) };
    pass(window, parts)?;
    Ok(true)
}

/// Pass over the fields of a container, and their end.
///
/// # Errors
///
/// As [`pass_value`].
pub fn pass_fields(window: &mut Window) -> Result<(), FileError> {
    while window.get(|reader| reader.skip_field())? != FieldKind::End {}
    Ok(())
}

fn pass(window: &mut Window, parts: &[Part]) -> Result<(), FileError> {
    for part in parts {
        match part {
            Length => _ = window.get(|reader| reader.length())?,
            Lengths(count) => {
                for _ in 0..*count {
                    window.get(|reader| reader.length())?;
                }
            }
            Text => window.get(|reader| reader.skip_string())?,
            Bytes(count) => window.get(|reader| reader.raw(*count).map(|_| ()))?,
            Double => _ = window.get(|reader| reader.ascii_double())?,
            Many(parts) => {
                for _ in 0..window.get(|reader| reader.length())? {
                    pass(window, parts)?;
                }
            }
        }
    }
    Ok(())
}
