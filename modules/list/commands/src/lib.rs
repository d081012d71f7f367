//! The commands of lists, over any storage.
