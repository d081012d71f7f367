//! What is to be sent to a client behind the reply that it is being written, because a push must not lie
//! within one.

use crate::socket::output::{Output, SHARED_BYTES_MIN};
use bytes::Bytes as Shared;

enum Piece {
    /// Of this client alone.
    Own(Vec<u8>),
    /// Of which others have a handle too.
    Shared(Shared),
}

/// Bytes that wait behind a reply.
#[derive(Default)]
pub struct Pushes {
    pieces: Vec<Piece>,
    bytes: usize,
}

impl Pushes {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Bytes of memory held; what is shared counts in full, as in an output buffer.
    pub fn memory_bytes(&self) -> usize {
        self.bytes + self.pieces.capacity() * size_of::<Piece>()
    }

    /// Add bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        match self.pieces.last_mut() {
            Some(Piece::Own(own)) => own.extend_from_slice(bytes),
            _ => self.pieces.push(Piece::Own(bytes.to_vec())),
        }
    }

    /// Add bytes that others are sent too, without a copy unless they are few.
    pub fn add_shared(&mut self, bytes: &Shared) {
        if bytes.len() < SHARED_BYTES_MIN {
            return self.add(bytes);
        }
        self.bytes += bytes.len();
        self.pieces.push(Piece::Shared(bytes.clone()));
    }

    /// Put all of it into an output buffer.
    pub fn write(self, output: &mut Output) {
        for piece in &self.pieces {
            match piece {
                Piece::Own(bytes) => output.write(bytes),
                Piece::Shared(bytes) => output.write_shared(bytes),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_keep_their_order_and_what_is_long_is_not_copied() {
        let (mut pushes, mut output) = (Pushes::default(), Output::default());
        let long = Shared::from(vec![b'x'; SHARED_BYTES_MIN]);
        pushes.add(b"a");
        pushes.add_shared(&Shared::from_static(b"b"));
        pushes.add_shared(&long);
        pushes.add(b"c");
        assert_eq!((pushes.pieces.len(), pushes.len(), pushes.is_empty()), (3, SHARED_BYTES_MIN + 3, false));
        let begin = output.mark();
        pushes.write(&mut output);
        assert!(!long.is_unique());
        assert_eq!(output.copy_after(begin), [b"ab", &long[..], b"c"].concat());
    }
}
