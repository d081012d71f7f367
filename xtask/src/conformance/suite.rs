//! The unpacked suite, fresh for each run.
//!
//! ```text
//! conformance/redis/         the archive's content; the three programs are links in src/ (redis1/ for a second lane)
//! conformance/redis/tests/tmp/    logs and configurations of the servers of the current pass
//! conformance/logs/UNIT/     the same, kept from the passes of a unit that failed
//! conformance/logs/UNIT.txt  all that the runner printed
//! ```

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::tools::Programs;

/// The suite in its folder, ready to run.
pub(crate) struct Suite {
    folder: PathBuf,
    lane: u32,
    logs: PathBuf,
    tclsh: PathBuf,
    version: String,
}

/// What the kernel allows a unix socket's path to be, and what the suite adds to its own folder
/// to name one.
const SOCKET_PATH_BYTES: usize = 107;
const SOCKET_NAME: &str = "/tests/tmp/server.1234567.123/socket";

/// The suite's own `runtest` only finds Tcl and passes everything on. This does the same, but has
/// the runner write line by line: Tcl holds lines back when it writes to a pipe, and what two of
/// the suite's processes hold back is then cut anywhere and mixed.
const SCRIPT: &str = "fconfigure stdout -buffering line\nsource tests/test_helper.tcl\n";

/// Put behind the suite's own definitions. The reference is Redis 7.2, which keeps small lists and
/// small sets of strings as listpacks, where 7.0 has but one encoding for each: the larger one. It
/// writes a double by the fewest digits that read back, where 7.0 writes 17: what is compared is the
/// double, to its last bit. A client whose stream or group goes away while it waits is told by 7.2 what
/// it would be told if it asked now, where 7.0 has an error for that alone. What a user is refused 7.2 says
/// with the user's name, and of one key.
const LATER_FORMS: &str = "
proc assert_equal {value expected {detail {}}} {
    if {$value eq $expected} { return }
    foreach {one other} [list $value $expected $expected $value] {
        regsub {^User [^ ]+ } $one {This user } said
        regsub -all { sanitize-payload} $said {} said
        if {$said eq $other} { return }
    }
    set double {^-?[0-9]+\\.[0-9]+(e-?[0-9]+)?$}
    if {[regexp $double $value] && [regexp $double $expected] && $value == $expected} { return }
    assert_failed \"Expected '$value' to be equal to '$expected'\" $detail
}

proc assert_encoding {enc key} {
    if {$::ignoreencoding} { return }
    set val [r object encoding $key]
    set is_larger [expr {$enc eq {quicklist} || ($enc eq {hashtable} && [r type $key] eq {set})}]
    if {$val eq {listpack} && $is_larger} { return }
    assert_match $enc $val
}

proc assert_error {pattern code {detail {}}} {
    if {![catch {uplevel 1 $code} said]} {
        assert_failed \"Expected an error matching '$pattern', not '$said'\" $detail
    }
    if {$pattern eq {*no longer exists*} && [regexp {^(NOGROUP|WRONGTYPE) } $said]} { return }
    assert_match $pattern $said $detail
}
";

impl Suite {
    /// Unpacks the archive and links the programs into it.
    ///
    /// # Errors
    /// When it is not Redis 7.0, or its folder's path is too long for unix sockets.
    pub(crate) fn unpack(
        archive: &Path,
        folder: &Path,
        lane: u32,
        programs: &Programs,
        server: &Path,
    ) -> Result<Suite, String> {
        let logs = folder.join("logs");
        let folder = folder.join(if lane == 0 { "redis".to_owned() } else { format!("redis{lane}") });
        if folder.as_os_str().len() + SOCKET_NAME.len() > SOCKET_PATH_BYTES {
            return Err(format!(
                "{} is too long a path for the suite's unix sockets: set CARGO_TARGET_DIR to a shorter one",
                folder.display()
            ));
        }
        let prepare = || {
            if folder.exists() {
                std::fs::remove_dir_all(&folder)?;
            }
            std::fs::create_dir_all(&folder)?;
            std::fs::create_dir_all(&logs)
        };
        prepare().map_err(|error| format!("cannot prepare {}: {error}", folder.display()))?;
        let status = Command::new("tar")
            .args(["--strip-components=1", "-xzf"])
            .arg(archive)
            .arg("-C")
            .arg(&folder)
            .status()
            .map_err(|error| format!("cannot start tar: {error}"))?;
        if !status.success() {
            return Err(format!("tar ended with {status} at {}", archive.display()));
        }
        let version = version_of(&folder)?;
        if !version.starts_with("7.0.") {
            return Err(format!("{} is Redis {version}, and the lists are for 7.0", archive.display()));
        }
        let suite = Suite { folder, lane, logs, tclsh: programs.tclsh.clone(), version };
        suite.link("redis-server", server)?;
        suite.link("redis-cli", &programs.cli)?;
        suite.link("redis-benchmark", &programs.benchmark)?;
        if let Some(check) = super::tools::check_beside(server) {
            suite.link("redis-check-rdb", &check)?;
            suite.link("redis-check-aof", &check)?;
        }
        std::fs::write(suite.folder.join("line-by-line.tcl"), SCRIPT)
            .map_err(|error| format!("cannot write the start script: {error}"))?;
        std::fs::OpenOptions::new()
            .append(true)
            .open(suite.folder.join("tests/support/test.tcl"))
            .and_then(|mut file| file.write_all(LATER_FORMS.as_bytes()))
            .map_err(|error| format!("cannot change how encodings are compared: {error}"))?;
        suite.expect_one("tests/unit/acl.tcl").and_then(|()| suite.expect_one("tests/unit/acl-v2.tcl"))?;
        suite.leave_debugger_out()?;
        Ok(suite)
    }

    /// Leaves out the debugger of scripts where a unit starts it outside of a test, which no list could skip.
    fn leave_debugger_out(&self) -> Result<(), String> {
        const OUTSIDE: &str = "    r script debug sync\n    r eval {return 'hello'} 0\n    r eval {return 'hello'} 0\n";
        let path = self.folder.join("tests/unit/scripting.tcl");
        let text = std::fs::read_to_string(&path).map(|text| text.replacen(OUTSIDE, "", 1));
        let written = text.and_then(|text| std::fs::write(&path, text));
        written.map_err(|error| format!("cannot change {}: {error}", path.display()))
    }

    /// Has a unit expect that one key or channel is refused, as 7.2 says it, where 7.0 speaks of several.
    fn expect_one(&self, unit: &str) -> Result<(), String> {
        let path = self.folder.join(unit);
        let text = std::fs::read_to_string(&path).map(|text| {
            ["key", "channel"]
                .iter()
                .fold(text, |text, word| text.replace(&format!("*NOPERM*{word}s*"), &format!("*NOPERM*{word}*")))
        });
        let written = text.and_then(|text| std::fs::write(&path, text));
        written.map_err(|error| format!("cannot change {}: {error}", path.display()))
    }

    /// Makes the certificates that servers and clients show each other, by the suite's own script.
    ///
    /// # Errors
    /// When the script fails.
    pub(crate) fn make_certificates(&self) -> Result<(), String> {
        let made = Command::new("bash").arg("utils/gen-test-certs.sh").current_dir(&self.folder).output();
        let made = made.map_err(|error| format!("cannot start bash: {error}"))?;
        if made.status.success() {
            return Ok(());
        }
        Err(format!("utils/gen-test-certs.sh: {}", String::from_utf8_lossy(&made.stderr)))
    }

    fn link(&self, name: &str, program: &Path) -> Result<(), String> {
        let link = self.folder.join("src").join(name);
        std::os::unix::fs::symlink(program, &link).map_err(|error| format!("cannot make {}: {error}", link.display()))
    }

    /// The runner, without arguments yet.
    pub(crate) fn command(&self) -> Command {
        self.tcl("line-by-line.tcl")
    }

    /// A script in the suite's folder. Its language is fixed because Tcl's encodings follow it.
    pub(crate) fn tcl(&self, script: &str) -> Command {
        let mut command = Command::new(&self.tclsh);
        command.arg(script).current_dir(&self.folder).env("LC_ALL", "C").env("TERM", "dumb");
        command
    }

    /// Redis's version as the source has it.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Which of the suites that run at the same time it is, from 0.
    pub(crate) fn lane(&self) -> u32 {
        self.lane
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn has_unit(&self, unit: &str) -> bool {
        self.unit_file(unit).is_file()
    }

    fn unit_file(&self, unit: &str) -> PathBuf {
        self.folder.join("tests").join(format!("{unit}.tcl"))
    }

    /// Whether the unit's file has any test. One that has none may end without having run any:
    /// `unit/printver` only reads two fields of INFO.
    pub(crate) fn defines_tests(&self, unit: &str) -> bool {
        let text = std::fs::read(self.unit_file(unit)).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().any(|line| line.trim_start().starts_with("test "))
    }

    /// The names of all units, in order.
    pub(crate) fn units(&self) -> Vec<String> {
        let mut units = Vec::new();
        for group in ["unit", "unit/type", "unit/cluster", "integration"] {
            let entries = std::fs::read_dir(self.folder.join("tests").join(group)).into_iter().flatten().flatten();
            units.extend(entries.filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                Some(format!("{group}/{}", name.strip_suffix(".tcl")?))
            }));
        }
        units.sort();
        units
    }

    /// Where all that the runner prints about this unit goes.
    pub(crate) fn log_file(&self, unit: &str) -> PathBuf {
        self.logs.join(format!("{}.txt", unit.replace('/', "-")))
    }

    /// Where the servers' logs go when the unit fails.
    pub(crate) fn log_folder(&self, unit: &str) -> PathBuf {
        self.logs.join(unit.replace('/', "-"))
    }

    /// Removes what an earlier run left.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(crate) fn forget_logs(&self, unit: &str) -> Result<(), String> {
        let (file, folder) = (self.log_file(unit), self.log_folder(unit));
        let remove = || {
            if file.exists() {
                std::fs::remove_file(&file)?;
            }
            if folder.exists() { std::fs::remove_dir_all(&folder) } else { Ok(()) }
        };
        remove().map_err(|error| format!("cannot remove {}: {error}", folder.display()))
    }

    /// Moves the servers' logs out of the way of the next unit, which would remove them.
    ///
    /// # Errors
    /// When they cannot be moved.
    pub(crate) fn keep_logs(&self, unit: &str) -> Result<(), String> {
        let from = self.folder.join("tests/tmp");
        let to = self.log_folder(unit);
        if !from.exists() {
            return Ok(());
        }
        std::fs::rename(&from, &to).map_err(|error| format!("cannot keep the logs in {}: {error}", to.display()))
    }
}

/// `src/version.h` is `#define REDIS_VERSION "7.0.15"` and a number.
fn version_of(folder: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(folder.join("src/version.h"))
        .map_err(|error| format!("the archive is no source of Redis, it has no src/version.h: {error}"))?;
    text.split('"').nth(1).map(str::to_owned).ok_or_else(|| "src/version.h has no version".to_owned())
}
