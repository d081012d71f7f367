//! The readers of packs against bytes that nobody wrote: packs with a few bytes changed.
//!
//! No such bytes reach them from outside, for a pack is only ever made by appending. It shows that
//! reading stays within its bounds without anybody having to believe that.
//!
//! Claims: no walk panics or goes on for ever, forwards or backwards, nor does reading the fields of what
//! it finds; an entry that is handed out lies in the range that was asked for.
//!
//! It runs for a fraction of a second under `cargo test`; for longer
//! `PLINTH_FUZZ_SECONDS=600 cargo test --release -p plinth-stream store::fuzz`.

use super::entry::Fields;
use super::pack::Pack;
use plinth_fuzz::Random;
use plinth_stream_commands::id::Id;
use std::ops::ControlFlow;

/// Bytes that mean something in one of the forms.
const TELLING: [u8; 14] = [0x00, 0x01, 0x02, 0x04, 0x06, 0x08, 0x7f, 0x80, 0xc0, 0xc1, 0xc5, 0xf8, 0xfc, 0xff];

fn id(random: &mut Random) -> Id {
    match random.below(3) {
        0 => Id::new(random.number(), random.number()),
        1 => Id::new(u64::MAX - random.number() % 9, u64::MAX - random.number() % 9),
        _ => Id::new(random.number() % 4, random.number() % 4),
    }
}

/// The bytes of a pack of a few entries, and where they begin.
fn written(random: &mut Random) -> (Vec<u8>, usize) {
    let long = vec![b'x'; 300];
    let fields = |random: &mut Random| -> Vec<Vec<u8>> {
        let names: [&[u8]; 4] = [b"one", b"two", b"7", &long[..130]];
        let count = if random.once_in(4) { 1 + random.below(3) } else { 2 };
        (0..2 * count)
            .map(|at| match (at % 2, random.below(3)) {
                (0, _) if count == 2 => names[at / 2].to_vec(),
                (0, which) => names[which].to_vec(),
                (_, 0) => random.number().to_string().into_bytes(),
                _ => long[..random.below(300)].to_vec(),
            })
            .collect()
    };
    let mut last = Id::new(random.number() >> 2, random.number() >> 2);
    let first = fields(random);
    let mut pack = Pack::new(last, first.iter().map(Vec::as_slice));
    for _ in 0..random.below(6) {
        let fields = fields(random);
        let id = match random.below(3) {
            0 => Id::new(last.ms + (random.number() >> 2), random.number() >> 2),
            _ => Id::new(last.ms, last.seq),
        };
        let id = id.max(last.next().unwrap_or(Id::MAX));
        let fields = fields.iter().map(Vec::as_slice);
        let plan = pack.plan(fields.clone());
        pack.append(&plan, last, id, fields);
        last = id;
    }
    let (bytes, start) = pack.parts();
    (bytes.to_vec(), start)
}

#[test]
fn readers_survive_any_bytes() {
    let mut found = 0;
    plinth_fuzz::run(|random| {
        let (mut bytes, mut start) = written(random);
        random.damage(&mut bytes, &TELLING);
        if random.once_in(4) {
            start = random.below(bytes.len() + 1);
        }
        start = start.min(bytes.len());
        let len = bytes.len();
        let pack = Pack::of_any(id(random), bytes, start);
        let ids = id(random)..=id(random);
        let mut seen = 0;
        let mut look = |id: Id, fields: Fields<'_>| {
            assert!(ids.contains(&id) && fields.count() <= 2 * len);
            seen += 1;
            ControlFlow::<()>::Continue(())
        };
        let _ = pack.visit(&ids, &mut look);
        let _ = pack.visit_back(&ids, &mut Vec::new(), &mut look);
        assert!(seen <= 2 * len);
        found += seen;
        let _ = (pack.last(), pack.count_before(id(random)), pack.names_end());
    });
    assert!(found > 0, "nothing was ever found");
}
