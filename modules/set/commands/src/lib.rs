//! The commands of sets, over any storage.
