//! Handing a list over to another module a few elements at a time, and taking one, while clients go
//! on using it: `MODULE REPLACE` without a pause.
//!
//! All that is asked of a list for that is that each edit is noted, which [`List`] does, and what is
//! here.

use crate::list::List;
use plinth_module::convert::sequence::{ConvertSequence, Edits};
use plinth_module::error::Result;

impl ConvertSequence for List {
    fn edits(&mut self) -> &mut Edits {
        &mut self.edits
    }

    fn count(&self) -> usize {
        self.len()
    }

    fn export_some(&self, from: usize, count: usize, give: &mut dyn FnMut(&[u8]) -> Result) -> Result {
        let end = from.saturating_add(count).min(self.len());
        self.range(from..end).try_for_each(give)
    }

    fn import_new() -> Self {
        List::default()
    }

    fn import_insert(&mut self, at: usize, element: &[u8]) -> Result {
        self.insert(at, element);
        Ok(())
    }

    fn import_set(&mut self, at: usize, element: &[u8]) -> Result {
        self.replace(at, element);
        Ok(())
    }

    fn import_remove(&mut self, at: usize, count: usize) -> Result {
        self.take_out(at..at + count);
        Ok(())
    }
}
