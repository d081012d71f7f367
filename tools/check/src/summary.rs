//! What is in a file: by type the keys, what they take, and the largest of them.

use crate::value;
use std::collections::BTreeMap;

/// Keys of one type.
#[derive(Default)]
struct Kind {
    keys: u64,
    expiring: u64,
    elements: u64,
    /// Of keys and values, as the file has them.
    bytes: u64,
    /// The largest key: its bytes, elements, database and name.
    largest: Option<(u64, u64, u64, Vec<u8>)>,
}

/// All keys.
#[derive(Default)]
pub(crate) struct Summary {
    kinds: BTreeMap<&'static str, Kind>,
    /// Values whose elements cannot be counted.
    uncounted: u64,
}

/// A key with its value, as it is read.
pub(crate) struct Seen<'k> {
    pub(crate) db: u64,
    pub(crate) key: &'k [u8],
    pub(crate) tag: u8,
    pub(crate) body: &'k [u8],
    pub(crate) expires: bool,
}

impl Summary {
    /// One more key.
    pub(crate) fn add(&mut self, seen: &Seen<'_>) {
        let elements = value::count(seen.tag, seen.body).ok();
        self.uncounted += u64::from(elements.is_none());
        let (elements, bytes) = (elements.unwrap_or(0), (seen.key.len() + seen.body.len()) as u64);
        let kind = self.kinds.entry(value::kind(seen.tag)).or_default();
        kind.keys += 1;
        kind.expiring += u64::from(seen.expires);
        kind.elements += elements;
        kind.bytes += bytes;
        if kind.largest.as_ref().is_none_or(|(most, ..)| bytes > *most) {
            kind.largest = Some((bytes, elements, seen.db, seen.key.to_vec()));
        }
    }

    /// As a table.
    pub(crate) fn table(&self) -> String {
        let mut rows = vec![["type", "keys", "expiring", "elements", "bytes", "largest key"].map(str::to_owned)];
        for (name, kind) in &self.kinds {
            let largest = kind.largest.as_ref().map_or(String::new(), |(bytes, elements, db, key)| {
                format!("{} ({bytes} bytes, {elements} elements, database {db})", shown(key))
            });
            let numbers = [kind.keys, kind.expiring, kind.elements, kind.bytes].map(|number| number.to_string());
            let [keys, expiring, elements, bytes] = numbers;
            rows.push([(*name).to_owned(), keys, expiring, elements, bytes, largest]);
        }
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..5).map(width).collect();
        let line = |row: &[String; 6]| {
            let numbers: String = (1..5).map(|at| format!("  {:>1$}", row[at], widths[at])).collect();
            format!("{:<1$}{numbers}  {2}", row[0], widths[0], row[5]).trim_end().to_owned() + "\n"
        };
        let mut text: String = rows.iter().map(line).collect();
        if self.uncounted > 0 {
            text += &format!("{} values are damaged within, and were not counted\n", self.uncounted);
        }
        text
    }

    /// As JSON, in one line.
    pub(crate) fn json(&self, file: &str, is_whole: bool) -> String {
        let kinds: Vec<String> = self
            .kinds
            .iter()
            .map(|(name, kind)| {
                let largest = kind.largest.as_ref().map_or("null".to_owned(), |(bytes, elements, db, key)| {
                    let key = quoted(key);
                    format!("{{\"key\":{key},\"db\":{db},\"bytes\":{bytes},\"elements\":{elements}}}")
                });
                let Kind { keys, expiring, elements, bytes, .. } = kind;
                format!(
                    "{}:{{\"keys\":{keys},\"expiring\":{expiring},\"elements\":{elements},\"bytes\":{bytes},\"largest\":{largest}}}",
                    quoted(name.as_bytes())
                )
            })
            .collect();
        format!(
            "{{\"file\":{},\"whole\":{is_whole},\"uncounted\":{},\"types\":{{{}}}}}",
            quoted(file.as_bytes()),
            self.uncounted,
            kinds.join(",")
        )
    }
}

/// A key as people read it.
pub(crate) fn shown(key: &[u8]) -> String {
    key.escape_ascii().to_string()
}

/// A JSON string. Bytes that are no UTF-8 are shown as the characters of their numbers.
fn quoted(bytes: &[u8]) -> String {
    let text =
        std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), str::to_owned);
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if u32::from(control) < 0x20 => out += &format!("\\u{:04x}", u32::from(control)),
            plain => out.push(plain),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_key_of_each_type_is_named() {
        let mut summary = Summary::default();
        for (key, body) in [(&b"a"[..], &b"\x01x"[..]), (b"b\"\n\xff", b"\x03xyz"), (b"c", b"\x02xy")] {
            summary.add(&Seen { db: 2, key, tag: 0, body, expires: key == b"a" });
        }
        assert_eq!(
            summary.json("f", true),
            "{\"file\":\"f\",\"whole\":true,\"uncounted\":0,\"types\":{\"string\":{\"keys\":3,\"expiring\":1,\"elements\":3,\
             \"bytes\":15,\"largest\":{\"key\":\"b\\\"\\u000aÿ\",\"db\":2,\"bytes\":8,\"elements\":1}}}}"
        );
        let table = summary.table();
        assert!(table.contains("b\\\"\\n\\xff (8 bytes, 1 elements, database 2)"), "{table}");
    }
}
