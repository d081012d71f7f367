//! Unions, intersections, differences.

use super::*;

#[test]
fn unions_add_scores_up() {
    in_both_forms(|_, client| {
        client.command(&["ZADD", "x", "1", "a", "2", "b"]);
        client.command(&["ZADD", "y", "10", "b", "20", "c"]);
        check(client, "ZUNION 2 x y WITHSCORES", bulks(&["a", "1", "b", "12", "c", "20"]));
        check(client, "ZUNION 2 x y WEIGHTS 2 -1 WITHSCORES", bulks(&["c", "-20", "b", "-6", "a", "2"]));
        check(client, "ZUNION 2 x y AGGREGATE MIN WITHSCORES", bulks(&["a", "1", "b", "2", "c", "20"]));
        check(client, "ZUNIONSTORE x 2 x y AGGREGATE MAX", b":3\r\n");
        check(client, "ZRANGE x 0 -1 WITHSCORES", bulks(&["a", "1", "b", "10", "c", "20"]));
        check(client, "ZUNION 0 x", b"-ERR at least 1 input key is needed for 'zunion' command\r\n");
        check(client, "ZUNION x x", NOT_INTEGER);
        check(client, "ZUNION 3 x y", SYNTAX);
        check(client, "ZUNION 1 x WEIGHTS z", b"-ERR weight value is not a float\r\n");
        check(client, "ZUNIONSTORE d 1 x WITHSCORES", SYNTAX);
    });
}

#[test]
fn intersections_and_differences_compare_members() {
    in_both_forms(|_, client| {
        client.command(&["ZADD", "x", "1", "a", "2", "b", "3", "c"]);
        client.command(&["ZADD", "y", "10", "b", "20", "c"]);
        check(client, "ZINTER 2 x y WITHSCORES", bulks(&["b", "12", "c", "23"]));
        check(client, "ZINTER 2 x none", b"*0\r\n");
        check(client, "ZDIFF 2 x y WITHSCORES", bulks(&["a", "1"]));
        check(client, "ZDIFF 1 x WEIGHTS 2", SYNTAX);
        check(client, "ZINTERCARD 2 x y", b":2\r\n");
        check(client, "ZINTERCARD 2 x y LIMIT 1", b":1\r\n");
        check(client, "ZINTERCARD 2 x y LIMIT -1", b"-ERR LIMIT can't be negative\r\n");
        check(client, "ZINTERSTORE d 2 x y AGGREGATE MIN", b":2\r\n");
        check(client, "ZDIFFSTORE d 2 x x", b":0\r\n");
        check(client, "EXISTS d", b":0\r\n");
    });
}

#[test]
fn sets_take_part_with_a_score_of_one() {
    in_both_forms(|_, client| {
        client.command(&["ZADD", "x", "1", "a", "2", "5"]);
        client.command(&["SADD", "s", "5", "7"]);
        check(client, "ZUNION 2 x s WEIGHTS 1 3 WITHSCORES", bulks(&["a", "1", "7", "3", "5", "5"]));
        check(client, "ZINTER 2 x s WITHSCORES", bulks(&["5", "3"]));
        check(client, "ZDIFF 2 x s", bulks(&["a"]));
        check(client, "ZINTERCARD 2 s x", b":1\r\n");
    });
}

#[test]
fn infinities_never_make_a_nan() {
    in_both_forms(|_, client| {
        client.command(&["ZADD", "x", "inf", "a"]);
        client.command(&["ZADD", "y", "-inf", "a"]);
        check(client, "ZUNION 2 x y WITHSCORES", bulks(&["a", "0"]));
        check(client, "ZINTER 2 x y WITHSCORES", bulks(&["a", "0"]));
        check(client, "ZUNION 1 x WEIGHTS 0 WITHSCORES", bulks(&["a", "0"]));
    });
}
