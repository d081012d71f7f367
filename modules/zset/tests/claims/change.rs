//! Adding, removing, popping.

use super::*;

#[test]
fn zadd_counts_members_that_are_new() {
    in_both_forms(|_, client| {
        check(client, "ZADD k 1 a 2 b 3 c", b":3\r\n");
        check(client, "ZADD k 5 a 6 d", b":1\r\n");
        check(client, "ZADD k CH 7 a 6 d 8 e", b":2\r\n");
        check(client, "ZCARD k", b":5\r\n");
        check(client, "ZRANGE k 0 -1", bulks(&["b", "c", "d", "a", "e"]));
        check(client, "ZADD k 1 a 2", SYNTAX);
        check(client, "ZADD k x a", NOT_FLOAT);
        check(client, "ZADD k 1 new nan b", NOT_FLOAT);
        check(client, "ZSCORE k new", b"$-1\r\n");
        check(client, "ZADD k 0x10 hex", b":1\r\n");
        check(client, "ZSCORE k hex", b"$2\r\n16\r\n");
    });
}

#[test]
fn zadd_obeys_nx_xx_gt_and_lt() {
    in_both_forms(|_, client| {
        check(client, "ZADD k XX 1 a", b":0\r\n");
        check(client, "EXISTS k", b":0\r\n");
        check(client, "ZADD k NX 5 a", b":1\r\n");
        check(client, "ZADD k NX CH 6 a", b":0\r\n");
        check(client, "ZADD k XX CH 6 a 1 b", b":1\r\n");
        check(client, "ZADD k GT CH 5 a", b":0\r\n");
        check(client, "ZADD k LT CH 5 a 9 b", b":2\r\n");
        check(client, "ZMSCORE k a b c", b"*3\r\n$1\r\n5\r\n$1\r\n9\r\n$-1\r\n");
        check(client, "ZADD k NX XX 1 a", b"-ERR XX and NX options at the same time are not compatible\r\n");
        let message = b"-ERR GT, LT, and/or NX options at the same time are not compatible\r\n";
        for options in ["GT LT", "GT NX", "NX LT"] {
            check(client, &format!("ZADD k {options} 1 a"), message);
        }
    });
}

#[test]
fn increments_add_up_and_never_make_a_nan() {
    in_both_forms(|_, client| {
        check(client, "ZINCRBY k 1.5 a", b"$3\r\n1.5\r\n");
        check(client, "ZADD k INCR 1 a", b"$3\r\n2.5\r\n");
        check(client, "ZADD k NX INCR 1 a", b"$-1\r\n");
        check(client, "ZADD k GT INCR -1 a", b"$-1\r\n");
        check(client, "ZINCRBY k inf a", b"$3\r\ninf\r\n");
        check(client, "ZINCRBY k -inf a", b"-ERR resulting score is not a number (NaN)\r\n");
        check(client, "ZADD k NX INCR -inf a", b"$-1\r\n");
        check(client, "ZINCRBY k 0.1 b", b"$3\r\n0.1\r\n");
        check(client, "ZINCRBY k 0.2 b", b"$19\r\n0.30000000000000004\r\n");
        check(client, "ZADD k INCR 1 a 2 b", b"-ERR INCR option supports a single increment-element pair\r\n");
        client.command(&["HELLO", "3"]);
        check(client, "ZINCRBY k 1 c", b",1\r\n");
        check(client, "ZADD k XX INCR 1 none", b"_\r\n");
    });
}

#[test]
fn the_key_goes_with_the_last_member() {
    in_both_forms(|_, client| {
        for removal in
            ["ZREM k a b x", "ZREMRANGEBYRANK k 0 -1", "ZREMRANGEBYSCORE k -inf +inf", "ZREMRANGEBYLEX k - +"]
        {
            check(client, "ZADD k 1 a 1 b", b":2\r\n");
            check(client, removal, b":2\r\n");
            check(client, "EXISTS k", b":0\r\n");
            check(client, removal, b":0\r\n");
        }
        check(client, "ZADD k 1 a 2 b", b":2\r\n");
        check(client, "ZPOPMIN k 5", bulks(&["a", "1", "b", "2"]));
        check(client, "EXISTS k", b":0\r\n");
    });
}

#[test]
fn ranges_are_removed() {
    in_both_forms(|_, client| {
        check(client, "ZADD k 1 a 2 b 3 c 4 d 5 e 6 f", b":6\r\n");
        check(client, "ZREMRANGEBYRANK k 1 2", b":2\r\n");
        check(client, "ZREMRANGEBYSCORE k (1 (5", b":1\r\n");
        check(client, "ZREMRANGEBYSCORE k 9 1", b":0\r\n");
        check(client, "ZRANGE k 0 -1", bulks(&["a", "e", "f"]));
        check(client, "ZREMRANGEBYRANK k x 1", NOT_INTEGER);
        check(client, "ZREMRANGEBYSCORE k x 1", b"-ERR min or max is not a float\r\n");
        check(client, "ZREMRANGEBYLEX k [a x", b"-ERR min or max not valid string range item\r\n");
    });
}

#[test]
fn both_ends_are_popped() {
    in_both_forms(|_, client| {
        check(client, "ZADD k 1 a 2 b 3 c 4 d 5 e", b":5\r\n");
        check(client, "ZPOPMIN k", bulks(&["a", "1"]));
        check(client, "ZPOPMAX k 2", bulks(&["e", "5", "d", "4"]));
        check(client, "ZPOPMAX k 0", b"*0\r\n");
        check(client, "ZPOPMIN k -1", b"-ERR value is out of range, must be positive\r\n");
        check(client, "ZPOPMIN k 1 1", SYNTAX);
        check(
            client,
            "ZMPOP 2 none k MAX COUNT 9",
            [b"*2\r\n$1\r\nk\r\n*2\r\n".as_slice(), &bulks(&["c", "3"]), &bulks(&["b", "2"])].concat(),
        );
        check(client, "ZMPOP 1 k MIN", b"*-1\r\n");
        check(client, "ZMPOP 0 k MIN", b"-ERR numkeys should be greater than 0\r\n");
        check(client, "ZMPOP 1 k MIN COUNT 0", b"-ERR count should be greater than 0\r\n");
        check(client, "ZMPOP 3 k MIN", SYNTAX);
        check(client, "ZMPOP 1 k LEFT", SYNTAX);
    });
}

#[test]
fn other_types_are_refused() {
    in_both_forms(|_, client| {
        client.command(&["SET", "s", "v"]);
        for command in ["ZADD s 1 a", "ZSCORE s a", "ZRANGE s 0 -1", "ZREM s a", "ZPOPMIN s", "ZSCAN s 0", "ZUNION 1 s"]
        {
            check(client, command, WRONG_TYPE);
        }
        check(client, "ZADD k 1 a", b":1\r\n");
        check(client, "GET k", WRONG_TYPE);
        check(client, "TYPE k", b"+zset\r\n");
    });
}
