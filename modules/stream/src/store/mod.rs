//! The storage: a counted tree of packs.
