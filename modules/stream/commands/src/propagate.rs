//! Commands for replicas and files, put together where one's arguments were not in the command that ran,
//! and where anybody is told.

use crate::id::{Id, TEXT_MAX};
use plinth_module::prelude::*;
use plinth_module::propagate::Propagate;

/// A command in the making, or nothing where nobody is told.
pub struct Line {
    is_wanted: bool,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Line {
    /// A command of a name, and of the first arguments.
    pub fn new(propagate: &Propagate<'_>, args: &[&[u8]]) -> Line {
        if !propagate.is_wanted() {
            return Line { is_wanted: false, bytes: Vec::new(), ends: Vec::new() };
        }
        let mut line = Line { is_wanted: true, bytes: Vec::with_capacity(256), ends: Vec::with_capacity(32) };
        args.iter().for_each(|arg| line.push(arg));
        line
    }

    /// One more argument.
    pub fn push(&mut self, arg: &[u8]) {
        if self.is_wanted {
            self.bytes.extend_from_slice(arg);
            self.ends.push(self.bytes.len());
        }
    }

    /// An id.
    #[inline]
    pub fn push_id(&mut self, id: Id) {
        if self.is_wanted {
            self.push(id.text(&mut [0; TEXT_MAX]));
        }
    }

    /// A number.
    pub fn push_integer(&mut self, number: i64) {
        self.push(itoa::Buffer::new().format(number).as_bytes());
    }

    /// Passes it on instead of the command that runs.
    pub fn send(&self, propagate: &mut Propagate<'_>) -> Result {
        if !self.is_wanted {
            return Ok(());
        }
        let mut begin = 0;
        let args: Vec<&[u8]> =
            self.ends.iter().map(|&end| &self.bytes[std::mem::replace(&mut begin, end)..end]).collect();
        propagate.instead(&args)
    }
}
