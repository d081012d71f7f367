//! RESP bytes in and out of a real server. Replies and errors are those of Redis 7.2, and for BYPOLYGON
//! those of Valkey 9.1.

#![allow(missing_docs)]

#[path = "wire/search.rs"]
mod search;
#[path = "wire/store.rs"]
mod store;

use plinth_testkit::{Client, Server, TempDir, assert_wire, cc};

const SYNTAX: &str = "-ERR syntax error|";
const NOT_FLOAT: &str = "-ERR value is not a valid float|";
const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value|";
const BAD_UNIT: &str = "-ERR unsupported unit provided. please use M, KM, FT, MI|";

/// A server on which `k` holds two cities, and `s` a string.
fn sicily() -> (Server, Client) {
    let server = Server::start();
    let mut client = server.connect();
    expect(&mut client, "GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", ":2|");
    expect(&mut client, "SET s x", "+OK|");
    (server, client)
}

/// Splits a command at its spaces, and compares the reply, in which `|` stands for the end of a line.
#[track_caller]
fn expect(client: &mut Client, command: &str, reply: &str) {
    let words: Vec<&str> = command.split(' ').collect();
    assert_wire(client, &words, reply.replace('|', "\r\n"));
}

/// The same, for a reply of which the end only matters: an error or anything else.
#[track_caller]
fn expect_all(client: &mut Client, lines: &[(&str, &str)]) {
    for (command, reply) in lines {
        expect(client, command, reply);
    }
}

/// As Redis 7.0 and 8.2 and Valkey 9.1 count.
#[test]
fn a_command_counts_as_one_look_at_its_key() {
    let (_server, mut client) = sicily();
    for (command, hits, misses) in [
        ("GEOADD k 13.3 38.1 Palermo 12 37 Trapani", 0, 0),
        ("GEOPOS k Palermo Catania none", 1, 0),
        ("GEOPOS k", 1, 0),
        ("GEOPOS none Palermo Catania", 0, 1),
        ("GEOHASH k Palermo Catania", 1, 0),
        ("GEODIST k Palermo Catania", 1, 0),
        ("GEODIST none Palermo Catania", 0, 1),
        ("GEORADIUS k 15 37 200 km", 1, 0),
        ("GEORADIUS none 15 37 200 km", 0, 1),
        ("GEORADIUSBYMEMBER k Palermo 200 km", 1, 0),
        ("GEORADIUSBYMEMBER none Palermo 200 km", 0, 1),
        ("GEOSEARCH k FROMMEMBER Palermo BYRADIUS 200 km", 1, 0),
        ("GEOSEARCH k FROMLONLAT 179 37 BYRADIUS 5000 km", 1, 0),
        ("GEOSEARCH none FROMLONLAT 179 37 BYRADIUS 5000 km", 0, 1),
        ("GEOSEARCH k FROMLONLAT 15 37 BYRADIUS x km", 1, 0),
        ("GEOSEARCHSTORE d k FROMLONLAT 15 37 BYRADIUS 200 km", 1, 0),
        ("GEOSEARCHSTORE d none FROMLONLAT 15 37 BYRADIUS 200 km", 0, 1),
    ] {
        let before = client.hits_and_misses();
        client.ask(&command.split(' ').collect::<Vec<_>>());
        let after = client.hits_and_misses();
        assert_eq!((after.0 - before.0, after.1 - before.1), (hits, misses), "{command}");
    }
}

#[test]
fn numbers_may_be_hexadecimal() {
    let (_server, mut client) = sicily();
    expect_all(
        &mut client,
        &[
            ("GEOADD k 0x10 0X1p3 there", ":1|"),
            ("GEOSEARCH k FROMLONLAT 0x10 8 BYRADIUS 0x1.8 km", "*1|$5|there|"),
            ("GEOADD k 0x 8 there", NOT_FLOAT),
        ],
    );
}

#[test]
fn places_are_added_and_moved_and_counted() {
    let (_server, mut client) = sicily();
    expect_all(
        &mut client,
        &[
            ("GEOADD k 13.361389 38.115556 Palermo", ":0|"),
            ("GEOADD k CH 13.361389 38.115557 Palermo", ":0|"),
            ("GEOADD k XX CH 13.361389 39 Palermo 1 1 new", ":1|"),
            ("GEOADD k NX CH 13.361389 38.115556 Palermo 1 1 new", ":1|"),
            ("GEOADD k nx 13.361389 38.115556 Palermo", ":0|"),
            ("ZSCORE k Palermo", "$16|3479319990401583|"),
            ("ZCARD k", ":3|"),
            ("TYPE k", "+zset|"),
            ("GEOADD none XX 1 1 a", ":0|"),
            ("EXISTS none", ":0|"),
            // Within one command a member may come twice.
            ("GEOADD twice CH 1 1 a 2 2 a", ":2|"),
            ("ZCARD twice", ":1|"),
            // The edges of the map have numbers of more than 52 bits.
            ("GEOADD edge 180 85.05112878 ne -180 -85.05112878 sw", ":2|"),
            ("ZRANGE edge 0 -1 WITHSCORES", "*4|$2|sw|$1|0|$2|ne|$17|13510798882111488|"),
        ],
    );
}

#[test]
fn what_is_no_place_is_refused_and_adds_nothing() {
    let (_server, mut client) = sicily();
    let huge = format!(
        "-ERR invalid longitude,latitude pair 1{}.000000,0.000000|",
        "00000000000000001097906362944045541740492309677311846336810682903157585404911491537163328978494688899061249669721172515611590283743140088328307009198146046031271664502933027185697489699588559043338384466165001178426897626212945177628091195786707458122783970171784415105291802893207873272974885715430223118336"
    );
    expect_all(
        &mut client,
        &[
            ("GEOADD k", "-ERR wrong number of arguments for 'geoadd' command|"),
            ("GEOADD k NX XX 1 1 a", SYNTAX),
            ("GEOADD k NX 1 1", SYNTAX),
            ("GEOADD k foo 1 1 a", SYNTAX),
            ("GEOADD k 1 1 a 2", SYNTAX),
            ("GEOADD k nan 0 a", NOT_FLOAT),
            ("GEOADD k 1 abc a", NOT_FLOAT),
            ("GEOADD k inf 0 a", "-ERR invalid longitude,latitude pair inf,0.000000|"),
            ("GEOADD k 0 -inf a", "-ERR invalid longitude,latitude pair 0.000000,-inf|"),
            ("GEOADD k 1e308 0 a", &huge),
            ("GEOADD k 200 0 a", "-ERR invalid longitude,latitude pair 200.000000,0.000000|"),
            ("GEOADD k 1 1 a 0 86 b", "-ERR invalid longitude,latitude pair 0.000000,86.000000|"),
            ("GEOADD s 1 100 a", "-ERR invalid longitude,latitude pair 1.000000,100.000000|"),
            ("GEOADD s 1 1 a", WRONG_TYPE),
            ("ZCARD k", ":2|"),
        ],
    );
}

#[test]
fn places_are_told_with_all_digits_in_both_protocols() {
    let (_server, mut client) = sicily();
    let palermo = ["13.36138933897018433", "38.11555639549629859"];
    let [lon, lat] = palermo.map(|digits| format!("$20|{digits}|"));
    expect_all(
        &mut client,
        &[
            ("GEOPOS k Palermo none", &format!("*2|*2|{lon}{lat}*-1|")),
            ("GEOPOS k", "*0|"),
            ("GEOPOS none a", "*1|*-1|"),
            ("GEOPOS s", WRONG_TYPE),
            ("GEOHASH k Palermo Catania none", "*3|$11|sqc8b49rny0|$11|sqdtr74hyu0|$-1|"),
            ("GEOHASH none a", "*1|$-1|"),
            ("GEOHASH s a", WRONG_TYPE),
            ("GEOADD null 0 0 island", ":1|"),
            ("GEOPOS null island", "*1|*2|$19|0.00000268220901489|$19|0.00000126736058093|"),
        ],
    );
    client.command(&["HELLO", "3"]);
    expect(&mut client, "GEOPOS k Palermo none", &format!("*2|*2|,{}|,{}|_|", palermo[0], palermo[1]));
    expect(&mut client, "GEOHASH k none", "*1|_|");
}

#[test]
fn distances_have_four_digits_and_a_unit() {
    let (_server, mut client) = sicily();
    expect_all(
        &mut client,
        &[
            ("GEODIST k Palermo Catania", "$11|166274.1516|"),
            ("GEODIST k Palermo Catania km", "$8|166.2742|"),
            ("GEODIST k Palermo Catania MI", "$8|103.3182|"),
            ("GEODIST k Palermo Catania ft", "$11|545518.8700|"),
            ("GEODIST k Palermo Palermo", "$6|0.0000|"),
            ("GEODIST k Palermo none", "$-1|"),
            ("GEODIST none a b", "$-1|"),
            ("GEODIST none a b foo", BAD_UNIT),
            ("GEODIST k a b m m", SYNTAX),
            ("GEODIST s a b", WRONG_TYPE),
        ],
    );
    client.command(&["HELLO", "3"]);
    expect(&mut client, "GEODIST k Palermo Catania km", "$8|166.2742|");
    expect(&mut client, "GEODIST k Palermo none", "_|");
}

#[test]
fn any_score_is_some_place() {
    let (_server, mut client) = sicily();
    client.command(&["ZADD", "w", "1.5", "a", "-1", "b", "inf", "c", "-inf", "d", "1e300", "e", "0", "f"]);
    expect(
        &mut client,
        "GEOPOS w a b c",
        "*3|*2|$22|-179.99999731779098511|$21|-85.05112497791824921|*2|$3|180|$19|85.0511287799999991|\
         *2|$22|-179.99999731779098511|$21|-85.05112751263942528|",
    );
    expect(&mut client, "GEOHASH w b d e", "*3|$11|bp05b5048p0|$11|00bh0hbj200|$11|00bh0hbj200|");
    expect(&mut client, "GEOSEARCH w FROMMEMBER a BYRADIUS 1 m", "*2|$1|f|$1|a|");
}

#[test]
fn the_commands_say_what_they_are() {
    let (_server, mut client) = sicily();
    let geo = client.ask(&["COMMAND", "LIST", "FILTERBY", "ACLCAT", "geo"]);
    assert_eq!(geo.items().len(), 10);
    expect_all(
        &mut client,
        &[
            ("COMMAND GETKEYS GEOADD k 1 1 a", "*1|$1|k|"),
            ("COMMAND GETKEYS GEORADIUS k 1 1 1 m", "*1|$1|k|"),
            ("COMMAND GETKEYS GEORADIUS store 1 1 1 m", "*1|$5|store|"),
            ("COMMAND GETKEYS GEORADIUS k 1 1 1 m STORE d", "*2|$1|k|$1|d|"),
            ("COMMAND GETKEYS GEORADIUSBYMEMBER k a 1 m ASC STOREDIST d", "*2|$1|k|$1|d|"),
            ("COMMAND GETKEYS GEOSEARCHSTORE d k FROMMEMBER a BYRADIUS 1 m", "*2|$1|d|$1|k|"),
        ],
    );
}

#[test]
fn without_sorted_sets_there_are_no_places() {
    let server = Server::with(&["--module-exclude", "zset"]);
    let mut client = server.connect();
    let said = client.text(&["GEOADD", "k", "1", "1", "a"]);
    assert!(said.starts_with("ERR unknown command"), "{said}");
    assert!(server.log().contains("libplinth_geo.so is left out"), "{}", server.log());
}
