//! What lasts: files that are written, and servers that begin with them.

mod background;
mod cut;
mod end;
mod faults;
mod files;
mod loading;
mod power;
