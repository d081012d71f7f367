//! The program, as it is run.

use plinth_fuzz::Random;
use plinth_testkit::{Server, TempDir, assert_wire, data};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_plinth-check");

fn run(args: &[&str]) -> Output {
    Command::new(PROGRAM).args(args).stdin(Stdio::null()).output().expect("the program runs")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs it under another name.
fn run_as(folder: &TempDir, name: &str, args: &[&str]) -> Output {
    let link = folder.file(name);
    if !Path::new(&link).exists() {
        std::os::unix::fs::symlink(PROGRAM, &link).expect("a link");
    }
    Command::new(link).args(args).stdin(Stdio::null()).output().expect("the program runs")
}

/// A file of every type and encoding, as Plinth saves it.
fn file(folder: &TempDir, name: &str, parameters: &[&str]) -> String {
    let server = Server::start();
    let mut client = server.connect();
    for parameter in parameters {
        assert_wire(&mut client, &["CONFIG", "SET", parameter, "0"], b"+OK\r\n");
    }
    data::make(&mut client, &data::all());
    data::make(&mut client, &data::expiring());
    assert_wire(&mut client, &["PEXPIREAT", "string:raw", "4102444800000"], b":1\r\n");
    assert_wire(&mut client, &["SAVE"], b"+OK\r\n");
    let to = folder.file(name);
    std::fs::copy(server.folder().file("dump.rdb"), &to).expect("the file is there");
    to
}

#[test]
fn a_whole_file_is_summed_up() {
    let folder = TempDir::new();
    let file = file(&folder, "dump.rdb", &[]);
    let output = run(&["rdb", &file]);
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    for line in ["Checksum OK", "\\o/ RDB looks OK! \\o/", "[info] 20 keys read", "[info] 1 expires"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let zset = text.lines().find(|line| line.starts_with("zset")).expect("a row");
    assert_eq!(zset.split_whitespace().take(4).collect::<Vec<_>>(), ["zset", "2", "0", "707"]);
    assert!(zset.contains("zset:large ("), "{zset}");
    let json = String::from_utf8_lossy(&run(&["rdb", "--json", &file]).stdout).into_owned();
    assert!(json.contains("\"whole\":true") && json.contains("\"stream\":{\"keys\":4,"), "{json}");
}

#[test]
fn under_the_other_names_it_ends_as_those_programs_do() {
    let folder = TempDir::new();
    let file = file(&folder, "dump.rdb", &[]);
    let whole = run_as(&folder, "redis-check-rdb", &[&file]);
    assert_eq!(whole.status.code(), Some(0));
    assert!(text(&whole).ends_with("[info] 20 keys read\n[info] 1 expires\n[info] 0 already expired\n"));
    let bytes = std::fs::read(&file).expect("the file");
    let broken = folder.file("broken.rdb");
    let mut changed = bytes.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    for (bytes, line) in [
        (&bytes[..bytes.len() / 2], "--- RDB ERROR DETECTED ---"),
        (&changed[..], "RDB CRC error"),
        (&b"NOTANRDBFILE"[..], "Wrong signature trying to load DB from file"),
        (&b"REDIS0099\xff"[..], "Can't handle RDB format version 99"),
        (&b""[..], "[info] 0 keys read"),
    ] {
        std::fs::write(&broken, bytes).expect("a file");
        let output = run_as(&folder, "redis-check-rdb", &[&broken]);
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert!(text(&output).contains(line), "{line}: {}", text(&output));
    }
    for (name, args) in
        [("redis-check-rdb", &[][..]), ("redis-check-aof", &[][..]), ("redis-check-rdb", &["none.rdb"][..])]
    {
        assert_eq!(run_as(&folder, name, args).status.code(), Some(1), "{name} {args:?}");
    }
}

const COMMANDS: &str = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";

#[test]
fn an_aof_is_cut_where_it_stops_being_readable() {
    let folder = TempDir::new();
    let aof = folder.file("appendonly.aof");
    let open = format!("*1\r\n$5\r\nMULTI\r\n{COMMANDS}");
    let ended = format!("{open}*1\r\n$4\r\nEXEC\r\n");
    for (bad, at) in [
        ("*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$10\r\nabc", 27),
        ("*1\r\n+OK\r\n", 27),
        (open.as_str(), 27),
        (ended.as_str(), 83),
    ] {
        std::fs::write(&aof, [COMMANDS, bad].concat()).expect("a file");
        let size = COMMANDS.len() + bad.len();
        let is_valid = at == size;
        let output = run_as(&folder, "redis-check-aof", &[&aof]);
        assert_eq!(output.status.success(), is_valid, "{}", text(&output));
        // Which line is at fault within a command that has no end is not said alike.
        let said = format!("size={size}, ok_up_to={at}, ");
        assert!(text(&output).contains(&said), "{said}: {}", text(&output));
        // Nobody is there to say yes.
        assert_eq!(run_as(&folder, "redis-check-aof", &["--fix", &aof]).status.success(), is_valid);
        assert_eq!(std::fs::metadata(&aof).expect("the file").len(), size as u64);
        let fixed = run(&["aof", "--fix", "--yes", &aof]);
        assert!(fixed.status.success(), "{}", text(&fixed));
        assert_eq!(std::fs::metadata(&aof).expect("the file").len(), at as u64);
        assert!(text(&run(&["aof", &aof])).ends_with("appendonly.aof is valid\n"));
    }
}

#[test]
fn what_was_written_after_a_time_is_cut_off_and_no_transaction_is_halved() {
    let folder = TempDir::new();
    let aof = folder.file("appendonly.aof");
    let (multi, exec) = ("*1\r\n$5\r\nMULTI\r\n", "*1\r\n$4\r\nEXEC\r\n");
    let whole = ["#TS:10\r\n", COMMANDS, "#TS:20\r\n", multi, COMMANDS, "#TS:30\r\n", exec].concat();
    let cut = |time: &str| {
        std::fs::write(&aof, &whole).expect("a file");
        let output = run_as(&folder, "redis-check-aof", &["--truncate-to-timestamp", time, &aof]);
        let len = std::fs::metadata(&aof).expect("the file").len() as usize;
        (output.status.success(), len, text(&output).lines().last().unwrap_or_default().replace(&aof, "F"))
    };
    assert_eq!(cut("30"), (true, whole.len(), "AOF F is valid".into()));
    assert_eq!(cut("29"), (true, 43, "Successfully truncated AOF F to timestamp 29".into()));
    assert_eq!(cut("19"), (true, 35, "Successfully truncated AOF F to timestamp 19".into()));
    assert_eq!(cut("9"), (false, whole.len(), "AOF F has nothing before timestamp 9, aborting...".into()));
    assert_eq!(cut("x"), (false, whole.len(), "Invalid timestamp, aborting...".into()));
    assert!(run(&["aof", "--truncate-to-timestamp", "19", &aof]).status.success());
    assert!(!run(&["aof", "--truncate-to-timestamp", "19", "--fix", &aof]).status.success());
    assert_eq!(std::fs::metadata(&aof).expect("the file").len(), 35);
    // What cannot be read is not cut so.
    std::fs::write(&aof, &whole[..60]).expect("a file");
    assert!(!run(&["aof", "--truncate-to-timestamp", "40", &aof]).status.success());
    assert_eq!(std::fs::metadata(&aof).expect("the file").len(), 60);
}

#[test]
fn what_a_manifest_names_is_checked_and_only_the_last_file_is_cut() {
    let folder = TempDir::new();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.file(name), bytes).expect("a file");
    let manifest = folder.file("a.aof.manifest");
    write("a.aof.1.base.rdb", &std::fs::read(file(&folder, "dump.rdb", &[])).expect("a file"));
    write("a.aof.1.incr.aof", COMMANDS.as_bytes());
    write("a.aof.2.incr.aof", COMMANDS.as_bytes());
    write(
        "a.aof.manifest",
        b"file a.aof.1.base.rdb seq 1 type b\nfile a.aof.1.incr.aof seq 1 type i\nfile a.aof.2.incr.aof seq 2 type i startoffset 5\n",
    );
    let output = run(&["aof", &manifest]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).ends_with("All AOF files and manifest are valid\n"));
    write("a.aof.2.incr.aof", &COMMANDS.as_bytes()[..20]);
    assert!(!run(&["aof", &manifest]).status.success());
    assert!(run(&["aof", "--fix", "--yes", &manifest]).status.success());
    write("a.aof.1.incr.aof", &COMMANDS.as_bytes()[..20]);
    let output = run(&["aof", "--fix", "--yes", &manifest]);
    assert!(!output.status.success());
    assert_eq!(std::fs::metadata(folder.file("a.aof.1.incr.aof")).expect("the file").len(), 20);
    std::fs::remove_file(folder.file("a.aof.1.incr.aof")).expect("it was there");
    assert!(!run(&["aof", &manifest]).status.success());
    write("a.aof.manifest", b"file a.aof.1.base.rdb\n");
    assert!(text(&run(&["aof", &manifest])).contains("Invalid AOF manifest file format"));
}

#[test]
fn files_of_the_same_data_in_other_encodings_do_not_differ() {
    let folder = TempDir::new();
    let left = file(&folder, "left.rdb", &[]);
    let limits = [
        "hash-max-listpack-entries",
        "zset-max-listpack-entries",
        "set-max-listpack-entries",
        "set-max-intset-entries",
    ];
    let right = file(&folder, "right.rdb", &limits);
    let output = run(&["diff", &left, &right]);
    // When a consumer was seen is in the bytes of a stream, and no two servers say the same.
    let others: Vec<String> =
        text(&output).lines().filter(|line| !line.contains(" stream:g")).map(str::to_owned).collect();
    assert!(others.len() == 1 && others[0].ends_with("keys differ"), "{others:?}");
    assert!(run(&["diff", &left, &left]).status.success());
}

#[test]
fn each_difference_is_told() {
    let folder = TempDir::new();
    let server = Server::start();
    let mut client = server.connect();
    let mut save = |name: &str| {
        assert_wire(&mut client, &["SAVE"], b"+OK\r\n");
        let to = folder.file(name);
        std::fs::copy(server.folder().file("dump.rdb"), &to).expect("the file is there");
        to
    };
    let mut other = server.connect();
    for words in [["SET", "same", "1"], ["SET", "value", "1"], ["SET", "gone", "1"], ["SET", "time", "1"]] {
        assert_wire(&mut other, &words, b"+OK\r\n");
    }
    let left = save("left.rdb");
    assert_wire(&mut other, &["SET", "value", "2"], b"+OK\r\n");
    assert_wire(&mut other, &["RENAME", "gone", "new\n"], b"+OK\r\n");
    assert_wire(&mut other, &["PEXPIREAT", "time", "4102444800000"], b":1\r\n");
    let right = save("right.rdb");
    let output = run(&["diff", &left, &right]);
    assert_eq!(output.status.code(), Some(1));
    let text = text(&output);
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "0 gone: only in the first file",
            "0 new\\n: only in the second file",
            "0 time: expires at another time",
            "0 value: another value",
            "4 keys differ"
        ]
    );
}

#[test]
fn any_damage_is_survived_without_much_memory() {
    let folder = TempDir::new();
    let whole = std::fs::read(file(&folder, "dump.rdb", &[])).expect("the file");
    let commands: Vec<u8> = COMMANDS.repeat(20).into_bytes();
    let mut random = Random::new(12);
    for round in 0..60 {
        let source = if round % 3 == 0 { &commands } else { &whole };
        let mut bytes = source.clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(bytes.len());
            bytes[at] = [0x81, 0xc3, 0xff, 0x80, random.number() as u8][random.below(5)];
        }
        bytes.truncate(bytes.len() - random.below(bytes.len() / 2));
        let path = folder.file("damaged");
        std::fs::write(&path, &bytes).expect("a file");
        for what in ["rdb", "aof"] {
            // 400 MB of address space hold the program and a small multiple of the file.
            let limited = format!("ulimit -v 400000; exec {PROGRAM} {what} {path}");
            let output = Command::new("sh").args(["-c", &limited]).output().expect("the program runs");
            assert!(matches!(output.status.code(), Some(0 | 1)), "round {round}: {output:?}");
        }
        let output = run(&["diff", &path, &path]);
        assert!(matches!(output.status.code(), Some(0 | 1)), "round {round}: {output:?}");
    }
}
