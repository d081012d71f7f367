//! Strings, until HyperLogLogs are here: what moves is what arrives.

use crate::peer::{assert_same, move_to_peer, move_to_plinth, with_each};
use plinth_testkit::assert_wire;

#[test]
fn a_string_moves_both_ways() {
    with_each(|peer, theirs, plinth| {
        assert_wire(plinth, &["SET", "k", "of plinth"], b"+OK\r\n");
        move_to_peer(peer, plinth, theirs, "k");
        assert_same(peer, theirs, plinth, &["GET", "k"]);
        assert_wire(theirs, &["SET", "k", "of the peer"], b"+OK\r\n");
        move_to_plinth(theirs, plinth, "k");
        assert_same(peer, theirs, plinth, &["GET", "k"]);
    });
}
