//! The library in the real server.

use plinth_testkit::{Server, assert_wire, build};

#[test]
fn counters_count_in_the_real_server() {
    let server = Server::with(&["--loadmodule", &build::library("counter-service")]);
    let mut client = server.connect();
    assert_wire(&mut client, &["COUNTER.READ", "visits"], b":0\r\n");
    assert_wire(&mut client, &["COUNTER.NEXT", "visits"], b":1\r\n");
    assert_wire(&mut client, &["COUNTER.NEXT", "visits", "10"], b":11\r\n");
    assert_wire(&mut client, &["COUNTER.READ", "visits"], b":11\r\n");
    assert_wire(
        &mut client,
        &["COUNTER.NEXT", "visits", "9223372036854775807"],
        b"-ERR increment or decrement would overflow\r\n",
    );
}
