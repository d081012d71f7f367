//! Which processors threads run on: lists such as `0,2-4` and `0-7:2` (every second one).

use rustix::thread::{CpuSet, sched_setaffinity};
use std::sync::OnceLock;

/// Processors of threads in the background. It is set before the first of them begins.
static BACKGROUND: OnceLock<Vec<usize>> = OnceLock::new();

/// What is no list of processors.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a list of processors is numbers below {}, ranges and steps, such as 0,2-4,8-15:2", CpuSet::MAX_CPU)]
pub struct ListError;

/// The numbers of a list; none for an empty one, which stands for all processors.
///
/// # Errors
/// When it is no list.
pub fn parse(list: &str) -> Result<Vec<usize>, ListError> {
    let number = |text: &str| text.parse().ok().filter(|number| *number < CpuSet::MAX_CPU).ok_or(ListError);
    let mut numbers = Vec::new();
    for part in list.split(',').filter(|_| !list.is_empty()) {
        let (range, step) = part.split_once(':').map_or((part, Ok(1)), |(range, step)| (range, number(step)));
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(range)?, number(range)?),
        };
        let step = step?;
        if first > last || step == 0 {
            return Err(ListError);
        }
        numbers.extend((first..=last).step_by(step));
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// Have the calling thread, and those that it starts, run on these processors, all for none.
fn run_on(numbers: &[usize]) -> rustix::io::Result<()> {
    if numbers.is_empty() {
        return Ok(());
    }
    let mut set = CpuSet::new();
    numbers.iter().for_each(|number| set.set(*number));
    sched_setaffinity(None, &set)
}

/// Have the calling thread, and those that it starts, run on the processors of a list; the log says where there
/// are none such.
pub fn bind(list: &str) {
    let bound = parse(list).map_or(Err(rustix::io::Errno::INVAL), |numbers| run_on(&numbers));
    if let Err(error) = bound {
        crate::base::log::warning(&format!("Cannot run on the processors '{list}': {error}"));
    }
}

/// Say which processors threads in the background run on.
pub fn set_background(list: &str) {
    let _ = BACKGROUND.set(parse(list).unwrap_or_default());
}

/// The calling thread works in the background.
pub fn in_background() {
    let _ = run_on(BACKGROUND.get().map_or(&[], Vec::as_slice));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_numbers_ranges_and_steps() {
        assert_eq!(parse("").as_deref(), Ok(&[][..]));
        assert_eq!(parse("3").as_deref(), Ok(&[3][..]));
        assert_eq!(parse("4,0-2,1").as_deref(), Ok(&[0, 1, 2, 4][..]));
        assert_eq!(parse("0-7:3,9").as_deref(), Ok(&[0, 3, 6, 9][..]));
        for wrong in ["a", ",", "1,", "2-1", "1-2:0", "-1", "1-", "0-99999999999", "1 2"] {
            assert_eq!(parse(wrong), Err(ListError), "{wrong}");
        }
    }
}
