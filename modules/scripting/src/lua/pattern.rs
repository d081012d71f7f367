//! How much work a pattern is for Lua's functions of strings.
//!
//! These run in one go: no hook is called in the middle of one, and a pattern with several repetitions may take as
//! many steps as there are ways to share a text out among them. So what could take long is tried here first, step by
//! step, while others are served from time to time, and refused when it takes more than [`STEPS_MAX`]; Lua's function
//! takes as many steps then, at one go.
//!
//! Patterns are those of Lua 5.1, and end at their first zero byte.
//! <https://www.lua.org/manual/5.1/manual.html#5.4.1>

/// Most steps of one function, beside those that a long text takes in any case.
const STEPS_MAX: u64 = 10_000_000;
/// Steps for each byte of the text.
const STEPS_PER_BYTE: u64 = 64;
/// Most steps, however long a text is: a second or so.
const STEPS_MAX_ALL: u64 = 400_000_000;
/// So many are allowed without a look.
const STEPS_FEW: u64 = 100_000;
/// Steps between two looks at whether others want to be served. A power of two.
const STEPS_PER_LOOK: u64 = 1 << 21;
/// Most captures of a pattern.
const CAPTURES_MAX: usize = 32;

/// Which matches of a text a function looks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    /// The first: `find`, `match`.
    First,
    /// All: `gmatch`, `gsub`.
    All,
}

/// Whether `find` takes a pattern as it is: nothing in it is special, up to its first zero byte.
pub(crate) fn is_plain(pattern: &[u8]) -> bool {
    pattern.iter().take_while(|&&byte| byte != 0).all(|byte| !b"^$*+?.([%-".contains(byte))
}

/// What is looked for.
pub(crate) struct Asked<'t> {
    /// In which text.
    pub text: &'t [u8],
    /// From where on.
    pub from: usize,
    /// What.
    pub pattern: &'t [u8],
    /// Which matches of it.
    pub wanted: Wanted,
    /// Whether a `^` binds it to the begin.
    pub takes_anchor: bool,
}

/// In how many steps the matches of a pattern in a text are found, at least; or why they are not to be looked for. A
/// pattern that is wrong is not judged. `look` serves others, and says whether to end.
pub(crate) fn steps_of(asked: Asked<'_>, look: &mut dyn FnMut() -> bool) -> Result<u64, Stop> {
    let Asked { text, from, pattern, wanted, takes_anchor } = asked;
    let end = pattern.iter().position(|&byte| byte == 0).unwrap_or(pattern.len());
    let pattern = &pattern[..end];
    let is_anchored = takes_anchor && pattern.first() == Some(&b'^');
    let pattern = if is_anchored { &pattern[1..] } else { pattern };
    let len = (text.len() - from) as u64;
    if is_cheap(len, pattern, is_anchored) {
        return Ok(if is_anchored { 1 } else { len });
    }
    let most = STEPS_MAX.saturating_add(len.saturating_mul(STEPS_PER_BYTE)).min(STEPS_MAX_ALL);
    let mut trial = Trial { text, pattern, captures: Vec::new(), steps_left: most, look };
    match trial.find(from, wanted, is_anchored) {
        Ok(()) | Err(Stop::Pattern) => Ok(most - trial.steps_left),
        Err(stop) => Err(stop),
    }
}

/// Whether there are few steps at the very most: each repetition multiplies them by the length of the text, and
/// so does each place where a match may begin.
fn is_cheap(text_len: u64, pattern: &[u8], is_anchored: bool) -> bool {
    let len = text_len + 1;
    let repeated = |window: &&[u8]| matches!(window, [b'*' | b'+' | b'-'] | [b'%', b'b' | b'0'..=b'9']);
    let long = pattern.windows(1).filter(repeated).count() + pattern.windows(2).filter(repeated).count();
    let short = pattern.iter().filter(|&&byte| byte == b'?').count().min(63);
    let mut steps = (pattern.len() as u64 + 1) << short.min(40);
    for _ in 0..long + usize::from(!is_anchored) {
        steps = steps.saturating_mul(len);
    }
    steps <= STEPS_FEW
}

/// Why a trial ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stop {
    /// It takes too many steps.
    Steps,
    /// The script is to end.
    Ended,
    /// The pattern is wrong, which Lua's function says.
    Pattern,
}

type Found = Result<Option<usize>, Stop>;

/// A part of the text that is captured.
#[derive(Clone, Copy)]
struct Capture {
    begin: usize,
    /// `None` while it is open.
    end: Option<usize>,
}

struct Trial<'t> {
    text: &'t [u8],
    pattern: &'t [u8],
    captures: Vec<Capture>,
    steps_left: u64,
    look: &'t mut dyn FnMut() -> bool,
}

impl Trial<'_> {
    fn find(&mut self, mut from: usize, wanted: Wanted, is_anchored: bool) -> Result<(), Stop> {
        loop {
            self.captures.clear();
            let found = self.matches(from, 0)?;
            if is_anchored || found.is_some() && wanted == Wanted::First {
                return Ok(());
            }
            from = found.filter(|end| *end > from).unwrap_or(from + 1);
            if from > self.text.len() {
                return Ok(());
            }
        }
    }

    fn step(&mut self) -> Result<(), Stop> {
        self.steps_left = self.steps_left.checked_sub(1).ok_or(Stop::Steps)?;
        if self.steps_left.is_multiple_of(STEPS_PER_LOOK) && (self.look)() { Err(Stop::Ended) } else { Ok(()) }
    }

    /// The pattern's byte, 0 behind its end.
    fn at(&self, at: usize) -> u8 {
        self.pattern.get(at).copied().unwrap_or(0)
    }

    /// Where the text ends that matches the pattern from `p` on, from `s` on.
    fn matches(&mut self, mut s: usize, mut p: usize) -> Found {
        loop {
            self.step()?;
            match (self.at(p), self.at(p + 1)) {
                (0, _) => return Ok(Some(s)),
                (b'(', b')') => return self.within_capture(s, p + 2, Some(s)),
                (b'(', _) => return self.within_capture(s, p + 1, None),
                (b')', _) => return self.close_capture(s, p + 1),
                (b'%', b'b') => match self.balanced(s, p + 2)? {
                    Some(end) => (s, p) = (end, p + 4),
                    None => return Ok(None),
                },
                (b'%', b'f') => {
                    if self.at(p + 2) != b'[' {
                        return Err(Stop::Pattern);
                    }
                    let end = self.class_end(p + 2)?;
                    let before = if s == 0 { 0 } else { self.text[s - 1] };
                    let here = self.text.get(s).copied().unwrap_or(0);
                    if self.is_in_set(before, p + 2, end - 1) || !self.is_in_set(here, p + 2, end - 1) {
                        return Ok(None);
                    }
                    p = end;
                }
                (b'%', digit @ b'0'..=b'9') => match self.captured(s, digit)? {
                    Some(end) => (s, p) = (end, p + 2),
                    None => return Ok(None),
                },
                (b'$', 0) => return Ok((s == self.text.len()).then_some(s)),
                _ => {
                    let end = self.class_end(p)?;
                    let fits = self.fits(s, p, end);
                    match self.at(end) {
                        b'?' => {
                            if fits && let Some(found) = self.matches(s + 1, end + 1)? {
                                return Ok(Some(found));
                            }
                            p = end + 1;
                        }
                        b'*' => return self.longest(s, p, end),
                        b'+' => return if fits { self.longest(s + 1, p, end) } else { Ok(None) },
                        b'-' => return self.shortest(s, p, end),
                        _ if fits => (s, p) = (s + 1, end),
                        _ => return Ok(None),
                    }
                }
            }
        }
    }

    fn longest(&mut self, s: usize, p: usize, end: usize) -> Found {
        let mut count = 0;
        while self.fits(s + count, p, end) {
            self.step()?;
            count += 1;
        }
        for count in (0..=count).rev() {
            if let Some(found) = self.matches(s + count, end + 1)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn shortest(&mut self, mut s: usize, p: usize, end: usize) -> Found {
        loop {
            if let Some(found) = self.matches(s, end + 1)? {
                return Ok(Some(found));
            }
            if !self.fits(s, p, end) {
                return Ok(None);
            }
            s += 1;
        }
    }

    fn within_capture(&mut self, s: usize, p: usize, end: Option<usize>) -> Found {
        if self.captures.len() >= CAPTURES_MAX {
            return Err(Stop::Pattern);
        }
        let level = self.captures.len();
        self.captures.push(Capture { begin: s, end });
        let found = self.matches(s, p)?;
        if found.is_none() {
            self.captures.truncate(level);
        }
        Ok(found)
    }

    fn close_capture(&mut self, s: usize, p: usize) -> Found {
        let open = self.captures.iter().rposition(|capture| capture.end.is_none()).ok_or(Stop::Pattern)?;
        self.captures[open].end = Some(s);
        let found = self.matches(s, p)?;
        if found.is_none() {
            self.captures[open].end = None;
        }
        Ok(found)
    }

    /// Where the text ends that is the same as a capture.
    fn captured(&mut self, s: usize, digit: u8) -> Found {
        let at = usize::from(digit).checked_sub(usize::from(b'1')).ok_or(Stop::Pattern)?;
        let Capture { begin, end } = *self.captures.get(at).ok_or(Stop::Pattern)?;
        let end = end.ok_or(Stop::Pattern)?;
        let len = end - begin;
        self.steps_left = self.steps_left.checked_sub(len as u64 / 16).ok_or(Stop::Steps)?;
        let same = self.text[s..].starts_with(&self.text[begin..end]);
        Ok(same.then_some(s + len))
    }

    fn balanced(&mut self, s: usize, p: usize) -> Found {
        let (open, close) = (self.at(p), self.at(p + 1));
        if open == 0 || close == 0 {
            return Err(Stop::Pattern);
        }
        if self.text.get(s) != Some(&open) {
            return Ok(None);
        }
        let mut depth = 1;
        for at in s + 1..self.text.len() {
            self.step()?;
            if self.text[at] == close {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(at + 1));
                }
            } else if self.text[at] == open {
                depth += 1;
            }
        }
        Ok(None)
    }

    /// Behind the class of one byte that begins at `p`.
    fn class_end(&self, p: usize) -> Result<usize, Stop> {
        let mut at = p + 1;
        match self.at(p) {
            b'%' if self.at(at) == 0 => return Err(Stop::Pattern),
            b'%' => return Ok(at + 1),
            b'[' => {}
            _ => return Ok(at),
        }
        if self.at(at) == b'^' {
            at += 1;
        }
        loop {
            let byte = self.at(at);
            if byte == 0 {
                return Err(Stop::Pattern);
            }
            at += 1;
            if byte == b'%' && self.at(at) != 0 {
                at += 1;
            }
            if self.at(at) == b']' {
                return Ok(at + 1);
            }
        }
    }

    /// Whether there is a byte at `s`, of the class from `p` to `end`.
    fn fits(&self, s: usize, p: usize, end: usize) -> bool {
        let Some(&byte) = self.text.get(s) else { return false };
        match self.at(p) {
            b'.' => true,
            b'%' => is_of_class(byte, self.at(p + 1)),
            b'[' => self.is_in_set(byte, p, end - 1),
            other => other == byte,
        }
    }

    /// Whether a byte is in the set whose brackets are at `p` and `end`.
    fn is_in_set(&self, byte: u8, mut p: usize, end: usize) -> bool {
        let is_in = self.at(p + 1) != b'^';
        p += if is_in { 0 } else { 1 };
        loop {
            p += 1;
            if p >= end {
                return !is_in;
            }
            if self.at(p) == b'%' {
                p += 1;
                if is_of_class(byte, self.at(p)) {
                    return is_in;
                }
            } else if self.at(p + 1) == b'-' && p + 2 < end {
                p += 2;
                if (self.at(p - 2)..=self.at(p)).contains(&byte) {
                    return is_in;
                }
            } else if self.at(p) == byte {
                return is_in;
            }
        }
    }
}

/// Whether a byte is of the class of a letter, or is what is no letter of a class.
fn is_of_class(byte: u8, class: u8) -> bool {
    let is_in = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => byte.is_ascii_whitespace() || byte == 0x0b,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return class == byte,
    };
    is_in == class.is_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the first match begins and ends.
    fn find(text: &str, pattern: &str) -> Option<(usize, usize)> {
        let pattern = pattern.as_bytes();
        let mut trial =
            Trial { text: text.as_bytes(), pattern, captures: Vec::new(), steps_left: 1 << 20, look: &mut || false };
        (0..=text.len()).find_map(|from| {
            trial.captures.clear();
            trial.matches(from, 0).ok().flatten().map(|end| (from, end))
        })
    }

    #[test]
    fn a_trial_finds_what_lua_finds() {
        // What Lua 5.1 answers to `string.find`, with its begin counted from 0.
        for (text, pattern, found) in [
            ("hello world", "o w", Some((4, 7))),
            ("hello", "l+", Some((2, 4))),
            ("hello", "l-o", Some((2, 5))),
            ("key = value", "(%w+)%s*=%s*(%w+)", Some((0, 11))),
            ("f(a(b)c)d", "%b()", Some((1, 8))),
            ("THE (quick) fox", "%f[%a]%a+%f[%A]", Some((0, 3))),
            ("\"it's\"", "([\"'])(.-)%1", Some((0, 6))),
            ("abc123", "[^a-c]+$", Some((3, 6))),
            ("a-b", "[a%-]+", Some((0, 2))),
            ("x]y", "[]]", Some((1, 2))),
            ("abc", "x?", Some((0, 0))),
            ("abc", "d", None),
            ("  trim ", "%S+", Some((2, 6))),
        ] {
            assert_eq!(find(text, pattern), found, "{pattern} in {text}");
        }
    }

    fn is_affordable(text: &[u8], pattern: &[u8], wanted: Wanted, takes_anchor: bool) -> bool {
        steps_of(Asked { text, from: 0, pattern, wanted, takes_anchor }, &mut || false).is_ok()
    }

    #[test]
    fn what_is_looked_for_from_further_on_is_judged_from_there() {
        let (text, pattern) = ("b".to_owned() + &"a".repeat(40), "a?".repeat(40) + &"a".repeat(40) + "b");
        let from = |from: usize| {
            let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
            let pattern = [b"[b]?", pattern].concat();
            steps_of(Asked { text, from, pattern: &pattern, wanted: Wanted::First, takes_anchor: true }, &mut || false)
        };
        assert_eq!((from(0), from(1), from(41).is_ok()), (Err(Stop::Steps), Err(Stop::Steps), true));
    }

    #[test]
    fn a_long_trial_lets_others_be_served_and_ends_when_it_is_to() {
        let text = "word ".repeat(1 << 20);
        let asked =
            || Asked { text: text.as_bytes(), from: 0, pattern: b"%w+", wanted: Wanted::All, takes_anchor: true };
        let mut looks = 0;
        let mut look = || {
            looks += 1;
            false
        };
        assert!(steps_of(asked(), &mut look).is_ok());
        assert!(looks > 1);
        assert_eq!(steps_of(asked(), &mut || true), Err(Stop::Ended));
    }

    #[test]
    fn what_takes_too_long_is_found_out_and_what_is_only_long_is_not() {
        let (long, many) = ("a".repeat(40), "a?".repeat(40) + &"a".repeat(40) + "b");
        assert!(!is_affordable(long.as_bytes(), many.as_bytes(), Wanted::First, true));
        let nested = ".-".repeat(12) + "b";
        assert!(!is_affordable("a".repeat(200).as_bytes(), nested.as_bytes(), Wanted::First, true));
        let text = "word ".repeat(1 << 14);
        for pattern in ["%w+", "(%w+) (%w+)", "^.-$", "x", "[a-z]*%s"] {
            assert!(is_affordable(text.as_bytes(), pattern.as_bytes(), Wanted::All, true), "{pattern}");
        }
        assert!(is_affordable(text.as_bytes(), b"(%w+", Wanted::First, true));
        assert!(is_affordable(text.as_bytes(), b"%", Wanted::First, true));
    }
}
