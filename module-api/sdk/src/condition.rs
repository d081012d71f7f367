//! The conditions `NX`, `XX`, `GT` and `LT` under which EXPIRE and its kin set a deadline.

/// Under which conditions a deadline is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    only_new: bool,
    only_present: bool,
    only_later: bool,
    only_earlier: bool,
}

impl Conditions {
    /// Adds the condition that a word names, in whatever case. Returns whether it names one.
    pub fn add(&mut self, word: &[u8]) -> bool {
        let condition = match word {
            [b'n' | b'N', b'x' | b'X'] => &mut self.only_new,
            [b'x' | b'X', b'x' | b'X'] => &mut self.only_present,
            [b'g' | b'G', b't' | b'T'] => &mut self.only_later,
            [b'l' | b'L', b't' | b'T'] => &mut self.only_earlier,
            _ => return false,
        };
        *condition = true;
        true
    }

    /// Why they cannot all be meant, as an error reply.
    pub fn conflict(self) -> Option<&'static str> {
        if self.only_new && (self.only_present || self.only_later || self.only_earlier) {
            return Some("ERR NX and XX, GT or LT options at the same time are not compatible");
        }
        (self.only_later && self.only_earlier).then_some("ERR GT and LT options at the same time are not compatible")
    }

    /// Whether they hold where there is this deadline and a new one is to be set. No deadline is later
    /// than any.
    #[inline]
    pub fn hold<T: Ord>(self, present: Option<T>, new: T) -> bool {
        match present {
            None => !self.only_present && !self.only_later,
            Some(present) => {
                !self.only_new && (!self.only_later || new > present) && (!self.only_earlier || new < present)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Conditions {
        let mut conditions = Conditions::default();
        assert!(words.iter().all(|word| conditions.add(word.as_bytes())));
        conditions
    }

    #[test]
    fn a_word_names_one_condition_in_whatever_case() {
        assert_eq!((of(&["nx"]), of(&["Xx"])), (of(&["NX"]), of(&["xX"])));
        assert_ne!(of(&["gt"]), of(&["lt"]));
        for other in ["", "n", "nxx", "fields", "gl"] {
            assert!(!Conditions::default().add(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn conditions_compare_with_what_is_there() {
        let (none, nx, xx, gt, lt) = (of(&[]), of(&["NX"]), of(&["XX"]), of(&["GT"]), of(&["LT"]));
        for (conditions, present, new, holds) in [
            (none, None, 1, true),
            (none, Some(1), 1, true),
            (nx, None, 1, true),
            (nx, Some(1), 2, false),
            (xx, None, 1, false),
            (xx, Some(1), 1, true),
            (gt, None, 1, false),
            (gt, Some(1), 1, false),
            (gt, Some(1), 2, true),
            (lt, None, 1, true),
            (lt, Some(1), 1, false),
            (lt, Some(1), 0, true),
        ] {
            assert_eq!(conditions.hold(present, new), holds, "{conditions:?} {present:?} {new}");
        }
    }

    #[test]
    fn conditions_that_exclude_each_other_are_told() {
        let all = |bits: u32| Conditions {
            only_new: bits & 1 != 0,
            only_present: bits & 2 != 0,
            only_later: bits & 4 != 0,
            only_earlier: bits & 8 != 0,
        };
        let fine: Vec<u32> = (0..16).filter(|bits| all(*bits).conflict().is_none()).collect();
        assert_eq!(fine, [0, 1, 2, 4, 6, 8, 10]);
    }
}
