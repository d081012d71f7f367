//! What modules allocate is aligned as their languages promise, though the server's allocator has classes
//! of 24, 40 and 56 bytes: those are for who asks the host for them.

use plinth_testkit::{Server, TempDir, assert_wire, build, cc};

#[test]
fn memory_of_modules_in_rust_c_and_cpp_is_aligned_to_16() {
    let folder = TempDir::new();
    let c = cc::module(&folder, "tests/modules/alignment/aligned.c", &[]);
    let cpp = cc::module(&folder, "tests/modules/alignment/operator_new.cpp", &[]);
    let rust = build::library("aligned");
    let server = Server::within(folder, &["--loadmodule", &c, "--loadmodule", &cpp, "--loadmodule", &rust]);
    let mut client = server.connect();
    assert_wire(&mut client, &["ALIGNED.C"], b":0\r\n");
    assert_wire(&mut client, &["ALIGNED.CPP"], b":0\r\n");
    assert_wire(&mut client, &["ALIGNED.RUST"], b":0\r\n");
    assert_wire(&mut client, &["ALIGNED.TABLE"], b":1000\r\n");
}

#[test]
fn the_host_gives_memory_in_steps_of_8() {
    let folder = TempDir::new();
    let c = cc::module(&folder, "tests/modules/alignment/aligned.c", &[]);
    let server = Server::within(folder, &["--loadmodule", &c]);
    let mut client = server.connect();
    assert_wire(&mut client, &["ALIGNED.STEPS"], b":0\r\n");
}
