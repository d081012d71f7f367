//! What lasts: files that are written, and servers that begin with them.

mod background;
mod end;
mod files;
mod loading;
