//! What SCAN and the scans of collections are asked for besides the cursor: `MATCH` and `COUNT`.

use crate::args::Args;
use crate::error::{Error, Result};
use crate::glob::Pattern;

/// Elements visited by a scan that does not say.
const COUNT_DEFAULT: usize = 10;

/// The options of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanOptions<'a> {
    /// What an element has to match to be shown.
    pub pattern: Pattern<'a>,
    /// About how many elements are to be visited, at least 1.
    pub count: usize,
}

impl<'a> ScanOptions<'a> {
    /// Reads the options from argument `from` on. `other` is asked about what is none of these, and
    /// says how many arguments it took; 0 means that it does not know the word either.
    ///
    /// Fails with `Syntax`, with `NotInteger`, or as `other` does.
    pub fn read(
        args: &Args<'a>,
        from: usize,
        mut other: impl FnMut(usize) -> Result<usize>,
    ) -> Result<ScanOptions<'a>> {
        let mut options = ScanOptions { pattern: Pattern::All, count: COUNT_DEFAULT };
        let mut at = from;
        while at < args.len() {
            at += if args.word(at, "count") {
                args.expect(at + 1)?;
                let count = args.integer(at + 1)?;
                options.count = usize::try_from(count).ok().filter(|count| *count > 0).ok_or(Error::Syntax)?;
                2
            } else if args.word(at, "match") {
                options.pattern = Pattern::new(args.expect(at + 1)?);
                2
            } else {
                match other(at)? {
                    0 => return Err(Error::Syntax),
                    taken => taken,
                }
            };
        }
        Ok(options)
    }
}
