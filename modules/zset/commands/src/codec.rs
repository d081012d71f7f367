//! The codec: the type, and its values in files and payloads.
