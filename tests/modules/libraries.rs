//! The files of modules: what is loaded is what the file holds at that moment, whatever was loaded from it
//! before and whatever becomes of it later.

use crate::{assert_refused, registered};
use plinth_testkit::server::run_to_end;
use plinth_testkit::{Client, Server, TempDir, assert_wire, build, cc};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// `tests/modules/libraries/part.c`, compiled.
fn part(folder: &TempDir, flags: &[&str]) -> String {
    cc::module(folder, "tests/modules/libraries/part.c", flags)
}

fn load(client: &mut Client, path: &str) {
    assert_wire(client, &["MODULE", "LOAD", path], b"+OK\r\n");
}

fn unload(client: &mut Client, name: &str) {
    assert_wire(client, &["MODULE", "UNLOAD", name], b"+OK\r\n");
}

/// Make a pipe; nobody writes to it.
fn pipe(path: &str) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.is_ok_and(|status| status.success()), "no pipe at {path}");
}

/// The folder where a server keeps its copies, once it has any.
fn copies_of(server: &Server) -> PathBuf {
    let mapped = server.mapped();
    let copy = mapped.iter().find(|path| path.contains("/plinth-modules-")).expect("a module is mapped");
    Path::new(copy).parent().expect("it is in a folder").to_path_buf()
}

#[test]
fn a_new_build_in_the_place_of_one_that_stayed_mapped_is_what_is_loaded() {
    let folder = TempDir::new();
    let server = Server::start();
    let mut client = server.connect();
    let path = folder.file("module.so");
    std::fs::copy(build::library("threaded"), &path).expect("a copy");
    load(&mut client, &path);
    assert_wire(&mut client, &["THREADED.COUNT"], b":1\r\n");
    assert_wire(&mut client, &["THREADED.COUNT"], b":2\r\n");
    unload(&mut client, "threaded");
    load(&mut client, &path);
    assert_wire(&mut client, &["THREADED.COUNT"], b":1\r\n");
    unload(&mut client, "threaded");
    std::fs::rename(part(&folder, &[]), &path).expect("a new build");
    load(&mut client, &path);
    assert_wire(&mut client, &["PART.BUILD"], b":1\r\n");
}

#[test]
fn what_stays_mapped_is_named() {
    let server = Server::start();
    let mut client = server.connect();
    let path = build::library("threaded");
    for _ in 0..2 {
        load(&mut client, &path);
        unload(&mut client, "threaded");
    }
    server.wait_for_log(&format!("The library of 'threaded', {path}, stays mapped"));
    let said = client.info("modules", "plinth_still_mapped").expect("INFO tells");
    assert!(said.starts_with("libraries=2,bytes=") && said.ends_with(",of=[threaded=2]"), "{said}");
    let list = client.ask(&["MODULE", "LIST"]);
    let names: Vec<String> = list.items().iter().filter_map(|one| Some(one.field("name")?.text())).collect();
    assert!(names.contains(&"threaded (unloaded, 2 still mapped)".to_owned()), "{names:?}");
    let copies = server.mapped().iter().filter(|path| path.ends_with("-libthreaded.so")).count();
    assert!(copies >= 2, "the kernel says otherwise: {copies}");
}

#[test]
fn what_goes_leaves_no_mapping_and_no_copy() {
    let folder = TempDir::new();
    let server = Server::start();
    let mut client = server.connect();
    let before = registered(&mut client);
    let count = |copies: &Path| std::fs::read_dir(copies).map_or(0, Iterator::count);
    let copies = copies_of(&server);
    let (files, mapped) = (count(&copies), server.mapped().len());
    let path = part(&folder, &[]);
    load(&mut client, &path);
    assert_eq!(count(&copies), files + 1);
    // As perf and gdb find it: under its own name, in a file that is there.
    let mapped_part: Vec<String> = server.mapped().into_iter().filter(|path| path.ends_with("-part0.so")).collect();
    assert!(!mapped_part.is_empty() && mapped_part.iter().all(|path| Path::new(path).exists()), "{mapped_part:?}");
    unload(&mut client, "part");
    assert_eq!((count(&copies), server.mapped().len()), (files, mapped));
    assert_eq!(registered(&mut client), before);
    assert_eq!(client.info("modules", "plinth_still_mapped"), None);
    // Nor does one whose load fails.
    assert_refused(&server, &["MODULE", "LOAD", &cc::module(&folder, "tests/modules/faults/no_entry.c", &[])], "entry");
    assert_eq!((count(&copies), server.mapped().len()), (files, mapped));
}

#[test]
fn the_copies_are_private_and_go_with_the_server_or_with_the_next_one() {
    use std::os::unix::fs::PermissionsExt;
    let mut server = Server::start();
    let copies = copies_of(&server);
    let mode = std::fs::metadata(&copies).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    server.signal("TERM");
    server.wait();
    assert!(!copies.exists(), "{} is left", copies.display());
    let mut crashed = Server::start();
    let left = copies_of(&crashed);
    crashed.signal("KILL");
    crashed.wait();
    assert!(left.exists(), "nobody could have removed it");
    let next = Server::start();
    plinth_testkit::wait_until("what is left is cleared away", || !left.exists());
    assert!(copies_of(&next).exists());
}

#[test]
fn copies_that_somebody_clears_away_are_not_missed() {
    let folder = TempDir::new();
    let server = Server::start();
    let mut client = server.connect();
    std::fs::remove_dir_all(copies_of(&server)).expect("it is cleared away");
    assert_wire(&mut client, &["SET", "k", "v"], b"+OK\r\n");
    load(&mut client, &part(&folder, &[]));
    assert_wire(&mut client, &["PART.BUILD"], b":1\r\n");
    unload(&mut client, "part");
    assert!(!server.mapped().iter().any(|path| path.contains("-part0.so")), "it is still there");
}

#[test]
fn a_loaded_file_may_be_written_to_in_place() {
    let folder = TempDir::new();
    let server = Server::start();
    let mut client = server.connect();
    let path = folder.file("gauge.so");
    std::fs::copy(build::library("gauge"), &path).expect("a copy");
    load(&mut client, &path);
    std::fs::write(&path, "").expect("it is cut off");
    assert_wire(&mut client, &["GAUGE.PUSH", "k", "4"], b":4\r\n");
    assert_wire(&mut client, &["GAUGE.GET", "k"], b"*3\r\n:4\r\n:4\r\n:4\r\n");
    assert_wire(&mut client, &["DEL", "k"], b":1\r\n");
    unload(&mut client, "gauge");
}

#[test]
fn another_module_at_the_path_of_a_loaded_one_is_loaded() {
    let folder = TempDir::new();
    let server = Server::start();
    let mut client = server.connect();
    let path = folder.file("module.so");
    std::fs::rename(part(&folder, &[]), &path).expect("one module");
    load(&mut client, &path);
    std::fs::rename(part(&folder, &["-DNAMED=\"other\"", "-DBUILD=5"]), &path).expect("another");
    load(&mut client, &path);
    assert_wire(&mut client, &["PART.COUNT"], b":101\r\n");
    assert_wire(&mut client, &["OTHER.COUNT"], b":501\r\n");
}

#[test]
fn a_build_replaces_itself_and_its_new_build_from_the_same_path() {
    let folder = TempDir::new();
    let server = Server::start();
    let mut client = server.connect();
    let path = folder.file("module.so");
    std::fs::rename(part(&folder, &[]), &path).expect("a build");
    load(&mut client, &path);
    assert_wire(&mut client, &["PART.COUNT"], b":101\r\n");
    for build in ["-DBUILD=1", "-DBUILD=2"] {
        std::fs::rename(part(&folder, &[build]), &path).expect("another build");
        assert_wire(&mut client, &["MODULE", "REPLACE", "part", &path], b"+OK\r\n");
        crate::replace::wait_until_replaced(&mut client);
        assert_wire(&mut client, &["PART.COUNT"], format!(":{}01\r\n", &build[8..]));
    }
}

#[test]
fn what_is_no_file_is_refused_without_a_wait() {
    let folder = TempDir::new();
    let server = Server::start();
    let path = folder.file("pipe.so");
    pipe(&path);
    for path in [&path, "/dev/zero", &folder.path().display().to_string()] {
        assert_refused(&server, &["MODULE", "LOAD", path], "it is no regular file");
    }
    let finished = run_to_end(&["--inspect", &path]);
    assert_eq!(finished.code, Some(1), "{}", finished.output);
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    let folder = TempDir::new();
    let server = Server::start();
    let whole = std::fs::read(part(&folder, &[])).expect("a module");
    let path = folder.file("cut.so");
    for part in 0..24 {
        std::fs::write(&path, &whole[..whole.len() * part / 24]).expect("a part of it");
        assert_refused(&server, &["MODULE", "LOAD", &path], "cannot open it as a shared library");
    }
    std::fs::write(&path, &whole[..whole.len() - 1]).expect("all but the last byte");
    assert_refused(&server, &["MODULE", "LOAD", &path], "it is cut off");
}

#[test]
fn a_file_that_is_damaged_anywhere_is_refused_or_is_that_module() {
    let folder = TempDir::new();
    let server = Server::start();
    let mut client = server.connect();
    let whole = std::fs::read(part(&folder, &["-DNO_ENTRY"])).expect("a library");
    let path = folder.file("damaged.so");
    // No entry: whatever is read of it, nothing of it runs.
    for at in (0..0x400).step_by(3) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        std::fs::write(&path, &bytes).expect("it is damaged");
        let said = client.text(&["MODULE", "LOAD", &path]);
        assert!(said.starts_with("ERR "), "byte {at}: {said}");
    }
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
}

#[test]
fn kinds_of_files_that_are_no_shared_libraries_are_named() {
    let folder = TempDir::new();
    let server = Server::start();
    let program = std::env::current_exe().expect("a program").display().to_string();
    assert_refused(&server, &["MODULE", "LOAD", &program], "it is a program and no shared library");
    let module = std::fs::read(part(&folder, &[])).expect("a module");
    let with = |at: usize, byte: u8| {
        let mut bytes = module.clone();
        bytes[at] = byte;
        folder.write("other.so", bytes)
    };
    assert_refused(&server, &["MODULE", "LOAD", &with(18, 3)], "it is for machine 3");
    assert_refused(&server, &["MODULE", "LOAD", &with(16, 1)], "an ELF file of kind 1");
    assert_refused(&server, &["MODULE", "LOAD", &with(4, 1)], "it is no ELF file of 64 bits");
}

#[test]
fn constructors_run_of_modules_that_are_loaded_and_of_nothing_else() {
    let folder = TempDir::new();
    let server = Server::start();
    let mark = folder.file("mark");
    let define = format!("-DMARK=\"{mark}\"");
    let stranger = part(&folder, &[&define, "-DNO_ENTRY"]);
    assert_refused(&server, &["MODULE", "LOAD", &stranger], "does not export 'plinth_module_entry'");
    assert_eq!(run_to_end(&["--inspect", &stranger]).code, Some(1));
    let module = part(&folder, &[&define]);
    let finished = run_to_end(&["--inspect", &module]);
    assert!(finished.code == Some(0) && finished.output.contains("part.build"), "{}", finished.output);
    assert!(!Path::new(&mark).exists(), "a constructor or destructor has run");
    load(&mut server.connect(), &module);
    assert!(Path::new(&mark).exists(), "a constructor runs when its module is loaded");
}

#[test]
fn an_empty_library_that_needs_a_module_is_none() {
    let folder = TempDir::new();
    let server = Server::start();
    let module = part(&folder, &[]);
    let flags = ["-Wl,--no-as-needed", &module];
    let empty = cc::module(&folder, "tests/modules/libraries/nothing.c", &flags);
    assert_refused(&server, &["MODULE", "LOAD", &empty], "does not export 'plinth_module_entry'");
}

#[test]
fn origin_is_where_the_file_lies_that_was_named() {
    let folder = TempDir::new();
    let server = Server::start();
    let library = cc::module(&folder, "tests/modules/libraries/neighbour.c", &["-Wl,-soname,libneighbour.so"]);
    std::fs::rename(library, folder.path().join("libneighbour.so")).expect("its name");
    let folders = format!("-L{}", folder.path().display());
    let flags = ["-DNEIGHBOUR", "-Wl,--no-as-needed", &folders, "-lneighbour", "-Wl,-rpath,/nowhere:$ORIGIN"];
    let path = part(&folder, &flags);
    let mut client = server.connect();
    load(&mut client, &path);
    assert_wire(&mut client, &["PART.BUILD"], b":77\r\n");
    unload(&mut client, "part");
    assert!(!server.mapped().iter().any(|path| path.contains("neighbour")), "it stays");
}

#[test]
fn a_file_that_is_written_to_meanwhile_is_one_build_or_the_other_or_refused() {
    let folder = TempDir::new();
    let server = Server::start();
    let builds = ["-DBUILD=1", "-DBUILD=2"].map(|build| {
        let folder = TempDir::new();
        std::fs::read(part(&folder, &[build])).expect("a build")
    });
    let path = folder.write("module.so", &builds[0]);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut at = 0;
            while !stop.load(Relaxed) {
                at += 1;
                let _ = std::fs::write(&path, &builds[at % 2]);
            }
        });
        let mut client = server.connect();
        for _ in 0..300 {
            let said = client.text(&["MODULE", "LOAD", &path]);
            if said == "OK" {
                let build = client.text(&["PART.BUILD"]);
                assert!(build == "1" || build == "2", "{build}");
                unload(&mut client, "part");
            } else {
                assert!(said.contains("cannot open it as a shared library"), "{said}");
            }
        }
        stop.store(true, Relaxed);
    });
}

#[test]
fn a_build_in_cpp_gets_no_variables_of_another_one() {
    let folder = TempDir::new();
    let server = Server::start();
    let mut client = server.connect();
    let source = "tests/modules/libraries/shared.cpp";
    let old = cc::module(&folder, source, &[]);
    let large = cc::module(&folder, source, &["-DCOUNT=4096"]);
    load(&mut client, &old);
    assert_wire(&mut client, &["SHARED.SUM"], b":6\r\n");
    for path in [&old, &large] {
        let said = client.text(&["MODULE", "REPLACE", "shared", path]);
        assert!(
            said.contains("shared_numbers (32 bytes there, ") && said.contains("-fno-gnu-unique, or say"),
            "{said}"
        );
    }
    assert_wire(&mut client, &["SHARED.SUM"], b":12\r\n");
    let own = cc::module(&folder, source, &["-DCOUNT=8", "-fno-gnu-unique"]);
    assert_wire(&mut client, &["MODULE", "REPLACE", "shared", &own], b"+OK\r\n");
    crate::replace::wait_until_replaced(&mut client);
    assert_wire(&mut client, &["SHARED.SUM"], b":28\r\n");
    assert_wire(&mut client, &["SHARED.MEMORY"], b":7\r\n");
    // The first build is still mapped, and FORCE gives the next one what it has.
    let said = client.info("modules", "plinth_still_mapped");
    assert!(said.is_some_and(|said| said.ends_with("[shared=1]")), "it has unique variables");
    assert_wire(&mut client, &["MODULE", "REPLACE", "FORCE", "shared", &old], b"+OK\r\n");
    crate::replace::wait_until_replaced(&mut client);
    assert_wire(&mut client, &["SHARED.SUM"], b":18\r\n");
    unload(&mut client, "shared");
    // Without it, a load does so when sizes are the same, and refuses when not.
    load(&mut client, &old);
    server.wait_for_log("shares 2 unique variables with libraries that are mapped");
    unload(&mut client, "shared");
    assert_refused(&server, &["MODULE", "LOAD", &large], "shared_numbers (32 bytes there, 32768 here)");
}

#[test]
fn no_module_is_loaded_when_the_keys_of_threads_run_out() {
    let folder = TempDir::new();
    let server = Server::start();
    let mut client = server.connect();
    let glutton = part(&folder, &["-DTAKES_KEYS=8", "-pthread"]);
    load(&mut client, &glutton);
    let said = client.text(&["MODULE", "LOAD", &build::library("threaded")]);
    assert!(said.contains("only 8 keys of threads left"), "{said}");
    let taken = client.info("modules", "plinth_thread_keys");
    assert_eq!(taken.as_deref(), Some("taken=1016"));
    unload(&mut client, "part");
    load(&mut client, &build::library("threaded"));
}
