//! Searches that store what they find, and what is told of changes.

use super::*;

#[test]
fn what_is_found_replaces_what_a_key_held() {
    let (_server, mut client) = sicily();
    expect_all(
        &mut client,
        &[
            ("SET d x EX 100", "+OK|"),
            ("GEOSEARCHSTORE d k FROMLONLAT 15 37 BYRADIUS 200 km", ":2|"),
            ("TTL d", ":-1|"),
            ("ZRANGE d 0 -1 WITHSCORES", "*4|$7|Palermo|$16|3479099956230698|$7|Catania|$16|3479447370796909|"),
            ("GEOSEARCHSTORE d k FROMLONLAT 15 37 BYBOX 200 400 km STOREDIST", ":1|"),
            ("ZRANGE d 0 -1 WITHSCORES", "*2|$7|Catania|$16|56.4412578701582|"),
            ("GEOSEARCHSTORE d k BYPOLYGON 3 10 35 20 35 15 45 COUNT 1", ":1|"),
            ("ZRANGE d 0 -1", "*1|$7|Catania|"),
            // The source may be the destination.
            ("GEOSEARCHSTORE k k FROMLONLAT 15 37 BYRADIUS 100 km", ":1|"),
            ("ZRANGE k 0 -1", "*1|$7|Catania|"),
            ("GEOSEARCHSTORE d k FROMLONLAT 0 0 BYRADIUS 1 km", ":0|"),
            ("EXISTS d", ":0|"),
            ("GEORADIUS k 15 37 200 km STORE d", ":1|"),
            ("GEORADIUSBYMEMBER k Catania 200 ft STOREDIST e", ":1|"),
            ("ZSCORE e Catania", "$1|0|"),
            ("GEORADIUSBYMEMBER none a 1 km STORE d", ":0|"),
            ("EXISTS d", ":0|"),
            ("GEOSEARCHSTORE d s FROMLONLAT 0 0 BYRADIUS 1 km", WRONG_TYPE),
        ],
    );
}

#[test]
fn what_is_stored_is_not_told() {
    let (_server, mut client) = sicily();
    let search = "-ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options|";
    let radius = "-ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options|";
    expect_all(
        &mut client,
        &[
            ("GEOSEARCHSTORE d k FROMLONLAT 15 37 BYRADIUS 200 km WITHDIST", search),
            ("GEORADIUS k 15 37 200 km STORE d WITHCOORD", radius),
            ("GEORADIUSBYMEMBER k Palermo 200 km WITHHASH STOREDIST d", radius),
            ("GEORADIUS k 15 37 200 km STORE", SYNTAX),
            // The key behind the second is not among those that COMMAND GETKEYS tells.
            ("GEORADIUS k 15 37 200 km STORE d STORE e", SYNTAX),
            ("GEORADIUS k 15 37 200 km STORE d STOREDIST e", ":2|"),
            ("EXISTS d e", ":1|"),
        ],
    );
}

#[test]
fn a_change_is_announced_once_under_the_name_that_it_has_in_redis() {
    let (_server, mut client) = sicily();
    let folder = TempDir::new();
    let witness = cc::module(&folder, "modules/geo/tests/witness.c", &[]);
    expect(&mut client, &format!("MODULE LOAD {witness}"), "+OK|");
    for (command, events) in [
        ("GEOADD k 1 1 a 2 2 b", "zadd k"),
        ("GEOADD k 1 1 a", ""),
        ("GEOADD k NX 3 3 a", ""),
        ("GEOADD k XX 3 3 a 4 4 none", "zadd k"),
        ("GEOSEARCHSTORE d k FROMLONLAT 15 37 BYRADIUS 200 km", "geosearchstore d"),
        ("GEOSEARCHSTORE d k FROMLONLAT 50 50 BYRADIUS 200 km", "del d"),
        ("GEOSEARCHSTORE d k FROMLONLAT 50 50 BYRADIUS 200 km", ""),
        ("GEORADIUS k 15 37 200 km STORE d", "georadiusstore d"),
        ("GEORADIUSBYMEMBER k a 200 km STOREDIST d", "georadiusstore d"),
        ("GEORADIUS none 15 37 200 km STORE d", "del d"),
        ("GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km", ""),
    ] {
        client.command(&command.split(' ').collect::<Vec<_>>());
        assert_eq!(client.text(&["WITNESS"]), events, "{command}");
    }
}
