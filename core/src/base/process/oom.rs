//! Whom the kernel ends first when memory runs out: `/proc/self/oom_score_adj`, -1000 (never) to 1000.

use std::io;

const PATH: &str = "/proc/self/oom_score_adj";
const SCORE_MAX: i64 = 1000;

/// This process's score.
pub fn score() -> io::Result<i64> {
    let text = std::fs::read_to_string(PATH)?;
    text.trim().parse().map_err(io::Error::other)
}

/// Set it, as near as the kernel's bounds allow. Who is not privileged may not go below where it was.
pub fn set_score(score: i64) -> io::Result<()> {
    std::fs::write(PATH, score.clamp(-SCORE_MAX, SCORE_MAX).to_string())
}
