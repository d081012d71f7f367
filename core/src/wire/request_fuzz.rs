//! A fuzzer for the request parser, as a plain loop.
//!
//! Valid pipelines are mutated and cut at random; the claims are that no input
//! panics, that cutting changes nothing, and that memory follows the bytes received.
//!
//! It runs for a fraction of a second under `cargo test`. For longer:
//!
//! ```text
//!   PLINTH_FUZZ_SECONDS=600 cargo test --release -p plinth resp::request::fuzz
//!   PLINTH_FUZZ_SEED=123    starts at that case; a failure prints the seed of its case
//! ```

use super::*;
use plinth_fuzz::Random;

/// What a stream gave, in a form that does not depend on how it was cut.
#[derive(Debug, PartialEq)]
enum Event {
    Request(Vec<Vec<u8>>),
    Empty,
    Error(ProtocolError),
    Left(Vec<u8>),
}

/// Words that requests are made of, and that mutations insert.
const PIECES: [&[u8]; 24] = [
    b"\r\n",
    b"\r",
    b"\n",
    b"*",
    b"$",
    b"*0\r\n",
    b"*-1\r\n",
    b"$-1\r\n",
    b"*3\r\n",
    b"$0\r\n\r\n",
    b"*2147483648\r\n",
    b"$536870913\r\n",
    b"00",
    b"+1",
    b"\"",
    b"'",
    b"\\x4",
    b"PING\r\n",
    b"set \"a\\x41\" 'b'\n",
    b"\0",
    b"\xff",
    b"*1\r\n$4\r\nPING\r\n",
    b"$18446744073709551615\r\n",
    b"18446744073709551616",
];

fn valid_request(random: &mut Random, out: &mut Vec<u8>) {
    if random.below(6) == 0 {
        out.extend_from_slice(random.one(&[b"PING\r\n", b"GET k\n", b"SET 'a b' \"\\n\"\r\n"]));
        return;
    }
    // Now and then more arguments than a connection keeps room for.
    let argc = if random.below(40) == 0 { 1 + random.below(300) } else { 1 + random.below(5) };
    out.extend_from_slice(format!("*{argc}\r\n").as_bytes());
    for _ in 0..argc {
        let len = if random.below(20) == 0 { random.below(3000) } else { random.below(14) };
        out.extend_from_slice(format!("${len}\r\n").as_bytes());
        out.extend((0..len).map(|_| random.word() as u8));
        out.extend_from_slice(b"\r\n");
    }
}

fn stream(random: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..1 + random.below(6) {
        valid_request(random, &mut out);
    }
    for _ in 0..random.below(4) {
        let at = random.below(out.len() + 1);
        match random.below(6) {
            0 if at < out.len() => out[at] = random.word() as u8,
            1 if at < out.len() => out[at] ^= 1 << random.below(8),
            2 => out.truncate(at),
            3 => {
                let end = (at + random.below(8)).min(out.len());
                out.drain(at..end);
            }
            // A line near the limit, so that its end falls on both sides.
            4 if random.below(30) == 0 => {
                let len = LINE_LEN_MAX - 4 + random.below(8);
                out.splice(at..at, std::iter::repeat_n(b'1', len));
            }
            _ => {
                let piece = random.one(&PIECES);
                out.splice(at..at, piece.iter().copied());
            }
        }
    }
    out
}

/// Feeds `input` in pieces that end at `cuts`, the way a connection does.
fn feed(input: &[u8], cuts: &[usize], limits: &Limits) -> Vec<Event> {
    let (mut parser, mut args, mut events) = (Parser::new(), Vec::new(), Vec::new());
    let (mut buf, mut fed) = (Vec::new(), 0);
    for &cut in cuts.iter().chain([&input.len()]) {
        buf.extend_from_slice(&input[fed..cut]);
        fed = cut;
        loop {
            args.clear();
            let consumed = match parser.parse(&buf, limits, &mut args) {
                Ok(Parsed::Complete { consumed, argc }) => {
                    assert_eq!(argc, args.len());
                    let words = args.iter().map(|span| span.of(&buf[..consumed]).to_vec());
                    events.push(Event::Request(words.collect()));
                    consumed
                }
                Ok(Parsed::Inline { consumed, argc, text }) => {
                    assert_eq!(argc, args.len());
                    assert!(text.len() < consumed);
                    let words = args.iter().map(|span| span.of(&text).to_vec());
                    events.push(Event::Request(words.collect()));
                    consumed
                }
                Ok(Parsed::Empty { consumed }) => {
                    events.push(Event::Empty);
                    consumed
                }
                Ok(Parsed::Incomplete { need }) => {
                    assert!(need > buf.len() && args.is_empty());
                    break;
                }
                Err(error) => {
                    events.push(Event::Error(error));
                    // Wrong use, but it must not panic either.
                    let _ = parser.parse(&buf, limits, &mut args);
                    return events;
                }
            };
            assert!(consumed > 0);
            buf.drain(..consumed);
        }
        // An argument takes six bytes at least; a vector at most doubles.
        let spans_max = (2 * buf.len() / 6).max(KEPT_SPANS_MAX);
        assert!(parser.heap_size() <= spans_max * size_of::<Span>());
        assert!(args.capacity() <= (2 * input.len()).max(8));
    }
    events.push(Event::Left(buf));
    events
}

fn one_case(random: &mut Random) {
    let input = stream(random);
    let limits = Limits {
        bulk_len_max: [512 << 20, 2000, usize::MAX][random.below(3)],
        args_max: [i32::MAX as usize, 250][random.below(2)],
        authenticated: random.below(4) != 0,
    };
    let whole = feed(&input, &[], &limits);
    let mut cuts: Vec<usize> = (0..random.below(12)).map(|_| random.below(input.len() + 1)).collect();
    cuts.sort_unstable();
    assert_eq!(feed(&input, &cuts, &limits), whole, "cut at {cuts:?}");
    if input.len() < 2000 {
        let every_byte: Vec<usize> = (0..input.len()).collect();
        assert_eq!(feed(&input, &every_byte, &limits), whole, "cut at every byte");
    }
}

#[test]
fn no_input_panics_and_cutting_the_input_changes_nothing() {
    plinth_fuzz::run(one_case);
}
