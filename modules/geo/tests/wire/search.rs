//! Searches that list what they find.

use super::*;
use std::collections::BTreeSet;

const NEGATIVE: &str = "-ERR radius cannot be negative|";

#[test]
fn circles_and_boxes_hold_what_they_reach() {
    let (_server, mut client) = sicily();
    expect_all(
        &mut client,
        &[
            ("GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km", "*2|$7|Palermo|$7|Catania|"),
            ("GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 100 km", "*1|$7|Catania|"),
            ("GEOSEARCH k FROMMEMBER Palermo BYRADIUS 0 m", "*1|$7|Palermo|"),
            ("GEOSEARCH k FROMLONLAT 15 37 BYRADIUS inf km", "*2|$7|Palermo|$7|Catania|"),
            ("GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 1e308 km", "*2|$7|Palermo|$7|Catania|"),
            ("GEOSEARCH k FROMLONLAT 15 37 BYBOX 400 400 km", "*2|$7|Palermo|$7|Catania|"),
            ("GEOSEARCH k FROMLONLAT 15 37 BYBOX 200 400 km", "*1|$7|Catania|"),
            ("GEOSEARCH k FROMLONLAT 15 37 BYBOX 0 0 m", "*0|"),
            ("GEOSEARCH k FROMLONLAT 15 37 BYBOX inf inf mi", "*2|$7|Palermo|$7|Catania|"),
            ("GEOSEARCH none FROMMEMBER a BYRADIUS 1 m", "*0|"),
            // Of what is said twice the second counts.
            ("GEOSEARCH k FROMLONLAT 0 0 FROMLONLAT 15 37 BYRADIUS 1 m BYRADIUS 100 km", "*1|$7|Catania|"),
            ("GEORADIUS k 15 37 200 km", "*2|$7|Palermo|$7|Catania|"),
            ("GEORADIUS_RO k 15 37 200 km DESC COUNT 1", "*1|$7|Palermo|"),
            ("GEORADIUSBYMEMBER k Palermo 100 km", "*1|$7|Palermo|"),
            ("GEORADIUSBYMEMBER_RO k Palermo 200 km WITHDIST", "*2|*2|$7|Palermo|$6|0.0000|*2|$7|Catania|$8|166.2742|"),
            ("GEORADIUSBYMEMBER none none x foo", "*0|"),
        ],
    );
}

#[test]
fn polygons_hold_what_is_between_their_edges() {
    let (_server, mut client) = sicily();
    expect_all(
        &mut client,
        &[
            ("GEOSEARCH k BYPOLYGON 3 10 35 20 35 15 45", "*2|$7|Palermo|$7|Catania|"),
            ("GEOSEARCH k BYPOLYGON 4 14 35 20 35 20 45 14 45", "*1|$7|Catania|"),
            (
                "GEOSEARCH k BYPOLYGON 3 10 35 20 35 15 45 ASC WITHDIST",
                "*2|*2|$7|Catania|$11|100518.7949|*2|$7|Palermo|$11|146654.5486|",
            ),
            ("GEOSEARCH k BYPOLYGON 3 10 35 10 35 10 35", "*0|"),
            ("GEOSEARCH none BYPOLYGON 3 10 35 20 35 15 45", "*0|"),
            ("GEOSEARCH k BYPOLYGON 2 10 35 20 35", "-ERR GEOSEARCH BYPOLYGON must have at least 3 vertices|"),
            ("GEOSEARCH k BYPOLYGON -1 10 35 20 35", "-ERR GEOSEARCH BYPOLYGON must have at least 3 vertices|"),
            ("GEOSEARCH k BYPOLYGON 3 10 35 20 35 15", "-ERR GEOSEARCH BYPOLYGON must have at least 3 vertices|"),
            ("GEOSEARCH k BYPOLYGON 9223372036854775807 1 1 2 2 3", "-ERR invalid number of vertices|"),
            ("GEOSEARCH k BYPOLYGON x 10 35 20 35", "-ERR invalid number of vertices|"),
            ("GEOSEARCH k BYPOLYGON 3 10 35 20 35 15 x", NOT_FLOAT),
            ("GEOSEARCH k BYPOLYGON 3 10 35 20 35 15 95", "-ERR invalid longitude,latitude pair 15.000000,95.000000|"),
            ("GEOSEARCH k FROMMEMBER Palermo BYPOLYGON 3 10 35 20 35 15 45", SYNTAX),
            ("GEOSEARCH k BYPOLYGON 3 10 35 20 35 15 45 BYRADIUS 1 m", SYNTAX),
        ],
    );
}

#[test]
fn options_say_what_is_told_and_in_which_order() {
    let (_server, mut client) = sicily();
    let catania = "*4|$7|Catania|$7|56.4413|:3479447370796909|*2|$20|15.08726745843887329|$20|37.50266842333162032|";
    let at = "GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km";
    for (options, reply) in [
        ("ASC", "*2|$7|Catania|$7|Palermo|"),
        ("DESC", "*2|$7|Palermo|$7|Catania|"),
        ("ASC DESC", "*2|$7|Palermo|$7|Catania|"),
        ("COUNT 1", "*1|$7|Catania|"),
        ("COUNT 1 DESC", "*1|$7|Palermo|"),
        ("COUNT 1 ANY", "*1|$7|Palermo|"),
        ("ANY COUNT 1 ASC", "*1|$7|Palermo|"),
        ("COUNT 9223372036854775807", "*2|$7|Catania|$7|Palermo|"),
        ("WITHHASH", "*2|*2|$7|Palermo|:3479099956230698|*2|$7|Catania|:3479447370796909|"),
        ("COUNT 1 WITHCOORD WITHDIST WITHHASH", &format!("*1|{catania}")),
    ] {
        expect(&mut client, &format!("{at} {options}"), reply);
    }
    client.command(&["HELLO", "3"]);
    let catania = catania.replace("$20|", ",");
    expect(&mut client, &format!("{at} COUNT 1 WITHCOORD WITHDIST WITHHASH"), &format!("*1|{catania}"));
}

#[test]
fn what_does_not_go_together_is_refused() {
    let (_server, mut client) = sicily();
    let at = "GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km";
    for (options, reply) in [
        ("COUNT", SYNTAX),
        ("COUNT 0", "-ERR COUNT must be > 0|"),
        ("COUNT -1", "-ERR COUNT must be > 0|"),
        ("COUNT 99999999999999999999", "-ERR value is not an integer or out of range|"),
        ("ANY", "-ERR the ANY argument requires COUNT argument|"),
        ("STOREDIST", SYNTAX),
        ("FROMMEMBER Palermo", SYNTAX),
        ("BYBOX 1 1 m", SYNTAX),
        ("foo", SYNTAX),
    ] {
        expect(&mut client, &format!("{at} {options}"), reply);
    }
    expect_all(
        &mut client,
        &[
            ("GEOSEARCH k FROMLONLAT 1 1 ASC", "-ERR wrong number of arguments for 'geosearch' command|"),
            (
                "GEOSEARCH k BYRADIUS 1 m ASC DESC",
                "-ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH|",
            ),
            (
                "GEOSEARCH k FROMLONLAT 1 1 ASC DESC",
                "-ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH|",
            ),
            ("GEOSEARCH k FROMMEMBER none BYRADIUS 1 m", "-ERR could not decode requested zset member|"),
            ("GEOSEARCH s FROMMEMBER none BYRADIUS 1 m", WRONG_TYPE),
            ("GEOSEARCH s FROMLONLAT 1 100 BYRADIUS 1 m", WRONG_TYPE),
            (
                "GEOSEARCH none FROMLONLAT 200 0 BYRADIUS 1 m",
                "-ERR invalid longitude,latitude pair 200.000000,0.000000|",
            ),
            ("GEOSEARCH none FROMLONLAT 1 1 BYRADIUS -1 m", NEGATIVE),
            ("GEOSEARCH k FROMLONLAT 1 1 BYRADIUS nan m", "-ERR need numeric radius|"),
            ("GEOSEARCH k FROMLONLAT 1 1 BYRADIUS 1 foo", BAD_UNIT),
            ("GEOSEARCH k FROMLONLAT 1 1 BYBOX x 1 m", "-ERR need numeric width|"),
            ("GEOSEARCH k FROMLONLAT 1 1 BYBOX 1 x m", "-ERR need numeric height|"),
            ("GEOSEARCH k FROMLONLAT 1 1 BYBOX 1 -1 m", "-ERR height or width cannot be negative|"),
            ("GEORADIUS k 15 37 -1 km", NEGATIVE),
            ("GEORADIUS k 15 97 1 km", "-ERR invalid longitude,latitude pair 15.000000,97.000000|"),
            ("GEORADIUS_RO k 15 37 1 km STORE d", SYNTAX),
            ("GEORADIUSBYMEMBER_RO k Palermo 1 km STOREDIST d", SYNTAX),
            ("GEORADIUSBYMEMBER k none 1 km", "-ERR could not decode requested zset member|"),
            ("GEORADIUSBYMEMBER s none x km", WRONG_TYPE),
        ],
    );
}

/// Redis misses members in the last column and row of the map, whose numbers have more than 52 bits, and
/// those on the other side of the 180th meridian from there. They are found here.
#[test]
fn members_at_the_edges_of_the_map_are_found_from_both_sides() {
    let (_server, mut client) = sicily();
    expect(&mut client, "GEOADD e 180 0 east -180 0 west 0 85.05112878 north 180 85.05112878 corner", ":4|");
    for (place, radius, found) in [
        ("180 0", "10", &["east", "west"][..]),
        ("-180 0", "10", &["east", "west"]),
        ("179.9 0", "100", &["east", "west"]),
        ("-179.9 0", "100", &["east", "west"]),
        ("0 85", "100", &["north"]),
        ("-179 85", "100", &["corner"]),
        ("0 85.05112878", "2000", &["north", "corner"]),
        ("90 0", "30000", &["corner", "east", "north", "west"]),
    ] {
        let command = format!("GEOSEARCH e FROMLONLAT {place} BYRADIUS {radius} km");
        let reply = client.ask(&command.split(' ').collect::<Vec<_>>()).texts();
        let found: BTreeSet<String> = found.iter().map(|member| (*member).to_owned()).collect();
        assert_eq!(reply.into_iter().collect::<BTreeSet<_>>(), found, "{command}");
    }
}

/// Numbers that look random, the same each time.
struct Numbers(u64);

impl Numbers {
    /// From -1 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

#[test]
fn a_search_finds_all_that_is_near_enough_and_nothing_else() {
    let server = Server::start();
    let mut client = server.connect();
    let mut numbers = Numbers(7);
    for (lon, lat, spread) in [(0.0, 0.0, 80.0), (179.9, 10.0, 2.0), (10.0, 84.0, 1.0), (2.35, 48.85, 0.05)] {
        client.command(&["DEL", "k"]);
        let members = 600;
        for number in 0..members {
            let (mut x, y) = (lon + numbers.next() * spread, lat + numbers.next() * spread);
            x -= if x > 180.0 { 360.0 } else { 0.0 };
            let (x, y, member) = (format!("{x:.8}"), format!("{y:.8}"), number.to_string());
            client.command(&["GEOADD", "k", &x, &y, &member]);
        }
        for _ in 0..20 {
            let from = ((numbers.next() + 1.0) * 299.0) as usize;
            let radius = 10_f64.powf(3.5 + numbers.next() * 3.5);
            let mut expected = BTreeSet::new();
            for number in 0..members {
                let distance = client.text(&["GEODIST", "k", &from.to_string(), &number.to_string()]);
                if distance.parse::<f64>().is_ok_and(|distance| distance <= radius) {
                    expected.insert(number.to_string());
                }
            }
            let search = ["GEOSEARCH", "k", "FROMMEMBER", &from.to_string(), "BYRADIUS", &radius.to_string(), "m"];
            let found: BTreeSet<String> = client.ask(&search).texts().into_iter().collect();
            assert_eq!(found, expected, "{search:?} around {lon} {lat}");
        }
    }
}

#[test]
fn a_place_on_the_edge_of_the_map_is_found_once() {
    let (_server, mut client) = sicily();
    expect_all(
        &mut client,
        &[
            ("GEOADD g 180 10 m", ":1|"),
            ("GEOSEARCH g FROMMEMBER m BYRADIUS 0 m", "*1|$1|m|"),
            ("GEOSEARCH g FROMLONLAT 180 10 BYRADIUS 1 km", "*1|$1|m|"),
            ("GEOSEARCH g FROMLONLAT 179.999 10 BYBOX 2 2 km", "*1|$1|m|"),
            ("GEOSEARCH g FROMLONLAT -179.999 10 BYRADIUS 10000 km COUNT 5", "*1|$1|m|"),
        ],
    );
}
