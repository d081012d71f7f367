//! A command as clients send it: what goes to replicas and into the append-only file.

use bytes::{BufMut as _, Bytes, BytesMut};

/// Most bytes of a count or length with what stands around it.
const HEAD_BYTES_MAX: usize = 24;

/// A command's words in one buffer, which all who pass it on share.
pub fn encode(words: &[&[u8]]) -> Bytes {
    let mut out = BytesMut::new();
    append(&mut out, words.iter().copied());
    out.freeze()
}

/// Append a command to what is there.
pub fn append<'w>(out: &mut BytesMut, words: impl ExactSizeIterator<Item = &'w [u8]> + Clone) {
    let bytes: usize = words.clone().map(|word| word.len() + HEAD_BYTES_MAX).sum();
    out.reserve(bytes + HEAD_BYTES_MAX);
    head(out, b'*', words.len());
    for word in words {
        head(out, b'$', word.len());
        out.put_slice(word);
        out.put_slice(b"\r\n");
    }
}

fn head(out: &mut BytesMut, sign: u8, count: usize) {
    out.put_u8(sign);
    out.put_slice(itoa::Buffer::new().format(count).as_bytes());
    out.put_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_a_command_whatever_is_in_them() {
        assert_eq!(encode(&[b"PING"])[..], *b"*1\r\n$4\r\nPING\r\n");
        assert_eq!(encode(&[b"SET", b"", b"a\r\n"])[..], *b"*3\r\n$3\r\nSET\r\n$0\r\n\r\n$3\r\na\r\n\r\n");
    }
}
