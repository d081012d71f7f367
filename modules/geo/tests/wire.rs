//! RESP bytes in and out of a real server.
