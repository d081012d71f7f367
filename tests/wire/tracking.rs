//! Client-side caching: who is told that a key is not as it was read.

use plinth_testkit::reply::Reply;
use plinth_testkit::{Client, Server, assert_wire, wait_until};

const EVICTS: &[&str] = &["--maxmemory-policy", "allkeys-random"];

fn caching(server: &Server, options: &[&str]) -> Client {
    let mut client = server.connect();
    client.command(&["HELLO", "3"]);
    assert_wire(&mut client, &[&["CLIENT", "TRACKING", "ON"], options].concat(), b"+OK\r\n");
    client
}

/// The keys that the next message names, or none when it is about all.
fn told(client: &mut Client) -> Option<Vec<String>> {
    let message = client.reply();
    assert_eq!(message.items()[0].text(), "invalidate", "{message:?}");
    match &message.items()[1] {
        Reply::Null => None,
        keys => Some(keys.texts()),
    }
}

fn keys(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

fn number(client: &mut Client, section: &str, field: &str) -> i64 {
    client.info(section, field).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("INFO has no {field}"))
}

#[test]
fn a_key_that_was_read_is_told_once_whoever_changes_it() {
    let server = Server::with(EVICTS);
    let (mut client, mut other) = (caching(&server, &[]), server.connect());
    client.command(&["MGET", "a", "b"]);
    client.command(&["GET", "c"]);
    assert_eq!(number(&mut other, "stats", "tracking_total_keys"), 3);
    assert_eq!(number(&mut other, "clients", "tracking_clients"), 1);
    for _ in 0..2 {
        assert_wire(&mut other, &["MSET", "a", "1", "unread", "1"], b"+OK\r\n");
    }
    assert_eq!(told(&mut client), keys(&["a"]));
    // Its own change is told behind the reply, also that of a transaction.
    assert_wire(&mut client, &["SET", "b", "2"], b"+OK\r\n");
    assert_eq!(told(&mut client), keys(&["b"]));
    client.raw("MULTI\r\nSET c 3\r\nGET d\r\nEXEC\r\n");
    client.read_bytes(b"+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n_\r\n".len());
    assert_eq!(told(&mut client), keys(&["c"]));
    assert_wire(&mut other, &["SET", "d", "x", "PX", "10"], b"+OK\r\n");
    assert_eq!(told(&mut client), keys(&["d"]));
    // What expires, is evicted, flushed or swapped changes, too.
    assert_wire(&mut other, &["SET", "e", "x", "PX", "50"], b"+OK\r\n");
    client.command(&["GET", "e"]);
    assert_eq!(told(&mut client), keys(&["e"]));
    client.command(&["GET", "a"]);
    assert_wire(&mut other, &["FLUSHDB"], b"+OK\r\n");
    assert_eq!(told(&mut client), None);
    assert_wire(&mut other, &["SWAPDB", "0", "1"], b"+OK\r\n");
    assert_eq!(told(&mut client), None);
    assert_wire(&mut other, &["SET", "big", &"x".repeat(1_000_000)], b"+OK\r\n");
    client.command(&["STRLEN", "big"]);
    let used = number(&mut other, "memory", "used_memory");
    assert_wire(&mut other, &["CONFIG", "SET", "maxmemory", &(used - 500_000).to_string()], b"+OK\r\n");
    assert_eq!(told(&mut client), keys(&["big"]));
    assert_wire(&mut client, &["CLIENT", "TRACKING", "OFF"], b"+OK\r\n");
    assert_eq!(number(&mut other, "stats", "tracking_total_keys"), 0);
}

#[test]
fn what_is_noted_follows_the_mode() {
    let server = Server::start();
    let mut other = server.connect();
    let mut client = caching(&server, &["OPTIN", "NOLOOP"]);
    client.command(&["GET", "a"]);
    assert_wire(&mut client, &["CLIENT", "CACHING", "YES"], b"+OK\r\n");
    client.command(&["GET", "b"]);
    client.command(&["GET", "c"]);
    assert_wire(&mut client, &["CLIENT", "CACHING", "YES"], b"+OK\r\n");
    client.raw("MULTI\r\nGET d\r\nGET own\r\nEXEC\r\n");
    client.read_bytes(b"+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n_\r\n_\r\n".len());
    assert_wire(&mut client, &["SET", "own", "x"], b"+OK\r\n");
    assert_wire(&mut other, &["MSET", "a", "1", "b", "1", "c", "1", "d", "1", "own", "1"], b"+OK\r\n");
    assert_eq!((told(&mut client), told(&mut client)), (keys(&["b"]), keys(&["d"])));
    assert_wire(&mut client, &["CLIENT", "TRACKING", "OFF"], b"+OK\r\n");
    assert_wire(&mut client, &["CLIENT", "TRACKING", "ON", "OPTOUT"], b"+OK\r\n");
    assert_wire(&mut client, &["CLIENT", "CACHING", "NO"], b"+OK\r\n");
    let info = client.ask(&["CLIENT", "TRACKINGINFO"]);
    assert_eq!(info.field("flags").map(Reply::texts), keys(&["on", "optout", "caching-no"]));
    client.command(&["GET", "a"]);
    client.command(&["GET", "b"]);
    assert_wire(&mut other, &["MSET", "a", "1", "b", "1"], b"+OK\r\n");
    assert_eq!(told(&mut client), keys(&["b"]));
}

#[test]
fn those_who_listen_to_prefixes_are_told_of_all_keys_with_them() {
    let server = Server::start();
    let mut other = server.connect();
    let mut client = caching(&server, &["BCAST", "PREFIX", "user:", "PREFIX", "x", "NOLOOP"]);
    let mut all = caching(&server, &["BCAST"]);
    assert_eq!(number(&mut other, "stats", "tracking_total_prefixes"), 3);
    assert_wire(&mut client, &["SET", "user:own", "1"], b"+OK\r\n");
    assert_eq!(told(&mut all), keys(&["user:own"]));
    assert_wire(&mut other, &["MSET", "user:2", "1", "user:1", "1", "y", "1", "xx", "2"], b"+OK\r\n");
    assert_eq!(told(&mut all), keys(&["user:1", "user:2", "xx", "y"]));
    assert_eq!((told(&mut client), told(&mut client)), (keys(&["user:1", "user:2"]), keys(&["xx"])));
    let said = client.text(&["CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "user:7"]);
    assert_eq!(
        said,
        "ERR Prefix 'user:7' overlaps with an existing prefix 'user:'. Prefixes for a single client must not overlap."
    );
    assert!(client.text(&["CLIENT", "INFO"]).contains(" flags=tB "));
    drop(client);
    wait_until("its prefixes are gone", || number(&mut other, "stats", "tracking_total_prefixes") == 1);
}

#[test]
fn a_client_has_no_more_prefixes_than_it_may_and_takes_them_one_by_one_or_all_at_once() {
    const MOST: usize = 1 << 16;
    let server = Server::start();
    let mut other = server.connect();
    let mut client = caching(&server, &["BCAST", "PREFIX", "b", "PREFIX", "d"]);
    let mut said = |prefixes: &[&str]| {
        let words = prefixes.iter().flat_map(|prefix| ["PREFIX", *prefix]);
        client.text(&["CLIENT", "TRACKING", "ON", "BCAST"].into_iter().chain(words).collect::<Vec<_>>())
    };
    let overlaps = |one, which, other| {
        format!(
            "ERR Prefix '{one}' overlaps with {which} prefix '{other}'. Prefixes for a single client must not overlap."
        )
    };
    assert_eq!(said(&["c", "bb"]), overlaps("bb", "an existing", "b"));
    assert_eq!(said(&[""]), overlaps("", "an existing", "b"));
    assert_eq!(said(&["foobar", "a", "foo"]), overlaps("foobar", "another provided", "foo"));
    let names: Vec<String> = (2..MOST).map(|number| format!("{number:05}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(said(&[&names[..], &["x"]].concat()), "ERR A client can have 65536 prefixes at most");
    assert_eq!(said(&names), "OK");
    for _ in 0..3 {
        assert_eq!(said(&[]), "OK");
    }
    assert_eq!(said(&["x"]), "ERR A client can have 65536 prefixes at most");
    assert_eq!(number(&mut other, "stats", "tracking_total_prefixes"), MOST as i64);
    // Keys that changed are told once, however often prefixes were named since.
    assert_wire(&mut other, &["MSET", "d1", "1", "65535", "1", "e", "1"], b"+OK\r\n");
    assert_eq!((told(&mut client), told(&mut client)), (keys(&["65535"]), keys(&["d1"])));
    assert_wire(&mut client, &["CLIENT", "TRACKING", "OFF"], b"+OK\r\n");
    assert_eq!(number(&mut other, "stats", "tracking_total_prefixes"), 0);
}

#[test]
fn another_client_is_told_in_resp2_and_its_end_is_told() {
    let server = Server::start();
    let (mut other, mut listener) = (server.connect(), server.connect());
    let id = listener.ask(&["CLIENT", "ID"]).integer().to_string();
    listener.command(&["SUBSCRIBE", "__redis__:invalidate"]);
    let mut client = server.connect();
    assert_wire(&mut client, &["CLIENT", "GETREDIR"], b":-1\r\n");
    assert_wire(&mut client, &["CLIENT", "TRACKING", "ON", "REDIRECT", &id], b"+OK\r\n");
    assert_wire(&mut client, &["CLIENT", "GETREDIR"], format!(":{id}\r\n"));
    client.command(&["GET", "k"]);
    assert_wire(&mut other, &["SET", "k", "1"], b"+OK\r\n");
    assert_eq!(listener.read(), b"*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n");
    assert_wire(&mut other, &["FLUSHALL"], b"+OK\r\n");
    assert_eq!(listener.read(), b"*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n");
    client.command(&["HELLO", "3"]);
    client.command(&["GET", "k"]);
    assert_wire(&mut other, &["CLIENT", "KILL", "ID", &id], b":1\r\n");
    assert_wire(&mut other, &["SET", "k", "2"], b"+OK\r\n");
    assert_eq!(client.reply().texts(), ["tracking-redir-broken", &id]);
    let info = client.ask(&["CLIENT", "TRACKINGINFO"]);
    assert_eq!(info.field("flags").map(Reply::texts), keys(&["on", "broken_redirect"]));
    assert!(client.text(&["CLIENT", "INFO"]).contains(" flags=tR "));
    assert_wire(&mut client, &["RESET"], b"+RESET\r\n");
    assert_wire(&mut client, &["CLIENT", "GETREDIR"], b":-1\r\n");
}

#[test]
fn no_more_keys_are_noted_than_the_table_may_hold() {
    let server = Server::with(&["--tracking-table-max-keys", "100"]);
    let mut client = caching(&server, &[]);
    let mut other = server.connect();
    let mut forgotten = 0;
    for at in 0..300 {
        client.command(&["GET", &format!("key:{at}")]);
        if at >= 100 {
            assert_eq!(told(&mut client).map(|keys| keys.len()), Some(1));
            forgotten += 1;
        }
    }
    assert_eq!(forgotten, 200);
    assert_eq!(number(&mut other, "stats", "tracking_total_keys"), 100);
    assert_eq!(number(&mut other, "stats", "tracking_total_items"), 100);
    assert_wire(&mut other, &["CONFIG", "SET", "tracking-table-max-keys", "10"], b"+OK\r\n");
    wait_until("keys are forgotten", || number(&mut other, "stats", "tracking_total_keys") == 10);
}

#[test]
fn modes_that_do_not_go_together_are_refused() {
    let server = Server::start();
    let mut client = server.connect();
    let mut said = |words: &[&str]| client.text(&[&["CLIENT"], words].concat());
    assert_eq!(said(&["TRACKING", "ON", "PREFIX", "a"]), "ERR PREFIX option requires BCAST mode to be enabled");
    assert_eq!(said(&["TRACKING", "ON", "BCAST", "OPTIN"]), "ERR OPTIN and OPTOUT are not compatible with BCAST");
    assert_eq!(said(&["TRACKING", "ON", "OPTIN", "OPTOUT"]), "ERR You can't specify both OPTIN mode and OPTOUT mode");
    assert_eq!(said(&["TRACKING", "ON", "REDIRECT", "999"]), "ERR The client ID you want redirect to does not exist");
    assert_eq!(said(&["TRACKING", "MAYBE"]), "ERR syntax error");
    let text = said(&["CACHING", "YES"]);
    assert!(text.starts_with("ERR CLIENT CACHING can be called only when the client is in tracking mode"), "{text}");
    assert_eq!(said(&["TRACKING", "ON", "OPTIN"]), "OK");
    let text = "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.";
    assert_eq!(said(&["CACHING", "NO"]), text);
    assert!(said(&["TRACKING", "ON", "OPTOUT"]).starts_with("ERR You can't switch OPTIN/OPTOUT mode before"));
    assert!(said(&["TRACKING", "ON", "BCAST"]).starts_with("ERR You can't switch BCAST mode on/off before"));
    assert_eq!(said(&["TRACKING", "OFF"]), "OK");
}

#[test]
fn what_goes_of_itself_is_told_also_to_whoever_is_not_told_of_its_own() {
    let server = Server::start();
    let mut client = caching(&server, &["BCAST", "NOLOOP"]);
    client.command(&["SET", "k", "x", "PX", "1"]);
    client.command(&["SET", "own", "x"]);
    assert_eq!(told(&mut client), keys(&["k"]));
    // Found by its own command, too.
    client.command(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
    client.command(&["SET", "k", "x", "PX", "1"]);
    client.command(&["DEBUG", "SLEEP", "0.005"]);
    assert_wire(&mut client, &["GET", "k"], b"_\r\n");
    assert_eq!(told(&mut client), keys(&["k"]));
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
}

#[test]
fn a_key_that_a_transaction_writes_twice_is_told_once_behind_the_reply() {
    let server = Server::start();
    let mut client = caching(&server, &[]);
    client.command(&["GET", "k"]);
    client.raw("MULTI\r\nSET k 1\r\nSET k 2\r\nEXEC\r\n");
    client.read_bytes(b"+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n+OK\r\n".len());
    assert_eq!(told(&mut client), keys(&["k"]));
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
}

#[test]
fn what_a_script_reads_is_noted_and_not_what_it_declares() {
    let server = Server::start();
    let mut other = server.connect();
    let mut client = caching(&server, &[]);
    client.command(&["EVAL_RO", "return redis.call('GET', KEYS[1])", "2", "read", "declared"]);
    assert_wire(&mut other, &["MSET", "declared", "1", "read", "1"], b"+OK\r\n");
    assert_eq!(told(&mut client), keys(&["read"]));
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
}
