//! JSON as values.

use super::{SETTINGS, depth};
use crate::libraries::WORK_PER_BYTE;
use crate::lua::{Lua, Outcome, Raised};
use plinth_module::number::parse_float;
use std::sync::atomic::Ordering::Relaxed;

/// What a text is made of.
enum Token {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    Text(Vec<u8>),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    Wrong(&'static str),
}

impl Token {
    fn name(&self) -> &'static str {
        match self {
            Token::ObjectBegin => "T_OBJ_BEGIN",
            Token::ObjectEnd => "T_OBJ_END",
            Token::ArrayBegin => "T_ARR_BEGIN",
            Token::ArrayEnd => "T_ARR_END",
            Token::Text(_) => "T_STRING",
            Token::Number(_) => "T_NUMBER",
            Token::Boolean(_) => "T_BOOLEAN",
            Token::Null => "T_NULL",
            Token::Colon => "T_COLON",
            Token::Comma => "T_COMMA",
            Token::End => "T_END",
            Token::Wrong(what) => what,
        }
    }
}

/// A text that is read.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// Where the last token began, or what is wrong in it.
    token_at: usize,
    nested: usize,
    lua: Lua,
}

pub(super) fn decode(lua: Lua) -> Outcome {
    if lua.top() != 1 {
        return Err(lua.raise_argument(1, "expected 1 argument"));
    }
    let text = lua.want_bytes(1)?;
    lua.spend(text.len().saturating_mul(WORK_PER_BYTE));
    if text.len() >= 2 && (text[0] == 0 || text[1] == 0) {
        return Err(lua.raise_here("JSON parser does not support UTF-16 or UTF-32"));
    }
    let mut reader = Reader { text, at: 0, token_at: 0, nested: 0, lua };
    let first = reader.token();
    reader.push(first)?;
    match reader.token() {
        Token::End => Ok(1),
        other => Err(reader.refuse("the end", &other)),
    }
}

impl Reader<'_> {
    fn refuse(&self, wanted: &str, found: &Token) -> Raised {
        let at = self.token_at + 1;
        self.lua.raise_here(format!("Expected {wanted} but found {} at character {at}", found.name()))
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    fn token(&mut self) -> Token {
        while matches!(self.byte(self.at), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        self.token_at = self.at;
        let one = match self.byte(self.at) {
            0 => return Token::End,
            b'{' => Token::ObjectBegin,
            b'}' => Token::ObjectEnd,
            b'[' => Token::ArrayBegin,
            b']' => Token::ArrayEnd,
            b':' => Token::Colon,
            b',' => Token::Comma,
            b'"' => return self.string(),
            _ => return self.word(),
        };
        self.at += 1;
        one
    }

    fn word(&mut self) -> Token {
        for (word, token) in [("true", Token::Boolean(true)), ("false", Token::Boolean(false)), ("null", Token::Null)] {
            if self.text[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return token;
            }
        }
        let first = self.byte(self.at);
        let is_number = first.is_ascii_digit() || matches!(first, b'-' | b'+');
        let rest = &self.text[self.at..];
        let is_named = starts_with_word(rest, b"inf") || starts_with_word(rest, b"nan");
        if !is_number && !is_named {
            return Token::Wrong("invalid token");
        }
        self.number()
    }

    /// A number as C reads it, with or without what JSON has no word for.
    fn number(&mut self) -> Token {
        let rest = &self.text[self.at..];
        let sign = usize::from(matches!(rest.first(), Some(b'-' | b'+')));
        let is_negative = rest.first() == Some(&b'-');
        let body = &rest[sign..];
        let is_hex = body.len() > 2 && body[0] == b'0' && body[1] | 32 == b'x' && body[2].is_ascii_hexdigit();
        let named = ["infinity", "inf", "nan"].iter().find(|word| starts_with_word(body, word.as_bytes()));
        if (is_hex || named.is_some()) && SETTINGS.decode_invalid.load(Relaxed) == 0 {
            return Token::Wrong("invalid number");
        }
        let (len, value) = if let Some(word) = named {
            (word.len(), if *word == "nan" { f64::NAN } else { f64::INFINITY })
        } else if is_hex {
            let digits = body[2..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
            let value = body[2..2 + digits]
                .iter()
                .fold(0.0, |sum, &byte| sum * 16.0 + f64::from(char::from(byte).to_digit(16).unwrap_or(0)));
            (2 + digits, value)
        } else {
            let len = decimal_len(body);
            let text = std::str::from_utf8(&body[..len]).unwrap_or_default();
            (len, text.parse::<f64>().ok().or_else(|| parse_float(text.as_bytes())).unwrap_or(f64::NAN))
        };
        if len == 0 {
            return Token::Wrong("invalid number");
        }
        self.at += sign + len;
        Token::Number(if is_negative { -value } else { value })
    }

    fn string(&mut self) -> Token {
        let mut out = Vec::new();
        self.at += 1;
        loop {
            match self.byte(self.at) {
                b'"' => break,
                0 if self.at >= self.text.len() => {
                    self.token_at = self.at;
                    return Token::Wrong("unexpected end of string");
                }
                b'\\' => {
                    if let Err(what) = self.escape(&mut out) {
                        self.token_at = self.at;
                        return Token::Wrong(what);
                    }
                }
                byte => {
                    out.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        Token::Text(out)
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let byte = match self.byte(self.at + 1) {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => 10,
            b'r' => 13,
            b't' => 9,
            b'u' => return self.code_point(out),
            _ => return Err("invalid escape code"),
        };
        out.push(byte);
        self.at += 2;
        Ok(())
    }

    fn four_digits(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }

    fn code_point(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        const WRONG: &str = "invalid unicode escape code";
        let mut code = self.four_digits(self.at + 2).ok_or(WRONG)?;
        let mut len = 6;
        if (0xd800..0xdc00).contains(&code) {
            let is_pair = self.byte(self.at + 6) == b'\\' && self.byte(self.at + 7) == b'u';
            let low = self.four_digits(self.at + 8).filter(|low| is_pair && (0xdc00..0xe000).contains(low));
            code = 0x10000 + ((code & 0x3ff) << 10) + (low.ok_or(WRONG)? & 0x3ff);
            len = 12;
        }
        let mut bytes = [0; 4];
        let code = char::from_u32(code).ok_or(WRONG)?;
        out.extend_from_slice(code.encode_utf8(&mut bytes).as_bytes());
        self.at += len;
        Ok(())
    }

    /// Push the value that begins with a token.
    fn push(&mut self, token: Token) -> Result<(), Raised> {
        match token {
            Token::Text(text) => self.lua.push_bytes(text),
            Token::Number(number) => self.lua.push_number(number),
            Token::Boolean(value) => self.lua.push_boolean(value),
            Token::Null => self.lua.push_address(std::ptr::null()),
            Token::ObjectBegin => self.push_object()?,
            Token::ArrayBegin => self.push_array()?,
            other => return Err(self.refuse("value", &other)),
        }
        Ok(())
    }

    fn descend(&mut self) -> Result<i32, Raised> {
        self.nested += 1;
        if self.nested > depth(&SETTINGS.decode_depth) || !self.lua.has_room(4) {
            let (nested, at) = (self.nested, self.at);
            return Err(self
                .lua
                .raise_here(format!("Found too many nested data structures ({nested}) at character {at}")));
        }
        self.lua.push_table(0, 0);
        Ok(self.lua.top())
    }

    fn push_object(&mut self) -> Result<(), Raised> {
        let table = self.descend()?;
        let mut token = self.token();
        if matches!(token, Token::ObjectEnd) {
            self.nested -= 1;
            return Ok(());
        }
        loop {
            let Token::Text(name) = token else { return Err(self.refuse("object key string", &token)) };
            self.lua.push_bytes(name);
            match self.token() {
                Token::Colon => {}
                other => return Err(self.refuse("colon", &other)),
            }
            let value = self.token();
            self.push(value)?;
            self.lua.raw_set(table);
            match self.token() {
                Token::ObjectEnd => break,
                Token::Comma => token = self.token(),
                other => return Err(self.refuse("comma or object end", &other)),
            }
        }
        self.nested -= 1;
        Ok(())
    }

    fn push_array(&mut self) -> Result<(), Raised> {
        let table = self.descend()?;
        let mut token = self.token();
        if matches!(token, Token::ArrayEnd) {
            self.nested -= 1;
            return Ok(());
        }
        for index in 1.. {
            self.push(token)?;
            self.lua.raw_set_at(table, index);
            match self.token() {
                Token::ArrayEnd => break,
                Token::Comma => token = self.token(),
                other => return Err(self.refuse("comma or array end", &other)),
            }
        }
        self.nested -= 1;
        Ok(())
    }
}

fn starts_with_word(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
}

/// Bytes of the decimal number that a text begins with.
fn decimal_len(text: &[u8]) -> usize {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(0);
    let mut len = whole;
    if text.get(len) == Some(&b'.') {
        let behind = digits(len + 1);
        if whole + behind == 0 {
            return 0;
        }
        len += 1 + behind;
    }
    if len > 0 && text.get(len).is_some_and(|byte| byte | 32 == b'e') {
        let sign = usize::from(matches!(text.get(len + 1), Some(b'+' | b'-')));
        let power = if len + 1 + sign <= text.len() { digits(len + 1 + sign) } else { 0 };
        if power > 0 {
            len += 1 + sign + power;
        }
    }
    len
}
