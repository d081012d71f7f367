//! What is passed on of a GEOADD that fails half way, over sorted sets that fail.

#![deny(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used)]

use plinth_geo::plinth_module_entry;
use plinth_module::abi;
use plinth_module::prelude::*;
use plinth_module::zset::{Conditions, Members, Put, ScoreRange, VisitMember, ZsetProvider, ZsetService, table};
use plinth_testbed::Testbed;
use std::ops::Range;

static TABLE: ZsetService = table::<Failing>();

/// Sorted sets that take any member but `full`, and keep none.
struct Failing;

impl ZsetProvider for Failing {
    fn put(_: &mut Call<'_>, _: &[u8], member: &[u8], _: f64, _: Conditions) -> Result<Put> {
        if member == b"full" { Err(Error::OutOfMemory) } else { Ok(Put::Added) }
    }

    fn len(_: &mut Call<'_>, _: &[u8]) -> Result<Option<usize>> {
        Ok(None)
    }

    fn score(_: &mut Call<'_>, _: &[u8], _: &[u8]) -> Result<Option<f64>> {
        Ok(None)
    }

    fn visit(
        _: &mut Call<'_>,
        _: &[u8],
        _: Range<usize>,
        _: bool,
        _: &mut dyn FnMut(&[u8], f64) -> bool,
    ) -> Result<bool> {
        Ok(false)
    }

    fn add(_: &mut Call<'_>, _: &[u8], _: &[u8], _: f64) -> Result {
        Err(Error::NotAllowed)
    }

    fn remove(_: &mut Call<'_>, _: &[u8], _: &[u8]) -> Result<bool> {
        Ok(false)
    }

    fn visit_scores(
        _: &mut Call<'_>,
        _: &[u8],
        _: &[ScoreRange],
        _: usize,
        _: bool,
        _: &mut VisitMember<'_>,
    ) -> Result<bool> {
        Ok(false)
    }

    fn visit_members(
        _: &mut Call<'_>,
        _: &[u8],
        _: Members<'_>,
        _: usize,
        _: bool,
        _: &mut VisitMember<'_>,
    ) -> Result<bool> {
        Ok(false)
    }

    fn count_scores(_: &mut Call<'_>, _: &[u8], _: &ScoreRange) -> Result<Option<usize>> {
        Ok(None)
    }

    fn set(_: &mut Call<'_>, _: &[u8], _: &mut dyn ExactSizeIterator<Item = (&[u8], f64)>, _: &str) -> Result {
        Err(Error::NotAllowed)
    }
}

/// The module that has sorted sets. `export!` makes one symbol per binary, and that is the tested
/// module's: what every Rust module has in its entry is taken from there.
static ZSETS: abi::entry::Module = abi::entry::Module {
    name: text("failing"),
    requires: list(&[]),
    provides: plinth_module::service::Provided::list(&[provided(&TABLE)]),
    commands: list(&[]),
    start: None,
    stop: None,
    ..plinth_module_entry
};

#[test]
fn members_that_could_not_be_added_are_not_passed_on() {
    let mut host = Testbed::new(&ZSETS).unwrap();
    host.load(&plinth_module_entry, &[] as &[&str]).unwrap();
    for (command, passed_on) in [
        ("GEOADD k 0 0 a 1 1 full 2 2 b", Some("ZADD k 3377699720527872 a")),
        ("GEOADD k NX CH 0 0 a 0 0 b 1 1 full", Some("ZADD k NX CH 3377699720527872 a 3377699720527872 b")),
        ("GEOADD k 1 1 full 0 0 a", None),
    ] {
        let reply = host.run(&command.split(' ').collect::<Vec<_>>());
        assert!(reply.starts_with(b"-"), "{command}: {}", String::from_utf8_lossy(&reply));
        let told: Vec<String> = host
            .take_propagated()
            .iter()
            .map(|words| String::from_utf8_lossy(&words.join(&b' ')).into_owned())
            .collect();
        assert_eq!(told, passed_on.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{command}");
    }
}
