//! The query buffer, fed by a socket that cuts the stream wherever it likes.

use super::*;
use crate::wire::request::{Limits, Parsed};
use proptest::prelude::*;
use std::collections::VecDeque;

/// A socket that gives one piece per read, blocks between turns, and ends in the end.
struct Pieces {
    pieces: VecDeque<Vec<u8>>,
    reads: usize,
    ends: bool,
}

impl Pieces {
    fn of(stream: &[u8], piece_bytes: usize) -> Pieces {
        Pieces { pieces: stream.chunks(piece_bytes).map(<[u8]>::to_vec).collect(), reads: 0, ends: false }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(!buffer.is_empty(), "a read without room would look like the end");
        self.reads += 1;
        let Some(mut piece) = self.pieces.pop_front() else {
            return if self.ends { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) };
        };
        let count = piece.len().min(buffer.len());
        buffer[..count].copy_from_slice(&piece[..count]);
        if count < piece.len() {
            self.pieces.push_front(piece.split_off(count));
        }
        Ok(count)
    }
}

type Command = Vec<Vec<u8>>;

fn request(command: &Command) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", command.len()).into_bytes();
    for arg in command {
        bytes.extend(format!("${}\r\n", arg.len()).bytes());
        bytes.extend(arg);
        bytes.extend(b"\r\n");
    }
    bytes
}

/// Parse what is there as the batch does, at most `most` commands at once.
fn parse(query: &mut Query, most: usize, commands: &mut Vec<Command>) {
    loop {
        if !query.has_input() {
            return;
        }
        let (mut offset, mut count, mut spans) = (0, 0, Vec::new());
        loop {
            let (parser, bytes) = query.parser_and_pending(offset);
            if bytes.is_empty() || count == most {
                break;
            }
            match parser.parse(bytes, &Limits::default(), &mut spans).expect("the stream is well-formed") {
                Parsed::Complete { consumed, argc } => {
                    let args = spans[spans.len() - argc..].iter();
                    commands.push(args.map(|span| span.of(&bytes[..consumed]).to_vec()).collect());
                    offset += consumed;
                    count += 1;
                }
                Parsed::Empty { consumed } => offset += consumed,
                Parsed::Inline { .. } => panic!("the stream has no inline command"),
                Parsed::Incomplete { need } => {
                    query.set_need(if count == 0 { offset + need } else { 0 });
                    break;
                }
            }
        }
        if count == 0 {
            query.skip(offset);
            return;
        }
        query.consume(offset);
    }
}

/// Read and parse until the socket has no more.
fn drain(query: &mut Query, socket: &mut Pieces, most: usize) -> Vec<Command> {
    let mut commands = Vec::new();
    while !socket.pieces.is_empty() {
        match query.receive(socket, false) {
            Ok(Received::Bytes(..)) => parse(query, most, &mut commands),
            Ok(Received::End) => break,
            Err(error) => panic!("{error}"),
        }
    }
    commands
}

fn arg() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..30),
        1 => (10_000..50_000usize).prop_map(|len| vec![b'x'; len]),
    ]
}

proptest! {
    #[test]
    fn commands_survive_any_cut(
        commands in prop::collection::vec(prop::collection::vec(arg(), 1..6), 0..30),
        cuts in prop::collection::vec(1..20_000usize, 1..50),
        most in 1..10usize,
        idle in prop::collection::vec(any::<bool>(), 50),
    ) {
        let stream: Vec<u8> = commands.iter().flat_map(|command| [request(command), b"\r\n".to_vec()].concat()).collect();
        let (mut query, mut seen, mut rest) = (Query::default(), Vec::new(), &stream[..]);
        for turn in 0.. {
            let (piece, after) = rest.split_at(cuts[turn % cuts.len()].min(rest.len()));
            rest = after;
            seen.extend(drain(&mut query, &mut Pieces::of(piece, usize::MAX), most));
            query.shrink(idle[turn % idle.len()]);
            if rest.is_empty() {
                break;
            }
        }
        prop_assert!(seen == commands);
        prop_assert!(query.pending() == b"\r\n" || query.pending().is_empty());
        query.shrink(true);
        prop_assert!(query.capacity() <= 2);
    }
}

#[test]
fn a_long_argument_is_read_into_its_place() {
    let command = vec![b"SET".to_vec(), b"key".to_vec(), vec![b'x'; 8 << 20], b"EX".to_vec(), b"10".to_vec()];
    let stream = request(&command);
    let (mut query, mut socket) = (Query::default(), Pieces::of(&stream, 60_000));
    let (mut commands, mut capacities) = (Vec::new(), vec![0]);
    while !socket.pieces.is_empty() {
        query.receive(&mut socket, false).expect("a socket of pieces does not fail");
        if capacities.last() != Some(&query.capacity()) {
            capacities.push(query.capacity());
        }
        parse(&mut query, 32, &mut commands);
    }
    assert!(commands == [command]);
    assert_eq!(capacities.len(), 3, "the buffer grew once: {capacities:?}");
    assert!(query.capacity() < stream.len() + 2 * READ_BYTES);
}

#[test]
fn a_command_of_many_arguments_is_not_read_byte_by_byte() {
    let command: Command = (0..100_000).map(|at| format!("argument {at}").into_bytes()).collect();
    let stream = request(&command);
    let (mut query, mut socket) = (Query::default(), Pieces::of(&stream, usize::MAX));
    assert!(drain(&mut query, &mut socket, 32) == [command]);
    assert!(socket.reads < 30, "{} reads of {} bytes", socket.reads, stream.len());
}

#[test]
fn the_end_behind_the_last_bytes_is_found() {
    let mut socket = Pieces::of(b"*1\r\n$4\r\nPING\r\n", 100);
    socket.ends = true;
    let mut query = Query::default();
    // Without the news of the hang-up a short read says that there is no more.
    assert!(matches!(query.receive(&mut socket, true), Ok(Received::Bytes(14, true))));
    assert!(matches!(query.receive(&mut socket, true), Ok(Received::End)));
}

#[test]
fn a_short_read_empties_the_socket() {
    let mut socket = Pieces::of(b"*1\r\n$4\r\nPING\r\n", 100);
    assert!(matches!(Query::default().receive(&mut socket, false), Ok(Received::Bytes(14, false))));
    assert_eq!(socket.reads, 1);
}

#[test]
fn an_active_client_keeps_room_for_what_it_sends() {
    let mut query = Query::default();
    let command = vec![b"SET".to_vec(), b"key".to_vec(), vec![b'x'; 400_000]];
    drain(&mut query, &mut Pieces::of(&request(&command), usize::MAX), 32);
    assert!(query.capacity() > 400_000);
    assert!(!query.shrink(false), "it has just used all of it");
    assert!(query.shrink(false));
    assert_eq!(query.capacity(), READ_BYTES);
    assert!(query.shrink(true));
    assert_eq!(query.capacity(), 0);
    assert!(query.memory_bytes() < 1000, "{}", query.memory_bytes());
}

#[test]
fn empty_requests_leave_what_is_awaited_known() {
    let mut query = Query::default();
    let mut stream = b"*0\r\n*0\r\n".to_vec();
    stream.extend(&request(&vec![b"SET".to_vec(), vec![b'x'; 100]])[..40]);
    drain(&mut query, &mut Pieces::of(&stream, usize::MAX), 32);
    assert_eq!(query.pending().len(), 40);
    assert!(!query.has_input(), "nothing can be gained before the argument is whole");
}
