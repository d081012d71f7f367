//! A smaller case that still differs (delta debugging, Zeller and Hildebrandt 2002).
//!
//! First whole commands go, half of them, then quarters, down to single ones; then arguments,
//! in the same way; and again, until nothing more can go. A command that lost arguments may be one
//! that is refused. That does no harm: if the two servers still differ, it is the smaller case.

use crate::generate::{Case, Step};

/// Runs that one shrinking may take: each is a whole case on two servers.
const RUNS_MAX: usize = 3_000;

/// The smallest case found for which `differs` says true, as it does for `case`.
///
/// # Errors
/// Those of `differs`.
pub(crate) fn shrink(mut case: Case, mut differs: impl FnMut(&Case) -> Result<bool, String>) -> Result<Case, String> {
    let mut runs = 0;
    let mut is_smaller = |candidate: &Case| {
        runs += 1;
        if runs > RUNS_MAX { Ok(false) } else { differs(candidate) }
    };
    loop {
        let before = (case.steps.len(), case.bytes());
        without_steps(&mut case, &mut is_smaller)?;
        without_arguments(&mut case, &mut is_smaller)?;
        if (case.steps.len(), case.bytes()) == before {
            return Ok(case);
        }
    }
}

type Differs<'d> = dyn FnMut(&Case) -> Result<bool, String> + 'd;

/// Takes runs of commands out, long ones first.
fn without_steps(case: &mut Case, differs: &mut Differs<'_>) -> Result<(), String> {
    let mut size = case.steps.len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        while at < case.steps.len() {
            let mut smaller = case.clone();
            smaller.steps.drain(at..(at + size).min(case.steps.len()));
            if !smaller.steps.is_empty() && differs(&smaller)? {
                *case = smaller;
            } else {
                at += size;
            }
        }
        if size == 1 {
            return Ok(());
        }
        size = size.div_ceil(2);
    }
}

/// Takes arguments out: many at a time first, and pairs before single ones, so that those that belong
/// together go together.
fn without_arguments(case: &mut Case, differs: &mut Differs<'_>) -> Result<(), String> {
    for step in 0..case.steps.len() {
        let Step::Command(args) = &case.steps[step] else { continue };
        let mut count = args.len().next_power_of_two() / 2;
        while count > 0 {
            let mut at = 2;
            while let Step::Command(args) = &case.steps[step]
                && at + count <= args.len()
            {
                let mut smaller = case.clone();
                if let Step::Command(args) = &mut smaller.steps[step] {
                    args.drain(at..at + count);
                }
                if differs(&smaller)? {
                    *case = smaller;
                } else {
                    at += (count / 2).max(1);
                }
            }
            count /= 2;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Step {
        Step::Command(text.split(' ').map(|word| word.as_bytes().to_vec()).collect())
    }

    #[test]
    fn a_command_of_thousands_of_arguments_is_made_small_in_a_few_runs() {
        let members: Vec<String> = (0..2000).map(|number| format!("m{number}")).collect();
        let case = Case { protocol: 2, steps: vec![words(&format!("SADD s {}", members.join(" ")))] };
        let mut runs = 0;
        let smallest = shrink(case, |case| {
            runs += 1;
            let args = case.steps[0].command().unwrap();
            Ok(args.iter().any(|arg| arg == b"m17") && args.iter().any(|arg| arg == b"m1234"))
        });
        assert_eq!(smallest.unwrap().steps[0].to_string(), "SADD s m17 m1234");
        assert!(runs < 300, "{runs} runs");
    }

    #[test]
    fn what_has_nothing_to_do_with_it_goes() {
        let mut steps: Vec<Step> = (0..200).map(|number| words(&format!("SET k{number} v"))).collect();
        steps.insert(17, words("ZADD z 1 a 2 b 3 c 1 d"));
        steps.insert(140, words("ZRANGE z 0 -1"));
        let case = Case { protocol: 2, steps };
        let has = |case: &Case, name: &str, word: &str| {
            case.steps.iter().any(|step| {
                matches!(step, Step::Command(args)
                if args[0] == name.as_bytes() && args.iter().any(|arg| arg == word.as_bytes()))
            })
        };
        let smallest =
            shrink(case, |case| Ok(has(case, "ZADD", "a") && has(case, "ZADD", "d") && has(case, "ZRANGE", "-1")));
        let texts: Vec<String> = smallest.unwrap().steps.iter().map(Step::to_string).collect();
        assert_eq!(texts, ["ZADD z a d", "ZRANGE z -1"]);
    }
}
