//! Parameters of active defragmentation.

use crate::settings::parameters::Kind::{Bool, Integer, Memory};
use crate::settings::parameters::{Parameter, parameter};

/// Values of the parameters.
#[derive(Clone)]
pub struct Defrag {
    /// Whether it is done at all.
    pub is_on: bool,
    /// Bytes that may be lost to fragmentation before anything is done.
    pub ignored_bytes: i64,
    /// Percent of what is in use from which on it is done ...
    pub lower_percent: i64,
    /// ... and from which on it is done as fast as it may be.
    pub upper_percent: i64,
    /// Percent of the time that it takes at the lower bound.
    pub cycle_min_percent: i64,
    /// The same at the upper.
    pub cycle_max_percent: i64,
}

impl Default for Defrag {
    fn default() -> Self {
        Defrag {
            is_on: false,
            ignored_bytes: 100 << 20,
            lower_percent: 10,
            upper_percent: 100,
            cycle_min_percent: 1,
            cycle_max_percent: 25,
        }
    }
}

/// They, in the order in which CONFIG GET shows them.
pub static PARAMETERS: &[Parameter] = &[
    parameter("activedefrag", Bool(|s| &mut s.defrag.is_on)),
    parameter("active-defrag-cycle-max", Integer(|s| &mut s.defrag.cycle_max_percent, 1, 99)),
    parameter("active-defrag-cycle-min", Integer(|s| &mut s.defrag.cycle_min_percent, 1, 99)),
    parameter("active-defrag-ignore-bytes", Memory(|s| &mut s.defrag.ignored_bytes, 1, i64::MAX)),
    parameter("active-defrag-threshold-lower", Integer(|s| &mut s.defrag.lower_percent, 0, 1000)),
    parameter("active-defrag-threshold-upper", Integer(|s| &mut s.defrag.upper_percent, 0, 1000)),
];
