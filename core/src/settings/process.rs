//! Parameters of the process: who looks after it, what it is called, where it runs, what it says when it dies.

use crate::base::process::{processors, title};
use crate::settings::parameters::Kind::{Bool, Choice, Custom, Integer, Text};
use crate::settings::parameters::{INT_MAX, Parameter, Settings, one, parameter, reason};
use crate::settings::value;

/// Names of what looks after the process, as `supervised` has them.
pub const SUPERVISORS: &[&str] = &["upstart", "systemd", "auto", "no"];
/// Names of what `oom-score-adj` may be.
const OOM: &[&str] = &["no", "yes", "relative", "absolute"];
/// Position of `no`.
pub const OOM_OFF: usize = 0;
/// Position of `absolute`.
pub const OOM_ABSOLUTE: usize = 3;
/// Names of facilities of the system's log.
pub const FACILITIES: &[&str] =
    &["user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"];
/// The kernel's bounds of a score, and twice that, so that a relative one can say anything.
const OOM_SCORE_MAX: i64 = 2000;

/// Values of the parameters that concern the process.
#[derive(Clone)]
pub struct Process {
    /// Position in [`SUPERVISORS`].
    pub supervised: usize,
    /// Whether the process is called by what it does.
    pub sets_title: bool,
    /// What that is made of.
    pub title: String,
    /// Position in `OOM`: whether the kernel is told whom to end first when memory runs out.
    pub oom: usize,
    /// By how much this one rather than others: as primary, as replica, as child.
    pub oom_scores: [i64; 3],
    /// Have no huge pages, of which a fork copies too much.
    pub disable_thp: bool,
    /// Whether the log keeps what clients have sent to itself.
    pub hides_user_data: bool,
    /// Say how it died.
    pub crash_log: bool,
    /// Locale by which texts are ordered, or empty for that of the environment.
    pub locale: String,
    /// Whether lines of the log go to the system's log too, ...
    pub syslog: bool,
    /// ... under which name, ...
    pub syslog_ident: String,
    /// ... and position in [`FACILITIES`].
    pub syslog_facility: usize,
    /// Processors of the thread that runs commands.
    pub server_cpus: String,
    /// Processors of the threads beside it.
    pub bio_cpus: String,
    /// Processors of a child that writes a base of the append-only file.
    pub rewrite_cpus: String,
    /// Processors of a child that writes a snapshot.
    pub save_cpus: String,
    /// Milliseconds of standing still after which the log says where, 0 for never.
    pub watchdog_ms: i64,
}

/// They, in the order in which CONFIG GET shows them.
pub static PARAMETERS: &[Parameter] = &[
    parameter("supervised", Choice(|s| &mut s.process.supervised, SUPERVISORS)).immutable(),
    parameter("set-proc-title", Bool(|s| &mut s.process.sets_title)).immutable(),
    parameter("proc-title-template", Custom(|s| s.process.title.clone(), set_title)),
    parameter("oom-score-adj", Choice(|s| &mut s.process.oom, OOM)),
    parameter("oom-score-adj-values", Custom(get_oom_scores, set_oom_scores)).several(),
    parameter("disable-thp", Bool(|s| &mut s.process.disable_thp)).immutable(),
    parameter("hide-user-data-from-log", Bool(|s| &mut s.process.hides_user_data)),
    parameter("crash-log-enabled", Bool(|s| &mut s.process.crash_log)),
    parameter("locale-collate", Text(|s| &mut s.process.locale)),
    parameter("syslog-enabled", Bool(|s| &mut s.process.syslog)).immutable(),
    parameter("syslog-ident", Text(|s| &mut s.process.syslog_ident)).immutable(),
    parameter("syslog-facility", Choice(|s| &mut s.process.syslog_facility, FACILITIES)).immutable(),
    parameter(
        "server-cpulist",
        Custom(
            |s| s.process.server_cpus.clone(),
            |s, words| processors_of(words).map(|list| s.process.server_cpus = list),
        ),
    )
    .alias("server_cpulist")
    .immutable(),
    parameter(
        "bio-cpulist",
        Custom(|s| s.process.bio_cpus.clone(), |s, words| processors_of(words).map(|list| s.process.bio_cpus = list)),
    )
    .alias("bio_cpulist")
    .immutable(),
    parameter(
        "aof-rewrite-cpulist",
        Custom(
            |s| s.process.rewrite_cpus.clone(),
            |s, words| processors_of(words).map(|list| s.process.rewrite_cpus = list),
        ),
    )
    .alias("aof_rewrite_cpulist")
    .immutable(),
    parameter(
        "bgsave-cpulist",
        Custom(|s| s.process.save_cpus.clone(), |s, words| processors_of(words).map(|list| s.process.save_cpus = list)),
    )
    .alias("bgsave_cpulist")
    .immutable(),
    parameter("watchdog-period", Integer(|s| &mut s.process.watchdog_ms, 0, INT_MAX)).hidden(),
];

impl Default for Process {
    fn default() -> Process {
        Process {
            supervised: 3,
            sets_title: true,
            title: "{title} {listen-addr} {server-mode}".into(),
            oom: OOM_OFF,
            oom_scores: [0, 200, 800],
            disable_thp: true,
            hides_user_data: false,
            crash_log: true,
            locale: String::new(),
            syslog: false,
            syslog_ident: "redis".into(),
            syslog_facility: 1,
            server_cpus: String::new(),
            bio_cpus: String::new(),
            rewrite_cpus: String::new(),
            save_cpus: String::new(),
            watchdog_ms: 0,
        }
    }
}

/// A list of processors, which has to be one; nothing stands for all of them.
fn processors_of(words: &[Vec<u8>]) -> Result<String, String> {
    let list = String::from_utf8_lossy(one(words)?).into_owned();
    processors::parse(&list).map_err(|error| error.to_string())?;
    Ok(list)
}

fn set_title(settings: &mut Settings, words: &[Vec<u8>]) -> Result<(), String> {
    let template = value::text(one(words)?).map_err(reason)?;
    if !title::is_template(&template) {
        return Err("template format is invalid or contains unknown variables".into());
    }
    settings.process.title = template;
    Ok(())
}

fn get_oom_scores(settings: &Settings) -> String {
    settings.process.oom_scores.map(|score| score.to_string()).join(" ")
}

fn set_oom_scores(settings: &mut Settings, words: &[Vec<u8>]) -> Result<(), String> {
    let [_, _, _] = words else { return Err("wrong number of arguments".into()) };
    let score = |word: &Vec<u8>| {
        let number = crate::base::number::parse_i64(word);
        number.filter(|score| (-OOM_SCORE_MAX..=OOM_SCORE_MAX).contains(score)).ok_or_else(|| {
            format!("Invalid oom-score-adj-values, elements must be between -{OOM_SCORE_MAX} and {OOM_SCORE_MAX}.")
        })
    };
    let scores: Vec<i64> = words.iter().map(score).collect::<Result<_, String>>()?;
    settings.process.oom_scores.copy_from_slice(&scores);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::settings::parameters::set_line as set;

    #[test]
    fn scores_are_three_within_bounds() {
        assert_eq!(set("oom-score-adj-values", "-2000 0 2000").as_deref(), Ok("-2000 0 2000"));
        for wrong in ["1 2", "1 2 3 4", "x 1 1", "0 0 2001"] {
            assert!(set("oom-score-adj-values", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_list_of_processors_is_shown_as_it_was_given_under_both_names() {
        assert_eq!(set("bgsave_cpulist", "0-3:2,5").as_deref(), Ok("0-3:2,5"));
        assert!(set("server-cpulist", "3-1").is_err() && set("bio-cpulist", "a").is_err());
    }

    #[test]
    fn a_title_names_what_there_is_only() {
        assert_eq!(set("proc-title-template", "'{port} x'").as_deref(), Ok("{port} x"));
        assert!(set("proc-title-template", "''").is_err() && set("proc-title-template", "'{what}'").is_err());
    }
}
