//! What is refused, and in which words.

use super::{BAD_ID, WRONG_TYPE, connected, fill, run, says};

#[test]
fn a_key_of_another_type_is_refused() {
    let (_server, mut client) = connected();
    run(&mut client, &["SET k v"]);
    for line in [
        "XADD k * a b",
        "XLEN k",
        "XRANGE k - +",
        "XREVRANGE k + -",
        "XDEL k 1",
        "XDELEX k IDS 1 1",
        "XTRIM k MAXLEN 1",
        "XSETID k 1",
        "XREAD STREAMS k 0",
        "XREAD STREAMS k $",
        "XREADGROUP GROUP g c STREAMS k >",
        "XREADGROUP GROUP g c STREAMS k 0",
        "XACK k g 1",
        "XACKDEL k g IDS 1 1",
        "XPENDING k g",
        "XCLAIM k g c 0 1",
        "XAUTOCLAIM k g c 0 0",
        "XGROUP CREATE k g 0",
        "XGROUP SETID k g 0",
        "XGROUP DESTROY k g",
        "XGROUP CREATECONSUMER k g c",
        "XGROUP DELCONSUMER k g c",
        "XINFO STREAM k",
        "XINFO GROUPS k",
        "XINFO CONSUMERS k g",
    ] {
        says(&mut client, &[(line, WRONG_TYPE)]);
    }
}

#[test]
fn options_of_a_trim_that_do_not_fit_are_refused() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 2);
    let both = "ERR syntax error, MAXLEN and MINID options at the same time are not compatible";
    let no_strategy = "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy";
    let not_approximate = "ERR syntax error, LIMIT cannot be used without the special ~ option";
    let not_integer = "ERR value is not an integer or out of range";
    for (line, answer) in [
        ("XADD s MAXLEN x 9 a b", not_integer),
        ("XADD s MAXLEN -1 9 a b", "ERR The MAXLEN argument must be >= 0."),
        ("XADD s MAXLEN ~ 2 LIMIT -3 9 a b", "ERR The LIMIT argument must be >= 0."),
        ("XADD s MAXLEN = 2 LIMIT 3 9 a b", not_approximate),
        ("XADD s LIMIT 3 9 a b", no_strategy),
        ("XADD s MAXLEN 1 MINID 2 9 a b", both),
        ("XADD s MAXLEN 9 MAXLEN 8 9 a b", both),
        ("XADD s MINID 4-* 9 a b", BAD_ID),
        ("XADD s KEEPREF DELREF 9 a b", BAD_ID),
        ("XADD s 0 a b", "ERR The ID specified in XADD must be greater than 0-0"),
        ("XADD s 9 a b c", "ERR wrong number of arguments for 'xadd' command"),
        ("XADD s MAXLEN 2 9", "ERR wrong number of arguments for 'xadd' command"),
        ("XADD s -1 a b", BAD_ID),
        ("XTRIM s 5 5", "ERR syntax error"),
        ("XTRIM s MAXLEN 5 x", "ERR syntax error"),
        ("XTRIM s NOMKSTREAM MAXLEN 5", "ERR syntax error"),
        ("XTRIM s LIMIT 5", no_strategy),
        ("XTRIM s ACKED DELREF MAXLEN 5", "ERR syntax error"),
        ("XTRIM s MAXLEN", "ERR wrong number of arguments for 'xtrim' command"),
        ("XTRIM none MAXLEN x", not_integer),
    ] {
        says(&mut client, &[(line, answer)]);
    }
    says(&mut client, &[("XLEN s", "2")]);
}

#[test]
fn ends_of_ranges_that_are_none_are_refused() {
    let (_server, mut client) = connected();
    for (line, answer) in [
        ("XRANGE s x +", BAD_ID),
        ("XRANGE s (- +", BAD_ID),
        ("XRANGE s ( +", BAD_ID),
        ("XRANGE s - (+", BAD_ID),
        ("XRANGE s (18446744073709551615-18446744073709551615 +", "ERR invalid start ID for the interval"),
        ("XRANGE s - (0-0", "ERR invalid end ID for the interval"),
        ("XRANGE s - + COUNT", "ERR syntax error"),
        ("XRANGE s - + 5 COUNT", "ERR syntax error"),
        ("XRANGE s - + COUNT x", "ERR value is not an integer or out of range"),
    ] {
        says(&mut client, &[(line, answer)]);
    }
}

#[test]
fn what_readers_ask_wrongly_is_refused() {
    let (_server, mut client) = connected();
    run(&mut client, &["XGROUP CREATE s g 0 MKSTREAM"]);
    let meaningless = |sign: &str| {
        format!(
            "ERR The {sign} ID is meaningless in the context of XREADGROUP: you want to read the history of this \
             consumer by specifying a proper ID, or use the > ID to get new messages. The {sign} ID would just return \
             an empty result set."
        )
    };
    let only =
        |option: &str| format!("ERR The {option} option is only supported by XREADGROUP. You called XREAD instead.");
    for (line, answer) in [
        (
            "XREAD STREAMS s t 1",
            "ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be specified.",
        ),
        (
            "XREADGROUP GROUP g c STREAMS s s >",
            "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified.",
        ),
        (
            "XREAD STREAMS s >",
            "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
        ),
        ("XREAD STREAMS s -", BAD_ID),
        ("XREAD BLOCK x STREAMS s 0", "ERR timeout is not an integer or out of range"),
        ("XREAD BLOCK -1 STREAMS s 0", "ERR timeout is negative"),
        ("XREAD COUNT x STREAMS s 0", "ERR value is not an integer or out of range"),
        ("XREAD COUNT 1 BLOCK 1", "ERR syntax error"),
        ("XREAD GROUP g c STREAMS s 0", &only("GROUP")),
        ("XREAD NOACK STREAMS s 0", &only("NOACK")),
        ("XREADGROUP COUNT 1 BLOCK 1 STREAMS s >", "ERR Missing GROUP option for XREADGROUP"),
        ("XREADGROUP GROUP g c COUNT 1 STREAMS", "ERR syntax error"),
        ("XREADGROUP GROUP g c STREAMS s $", &meaningless("$")),
        ("XREADGROUP GROUP g c STREAMS s +", &meaningless("+")),
        ("XREADGROUP GROUP g c STREAMS s x", BAD_ID),
        (
            "XREADGROUP GROUP no c STREAMS s x",
            "NOGROUP No such key 's' or consumer group 'no' in XREADGROUP with GROUP option",
        ),
        (
            "XREADGROUP GROUP g c STREAMS s none > >",
            "NOGROUP No such key 'none' or consumer group 'g' in XREADGROUP with GROUP option",
        ),
    ] {
        says(&mut client, &[(line, answer)]);
    }
    // Nothing was done for a command that was refused.
    says(&mut client, &[("XINFO CONSUMERS s g", "[]")]);
}

#[test]
fn what_is_asked_wrongly_of_groups_is_refused() {
    let (_server, mut client) = connected();
    run(&mut client, &["XGROUP CREATE s g 0 MKSTREAM"]);
    let no_key = "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the \
                  MKSTREAM option to create an empty stream automatically.";
    let misused = |name: &str, container: &str| {
        format!("ERR unknown subcommand or wrong number of arguments for '{name}'. Try {container} HELP.")
    };
    let no_group = "NOGROUP No such consumer group 'no' for key name 's'";
    let neither = "NOGROUP No such key 's' or consumer group 'no'";
    for (line, answer) in [
        ("XGROUP CREATE none g 0", no_key),
        ("XGROUP SETID none g 0", no_key),
        ("XGROUP DESTROY none g", no_key),
        ("XGROUP CREATECONSUMER none g c", no_key),
        ("XGROUP DELCONSUMER none g c", no_key),
        ("XGROUP CREATE s g 0", "BUSYGROUP Consumer Group name already exists"),
        ("XGROUP CREATE s h +", BAD_ID),
        ("XGROUP CREATE s h 0 ENTRIESREAD -2", "ERR value for ENTRIESREAD must be positive or -1"),
        ("XGROUP CREATE s h 0 more", &misused("CREATE", "XGROUP")),
        ("XGROUP SETID s g 0 MKSTREAM", &misused("SETID", "XGROUP")),
        ("XGROUP SETID s no 0", no_group),
        ("XGROUP CREATECONSUMER s no c", no_group),
        ("XGROUP DELCONSUMER s no c", no_group),
        ("XINFO CONSUMERS s no", no_group),
        ("XINFO STREAM none", "ERR no such key"),
        ("XINFO STREAM s PART", &misused("STREAM", "XINFO")),
        ("XINFO STREAM s FULL COUNT", &misused("STREAM", "XINFO")),
        ("XGROUP NONE", "ERR unknown subcommand 'NONE'. Try XGROUP HELP."),
        ("XPENDING s no", neither),
        ("XPENDING s g - +", "ERR syntax error"),
        ("XPENDING s g - + x", "ERR value is not an integer or out of range"),
        ("XPENDING s g IDLE 0 - + 10 c d", "ERR syntax error"),
        ("XCLAIM s no c 0 1", neither),
        ("XCLAIM s g c x 1", "ERR Invalid min-idle-time argument for XCLAIM"),
        ("XCLAIM s g c 0 1 IDLE x", "ERR Invalid IDLE option argument for XCLAIM"),
        ("XCLAIM s g c 0 1 TIME", "ERR Unrecognized XCLAIM option 'TIME'"),
        ("XCLAIM s g c 0 1 RETRYCOUNT x", "ERR Invalid RETRYCOUNT option argument for XCLAIM"),
        ("XCLAIM s g c 0 1 LASTID x", BAD_ID),
        ("XAUTOCLAIM s no c 0 0", neither),
        ("XAUTOCLAIM s g c x 0", "ERR Invalid min-idle-time argument for XAUTOCLAIM"),
        ("XAUTOCLAIM s g c 0 x", BAD_ID),
        ("XAUTOCLAIM s g c 0 0 COUNT 0", "ERR COUNT must be > 0"),
        ("XAUTOCLAIM s g c 0 0 COUNT 9223372036854775807", "ERR COUNT must be > 0"),
        ("XAUTOCLAIM s g c 0 0 COUNT", "ERR syntax error"),
        ("XACK s no x", "0"),
        ("XACK s g x", BAD_ID),
        ("XDELEX s IDS 0 1", "ERR Number of IDs must be a positive integer"),
        ("XDELEX s IDS 2 1", "ERR The `numids` parameter must match the number of arguments"),
        ("XDELEX s IDS 9223372036854775807 1", "ERR The `numids` parameter must match the number of arguments"),
        ("XDELEX s IDS 1 1 2", "ERR syntax error"),
        ("XDELEX s KEEPREF ACKED IDS 1 1", "ERR syntax error"),
        ("XACKDEL s g IDS 1 x", BAD_ID),
    ] {
        says(&mut client, &[(line, answer)]);
    }
    says(&mut client, &[("XINFO CONSUMERS s g", "[]")]);
}
