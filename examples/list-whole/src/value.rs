//! The data type, and finding its values.

use crate::list::List;
use crate::load;
use plinth_module::convert::Conversion;
use plinth_module::prelude::*;
use std::ffi::CStr;

/// Lists: always in a box.
pub(crate) enum Lists {}

impl MixedType for Lists {
    type Boxed = List;
    const NAME: &'static CStr = c"list";
    const RDB_TAGS: &'static [u8] = load::TAGS;
    const CONVERT: Option<Conversion<List>> = Some(Conversion::of_sequence());

    fn save(value: Stored<'_, List>, out: &mut Saver<'_>) {
        if let Stored::Boxed { value, .. } = value {
            out.tag(load::LIST);
            out.put(value.len());
            value.iter().for_each(|element| out.put(element));
        }
    }

    fn load<'l>(from: &'l mut Loader<'_>, encoding: u32) -> Result<Loaded<'l, List>> {
        let tag = u8::try_from(encoding).map_err(|_| Error::BadData)?;
        Ok(Loaded::boxed(0, load::load(from, tag)?))
    }

    fn memory(value: &List) -> usize {
        value.memory()
    }

    fn free_effort(value: &List) -> usize {
        value.len()
    }

    /// What tools expect to see of a list of this size.
    fn encoding_name(value: Stored<'_, List>) -> &'static str {
        match value {
            Stored::Boxed { value, .. } if !is_small(value) => "quicklist",
            _ => "listpack",
        }
    }

    fn copy(value: &List) -> Option<List> {
        Some(value.copy())
    }

    fn rewrite(value: Stored<'_, List>, out: &mut Rewriter<'_>) -> Result {
        let mut pieces = out.pieces("RPUSH");
        if let Stored::Boxed { value, .. } = value {
            value.iter().for_each(|element| pieces.push(&[element]));
        }
        pieces.finish()
    }

    fn digest(value: Stored<'_, List>, out: &mut Digester<'_>) -> Result {
        if let Stored::Boxed { value, .. } = value {
            value.iter().for_each(|element| out.add(element));
        }
        Ok(())
    }
}

static PACK_SIZE: ConfigInteger = ConfigInteger::new();
static COMPRESS_DEPTH: ConfigInteger = ConfigInteger::new();

/// The parameters that a `redis.conf` may have, one of them under its old name too. The first
/// decides what OBJECT ENCODING calls small; there is nothing to compress.
pub(crate) const PARAMETERS: &[Config] = &[
    Config {
        alias: text("list-max-ziplist-size"),
        ..bare(PACK_SIZE.declare("list-max-listpack-size", "-2", i32::MIN as i64, i32::MAX as i64))
    },
    bare(COMPRESS_DEPTH.declare("list-compress-depth", "0", 0, i32::MAX as i64)),
];

/// A parameter without the module's name in front.
const fn bare(mut parameter: Config) -> Config {
    parameter.flags |= CONFIG_BARE;
    parameter
}

/// Whether other servers would keep the list in one piece: below so many elements, or, with a
/// negative parameter, below 4 KiB, 8 KiB, up to 64 KiB.
fn is_small(list: &List) -> bool {
    // An element's length takes two bytes more in nearly all cases.
    let bytes = list.bytes() + 2 * list.len() + 7;
    match PACK_SIZE.get() {
        limit if limit >= 0 => list.len() as i64 <= limit && bytes <= 8192,
        limit => bytes <= 4096 << (-limit - 1).min(4),
    }
}

/// The list at a key.
pub(crate) fn find<'k>(keys: &'k mut Keys<'_>, key: &'k [u8]) -> Result<Option<&'k mut List>> {
    match keys.get_write(TypeHandle::of::<Lists>()?, key)? {
        None => Ok(None),
        Some(entry) => entry.into_boxed::<Lists>().ok_or(Error::Unsupported).map(Some),
    }
}

/// The list at a key, only to be read.
pub(crate) fn read<'k>(keys: &'k mut Keys<'_>, key: &'k [u8]) -> Result<Option<&'k List>> {
    match keys.get(TypeHandle::of::<Lists>()?, key)? {
        None => Ok(None),
        Some(entry) => entry.into_boxed::<Lists>().ok_or(Error::Unsupported).map(|list| Some(&*list)),
    }
}

/// Makes a key of a list that is not empty, whatever was there.
pub(crate) fn create(keys: &mut Keys<'_>, key: &[u8], list: List) -> Result {
    keys.put_boxed::<Lists>(key, 0, list, 0).map(|_| ())
}

/// Says what was taken out of a list, and removes it if that was the last of it.
pub(crate) fn taken(keys: &mut Keys<'_>, key: &[u8], event: &str, is_empty: bool) -> Result {
    keys.modified(key, EVENT_LIST, event);
    if is_empty {
        keys.remove(key, 0)?;
        keys.notify(key, EVENT_GENERIC, "del");
    }
    Ok(())
}
