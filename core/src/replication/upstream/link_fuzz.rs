//! A fuzzer for what a replica reads of its primary until the stream begins: answers to the greeting and to PSYNC, the
//! head of a snapshot and its bytes, damaged and cut off.
//!
//! The claims: an attempt ends without a panic, and what it hands on (a file, the stream's first bytes, a place in
//! the stream) is out of what was sent.
//!
//! ```text
//!   PLINTH_FUZZ_SECONDS=600 cargo nextest run -p plinth replication::upstream::link::fuzz
//! ```

use super::*;
use plinth_fuzz::Random;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};

/// Bytes that the protocol gives a meaning.
const TELLING: &[u8] = b"\r\n$+-*: 0123456789EOF\x00\xff";

/// What a primary says from the beginning to some commands of its stream.
fn said(random: &mut Random) -> Vec<u8> {
    let id = random.below(10).to_string().repeat(40);
    let mut out = random
        .one(&["+PONG\r\n", "\n\n+PONG\r\n", "-NOAUTH no\r\n", "-ERR no\r\n", "-LOADING\r\n"])
        .as_bytes()
        .to_vec();
    for _ in 0..3 {
        out.extend_from_slice(random.one(&[b"+OK\r\n", b"+OK\r\n", b"-ERR unknown\r\n", b"\n+OK\r\n"]));
    }
    let numbers = ["0", "1", "123", "-1", "9223372036854775807", "18446744073709551616", "", "x"];
    let number = random.one(&numbers);
    let answer = match random.below(8) {
        0 => "+CONTINUE\r\n".to_owned(),
        1 => format!("+CONTINUE {id}\r\n"),
        2 => random.one(&["-NOMASTERLINK no\r\n", "-ERR no\r\n", "+FULLRESYNC\r\n"]).to_owned(),
        3 => format!("+FULLRESYNC {id} {number}\r\n"),
        _ => format!("+FULLRESYNC {id} 77\r\n"),
    };
    out.extend_from_slice(answer.as_bytes());
    let head = random.one(&["REDIS0011", "REDIS0012", "VALKEY080", "REDIS0099", "garbage..", "RED"]);
    let mut body = head.as_bytes().to_vec();
    (0..random.below(2000)).for_each(|_| body.push(random.word() as u8));
    let mark = "0123456789abcdef0123456789abcdef01234567";
    match random.below(4) {
        0 => out.extend_from_slice(format!("${number}\r\n").as_bytes()),
        1 => {
            out.extend_from_slice(format!("\n\n$EOF:{mark}\r\n").as_bytes());
            body.extend_from_slice(mark.as_bytes());
        }
        _ => out.extend_from_slice(format!("${}\r\n", body.len()).as_bytes()),
    }
    out.extend_from_slice(&body);
    out.extend_from_slice(b"*1\r\n$4\r\nPING\r\n");
    if random.once_in(2) {
        random.damage(&mut out, TELLING);
    }
    out
}

fn shared() -> Shared {
    Shared {
        is_cancelled: AtomicBool::new(false),
        link_to: Mutex::default(),
        link: AtomicU8::new(1),
        total_bytes: AtomicU64::new(0),
        received_bytes: AtomicU64::new(0),
        heard_s: AtomicI64::new(0),
        news: Mutex::default(),
        has_news: AtomicBool::new(false),
        wake: Arc::default(),
    }
}

/// Whether bytes came one behind the other in what was sent.
fn is_out_of(sent: &[u8], bytes: &[u8]) -> bool {
    memchr::memmem::find(sent, bytes).is_some()
}

#[test]
fn whatever_a_primary_says_an_attempt_ends_with_what_was_sent() {
    // Warnings alone: lines for each attempt would be a few for each case.
    log::set_level(3);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("a port").port();
    let folder = std::env::temp_dir().join(format!("plinth-link-fuzz-{}", std::process::id()));
    plinth_fuzz::run(|random| {
        let sent = said(random);
        let (pieces, is_file) = (1 + random.below(4), random.once_in(2));
        let plan = Plan {
            host: "127.0.0.1".into(),
            port,
            user: Vec::new(),
            password: if random.once_in(4) { b"secret".to_vec() } else { Vec::new() },
            own_port: 1,
            own_address: String::new(),
            wanted: random.once_in(2).then(|| ("7".repeat(40), 5)),
            takes_over: random.once_in(4),
            file: is_file.then(|| folder.clone()),
            tls: None,
            timeout: Duration::from_secs(10),
        };
        let shared = shared();
        let result = std::thread::scope(|scope| {
            scope.spawn(|| {
                let (mut socket, _) = listener.accept().expect("a replica");
                for piece in sent.chunks(sent.len() / pieces + 1) {
                    // It may have heard enough.
                    let _ = socket.write_all(piece);
                }
                let _ = socket.shutdown(Shutdown::Write);
                let _ = socket.read_to_end(&mut Vec::new());
            });
            let result = attempt(&plan, &shared);
            // The other side waits for the connection's end, of which the news keep a handle.
            shared.cancel();
            result
        });
        let received = shared.received_bytes.load(Relaxed) as usize;
        assert!(received <= sent.len());
        let mut has_come = false;
        while let Some(news) = shared.take_news() {
            match news {
                News::Continues { wire, id } => {
                    has_come = true;
                    assert!(plan.wanted.is_some() && id.is_none_or(|id| is_id(&id)));
                    assert!(is_out_of(&sent, &wire.into_parts().expect("no TLS").2));
                }
                News::Synced { wire, file, of } => {
                    has_come = true;
                    assert!(of.id.is_empty() && of.offset == -1 || is_id(&of.id) && of.offset >= 0);
                    assert!(is_out_of(&sent, &wire.into_parts().expect("no TLS").2));
                    if let Some(file) = file {
                        let bytes = std::fs::read(file).expect("a file");
                        assert!(bytes.len() == received && is_out_of(&sent, &bytes));
                    }
                }
                News::Streams { .. } => {}
                News::Failed(_) => panic!("an attempt tells of its failure by what it gives back"),
            }
        }
        assert_eq!(result.is_ok(), has_come);
    });
    let _ = std::fs::remove_file(&folder);
}
