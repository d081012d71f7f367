//! Reading: ranks, scores, ranges, scans.

use super::*;
use std::collections::HashSet;

#[test]
fn ranks_count_from_either_end() {
    in_both_forms(|_, client| {
        check(client, "ZADD k 1 a 2 b 2 c", b":3\r\n");
        check(client, "ZRANK k c", b":2\r\n");
        check(client, "ZREVRANK k c", b":0\r\n");
        check(client, "ZRANK k x", b"$-1\r\n");
        check(client, "ZRANK k b WITHSCORE", b"*2\r\n:1\r\n$1\r\n2\r\n");
        check(client, "ZRANK k x WITHSCORE", b"*-1\r\n");
        check(client, "ZRANK k b NOSCORE", SYNTAX);
        check(client, "ZCOUNT k (1 2", b":2\r\n");
        check(client, "ZCOUNT k 3 1", b":0\r\n");
        check(client, "ZCOUNT none -inf +inf", b":0\r\n");
    });
}

#[test]
fn zrange_takes_ranks_scores_and_members() {
    in_both_forms(|_, client| {
        check(client, "ZADD k 1 a 2 b 3 c 4 d", b":4\r\n");
        check(client, "ZRANGE k 1 -2", bulks(&["b", "c"]));
        check(client, "ZRANGE k 0 1 REV WITHSCORES", bulks(&["d", "4", "c", "3"]));
        check(client, "ZRANGE k (1 +inf BYSCORE LIMIT 1 5", bulks(&["c", "d"]));
        check(client, "ZRANGE k 3 -inf BYSCORE REV LIMIT 0 2", bulks(&["c", "b"]));
        check(client, "ZREVRANGE k 0 0 WITHSCORES", bulks(&["d", "4"]));
        check(client, "ZRANGEBYSCORE k -inf (3 WITHSCORES", bulks(&["a", "1", "b", "2"]));
        check(client, "ZREVRANGEBYSCORE k +inf 3", bulks(&["d", "c"]));
        check(
            client,
            "ZRANGE k 0 -1 LIMIT 0 1",
            b"-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX\r\n",
        );
        check(
            client,
            "ZRANGE k - + BYLEX WITHSCORES",
            b"-ERR syntax error, WITHSCORES not supported in combination with BYLEX\r\n",
        );
        check(client, "ZRANGE k 0 1 BYLEX BYSCORE", SYNTAX);
        check(client, "ZRANGE k a b BYSCORE", b"-ERR min or max is not a float\r\n");
        // As C reads a text, a NUL is its end.
        assert_wire(client, &["ZCOUNT", "absent", "(1\0x", "+inf\0"], b":0\r\n");
        check(client, "ZRANGE none 0 -1", b"*0\r\n");
    });
}

#[test]
fn members_of_one_score_are_in_the_order_of_their_bytes() {
    in_both_forms(|_, client| {
        check(client, "ZADD k 0 b 0 a 0 aa 0 100000 0 c", b":5\r\n");
        check(client, "ZRANGEBYLEX k - +", bulks(&["100000", "a", "aa", "b", "c"]));
        check(client, "ZRANGEBYLEX k (a [b", bulks(&["aa", "b"]));
        check(client, "ZREVRANGEBYLEX k + (a LIMIT 1 1", bulks(&["b"]));
        check(client, "ZRANGE k [b - BYLEX REV", bulks(&["b", "aa", "a", "100000"]));
        check(client, "ZLEXCOUNT k [a (c", b":3\r\n");
        check(client, "ZLEXCOUNT k + -", b":0\r\n");
        check(client, "ZREMRANGEBYLEX k [a (b", b":2\r\n");
    });
}

#[test]
fn resp3_has_doubles_and_pairs() {
    in_both_forms(|_, client| {
        check(client, "ZADD k 1 a 2.5 b", b":2\r\n");
        client.command(&["HELLO", "3"]);
        check(client, "ZSCORE k b", b",2.5\r\n");
        check(client, "ZSCORE k x", b"_\r\n");
        check(client, "ZRANGE k 0 -1 WITHSCORES", b"*2\r\n*2\r\n$1\r\na\r\n,1\r\n*2\r\n$1\r\nb\r\n,2.5\r\n");
        check(client, "ZUNION 1 k WITHSCORES", b"*2\r\n*2\r\n$1\r\na\r\n,1\r\n*2\r\n$1\r\nb\r\n,2.5\r\n");
        check(client, "ZPOPMIN k", b"*2\r\n$1\r\na\r\n,1\r\n");
        check(client, "ZPOPMIN k 1", b"*1\r\n*2\r\n$1\r\nb\r\n,2.5\r\n");
    });
}

#[test]
fn a_scan_lists_every_member() {
    in_both_forms(|_, client| {
        for number in 0..120 {
            client.command(&["ZADD", "k", &number.to_string(), &format!("m{number}")]);
        }
        let (mut seen, mut cursor) = (HashSet::new(), "0".to_owned());
        loop {
            let reply = client.ask(&["ZSCAN", "k", &cursor, "COUNT", "7"]);
            cursor = reply.items()[0].text();
            for pair in reply.items()[1].items().chunks(2) {
                assert_eq!(pair[0].text(), format!("m{}", pair[1].text()));
                seen.insert(pair[0].text());
            }
            if cursor == "0" {
                break;
            }
        }
        assert_eq!(seen.len(), 120);
        let matched = client.ask(&["ZSCAN", "k", "0", "MATCH", "m11?", "COUNT", "1000", "NOSCORES"]);
        assert_eq!(matched.items()[1].items().len(), 10);
        check(client, "ZSCAN k x", b"-ERR invalid cursor\r\n");
        check(client, "ZSCAN k 0 COUNT 0", SYNTAX);
        check(client, "ZSCAN none 0", b"*2\r\n$1\r\n0\r\n*0\r\n");
    });
}

#[test]
fn random_members_are_members() {
    in_both_forms(|_, client| {
        check(client, "ZADD k 1 a 2 b 3 c", b":3\r\n");
        let all: HashSet<String> = client.ask(&["ZRANDMEMBER", "k", "9"]).texts().into_iter().collect();
        assert_eq!(all.len(), 3);
        let two: HashSet<String> = client.ask(&["ZRANDMEMBER", "k", "2"]).texts().into_iter().collect();
        assert!(two.len() == 2 && two.is_subset(&all));
        assert_eq!(client.ask(&["ZRANDMEMBER", "k", "-20", "WITHSCORES"]).items().len(), 40);
        check(client, "ZRANDMEMBER none", b"$-1\r\n");
        check(client, "ZRANDMEMBER none 3", b"*0\r\n");
        check(client, "ZRANDMEMBER k x", NOT_INTEGER);
        let range = b"-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n";
        check(client, "ZRANDMEMBER k -9223372036854775808", range);
        check(client, "ZRANDMEMBER none -9223372036854775807", b"*0\r\n");
        check(client, "ZRANDMEMBER none -4611686018427387903 WITHSCORES", b"*0\r\n");
        for count in ["-4611686018427387904", "4611686018427387904"] {
            let command = format!("ZRANDMEMBER none {count} WITHSCORES");
            check(client, &command, b"-ERR value is out of range\r\n");
        }
        for count in ["-9223372036854775807", "-134217729", "-134217729 WITHSCORES"] {
            check(client, &format!("ZRANDMEMBER k {count}"), b"-ERR value is out of range\r\n");
        }
        check(client, "ZRANDMEMBER k 1 NOSCORES", SYNTAX);
    });
}

#[test]
fn a_range_is_stored() {
    in_both_forms(|_, client| {
        check(client, "ZADD k 1 a 2 b 3 c", b":3\r\n");
        check(client, "ZRANGESTORE d k 0 1 REV", b":2\r\n");
        check(client, "ZRANGE d 0 -1 WITHSCORES", bulks(&["b", "2", "c", "3"]));
        check(client, "ZRANGESTORE d k 5 9 BYSCORE", b":0\r\n");
        check(client, "EXISTS d", b":0\r\n");
        check(client, "ZRANGESTORE k k 1 1", b":1\r\n");
        check(client, "ZRANGE k 0 -1", bulks(&["b"]));
        check(client, "ZRANGESTORE d k 0 1 WITHSCORES", SYNTAX);
    });
}
