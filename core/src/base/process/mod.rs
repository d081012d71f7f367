//! What the process is to the system: its title, its processors, who looks after it, whom the kernel ends first,
//! by what order texts go. Each of these is one per process, and so is the little state behind it.

pub mod activation;
pub mod locale;
pub mod oom;
pub mod processors;
pub mod supervisor;
pub mod title;

/// Have the kernel give this process, and those that it forks, no huge pages: after a fork, each write would
/// copy two megabytes instead of four kilobytes. Whether it does.
pub fn disable_huge_pages() -> bool {
    rustix::thread::disable_transparent_huge_pages(true).is_ok()
}
