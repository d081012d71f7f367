//! The stranger's view: a C file, the public headers, `cc`, and nothing of the tree.

use plinth_testkit::{Server, TempDir, assert_wire, build, workspace};
use std::process::Command;

/// `examples/gauge-c` compiled as its README says, from copies in a folder outside the tree.
fn compiled_outside() -> (TempDir, String) {
    let folder = TempDir::new();
    let include = "module-api/include/plinth";
    let names = std::fs::read_dir(workspace().join(include)).expect("the headers are there");
    let mut files: Vec<String> =
        names.filter_map(|header| Some(format!("{include}/{}", header.ok()?.file_name().display()))).collect();
    files.push("examples/gauge-c/gauge.c".into());
    std::fs::create_dir_all(folder.path().join(include)).expect("a folder for the headers");
    for file in files {
        let to = if file.ends_with(".h") { &file } else { "gauge.c" };
        std::fs::copy(workspace().join(&file), folder.path().join(to)).expect("a copy");
    }
    let compiled = Command::new("cc")
        .current_dir(folder.path())
        .args(["-shared", "-fPIC", "-Imodule-api/include", "gauge.c", "-o", "gauge.so"])
        .output()
        .expect("a C compiler called cc");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    assert!(compiled.stderr.is_empty(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let library = folder.file("gauge.so");
    (folder, library)
}

fn bulk(reply: &[u8]) -> Vec<u8> {
    match plinth_testkit::reply::parse(reply) {
        Some((plinth_testkit::Reply::Bulk(bytes), _)) => bytes,
        other => panic!("{other:?} is no payload"),
    }
}

#[test]
fn a_stranger_loads_uses_dumps_restores_unloads_and_loads_again() {
    let (_folder, library) = compiled_outside();
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["MODULE", "LOAD", &library], b"+OK\r\n");
    for (value, high) in [("21", ":21\r\n"), ("-3", ":21\r\n"), ("17", ":21\r\n")] {
        assert_wire(&mut client, &["GAUGE.PUSH", "room", value], high);
    }
    assert_wire(&mut client, &["GAUGE.GET", "room"], b"*3\r\n:17\r\n:-3\r\n:21\r\n");
    assert_wire(&mut client, &["TYPE", "room"], b"+com.example.gauge\r\n");
    let payload = bulk(&client.command(&["DUMP", "room"]));
    let restore: [&[u8]; 4] = [b"RESTORE", b"copy", b"0", &payload];
    assert_wire(&mut client, &restore, b"+OK\r\n");
    assert_wire(&mut client, &["GAUGE.GET", "copy"], b"*3\r\n:17\r\n:-3\r\n:21\r\n");
    let said = client.text(&["MODULE", "UNLOAD", "gauge"]);
    assert!(said.contains("2 keys hold values"), "{said}");
    assert_wire(&mut client, &["DEL", "room", "copy"], b":2\r\n");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "gauge"], b"+OK\r\n");
    assert_wire(&mut client, &restore, b"+OK\r\n");
    assert_wire(&mut client, &["OBJECT", "ENCODING", "copy"], b"$5\r\nghost\r\n");
    assert_wire(&mut client, &["MODULE", "LOAD", &library], b"+OK\r\n");
    assert_wire(&mut client, &["GAUGE.GET", "copy"], b"*3\r\n:17\r\n:-3\r\n:21\r\n");
    assert_wire(&mut client, &["COPY", "copy", "third"], b":1\r\n");
    assert_wire(&mut client, &["GAUGE.GET", "third"], b"*3\r\n:17\r\n:-3\r\n:21\r\n");
}

#[test]
fn the_gauges_in_c_and_in_rust_dump_the_same_bytes() {
    let (_folder, library) = compiled_outside();
    let (c, rust) =
        (Server::with(&["--loadmodule", &library]), Server::with(&["--loadmodule", &build::library("gauge")]));
    let (mut c, mut rust) = (c.connect(), rust.connect());
    for value in ["0", "9223372036854775807", "-9223372036854775808", "5"] {
        for client in [&mut c, &mut rust] {
            client.command(&["GAUGE.PUSH", "k", value]);
        }
    }
    let payload = bulk(&c.command(&["DUMP", "k"]));
    assert_eq!(payload, bulk(&rust.command(&["DUMP", "k"])));
    assert_eq!(payload[0], 7, "the container's value type");
    for client in [&mut c, &mut rust] {
        let restore: [&[u8]; 5] = [b"RESTORE", b"k", b"0", &payload, b"REPLACE"];
        assert_wire(client, &restore, b"+OK\r\n");
        let expected = b"*3\r\n:5\r\n:-9223372036854775808\r\n:9223372036854775807\r\n";
        assert_wire(client, &["GAUGE.GET", "k"], expected);
    }
}

#[test]
fn a_damaged_payload_is_refused() {
    let server = Server::with(&["--loadmodule", &build::library("gauge")]);
    let mut client = server.connect();
    client.command(&["GAUGE.PUSH", "k", "5"]);
    let payload = bulk(&client.command(&["DUMP", "k"]));
    for at in 0..payload.len() {
        let mut damaged = payload.clone();
        damaged[at] ^= 0x40;
        let restore: [&[u8]; 4] = [b"RESTORE", b"l", b"0", &damaged];
        assert_wire(&mut client, &restore, b"-ERR DUMP payload version or checksum are wrong\r\n");
    }
    let restore: [&[u8]; 4] = [b"RESTORE", b"k", b"0", &payload];
    assert_wire(&mut client, &restore, b"-BUSYKEY Target key name already exists.\r\n");
}
