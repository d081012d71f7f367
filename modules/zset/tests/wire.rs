//! RESP bytes in and out.
