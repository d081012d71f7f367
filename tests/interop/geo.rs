//! Places on a map: the same commands give the same scores and replies, and values move both ways.
//!
//! Left out are the last column and row of the map, where other servers miss members, and coordinates
//! and distances as text with Redis 8.2, which writes the fewest digits: scores say the same.

use crate::peer::{Peer, assert_same, move_to_peer, move_to_plinth, with_each};
use plinth_fuzz::Random;
use plinth_testkit::{Client, Reply};

const PLACES: usize = 1500;
const SEARCHES: usize = 120;

/// Where places are put: a longitude, a latitude, and how far around.
const REGIONS: [(f64, f64, f64); 5] =
    [(0.0, 0.0, 85.0), (179.8, 0.0, 0.4), (10.0, 84.5, 0.5), (2.35, 48.85, 0.1), (-179.9, -60.0, 20.0)];

/// A number from -1 to 1.
fn part(random: &mut Random) -> f64 {
    random.below(2_000_001) as f64 / 1e6 - 1.0
}

/// A longitude and a latitude in a region, as text.
fn place(region: (f64, f64, f64), random: &mut Random) -> [String; 2] {
    let (lon, lat, spread) = region;
    let lon_spread = if spread > 80.0 { 179.9 } else { spread };
    let mut lon = lon + part(random) * lon_spread;
    if lon.abs() >= 180.0 {
        lon -= 360.0_f64.copysign(lon);
    }
    let lat = (lat + part(random) * spread).clamp(-85.0, 85.0);
    [format!("{lon:.7}"), format!("{lat:.7}")]
}

fn size(random: &mut Random) -> String {
    format!("{:.3}", 10_f64.powf(3.7 + 3.7 * part(random)))
}

fn fill(peer: &Peer, theirs: &mut Client, plinth: &mut Client, region: (f64, f64, f64), random: &mut Random) {
    assert_same(peer, theirs, plinth, &["DEL", "k"]);
    for start in (0..PLACES).step_by(500) {
        let mut words = vec!["GEOADD".to_owned(), "k".to_owned()];
        for number in start..start + 500 {
            words.extend(place(region, random));
            words.push(format!("m{number}"));
        }
        assert_same(peer, theirs, plinth, &words);
    }
}

/// Members of a reply, in order of their names, with their scores.
fn found(client: &mut Client, words: &[String]) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = match client.ask(words) {
        Reply::Array(items) => items.iter().map(|item| (item.items()[0].text(), item.items()[1].text())).collect(),
        other => panic!("{words:?}: {other:?}"),
    };
    found.sort();
    found
}

/// Scores are integers in a reply, and `text` is for strings.
fn words_of(search: &str) -> Vec<String> {
    search.split(' ').map(str::to_owned).collect()
}

#[test]
fn random_searches_find_the_same() {
    with_each(|peer, theirs, plinth| {
        let mut random = Random::new(1);
        let mut hits = 0;
        for region in REGIONS {
            fill(peer, theirs, plinth, region, &mut random);
            assert_same(peer, theirs, plinth, &["ZRANGE", "k", "0", "-1", "WITHSCORES"]);
            for _ in 0..SEARCHES {
                let from = match random.below(2) {
                    0 => format!("FROMMEMBER m{}", random.below(PLACES)),
                    _ => format!("FROMLONLAT {}", place(region, &mut random).join(" ")),
                };
                let by = match random.below(3) {
                    0 => format!("BYRADIUS {} m", size(&mut random)),
                    1 => format!("BYRADIUS {} ft", size(&mut random)),
                    _ => format!("BYBOX {} {} m", size(&mut random), size(&mut random)),
                };
                let words = words_of(&format!("GEOSEARCH k {from} {by} WITHHASH"));
                let expected = found(theirs, &words);
                assert_eq!(found(plinth, &words), expected, "{words:?} with {}", peer.name());
                hits += expected.len();
                let store = format!("GEOSEARCHSTORE d k {from} {by} COUNT {}", 1 + random.below(20));
                assert_same(peer, theirs, plinth, &words_of(&store));
                assert_same(peer, theirs, plinth, &["ZRANGE", "d", "0", "-1", "WITHSCORES"]);
            }
        }
        assert!(hits > 10_000, "{hits} hits");
    });
}

#[test]
fn polygons_find_the_same() {
    with_each(|peer, theirs, plinth| {
        if !peer.name().starts_with("Valkey") {
            return;
        }
        let mut random = Random::new(2);
        // Of polygons that reach from one pole to the other Valkey finds nothing.
        for region in [REGIONS[3], (10.0, 20.0, 30.0)] {
            fill(peer, theirs, plinth, region, &mut random);
            for _ in 0..SEARCHES {
                let count = 3 + random.below(6);
                let vertices: Vec<String> = (0..count).map(|_| place(region, &mut random).join(" ")).collect();
                let words = words_of(&format!("GEOSEARCH k BYPOLYGON {count} {} WITHHASH", vertices.join(" ")));
                assert_eq!(found(plinth, &words), found(theirs, &words), "{words:?}");
            }
        }
    });
}

#[test]
fn places_move_both_ways() {
    with_each(|peer, theirs, plinth| {
        let mut random = Random::new(3);
        fill(peer, theirs, plinth, REGIONS[0], &mut random);
        let members: Vec<String> = (0..PLACES).step_by(7).map(|number| format!("m{number}")).collect();
        let command = |name: &str| [vec![name.to_owned(), "k".to_owned()], members.clone()].concat();
        for to_peer in [true, false] {
            for key in ["k", "few"] {
                let (from, to) = if to_peer { (&mut *plinth, &mut *theirs) } else { (&mut *theirs, &mut *plinth) };
                to.command(&["DEL", key]);
                from.command(&["GEOADD", "few", "13.361389", "38.115556", "Palermo", "180", "0", "edge"]);
                if to_peer {
                    move_to_peer(peer, plinth, theirs, key);
                } else {
                    move_to_plinth(theirs, plinth, key);
                }
                assert_same(peer, theirs, plinth, &["ZRANGE", key, "0", "-1", "WITHSCORES"]);
            }
            assert_same(peer, theirs, plinth, &command("GEOHASH"));
            if peer.name() != "Redis 8.2" {
                assert_same(peer, theirs, plinth, &command("GEOPOS"));
            }
            for pair in members.chunks_exact(2).take(50) {
                assert_same(peer, theirs, plinth, &["GEODIST", "k", &pair[0], &pair[1], "km"]);
            }
        }
    });
}
