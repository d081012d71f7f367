//! Where unsafe code may be: where the boundary to modules, the layout of an entry and the clock
//! of the processor are, and nowhere else. What has to be elsewhere is in the list with a reason.

use super::Fault;
use super::source::File;

/// Files and folders, from the root.
const PLACES: [&str; 28] = [
    // Calls across the boundary, and what is called through it.
    "core/src/modules/",
    "core/src/engine/",
    "core/src/registry/",
    "core/src/base/foreign.rs",
    "core/src/store/",
    // Commands as pointers into the table.
    "core/src/command/",
    // The reply buffer that modules write into, and arguments as pointers into query buffers.
    "core/src/socket/output",
    "core/src/net/ahead.rs",
    "core/src/net/batch.rs",
    "core/src/base/clock.rs",
    // What runs when a signal ends the process, and what the process is to the system.
    "core/src/base/crash.rs",
    "core/src/base/process/",
    // A second process.
    "core/src/base/fork.rs",
    // C's allocation functions, and Rust's.
    "core/src/base/allocator",
    // Zeroed memory that may not be there.
    "core/src/base/memory.rs",
    "module-api/abi/",
    "module-api/sdk/",
    "module-api/table/",
    // A test's own call, and the service that it listens to.
    "module-api/testbed/",
    // Storages of large values, which hold pointers in slots of the table.
    "modules/hash/src/store/",
    "modules/set/src/store/",
    "modules/zset/src/store/",
    // Vector instructions, which are intrinsics.
    "modules/bitmap/src/vector.rs",
    "modules/hyperloglog/src/vector.rs",
    // Lua's C interface.
    "modules/scripting/src/lua/",
    // The service of an example, and modules that are wrong on purpose.
    "examples/counter-service/api/",
    "tests/modules/",
    // A bench that measures the boundary itself.
    "xtask/src/bench/",
];

/// Checks all files in Rust; one fault a file.
pub(super) fn check(files: &[File]) -> Vec<Fault> {
    let outside = files.iter().filter(|file| !PLACES.iter().any(|place| file.path.starts_with(place)));
    let fault = |file: &File| {
        let word = file.words.iter().find(|word| word.is_name && word.text == "unsafe")?;
        Some(Fault {
            rule: "unsafe",
            path: file.path.clone(),
            line: word.line,
            word: "unsafe".into(),
            advice: "unsafe code has its places, see xtask/src/tidy/unsafety.rs".into(),
        })
    };
    outside.filter_map(fault).collect()
}
