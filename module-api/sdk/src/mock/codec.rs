//! The mock's saving and loading: a value becomes a list of tokens, and these become bytes.
//!
//! The form is the mock's own, and stricter than a host needs to be: what was put as one kind is
//! refused as another, and a `load` must read all that `save` wrote.

use super::state::Form;
use crate::abi::bytes::{Bytes, Opaque};
use crate::abi::codec::CodecService;
use crate::abi::status::{STATUS_BAD_DATA, STATUS_NOT_ALLOWED, STATUS_OK, Status};
use crate::abi::value::{Type, Value};

/// One thing that was put.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Tag(u8),
    Unsigned(u64),
    Signed(i64),
    Double(f64),
    Bytes(Vec<u8>),
    Raw(Vec<u8>),
}

struct Saver {
    tags: Vec<u8>,
    tokens: Vec<Token>,
    is_wrong: bool,
}

struct Loader {
    tokens: std::vec::IntoIter<Token>,
    lent: Vec<u8>,
    value: Option<(u32, Form)>,
}

/// Saves a value.
///
/// # Safety
/// `value` is a value of type `of`.
pub(super) unsafe fn save(of: &Type, value: &Value) -> Result<Vec<Token>, Status> {
    // SAFETY: a type's tags are constants.
    let tags = of.rdb_tags.iter().map(|tag| unsafe { *tag }).collect();
    let mut saver = Saver { tags, tokens: Vec::new(), is_wrong: false };
    // SAFETY: the value is of this type, as the caller vouches; the saver lives for the call.
    let status = unsafe { (of.save)(value, (&raw mut saver).cast()) };
    let tag_missing = !saver.tags.is_empty() && !matches!(saver.tokens.first(), Some(Token::Tag(_)));
    match status {
        STATUS_OK if saver.is_wrong || tag_missing => Err(STATUS_BAD_DATA),
        STATUS_OK => Ok(saver.tokens),
        other => Err(other),
    }
}

/// Loads a value.
pub(super) fn load(of: &Type, encoding: u32, mut tokens: Vec<Token>) -> Result<(u32, Form), Status> {
    let mut encoding = encoding;
    if let Some(Token::Tag(tag)) = tokens.first() {
        encoding = u32::from(*tag);
        tokens.remove(0);
    }
    let mut loader = Loader { tokens: tokens.into_iter(), lent: Vec::new(), value: None };
    // SAFETY: the loader lives for the call.
    let status = unsafe { (of.load)((&raw mut loader).cast(), encoding) };
    let is_complete = status == STATUS_OK && loader.tokens.len() == 0;
    match loader.value {
        Some(value) if is_complete => Ok(value),
        Some((_, Form::Boxed(boxed))) => {
            if let Some(drop) = of.drop {
                // SAFETY: the type's `load` handed the box over.
                unsafe { drop(boxed) };
            }
            Err(if status == STATUS_OK { STATUS_BAD_DATA } else { status })
        }
        _ => Err(if status == STATUS_OK { STATUS_BAD_DATA } else { status }),
    }
}

impl Saver {
    /// # Safety
    /// `raw` is the saver of a running `save`.
    unsafe fn put(raw: Opaque, token: Token) {
        // SAFETY: as the caller vouches.
        let saver = unsafe { &mut *raw.cast::<Saver>() };
        saver.is_wrong |= match &token {
            Token::Tag(tag) => !saver.tokens.is_empty() || !saver.tags.contains(tag),
            Token::Raw(_) => !matches!(saver.tokens.first(), Some(Token::Tag(_))),
            _ => false,
        };
        saver.tokens.push(token);
    }
}

unsafe extern "C" fn put_tag(saver: Opaque, tag: u8) {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { Saver::put(saver, Token::Tag(tag)) }
}
unsafe extern "C" fn put_u64(saver: Opaque, value: u64) {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { Saver::put(saver, Token::Unsigned(value)) }
}
unsafe extern "C" fn put_i64(saver: Opaque, value: i64) {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { Saver::put(saver, Token::Signed(value)) }
}
unsafe extern "C" fn put_f64(saver: Opaque, value: f64) {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { Saver::put(saver, Token::Double(value)) }
}
unsafe extern "C" fn put_bytes(saver: Opaque, bytes: Bytes) {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { Saver::put(saver, Token::Bytes(bytes.as_slice().to_vec())) }
}
unsafe extern "C" fn put_raw(saver: Opaque, bytes: Bytes) {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { Saver::put(saver, Token::Raw(bytes.as_slice().to_vec())) }
}

/// Takes the next token if `pick` likes it, and writes it to `out`.
///
/// # Safety
/// `raw` is the loader of a running `load`, and `out` can be written.
unsafe fn next<T>(raw: Opaque, out: *mut T, pick: impl FnOnce(&mut Loader, Token) -> Option<T>) -> Status {
    // SAFETY: as the caller vouches.
    let loader = unsafe { &mut *raw.cast::<Loader>() };
    let Some(token) = loader.tokens.next() else { return STATUS_BAD_DATA };
    match pick(loader, token) {
        Some(value) => {
            // SAFETY: as the caller vouches.
            unsafe { out.write(value) };
            STATUS_OK
        }
        None => STATUS_BAD_DATA,
    }
}

unsafe extern "C" fn get_u64(loader: Opaque, out: *mut u64) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { next(loader, out, |_, token| if let Token::Unsigned(value) = token { Some(value) } else { None }) }
}
unsafe extern "C" fn get_i64(loader: Opaque, out: *mut i64) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { next(loader, out, |_, token| if let Token::Signed(value) = token { Some(value) } else { None }) }
}
unsafe extern "C" fn get_f64(loader: Opaque, out: *mut f64) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { next(loader, out, |_, token| if let Token::Double(value) = token { Some(value) } else { None }) }
}
unsafe extern "C" fn get_bytes(loader: Opaque, out: *mut Bytes) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    unsafe {
        next(loader, out, |loader, token| {
            let Token::Bytes(bytes) = token else { return None };
            loader.lent = bytes;
            Some(Bytes::of(&loader.lent))
        })
    }
}
unsafe extern "C" fn get_raw(loader: Opaque, len: usize, out: *mut Bytes) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    unsafe {
        next(loader, out, |loader, token| match token {
            Token::Raw(bytes) if bytes.len() == len => {
                loader.lent = bytes;
                Some(Bytes::of(&loader.lent))
            }
            _ => None,
        })
    }
}

unsafe extern "C" fn finish_inline(loader: Opaque, tag: u32, bytes: Bytes) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { finish(loader, tag, Form::Inline(bytes.as_slice().to_vec())) }
}
unsafe extern "C" fn finish_boxed(loader: Opaque, tag: u32, boxed: Opaque) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    unsafe { finish(loader, tag, Form::Boxed(boxed)) }
}

/// # Safety
/// `raw` is the loader of a running `load`.
unsafe fn finish(raw: Opaque, tag: u32, form: Form) -> Status {
    // SAFETY: as the caller vouches.
    let loader = unsafe { &mut *raw.cast::<Loader>() };
    if loader.value.is_some() {
        return STATUS_NOT_ALLOWED;
    }
    loader.value = Some((tag, form));
    STATUS_OK
}

/// The table.
pub(super) static TABLE: CodecService = CodecService {
    size: size_of::<CodecService>() as u32,
    reserved: 0,
    put_tag,
    put_u64,
    put_i64,
    put_f64,
    put_bytes,
    put_raw,
    get_u64,
    get_i64,
    get_f64,
    get_bytes,
    get_raw,
    finish_inline,
    finish_boxed,
};

/// Tokens as bytes, with the type's name and encoding before them and a checksum behind.
pub(super) fn to_payload(name: &[u8], encoding: u32, tokens: &[Token]) -> Vec<u8> {
    let mut out = Vec::new();
    put_sized(&mut out, name);
    out.extend(encoding.to_le_bytes());
    for token in tokens {
        match token {
            Token::Tag(tag) => out.extend([b't', *tag]),
            Token::Unsigned(value) => put_fixed(&mut out, b'u', value.to_le_bytes()),
            Token::Signed(value) => put_fixed(&mut out, b'i', value.to_le_bytes()),
            Token::Double(value) => put_fixed(&mut out, b'f', value.to_le_bytes()),
            Token::Bytes(bytes) | Token::Raw(bytes) => {
                out.push(if matches!(token, Token::Raw(_)) { b'r' } else { b'b' });
                put_sized(&mut out, bytes);
            }
        }
    }
    let sum = checksum(&out);
    out.extend(sum.to_le_bytes());
    out
}

fn put_fixed(out: &mut Vec<u8>, kind: u8, bytes: [u8; 8]) {
    out.push(kind);
    out.extend(bytes);
}

fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u32).to_le_bytes());
    out.extend(bytes);
}

fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum: u32, &byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// What [`to_payload`] was given. Fails with `NOT_ALLOWED` for a wrong checksum, and `BAD_DATA`.
pub(super) fn from_payload(payload: &[u8]) -> Result<(Vec<u8>, u32, Vec<Token>), Status> {
    let (body, sum) = payload.split_last_chunk::<4>().ok_or(STATUS_NOT_ALLOWED)?;
    if checksum(body) != u32::from_le_bytes(*sum) {
        return Err(STATUS_NOT_ALLOWED);
    }
    let mut rest = body;
    let name = take_sized(&mut rest).ok_or(STATUS_BAD_DATA)?;
    let encoding = take_fixed::<4>(&mut rest).map(u32::from_le_bytes).ok_or(STATUS_BAD_DATA)?;
    let mut tokens = Vec::new();
    while let [kind, behind @ ..] = rest {
        rest = behind;
        tokens.push(take_token(*kind, &mut rest).ok_or(STATUS_BAD_DATA)?);
    }
    Ok((name, encoding, tokens))
}

fn take_token(kind: u8, rest: &mut &[u8]) -> Option<Token> {
    Some(match kind {
        b't' => Token::Tag(take_fixed::<1>(rest)?[0]),
        b'u' => Token::Unsigned(u64::from_le_bytes(take_fixed(rest)?)),
        b'i' => Token::Signed(i64::from_le_bytes(take_fixed(rest)?)),
        b'f' => Token::Double(f64::from_le_bytes(take_fixed(rest)?)),
        b'b' => Token::Bytes(take_sized(rest)?),
        b'r' => Token::Raw(take_sized(rest)?),
        _ => return None,
    })
}

fn take_fixed<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*taken)
}

fn take_sized(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let len = u32::from_le_bytes(take_fixed(rest)?) as usize;
    let (taken, behind) = rest.split_at_checked(len)?;
    *rest = behind;
    Some(taken.to_vec())
}
