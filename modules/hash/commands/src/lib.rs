//! The commands of hashes, over any storage.
