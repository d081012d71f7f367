//! The query: what all searches come down to, and how it is run.
//!
//! Places are found in the order of their scores, but those in the centre's range of them first, as
//! Redis's come from the centre's cell first. A search that has no order to keep writes each place into the reply as it finds it. One that sorts,
//! stores, or wants only some keeps its hits first ([`Hits`]).

use super::{reply_distance, reply_place, unit_at};
use crate::area::Area;
use crate::cover::Cover;
use crate::hits::{Found, Hits, Order};
use crate::{ZSETS, cell};
use plinth_module::prelude::*;

/// Where a search puts what it found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Store<'a> {
    /// The key.
    pub(super) key: &'a [u8],
    /// Whether scores are distances, and not those that places have.
    pub(super) by_distance: bool,
}

/// The options that all searches share.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) with_distance: bool,
    pub(super) with_score: bool,
    pub(super) with_place: bool,
    order: Option<Order>,
    /// How many places are wanted; 0 for all.
    count: usize,
    /// Whether any places will do, and not only the nearest.
    any: bool,
}

impl Options {
    /// Reads the option at an argument; returns how many arguments it has, 0 if it is none of these.
    pub(super) fn read(&mut self, call: &mut Call<'_>, at: usize) -> Result<usize> {
        match call.args.bytes(at) {
            word if word.eq_ignore_ascii_case(b"withdist") => self.with_distance = true,
            word if word.eq_ignore_ascii_case(b"withhash") => self.with_score = true,
            word if word.eq_ignore_ascii_case(b"withcoord") => self.with_place = true,
            word if word.eq_ignore_ascii_case(b"any") => self.any = true,
            word if word.eq_ignore_ascii_case(b"asc") => self.order = Some(Order::Nearest),
            word if word.eq_ignore_ascii_case(b"desc") => self.order = Some(Order::Farthest),
            word if word.eq_ignore_ascii_case(b"count") && at + 1 < call.args.len() => {
                let count = call.args.integer(at + 1)?;
                if count <= 0 {
                    return Err(call.reply.error("ERR COUNT must be > 0"));
                }
                self.count = usize::try_from(count).unwrap_or(usize::MAX);
                return Ok(2);
            }
            _ => return Ok(0),
        }
        Ok(1)
    }

    /// Fails for ANY without COUNT.
    pub(super) fn check(&self, call: &mut Call<'_>) -> Result {
        if self.any && self.count == 0 {
            return Err(call.reply.error("ERR the ANY argument requires COUNT argument"));
        }
        Ok(())
    }

    /// Whether more than the member is told of a place.
    pub(super) fn tells_more(&self) -> bool {
        self.with_distance || self.with_score || self.with_place
    }

    /// The order in which places are wanted: those of which some are wanted are the nearest.
    fn order(&self) -> Option<Order> {
        self.order.or((self.count > 0 && !self.any).then_some(Order::Nearest))
    }
}

/// The place of a member that a search begins at. Fails when the key has no such member.
pub(super) fn place_of(call: &mut Call<'_>, key: &[u8], member: &[u8]) -> Result<(f64, f64)> {
    match ZSETS.score(&mut call.keys, key, member)? {
        Some(score) => Ok(cell::decode(cell::of_score(score))),
        None => Err(call.reply.error("ERR could not decode requested zset member")),
    }
}

/// The radius at an argument in metres, and the metres of the unit behind it.
pub(super) fn radius_at(call: &mut Call<'_>, index: usize) -> Result<(f64, f64)> {
    let Ok(radius) = call.args.float(index) else { return Err(call.reply.error("ERR need numeric radius")) };
    if radius < 0.0 {
        return Err(call.reply.error("ERR radius cannot be negative"));
    }
    let unit_m = unit_at(call, index + 1)?;
    Ok((radius * unit_m, unit_m))
}

/// Hands the places of an area to `visit` until that returns false. Unless `is_measured` the distances
/// may be any numbers.
fn visit_area(
    keys: &mut Keys<'_>,
    key: &[u8],
    area: &Area,
    is_measured: bool,
    mut visit: impl FnMut(Found<'_>) -> bool,
) -> Result {
    let (mut goes_on, centre) = (true, area.centre());
    for rectangle in area.rectangles() {
        if !goes_on {
            break;
        }
        let (sieve, cover) = (rectangle.sieve(), Cover::of(&rectangle).beginning_at(centre));
        ZSETS.visit_scores(keys, key, cover.ranges(), 0, false, |member, score| {
            let number = cell::of_score(score);
            if sieve.holds(number) {
                let (lon, lat) = cell::decode(number);
                if let Some(distance_m) = area.measure(lon, lat, is_measured) {
                    goes_on = visit(Found { member, score, distance_m });
                }
            }
            goes_on
        })?;
    }
    Ok(())
}

/// Runs a search and answers. Distances are told in units of `unit_m` metres; what is stored is
/// announced as `event`.
pub(super) fn run(
    call: &mut Call<'_>,
    key: &[u8],
    area: &Area,
    unit_m: f64,
    options: &Options,
    store: Option<(Store<'_>, &str)>,
) -> Result {
    let (order, is_resp3) = (options.order(), call.resp() >= 3);
    if order.is_none() && options.count == 0 && store.is_none() {
        let Call { keys, reply, .. } = call;
        let (mark, mut count) = (reply.open(), 0);
        visit_area(keys, key, area, options.with_distance, |found| {
            reply_found(reply, found, unit_m, options, is_resp3);
            count += 1;
            true
        })?;
        reply.close_array(mark, count);
        return Ok(());
    }
    let is_measured = order.is_some() || options.with_distance || store.is_some_and(|(store, _)| store.by_distance);
    let mut hits = Hits::new(order, if options.count == 0 { usize::MAX } else { options.count });
    if options.any && order.is_some() {
        // The first that are found, put in order.
        let mut left = options.count;
        visit_area(&mut call.keys, key, area, true, |found| {
            left -= 1;
            hits.push(found);
            left > 0
        })?;
    } else {
        visit_area(&mut call.keys, key, area, is_measured, |found| hits.push(found))?;
    }
    hits.finish();
    if let Some((to, event)) = store {
        let scored = hits
            .iter()
            .map(|found| (found.member, if to.by_distance { found.distance_m / unit_m } else { found.score }));
        ZSETS.set(&mut call.keys, to.key, scored, event)?;
        call.keys.count_elements(hits.len());
        call.reply.count(hits.len());
        return Ok(());
    }
    call.reply.array(hits.len());
    hits.iter().for_each(|found| reply_found(&mut call.reply, found, unit_m, options, is_resp3));
    Ok(())
}

/// A place in the reply.
#[inline]
fn reply_found(reply: &mut ReplyBuffer<'_>, found: Found<'_>, unit_m: f64, options: &Options, is_resp3: bool) {
    if !options.tells_more() {
        return reply.bulk(found.member);
    }
    let count =
        1 + [options.with_distance, options.with_score, options.with_place].into_iter().filter(|is| *is).count();
    reply.array(count);
    reply.bulk(found.member);
    if options.with_distance {
        reply_distance(reply, found.distance_m / unit_m);
    }
    if options.with_score {
        reply.integer(found.score as i64);
    }
    if options.with_place {
        reply_place(reply, is_resp3, cell::decode(cell::of_score(found.score)));
    }
}
