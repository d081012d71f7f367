//! Inputs of unions, intersections and differences: sorted sets, and sets with a score of 1 each.
//!
//! Sets belong to another module, which lends them through `plinth.set/1`. It is looked up when a key
//! turns out to be no sorted set: without that module every such key is of a wrong type, and nothing
//! else fails.

use crate::storage::Storage;
use crate::value::View;
use plinth_module::prelude::*;
use plinth_module::set::Sets;

/// The score of a set's member.
const SET_SCORE: f64 = 1.0;

static SETS: Sets = Sets::new();

/// An input.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    key: &'a [u8],
    kind: Kind,
    /// How many members it has.
    pub(super) len: usize,
    /// What its scores are multiplied by.
    pub(super) weight: f64,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Absent,
    Zset,
    Set,
}

impl<'a> Input<'a> {
    /// The input at a key. Fails with `WrongType`.
    pub(super) fn find<S: Storage>(call: &mut Call<'_>, key: &'a [u8]) -> Result<Input<'a>> {
        let len = match View::<S>::find(&mut call.keys, key) {
            Ok(view) => Ok(view.map(|view| (Kind::Zset, view.len()))),
            Err(Error::WrongType) => {
                SETS.resolve(call).map_err(|_| Error::WrongType)?;
                SETS.len(&mut call.keys, key).map(|len| len.map(|len| (Kind::Set, len)))
            }
            Err(other) => Err(other),
        };
        let (kind, len) = len?.unwrap_or((Kind::Absent, 0));
        Ok(Input { key, kind, len, weight: 1.0 })
    }

    /// Visits its members with their own scores.
    pub(super) fn visit<S: Storage>(&self, keys: &mut Keys<'_>, visit: &mut dyn FnMut(&[u8], f64)) -> Result {
        match self.kind {
            Kind::Absent => {}
            Kind::Zset => {
                if let Some(view) = View::<S>::find(keys, self.key)? {
                    view.visit(0..view.len(), false, visit);
                }
            }
            Kind::Set => {
                SETS.visit(keys, self.key, |member| {
                    visit(member, SET_SCORE);
                    true
                })?;
            }
        }
        Ok(())
    }

    /// Keeps those elements for which `keep` is true, when told which score the member has here.
    pub(super) fn retain<S: Storage>(
        &self,
        keys: &mut Keys<'_>,
        elements: &mut Vec<(Box<[u8]>, f64)>,
        mut keep: impl FnMut(&mut f64, Option<f64>) -> bool,
    ) -> Result {
        match self.kind {
            Kind::Absent => elements.retain_mut(|(_, score)| keep(score, None)),
            Kind::Zset => {
                let Some(view) = View::<S>::find(keys, self.key)? else { return Ok(()) };
                elements.retain_mut(|(member, score)| keep(score, view.score(member)));
            }
            Kind::Set => {
                let mut failure = Ok(());
                elements.retain_mut(|(member, score)| {
                    let found = SETS.contains(keys, self.key, member).unwrap_or_else(|error| {
                        failure = Err(error);
                        false
                    });
                    keep(score, found.then_some(SET_SCORE))
                });
                failure?;
            }
        }
        Ok(())
    }
}
