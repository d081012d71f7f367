//! `struct`: numbers and strings as bytes. <http://www.inf.puc-rio.br/~roberto/struct/>

use super::fill;
use crate::lua::{Lua, Outcome, Raised};

/// Longest integer, in bytes.
const INTEGER_BYTES_MAX: usize = 32;
/// What is said where data ends too early.
const TOO_SHORT: &str = "data string too short";
/// What `!` alone aligns to.
const ALIGN_NATIVE: usize = 8;

pub(super) fn push(lua: Lua) {
    lua.push_table(0, 3);
    fill(
        lua,
        &[
            ("pack", |lua| lua.push_function(pack)),
            ("unpack", |lua| lua.push_function(unpack)),
            ("size", |lua| lua.push_function(size)),
        ],
    );
}

/// A format that is read.
struct Format<'a> {
    rest: &'a [u8],
    is_big: bool,
    align_max: usize,
    /// Whether letters that mean nothing are passed over, as for a size.
    passes_letters: bool,
    /// Whether the place is behind the data that is unpacked, which goes before what is wrong with a letter.
    is_behind: bool,
}

/// One element of it: its letter, its bytes, and how many lie before it at a place.
struct Element {
    letter: u8,
    size: usize,
}

impl<'a> Format<'a> {
    fn new(text: &'a [u8]) -> Format<'a> {
        Format { rest: text, is_big: false, align_max: 1, passes_letters: false, is_behind: false }
    }

    /// A number at this place, or what stands for none.
    fn number(&mut self, lua: Lua, otherwise: usize) -> Result<usize, Raised> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return Ok(otherwise);
        }
        let (text, rest) = self.rest.split_at(digits);
        self.rest = rest;
        let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i32>().ok());
        number.map(|number| number as usize).ok_or_else(|| lua.raise_here("integral size overflow"))
    }

    fn integer_size(&mut self, lua: Lua) -> Result<usize, Raised> {
        let size = self.number(lua, 4)?;
        if size > INTEGER_BYTES_MAX {
            return Err(lua.raise_here(format!("integral size {size} is larger than limit of {INTEGER_BYTES_MAX}")));
        }
        Ok(size)
    }

    /// The next element; those that only say something of others are done.
    fn next(&mut self, lua: Lua) -> Result<Option<Element>, Raised> {
        while let Some((&letter, rest)) = self.rest.split_first() {
            self.rest = rest;
            let size = match letter {
                b'b' | b'B' | b'x' => 1,
                b'h' | b'H' => 2,
                b'l' | b'L' | b'T' | b'd' => 8,
                b'f' => 4,
                b's' => 0,
                b'c' => self.number(lua, 1)?,
                b'i' | b'I' => self.integer_size(lua)?,
                _ if self.passes_letters && letter.is_ascii_alphanumeric() => continue,
                _ if self.is_behind => return Err(lua.raise_argument(2, TOO_SHORT)),
                _ => {
                    self.control(lua, letter)?;
                    continue;
                }
            };
            return Ok(Some(Element { letter, size }));
        }
        Ok(None)
    }

    fn control(&mut self, lua: Lua, letter: u8) -> Result<(), Raised> {
        match letter {
            b' ' => {}
            b'>' => self.is_big = true,
            b'<' => self.is_big = false,
            b'!' => {
                let align = self.number(lua, ALIGN_NATIVE)?;
                if align == 0 || !align.is_power_of_two() {
                    return Err(lua.raise_here(format!("alignment {align} is not a power of 2")));
                }
                self.align_max = align;
            }
            _ => {
                let text = format!("invalid format option '{}'", char::from(letter));
                return Err(lua.raise_argument(1, &text));
            }
        }
        Ok(())
    }

    /// Bytes before an element that would begin at `at`.
    fn padding(&self, option: &Element, at: usize) -> usize {
        let size = option.size.min(self.align_max);
        // For sizes that are no powers of 2 this makes no sense, and is what others do.
        if size == 0 || option.letter == b'c' { 0 } else { size.wrapping_sub(at & (size - 1)) & (size - 1) }
    }
}

fn put_integer(out: &mut Vec<u8>, number: f64, size: usize, is_big: bool) {
    // Two's complement, of what is below 0 by way of the signed type; beyond all bits it is 0.
    let value = match number {
        number if number < 0.0 => number as i64 as u64,
        number if number >= 2f64.powi(64) => 0,
        // As processors have it.
        number if number.is_nan() => 1 << 63,
        number => number as u64,
    };
    let begin = out.len();
    out.extend((0..size).map(|at| if at < 8 { (value >> (8 * at)) as u8 } else { 0 }));
    if is_big {
        out[begin..].reverse();
    }
}

fn get_integer(bytes: &[u8], is_big: bool, is_signed: bool) -> f64 {
    let mut value = 0u64;
    for at in 0..bytes.len() {
        let byte = if is_big { bytes[at] } else { bytes[bytes.len() - 1 - at] };
        value = value << 8 | u64::from(byte);
    }
    if !is_signed {
        return value as f64;
    }
    let unused = 64u32.saturating_sub(8 * bytes.len() as u32);
    ((value << (unused % 64)) as i64 >> (unused % 64)) as f64
}

fn pack(lua: Lua) -> Outcome {
    let mut format = Format::new(lua.want_bytes(1)?);
    let mut out = Vec::new();
    let mut arg = 2;
    // What is missing is nil to those who say so.
    lua.push_nil();
    while let Some(option) = format.next(lua)? {
        out.resize(out.len() + format.padding(&option, out.len()), 0);
        let is_big = format.is_big;
        match option.letter {
            b'x' => {
                out.push(0);
                continue;
            }
            b'c' | b's' => {
                let text = lua.want_bytes(arg)?;
                let size = if option.size == 0 { text.len() } else { option.size };
                let Some(part) = text.get(..size) else {
                    return Err(lua.raise_argument(arg + 1, "string too short"));
                };
                out.extend_from_slice(part);
                out.extend_from_slice(if option.letter == b's' { &[0] } else { &[] });
            }
            b'f' => {
                let bytes = (lua.want_number(arg)? as f32).to_le_bytes();
                put_float(&mut out, &bytes, is_big);
            }
            b'd' => put_float(&mut out, &lua.want_number(arg)?.to_le_bytes(), is_big),
            _ => put_integer(&mut out, lua.want_number(arg)?, option.size, is_big),
        }
        arg += 1;
    }
    lua.push_bytes(out);
    Ok(1)
}

fn put_float(out: &mut Vec<u8>, bytes: &[u8], is_big: bool) {
    let begin = out.len();
    out.extend_from_slice(bytes);
    if is_big {
        out[begin..].reverse();
    }
}

fn unpack(lua: Lua) -> Outcome {
    let mut format = Format::new(lua.want_bytes(1)?);
    let data = lua.want_bytes(2)?;
    let offset = if lua.top() < 3 { 1 } else { lua.want_number(3)? as i64 };
    if offset == 0 {
        return Err(lua.raise_argument(3, "offset must be 1 or greater"));
    }
    let mut at = (offset as usize).wrapping_sub(1);
    lua.set_top(2);
    loop {
        format.is_behind = at > data.len();
        let Some(option) = format.next(lua)? else { break };
        at = at.saturating_add(format.padding(&option, at));
        if at > data.len() {
            return Err(lua.raise_argument(2, TOO_SHORT));
        }
        let size = element_size(lua, &option, data, at)?;
        let bytes = at.checked_add(size).and_then(|end| data.get(at..end));
        let Some(bytes) = bytes else { return Err(lua.raise_argument(2, TOO_SHORT)) };
        lua.want_room(2)?;
        push_element(lua, &option, bytes, format.is_big);
        at += size;
    }
    lua.push_number((at + 1) as f64);
    Ok(lua.top() - 2)
}

/// Bytes of an element in data, of strings by what is there or was read before.
fn element_size(lua: Lua, option: &Element, data: &[u8], at: usize) -> Result<usize, Raised> {
    match (option.letter, option.size) {
        (b'c', 0) => {
            if lua.top() < 3 || !lua.is_number(-1) {
                return Err(lua.raise_here("format 'c0' needs a previous size"));
            }
            let size = lua.number(-1);
            lua.pop(1);
            // As processors have it: none beyond all bits, and more than there is below 0.
            if size >= 2f64.powi(64) {
                Ok(0)
            } else if size > -1.0 {
                Ok(size as usize)
            } else {
                Ok(usize::MAX)
            }
        }
        (b's', _) => {
            let rest = data.get(at..).unwrap_or_default();
            let end = rest.iter().position(|&byte| byte == 0);
            end.map(|end| end + 1).ok_or_else(|| lua.raise_here("unfinished string in data"))
        }
        (_, size) => Ok(size),
    }
}

fn push_element(lua: Lua, option: &Element, bytes: &[u8], is_big: bool) {
    let mut eight = [0; 8];
    match option.letter {
        b'x' => {}
        b'c' => lua.push_bytes(bytes),
        b's' => lua.push_bytes(&bytes[..bytes.len() - 1]),
        b'f' | b'd' => {
            eight[..bytes.len()].copy_from_slice(bytes);
            if is_big {
                eight[..bytes.len()].reverse();
            }
            let four = [eight[0], eight[1], eight[2], eight[3]];
            let number = if bytes.len() == 4 { f64::from(f32::from_le_bytes(four)) } else { f64::from_le_bytes(eight) };
            lua.push_number(number);
        }
        letter => lua.push_number(get_integer(bytes, is_big, letter.is_ascii_lowercase())),
    }
}

fn size(lua: Lua) -> Outcome {
    let mut format = Format::new(lua.want_bytes(1)?);
    format.passes_letters = true;
    let mut at = 0usize;
    while let Some(option) = format.next(lua)? {
        at += format.padding(&option, at);
        match (option.letter, option.size) {
            (b's', _) => return Err(lua.raise_argument(1, "option 's' has no fixed size")),
            (b'c', 0) => return Err(lua.raise_argument(1, "option 'c0' has no fixed size")),
            (_, size) => at += size,
        }
    }
    lua.push_number(at as f64);
    Ok(1)
}
