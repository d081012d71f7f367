//! Active defragmentation: what is lost to pages that are mostly empty is given back.

use plinth_testkit::{Client, Server, assert_wire, wait_until};

const KEYS: usize = 200_000;

fn number(client: &mut Client, section: &str, field: &str) -> u64 {
    client.info(section, field).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("INFO has no {field}"))
}

#[test]
fn entries_move_out_of_pages_that_are_mostly_empty() {
    let server = Server::start();
    let mut client = server.connect();
    client.command(&["DEBUG", "POPULATE", &KEYS.to_string(), "k", "150"]);
    let all: Vec<String> = (0..KEYS).map(|at| format!("k:{at}")).collect();
    for piece in all.chunks(1000) {
        let gone = piece.iter().enumerate().filter(|(at, _)| at % 4 != 0).map(|(_, key)| key.as_str());
        client.command(&["DEL"].into_iter().chain(gone).collect::<Vec<_>>());
    }
    for key in all.iter().step_by(400) {
        client.command(&["EXPIRE", key, "10000"]);
    }
    let digest = client.text(&["DEBUG", "DIGEST"]);
    let lost = number(&mut client, "memory", "allocator_frag_bytes");
    assert!(lost > 15_000_000, "{lost} bytes are lost");
    let steps = ["active-defrag-ignore-bytes", "1mb", "active-defrag-threshold-lower", "5"];
    let pace = ["active-defrag-cycle-min", "50", "active-defrag-cycle-max", "75", "activedefrag", "yes"];
    assert_wire(&mut client, &[&["CONFIG", "SET"], &steps[..], &pace[..]].concat(), b"+OK\r\n");
    wait_until("it runs", || number(&mut client, "stats", "active_defrag_hits") > 0);
    wait_until("most of what was lost is given back", || {
        number(&mut client, "memory", "allocator_frag_bytes") < lost / 4
    });
    assert!(number(&mut client, "stats", "active_defrag_key_hits") > 10_000);
    assert!(number(&mut client, "stats", "total_active_defrag_time") > 0);
    assert_eq!(client.text(&["DEBUG", "DIGEST"]), digest);
    assert_eq!(client.text(&["STRLEN", "k:4"]), "150");
    assert!(client.ask(&["TTL", "k:400"]).integer() > 9000);
    assert_wire(&mut client, &["CONFIG", "SET", "activedefrag", "no"], b"+OK\r\n");
    wait_until("it rests", || number(&mut client, "memory", "active_defrag_running") == 0);
}
