//! What SORT is made of, apart from the command itself.
//!
//! ```text
//! pattern.rs   `weight_*`, `user_*->name`, `#`: which key, and which field, belongs to an element
//! number.rs    a text as a weight, by C's rules
//! items.rs     the elements with their weights, and their order
//! values.rs    elements and weights out of lists, sets, sorted sets, strings and hashes
//! ```
//!
//! All but `values.rs` is pure. `values.rs` reaches the types through their services, each of which
//! is looked up when it is first needed: the module loads, and all its other commands work,
//! whichever types there are.

pub(crate) mod items;
pub(crate) mod number;
pub(crate) mod pattern;
pub(crate) mod values;
