//! The commands of sorted sets, over any storage.
