//! Ids of a deleted consumer, which go some at a time, where timers run only when time passes.

#![deny(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used)]

use plinth_testbed::Testbed;

/// Ids that the deleted consumer had.
const MANY: usize = 3000;

fn run(host: &mut Testbed, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    String::from_utf8_lossy(&host.run(&words)).replace("\r\n", "|")
}

/// A group of which a consumer with many entries was deleted, and another has the last one.
fn deleted() -> Testbed {
    let mut host = Testbed::new(&plinth_stream::plinth_module_entry).unwrap();
    (1..=MANY + 1).for_each(|n| _ = run(&mut host, &format!("xadd s {n} f v")));
    run(&mut host, "xgroup create s g 0");
    run(&mut host, &format!("xreadgroup group g a count {MANY} streams s >"));
    run(&mut host, "xreadgroup group g b streams s >");
    assert_eq!(run(&mut host, "xgroup delconsumer s g a"), format!(":{MANY}|"));
    host
}

#[test]
fn a_page_of_xautoclaim_looks_at_so_many_ids_and_no_more() {
    let mut host = deleted();
    let (mut cursor, mut pages) = ("0-0".to_owned(), 0);
    loop {
        let page = run(&mut host, &format!("xautoclaim s g c 0 {cursor} count 1 justid"));
        let words: Vec<&str> = page.split('|').collect();
        cursor = words[2].to_owned();
        pages += 1;
        if words[3] == "*1" {
            assert_eq!(words[5], format!("{}-0", MANY + 1));
            break;
        }
        assert_ne!(cursor, "0-0", "there is one more to claim");
        assert!(pages < MANY);
    }
    assert!(pages > 10, "{pages} pages");
}

#[test]
fn a_group_is_swept_by_one_timer() {
    let mut host = deleted();
    assert_eq!(host.timers(), 1);
    for consumer in 0..50 {
        run(&mut host, &format!("xgroup delconsumer s g nobody{consumer}"));
    }
    assert_eq!(host.timers(), 1, "nobody else was there");
    host.advance_ms(100);
    assert_eq!(
        (host.timers(), run(&mut host, "xpending s g")),
        (0, "*4|:1|$6|3001-0|$6|3001-0|*1|*2|$1|b|$1|1|".to_owned())
    );
    // When it has ended, the next may begin.
    run(&mut host, "xgroup setid s g 0");
    run(&mut host, &format!("xreadgroup group g a count {MANY} streams s >"));
    run(&mut host, "xgroup delconsumer s g a");
    assert_eq!(host.timers(), 1);
    host.advance_ms(100);
    assert_eq!(host.timers(), 0);
}
