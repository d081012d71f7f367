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
