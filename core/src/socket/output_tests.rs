//! The output buffer against a plain vector of bytes, and what it does with memory.

use super::*;
use proptest::prelude::*;

/// A socket that takes so many bytes, at most some at once, and then blocks.
struct Pipe {
    taken: Vec<u8>,
    room: usize,
    most: usize,
}

impl Pipe {
    fn of(room: usize) -> Pipe {
        Pipe { taken: Vec::new(), room, most: usize::MAX }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.room == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        assert!(slices.len() <= SLICES_MAX);
        let before = self.taken.len();
        for slice in slices {
            let count = slice.len().min(self.room).min(self.most - (self.taken.len() - before));
            self.taken.extend_from_slice(&slice[..count]);
            self.room -= count;
        }
        Ok(self.taken.len() - before)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a command handler may do with a reply.
#[derive(Clone, Debug)]
enum Piece {
    /// Write through the host.
    Write(usize),
    /// Write like a module: look at `at` and `end`, and ask for room.
    Direct(usize),
    /// An aggregate whose length is known in the end.
    Aggregate(Vec<usize>),
    /// What others read too.
    Shared(usize),
}

/// What happens to an output buffer.
#[derive(Clone, Debug)]
enum Step {
    /// A reply that stays.
    Reply(Vec<Piece>),
    /// A reply that is taken back.
    TakenBack(Vec<Piece>),
    /// The socket takes some bytes.
    Send { room: usize, most: usize },
    /// The housekeeping changes the size of chunks.
    Resize(usize),
}

fn length() -> impl Strategy<Value = usize> {
    prop_oneof![Just(0), 1..40usize, 1000..3000usize, 16_000..17_000usize, Just(70_000usize)]
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let piece = prop_oneof![
        length().prop_map(Piece::Write),
        (0..4097usize).prop_map(Piece::Direct),
        prop::collection::vec(length(), 0..4).prop_map(Piece::Aggregate),
        length().prop_map(Piece::Shared),
    ];
    prop::collection::vec(piece, 0..6)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => pieces().prop_map(Step::Reply),
        2 => pieces().prop_map(Step::TakenBack),
        3 => (0..100_000usize, 1..20_000usize).prop_map(|(room, most)| Step::Send { room, most }),
        1 => Just(Step::Send { room: usize::MAX, most: usize::MAX }),
        1 => (0..40_000usize).prop_map(Step::Resize),
    ]
}

/// An output buffer with all bytes that it should send, and all that were sent.
struct Pair {
    output: Output,
    model: Vec<u8>,
    sent: Vec<u8>,
    next: u8,
}

impl Pair {
    fn bytes(&mut self, len: usize) -> Vec<u8> {
        let from = self.next;
        self.next = self.next.wrapping_add(len as u8).wrapping_add(1);
        (0..len).map(|at| from.wrapping_add((at % 251) as u8)).collect()
    }

    fn write(&mut self, len: usize) {
        let bytes = self.bytes(len);
        self.output.write(&bytes);
        self.model.extend(bytes);
    }

    fn direct(&mut self, len: usize) {
        let bytes = self.bytes(len);
        let reply = self.output.as_reply();
        // SAFETY: this is what the contract of `Reply` allows a module.
        unsafe {
            if ((*reply).end as usize) - ((*reply).at as usize) < len {
                ((*reply).grow)(reply, len);
            }
            assert!(((*reply).end as usize) - ((*reply).at as usize) >= len);
            if len > 0 {
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), (*reply).at, len);
                (*reply).at = (*reply).at.add(len);
            }
        }
        self.model.extend(bytes);
    }

    fn piece(&mut self, piece: &Piece) {
        match piece {
            Piece::Write(len) => self.write(*len),
            Piece::Direct(len) => self.direct(*len),
            Piece::Shared(len) => {
                let bytes = Shared::from(self.bytes(*len));
                self.output.write_shared(&bytes);
                self.model.extend(bytes);
            }
            Piece::Aggregate(lens) => {
                let mark = self.output.open();
                let at = self.model.len();
                lens.iter().for_each(|len| self.write(*len));
                let head = format!("*{}\r\n", lens.len());
                self.output.close(mark, head.as_bytes());
                self.model.splice(at..at, head.bytes());
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Reply(pieces) => {
                let (mark, at) = (self.output.mark(), self.model.len());
                pieces.iter().for_each(|piece| self.piece(piece));
                assert_eq!(self.output.copy_after(mark), &self.model[at..]);
                assert_eq!(self.output.byte_after(mark), self.model.get(at).copied());
            }
            Step::TakenBack(pieces) => {
                let (mark, at) = (self.output.mark(), self.model.len());
                pieces.iter().for_each(|piece| self.piece(piece));
                self.output.rewind(mark);
                self.model.truncate(at);
                assert_eq!(self.output.copy_after(mark), b"");
            }
            Step::Send { room, most } => {
                let mut pipe = Pipe { taken: Vec::new(), room: *room, most: *most };
                let sent = self.output.send(&mut pipe).expect("a pipe does not fail");
                self.sent.extend(pipe.taken);
                match sent {
                    Sent::All => {
                        assert_eq!(self.sent.len(), self.model.len());
                        assert_eq!((self.output.queued(), self.output.chunk_count()), (0, 0));
                        assert!(self.output.memory_bytes() <= CHUNK_BYTES);
                    }
                    Sent::Blocked => assert_eq!(pipe.room, 0),
                    Sent::More => {}
                }
            }
            Step::Resize(bytes) => self.output.set_chunk_bytes(*bytes),
        }
        assert_eq!(self.output.pending(), self.model.len() - self.sent.len());
        assert!(self.output.queued() <= self.output.memory_bytes() + self.output.sent);
    }
}

proptest! {
    #[test]
    fn what_is_sent_is_what_was_written(steps in prop::collection::vec(step(), 0..30)) {
        let mut pair = Pair { output: Output::default(), model: Vec::new(), sent: Vec::new(), next: 0 };
        for step in &steps {
            pair.step(step);
            prop_assert!(pair.model.starts_with(&pair.sent));
        }
        while pair.output.pending() > 0 {
            pair.step(&Step::Send { room: usize::MAX, most: usize::MAX });
        }
        prop_assert!(pair.sent == pair.model);
    }
}

#[test]
fn a_buffer_that_was_never_written_holds_no_memory() {
    let mut output = Output::default();
    output.write(b"");
    assert_eq!((output.memory_bytes(), output.pending()), (0, 0));
    assert_eq!(output.send(&mut Pipe::of(0)).ok(), Some(Sent::All));
    let mark = output.mark();
    output.rewind(mark);
    assert!(output.is_at(mark));
}

#[test]
fn a_long_reply_taken_back_gives_its_memory_back() {
    let mut output = Output::default();
    let mark = output.mark();
    output.write(&vec![b'x'; 1 << 20]);
    output.rewind(mark);
    assert!(output.memory_bytes() <= CHUNK_BYTES, "{}", output.memory_bytes());
}

#[test]
fn a_long_reply_that_was_sent_gives_its_memory_back() {
    let mut output = Output::default();
    output.write(&vec![b'x'; 1 << 20]);
    assert_eq!(output.send(&mut Pipe::of(usize::MAX)).ok(), Some(Sent::All));
    assert!(output.memory_bytes() <= CHUNK_BYTES, "{}", output.memory_bytes());
}

#[test]
fn sending_much_makes_way_for_others_in_between() {
    let mut output = Output::default();
    (0..1000).for_each(|_| output.write(&[b'x'; 10_000]));
    let mut pipe = Pipe::of(usize::MAX);
    let mut turns = 1;
    while output.send(&mut pipe).ok() == Some(Sent::More) {
        turns += 1;
    }
    assert!((5..20).contains(&turns), "{turns}");
    assert_eq!(pipe.taken.len(), 10_000_000);
}

#[test]
fn a_reply_of_many_small_aggregates_stays_small() {
    let mut output = Output::default();
    for _ in 0..1000 {
        let mark = output.open();
        output.write(b":1\r\n");
        output.close(mark, b"*1\r\n");
    }
    assert!(output.memory_bytes() < 100_000, "{}", output.memory_bytes());
    assert_eq!(output.pending(), 8000);
}

#[test]
fn the_peak_is_that_of_the_current_chunk() {
    let mut output = Output::default();
    output.write(&[0; 500]);
    output.send(&mut Pipe::of(usize::MAX)).expect("a pipe does not fail");
    output.write(&[0; 20]);
    output.send(&mut Pipe::of(usize::MAX)).expect("a pipe does not fail");
    assert_eq!((output.peak(), output.take_peak(), output.peak()), (500, 500, 0));
}

#[test]
fn a_socket_that_fails_is_an_error() {
    struct Broken;
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut output = Output::default();
    output.write(b"+OK\r\n");
    assert_eq!(output.send(&mut Broken).err().map(|error| error.kind()), Some(io::ErrorKind::BrokenPipe));
    assert_eq!(output.pending(), 5);
}

#[test]
fn a_shared_buffer_is_there_once_for_all_who_send_it() {
    let message = Shared::from(vec![b'm'; 100_000]);
    let mut outputs: Vec<Output> = (0..3).map(|_| Output::default()).collect();
    for output in &mut outputs {
        output.write(b"before");
        output.write_shared(&message);
        output.write(b"behind");
        assert!(output.chunks.iter().any(|chunk| std::ptr::eq(chunk.as_ptr(), message.as_ptr())));
        assert_eq!(output.pending(), 100_012);
    }
    assert!(!message.is_unique());
    let expected = [b"before", &message[..], b"behind"].concat();
    for output in &mut outputs {
        let mut pipe = Pipe::of(usize::MAX);
        assert_eq!(output.send(&mut pipe).unwrap(), Sent::All);
        assert_eq!(pipe.taken, expected);
    }
    assert!(message.is_unique(), "what was sent is let go");
    let (few, begun) = (Shared::from_static(b"few"), outputs[0].mark());
    outputs[0].write_shared(&few);
    outputs[0].write_shared(&message);
    assert_eq!(outputs[0].chunks.len(), 2, "few bytes are copied");
    outputs[0].rewind(begun);
    assert!(message.is_unique() && outputs[0].pending() == 0);
}
