//! Replacing what another module builds on: places on a map live on sorted sets, whichever module has
//! them, and do not notice that it is replaced while they are searched.

use crate::replace::wait_until_replaced;
use crate::replace_types::path;
use plinth_testkit::{Client, Server, assert_wire, build};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Places that stay where they are: enough for a conversion in slices.
const PLACES: usize = 20_000;
/// Places of each worker.
const OWN: usize = 200;

/// Where a place is, in degrees: a grid in the north-east.
fn place(number: usize) -> (f64, f64) {
    ((number % 200) as f64 / 10.0, (number / 200) as f64 / 10.0)
}

fn fill(client: &mut Client) {
    for start in (0..PLACES).step_by(500) {
        let mut args = vec!["GEOADD".to_owned(), "places".to_owned()];
        for number in start..start + 500 {
            let (lon, lat) = place(number);
            args.extend([lon.to_string(), lat.to_string(), format!("p{number}")]);
        }
        assert_wire(client, &args, b":500\r\n");
    }
}

fn found(client: &mut Client, search: &str) -> BTreeSet<String> {
    client.ask(&search.split(' ').collect::<Vec<_>>()).texts().into_iter().collect()
}

/// Searches what nobody changes, and adds and moves places of its own, until told to stop; how many
/// commands that took.
fn work(mut client: Client, worker: usize, stop: &AtomicBool) -> usize {
    let search = "GEOSEARCH places FROMLONLAT 10 5 BYRADIUS 60 km";
    let expected = found(&mut client, search);
    assert!(expected.len() > 50, "{expected:?}");
    let (mut round, mut count) = (0, 0);
    while !stop.load(Relaxed) {
        assert_eq!(found(&mut client, search), expected);
        // In the south-west, a degree of latitude for each worker; a place moves a little each round.
        let (number, lat) = (round % OWN, -10 - worker as i32);
        let lon = format!("{:.5}", -100.0 - number as f64 / 100.0 - (round / OWN % 10) as f64 / 1000.0);
        let member = format!("w{worker}:{number}");
        let is_new = i32::from(round < OWN);
        assert_wire(&mut client, &["GEOADD", "places", &lon, &lat.to_string(), &member], format!(":{is_new}\r\n"));
        let near = found(&mut client, &format!("GEOSEARCH places FROMLONLAT {lon} {lat} BYRADIUS 20 m"));
        assert!(
            near.contains(&member) && near.iter().all(|other| other.starts_with(&format!("w{worker}:"))),
            "{near:?}"
        );
        let to = format!("found:{worker}");
        let store = format!("GEOSEARCHSTORE {to} places FROMLONLAT -101 {lat} BYBOX 600 50 km");
        let stored = client.ask(&store.split(' ').collect::<Vec<_>>()).integer() as usize;
        assert_eq!(stored, (round + 1).min(OWN));
        assert_wire(&mut client, &["ZCARD", &to], format!(":{stored}\r\n"));
        round += 1;
        count += 5;
    }
    count
}

#[test]
fn places_are_found_and_stored_while_sorted_sets_change_their_structure() {
    let server = Server::start();
    let mut client = server.connect();
    fill(&mut client);
    let (tree, list) = (path(&mut client), build::library("zset-skiplist"));
    let stop = AtomicBool::new(false);
    let commands: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..3)
            .map(|worker| {
                let (client, stop) = (server.connect(), &stop);
                scope.spawn(move || work(client, worker, stop))
            })
            .collect();
        for library in [&list, &tree, &list] {
            assert_wire(&mut client, &["MODULE", "REPLACE", "zset", library], b"+OK\r\n");
            wait_until_replaced(&mut client);
            assert_eq!(&path(&mut client), library);
        }
        stop.store(true, Relaxed);
        workers.into_iter().map(|worker| worker.join().expect("every reply was right")).sum()
    });
    println!("{commands} commands");
    assert!(commands > 0);
    // A skip list holds them now, and it is asked where each of them is.
    for number in (0..PLACES).step_by(97) {
        let (lon, lat) = place(number);
        let near = found(&mut client, &format!("GEOSEARCH places FROMLONLAT {lon} {lat} BYRADIUS 1 m"));
        assert_eq!(near, BTreeSet::from([format!("p{number}")]));
    }
}
