//! Pub/sub over sockets: what no comparison with another server shows.

#![allow(missing_docs)]

use plinth_testkit::{Client, Server, assert_wire, wait_until};

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

/// A message as it is sent, with `sign` `*` or `>`.
fn message(sign: char, words: &[&str]) -> Vec<u8> {
    let all: String = words.iter().map(|word| bulk(word)).collect();
    format!("{sign}{}\r\n{all}", words.len()).into_bytes()
}

#[track_caller]
fn subscribe(client: &mut Client, word: &str, name: &str, count: usize) {
    let sign = if client_is_resp3(client) { '>' } else { '*' };
    let said = format!("{sign}3\r\n{}{}:{count}\r\n", bulk(&word.to_lowercase()), bulk(name));
    assert_wire(client, &[word, name], said);
}

/// A listener of RESP2 is refused CLIENT.
fn client_is_resp3(client: &mut Client) -> bool {
    client.command(&["CLIENT", "INFO"]).starts_with(b"=")
}

#[test]
fn both_protocols_get_short_and_long_messages_in_order() {
    let server = Server::start();
    let (mut second, mut third, mut sender) = (server.connect(), server.connect(), server.connect());
    third.command(&["HELLO", "3"]);
    subscribe(&mut third, "SUBSCRIBE", "news", 1);
    subscribe(&mut third, "PSUBSCRIBE", "n*", 2);
    subscribe(&mut second, "SUBSCRIBE", "news", 1);
    // Around the length from which a message is shared, and one that takes several writes.
    for len in [0, 1, 2047, 2048, 2049, 100_000, 3 << 20] {
        let text = "x".repeat(len);
        assert_wire(&mut sender, &["PUBLISH", "news", &text], b":3\r\n");
        assert_wire(&mut sender, &["PUBLISH", "news", "between"], b":3\r\n");
        for text in [&text[..], "between"] {
            assert!(second.read() == message('*', &["message", "news", text]), "{len}");
            assert!(third.read() == message('>', &["message", "news", text]), "{len}");
            assert!(third.read() == message('>', &["pmessage", "n*", "news", text]), "{len}");
        }
    }
}

#[test]
fn a_long_message_is_there_once_for_all() {
    const LISTENERS: usize = 40;
    const BYTES: usize = 4 << 20;
    let server = Server::with(&["--client-output-buffer-limit", "pubsub 0 0 0"]);
    let mut sender = server.connect();
    let mut listeners: Vec<Client> = (0..LISTENERS).map(|_| server.connect()).collect();
    listeners.iter_mut().for_each(|client| subscribe(client, "SUBSCRIBE", "news", 1));
    let used = |sender: &mut Client| sender.info("memory", "used_memory").unwrap().parse::<usize>().unwrap();
    let before = used(&mut sender);
    assert_wire(&mut sender, &["PUBLISH", "news", &"x".repeat(BYTES)], format!(":{LISTENERS}\r\n"));
    let grown = used(&mut sender) - before;
    assert!(grown < 4 * BYTES, "{grown} bytes for {LISTENERS} listeners");
    let expected = message('*', &["message", "news", &"x".repeat(BYTES)]);
    listeners.iter_mut().for_each(|client| assert!(client.read() == expected));
    wait_until("it is let go of", || used(&mut sender) < before + BYTES);
}

#[test]
fn a_listener_that_does_not_read_is_cut_off_at_the_limit_of_its_class() {
    let server = Server::with(&["--client-output-buffer-limit", "pubsub 8mb 0 0"]);
    let (mut slow, mut sender) = (server.connect(), server.connect());
    subscribe(&mut slow, "SUBSCRIBE", "news", 1);
    let text = "x".repeat(1 << 20);
    wait_until("it is cut off", || sender.ask(&["PUBLISH", "news", &text]).integer() == 0);
    assert_eq!(sender.info("stats", "client_output_buffer_limit_disconnections").as_deref(), Some("1"));
    assert_eq!(sender.info("clients", "pubsub_clients").as_deref(), Some("0"));
    assert_eq!(sender.info("stats", "pubsub_channels").as_deref(), Some("0"));
}

#[test]
fn replies_that_are_off_leave_messages_on() {
    let server = Server::start();
    let (mut client, mut sender) = (server.connect(), server.connect());
    client.raw("CLIENT REPLY OFF\r\nSUBSCRIBE a\r\nPING\r\n");
    assert_eq!(client.read(), b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    assert_wire(&mut sender, &["PUBLISH", "a", "m"], b":1\r\n");
    assert_eq!(client.read(), message('*', &["message", "a", "m"]));
    client.raw("UNSUBSCRIBE\r\nMULTI\r\nGET k\r\nSUBSCRIBE b\r\nEXEC\r\nPING\r\n");
    assert_eq!(client.read(), b"*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n");
    assert_eq!(client.read(), b"*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:1\r\n");
    client.raw("UNSUBSCRIBE b\r\nCLIENT REPLY ON\r\nCLIENT REPLY SKIP\r\nSUBSCRIBE c\r\n");
    assert_eq!(client.read(), b"*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:0\r\n");
    assert_eq!(client.read(), b"+OK\r\n");
    assert_eq!(client.read(), b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
}

#[test]
fn client_list_shows_who_listens_and_kill_finds_them() {
    let server = Server::start();
    let (mut client, mut other) = (server.connect(), server.connect());
    client.command(&["HELLO", "3"]);
    for (word, name, count) in
        [("SUBSCRIBE", "a", 1), ("PSUBSCRIBE", "p*", 2), ("PSUBSCRIBE", "q*", 3), ("SSUBSCRIBE", "s", 1)]
    {
        subscribe(&mut client, word, name, count);
    }
    let list = other.text(&["CLIENT", "LIST", "TYPE", "pubsub"]);
    assert!(
        list.lines().count() == 1 && list.contains(" flags=P ") && list.contains(" sub=1 psub=2 ssub=1 "),
        "{list}"
    );
    for (section, field, value) in [
        ("clients", "pubsub_clients", "1"),
        ("stats", "pubsub_channels", "1"),
        ("stats", "pubsub_patterns", "2"),
        ("stats", "pubsubshard_channels", "1"),
    ] {
        assert_eq!(other.info(section, field).as_deref(), Some(value), "{field}");
    }
    assert_wire(&mut other, &["CLIENT", "KILL", "TYPE", "pubsub"], b":1\r\n");
    client.assert_closed();
    wait_until("it has left", || other.ask(&["PUBSUB", "NUMPAT"]).integer() == 0);
    assert_wire(&mut other, &["PUBSUB", "NUMSUB", "a"], b"*2\r\n$1\r\na\r\n:0\r\n");
    assert_wire(&mut other, &["PUBLISH", "a", "m"], b":0\r\n");
}

#[test]
fn a_client_listens_to_no_more_than_it_may() {
    let server = Server::with(&["--pubsub.client-subscriptions-max", "3"]);
    let mut client = server.connect();
    client.command(&["HELLO", "3"]);
    let refusal = "-ERR a client cannot listen to more than 3 channels (pubsub.client-subscriptions-max)\r\n";
    assert_wire(&mut client, &["SUBSCRIBE", "a", "b", "c", "d"], refusal);
    subscribe(&mut client, "SUBSCRIBE", "a", 1);
    subscribe(&mut client, "PSUBSCRIBE", "p", 2);
    subscribe(&mut client, "SSUBSCRIBE", "s", 1);
    assert_wire(&mut client, &["SUBSCRIBE", "b"], refusal);
    assert_wire(&mut client, &["CONFIG", "SET", "pubsub.client-subscriptions-max", "4"], b"+OK\r\n");
    subscribe(&mut client, "SUBSCRIBE", "b", 3);
}

/// Who leaves with many channels is out of all of them at once for those who ask, and in steps for the loop.
#[test]
fn a_client_leaves_with_many_channels() {
    const CHANNELS: usize = 20_000;
    let server = Server::start();
    let (mut client, mut other) = (server.connect(), server.connect());
    let names: Vec<String> = (0..CHANNELS).map(|at| format!("channel:{at}")).collect();
    let words: Vec<&str> = std::iter::once("SUBSCRIBE").chain(names.iter().map(String::as_str)).collect();
    for closes in [true, false] {
        client.send(&words);
        for at in 1..=CHANNELS {
            assert!(client.read().ends_with(format!(":{at}\r\n").as_bytes()));
        }
        if closes {
            client = server.connect();
            wait_until("it is gone", || other.info("clients", "pubsub_clients").as_deref() == Some("0"));
        } else {
            assert_wire(&mut client, &["RESET"], b"+RESET\r\n");
        }
        assert_wire(&mut other, &["PUBLISH", "channel:7", "m"], b":0\r\n");
        assert_wire(&mut other, &["PUBSUB", "CHANNELS"], b"*0\r\n");
        assert_wire(&mut other, &["PUBSUB", "NUMSUB", "channel:9"], b"*2\r\n$9\r\nchannel:9\r\n:0\r\n");
        // It may come back to channels that it is being taken out of.
        assert_wire(&mut client, &["PUBSUB", "NUMPAT"], b":0\r\n");
        wait_until("all channels are gone", || other.info("stats", "pubsub_channels").as_deref() == Some("0"));
    }
}

#[test]
fn listeners_are_disconnected_when_the_module_leaves() {
    let server = Server::with(&["--enable-module-command", "yes"]);
    let (mut client, mut other) = (server.connect(), server.connect());
    subscribe(&mut client, "SUBSCRIBE", "a", 1);
    assert_wire(&mut other, &["MODULE", "UNLOAD", "pubsub"], b"+OK\r\n");
    client.assert_closed();
    assert!(other.text(&["PUBLISH", "a", "m"]).starts_with("ERR unknown command"));
    assert_eq!(other.info("clients", "pubsub_clients").as_deref(), Some("0"));
}

#[test]
fn keys_that_expire_are_told_of() {
    let server = Server::with(&["--notify-keyspace-events", "Ex"]);
    let (mut client, mut other) = (server.connect(), server.connect());
    subscribe(&mut client, "SUBSCRIBE", "__keyevent@0__:expired", 1);
    assert_wire(&mut other, &["SET", "k", "v", "PX", "1"], b"+OK\r\n");
    assert_eq!(client.read(), message('*', &["message", "__keyevent@0__:expired", "k"]));
}

#[test]
fn an_idle_listener_is_not_closed() {
    let server = Server::with(&["--timeout", "1"]);
    let (mut client, mut idle) = (server.connect(), server.connect());
    subscribe(&mut client, "SUBSCRIBE", "a", 1);
    idle.assert_closed();
    assert_wire(&mut server.connect(), &["PUBLISH", "a", "m"], b":1\r\n");
}
