//! The conversion of a large value: into a new one of its own type, in slices, as the server does it
//! when a module is replaced.

use crate::Testbed;
use plinth_module::error::{Error, Result};

impl Testbed {
    /// Converts a key's boxed value element by element into a new one of its type, `budget` elements
    /// a slice, and runs `between` after each. Fails with `None` when there is no such key, or the
    /// value goes in `between`; with `Unsupported` for an inline value and a type without
    /// [`Convert`](plinth_module::convert::Convert); and as the type's functions.
    pub fn convert_in_slices(
        &mut self,
        key: impl AsRef<[u8]>,
        budget: usize,
        mut between: impl FnMut(&mut Testbed),
    ) -> Result {
        let (key, db) = (key.as_ref(), self.db);
        let store = &mut self.server.store;
        let entry = store.find(db, store.hash(key), key).ok_or(Error::None)?;
        if !entry.is_boxed() {
            return Err(Error::Unsupported);
        }
        // The successor is the type itself, so that commands find the value before and behind.
        let ty = entry.type_id();
        store.types.pair(ty, ty);
        store.given_up.clear();
        let converted_before = store.types.converted([ty].into_iter()).sliced;
        let mut done = if store.begin_migration(db, entry) { Ok(()) } else { Err(Error::Unsupported) };
        while done.is_ok() && self.server.store.migration.is_some() {
            done = self.server.store.migrate_step(budget).map_err(Error::from_status);
            self.server.settle();
            if self.server.store.migration.is_some() {
                between(self);
            }
        }
        let store = &mut self.server.store;
        store.types.unpair(ty);
        // Without an error it has arrived, or it was gone.
        let has_arrived = store.types.converted([ty].into_iter()).sliced > converted_before;
        done.and(if has_arrived { Ok(()) } else { Err(Error::None) })
    }

    /// What a test of a conversion does: converts a key's value in slices, with one of `rounds` of
    /// changes after each, then once more with the changes that are left made before; `compare` looks
    /// after either. `change` makes a change to the value and to the model of it. Fails as
    /// [`convert_in_slices`](Self::convert_in_slices).
    pub fn convert_twice<M, C>(
        &mut self,
        key: &str,
        budget: usize,
        model: &mut M,
        rounds: Vec<Vec<C>>,
        change: impl Fn(&mut Testbed, &mut M, C),
        compare: impl Fn(&mut Testbed, &M),
    ) -> Result {
        let mut rounds = rounds.into_iter();
        self.convert_in_slices(key, budget, |host| {
            rounds.next().into_iter().flatten().for_each(|one| change(host, model, one));
        })?;
        compare(self, model);
        rounds.flatten().for_each(|one| change(self, model, one));
        self.convert_in_slices(key, budget, |_| ())?;
        compare(self, model);
        Ok(())
    }
}
