//! What a client is shown that watches the others (MONITOR).

use std::io::Write;

/// The line of a command, as a reply.
pub fn line(now_us: i64, db: u32, address: &str, words: &[&[u8]]) -> Vec<u8> {
    let mut line = Vec::with_capacity(64 + words.iter().map(|word| word.len() + 3).sum::<usize>());
    // Writing to a vector does not fail.
    let _ = write!(line, "+{}.{:06} [{db} {address}]", now_us / 1_000_000, now_us % 1_000_000);
    for word in words {
        line.extend(b" \"");
        word.iter().for_each(|byte| quote(&mut line, *byte));
        line.push(b'"');
    }
    line.extend(b"\r\n");
    line
}

fn quote(line: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' | b'\\' => line.extend([b'\\', byte]),
        b'\n' => line.extend(b"\\n"),
        b'\r' => line.extend(b"\\r"),
        b'\t' => line.extend(b"\\t"),
        0x07 => line.extend(b"\\a"),
        0x08 => line.extend(b"\\b"),
        b' '..=b'~' => line.push(byte),
        _ => drop(write!(line, "\\x{byte:02x}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_whatever_the_words_hold() {
        let shown = line(1_339_518_083_107_412, 3, "127.0.0.1:6", &[b"set", b"a\"\\b\r\n\t\x07\x08", b"\x00\xff~"]);
        let expected = "+1339518083.107412 [3 127.0.0.1:6] \"set\" \"a\\\"\\\\b\\r\\n\\t\\a\\b\" \"\\x00\\xff~\"\r\n";
        assert_eq!(String::from_utf8(shown).unwrap(), expected);
    }
}
