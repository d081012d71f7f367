//! What a configuration may hold and how a faulty one is reported.
//!
//! The expected outcomes were asked from redis-server 7.0.15.

use super::*;
use std::collections::BTreeMap;

/// Files in memory.
#[derive(Default)]
struct Memory(BTreeMap<PathBuf, Vec<u8>>);

impl Memory {
    fn of(files: &[(&str, &str)]) -> Self {
        let entry = |(path, text): &(&str, &str)| (PathBuf::from(path), text.as_bytes().to_vec());
        Self(files.iter().map(entry).collect())
    }
}

impl Files for Memory {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.0.get(path).cloned().ok_or_else(|| io::Error::from_raw_os_error(2))
    }

    fn matching(&self, pattern: &str) -> Vec<PathBuf> {
        let Ok(pattern) = glob::Pattern::new(pattern) else {
            return Vec::new();
        };
        self.0.keys().filter(|path| pattern.matches_path(path)).cloned().collect()
    }
}

const SERVER: &str = "Redis 7.0.15";

fn directives(text: &str) -> Vec<Directive> {
    let files = Memory::of(&[("a.conf", text)]);
    let sources = Sources { file: Some(Path::new("a.conf")), ..Sources::default() };
    read_all(&sources, &files, SERVER).unwrap()
}

/// Each directive as `line:name|arg|arg`.
fn shown(directives: &[Directive]) -> Vec<String> {
    let show = |directive: &Directive| {
        let args: Vec<_> = directive.args.iter().map(|arg| String::from_utf8_lossy(arg)).collect();
        let name = &directive.name;
        format!("{}:{}", directive.line, [&[name.as_str().into()], &args[..]].concat().join("|"))
    };
    directives.iter().map(show).collect()
}

/// The error of reading `first` among `files`, with `foo` an unknown directive.
fn failure(first: &str, files: &[(&str, &str)]) -> String {
    let sources = Sources { file: Some(Path::new(first)), ..Sources::default() };
    let mut apply = |directive: Directive| match directive.name.as_str() {
        "foo" => Err(LineError::BadDirective),
        _ => Ok(()),
    };
    read(&sources, &Memory::of(files), SERVER, &mut apply).unwrap_err().to_string()
}

fn fault(line: usize, text: &str, reason: &str) -> String {
    format!(
        "*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\n\
         Reading the configuration file, at line {line}\n>>> '{text}'\n{reason}"
    )
}

/// The options of a command line as text.
fn options(args: &[&str]) -> String {
    String::from_utf8(CommandLine::parse(args).options).unwrap()
}

#[test]
fn comments_and_blank_lines_count_as_lines_and_say_nothing() {
    let text = "# head\n\n  \t\r\nPort 7000\r\n  #x\n\x0b\nsave 60 1 \n\nbind * -::*";
    assert_eq!(shown(&directives(text)), ["4:port|7000", "7:save|60|1", "9:bind|*|-::*"]);
}

#[test]
fn a_directive_keeps_its_line_as_written_without_the_blanks_around_it() {
    let all = directives(" \t RequirePass  \"a\\x41 \" '' # no comment \r\n");
    assert_eq!(shown(&all), ["1:requirepass|aA ||#|no|comment"]);
    assert_eq!(all[0].text, b"RequirePass  \"a\\x41 \" '' # no comment");
}

#[test]
fn a_faulty_line_is_reported_in_the_form_redis_prints() {
    let bad = "Bad directive or wrong number of arguments";
    let got = failure("a", &[("a", "port 17400\n# c\n  foo bar \n")]);
    assert_eq!(got, fault(3, "foo bar", bad));
    let got = failure("a", &[("a", "port 17400\nport \"17400\n")]);
    assert_eq!(got, fault(2, "port \"17400", "Unbalanced quotes in configuration line"));
    let got = failure("a", &[("a", "include x y")]);
    assert_eq!(got, fault(1, "include x y", bad));
}

#[test]
fn the_first_fault_in_the_text_is_the_one_reported() {
    let got = failure("a", &[("a", "foo\nport \"1\ninclude none\n")]);
    assert!(got.contains("at line 1\n>>> 'foo'"));
    let got = failure("a", &[("a", "include none\nfoo\n")]);
    assert_eq!(got, "Fatal error, can't open config file 'none': No such file or directory");
}

#[test]
fn a_refused_value_gives_its_reason() {
    let sources = Sources { options: b"port x", ..Sources::default() };
    let error = read(&sources, &Memory::default(), SERVER, &mut |directive| {
        crate::settings::value::integer(&directive.args[0], 0..=65535)?;
        Ok(())
    });
    let reason = "argument couldn't be parsed into an integer";
    assert_eq!(error.unwrap_err().to_string(), fault(2, "port x", reason));
}

#[test]
fn an_included_file_stands_where_its_include_does() {
    let files = Memory::of(&[
        ("main", "a 1\nINCLUDE sub/x.conf\nb 2\ninclude sub/*.conf\ninclude none*\n"),
        ("sub/x.conf", "c 3"),
        ("sub/y.conf", "\nd 4\n"),
        ("sub/z.txt", "e 5"),
    ]);
    let sources = Sources { file: Some(Path::new("main")), ..Sources::default() };
    let all = read_all(&sources, &files, SERVER).unwrap();
    assert_eq!(shown(&all), ["1:a|1", "1:c|3", "3:b|2", "1:c|3", "2:d|4"]);
    let got = failure("m", &[("m", "\ninclude n"), ("n", "a\n\nfoo\n")]);
    assert!(got.contains("at line 3\n>>> 'foo'"));
}

#[test]
fn includes_that_go_in_a_circle_or_spread_too_wide_end_with_an_error() {
    let got = failure("a", &[("a", "include b"), ("b", "\ninclude a")]);
    assert_eq!(got, fault(1, "include b", "include is nested more than 16 files deep"));
    let got = failure("a", &[("a", "include *")]);
    assert!(got.contains("nested more than 16"));
    let names: Vec<String> = (0..12).map(|level| level.to_string()).collect();
    let texts: Vec<String> = (1..13).map(|level| format!("include {level}\n").repeat(10)).collect();
    let mut files: Vec<(&str, &str)> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    files.push(("12", "x 1"));
    assert!(failure("0", &files).contains("include reads more than 1024 files"));
}

#[test]
fn file_standard_input_and_options_read_as_one_text() {
    let files = Memory::of(&[("f", "a 1\nb 2\n")]);
    let sources = Sources { file: Some(Path::new("f")), stdin: Some(b"c 3\n"), options: b"d\ne" };
    let all = read_all(&sources, &files, SERVER).unwrap();
    assert_eq!(shown(&all), ["1:a|1", "2:b|2", "3:c|3", "5:d", "6:e"]);
    let sources = Sources { options: b"foo 1", ..Sources::default() };
    assert_eq!(shown(&read_all(&sources, &files, SERVER).unwrap()), ["2:foo|1"]);
}

#[test]
fn options_become_lines_with_quoted_values() {
    assert_eq!(options(&[]), "");
    assert_eq!(options(&["--port", "7000", "--loglevel", "verbose"]), "port \"7000\" \nloglevel \"verbose\" ");
    assert_eq!(options(&["--save", "60", "1", "--x"]), "save \"60\" \"1\" \nx ");
    assert_eq!(options(&["--FOO", "a b", "c\"\\d\t\u{1}", ""]), r#"FOO "a b" "c\"\\d\t\x01" "" "#);
    assert_eq!(options(&["--bind", "* -::*", "--a", "1"]), "bind \"* -::*\" \na \"1\" ");
    assert_eq!(options(&["--port", "-1", "-x"]), "port \"-1\" \"-x\" ");
    assert_eq!(options(&["-x", "1"]), "\"-x\" \"1\" ");
}

#[test]
fn the_argument_after_an_option_is_its_value_whatever_it_looks_like() {
    assert_eq!(options(&["--requirepass", "--x", "--foo"]), "requirepass \"--x\" \nfoo ");
    assert_eq!(options(&["--port=1", "--foo=bar"]), "port=1 \"--foo=bar\" ");
}

#[test]
fn an_option_and_its_value_may_share_an_argument() {
    assert_eq!(options(&["--port 7000", "--foo 'a b'"]), "port 7000 \nfoo 'a b' ");
    assert_eq!(options(&["--foo \"a", "--b"]), "foo \"a \nb ");
}

#[test]
fn save_without_a_value_means_an_empty_one() {
    assert_eq!(options(&["--save", "--port", "1"]), "save \"\"\nport \"1\" ");
    assert_eq!(options(&["--port", "1", "--SAVE"]), "port \"1\" \nSAVE \"\"");
    assert_eq!(options(&["--save", "", "--port", "1"]), "save \"\" \nport \"1\" ");
    assert_eq!(options(&["--sentinel", "--port", "1"]), "sentinel \nport \"1\" ");
}

#[test]
fn a_file_and_a_dash_are_told_from_options() {
    let line = CommandLine::parse(&["my.conf", "--port", "1"]);
    assert_eq!(line.file.as_deref(), Some(Path::new("my.conf")));
    assert!(!line.stdin);
    assert!(CommandLine::parse(&["-"]).stdin);
    let line = CommandLine::parse(&["", "--port", "1"]);
    assert!(line.file.is_none() && line.options == b"port \"1\" ");
    let line = CommandLine::parse(&["-", "--port", "1"]);
    assert!(line.stdin && line.file.is_none());
    let line = CommandLine::parse(&["my.conf", "-"]);
    assert!(line.stdin && line.file.is_some() && line.options.is_empty());
    assert!(CommandLine::parse(&["--port", "1", "-"]).stdin);
    let line = CommandLine::parse(&["--port", "1", "-", "--a", "1"]);
    assert!(!line.stdin);
    assert_eq!(line.options, b"port \"1\" \"-\" \na \"1\" ");
}

#[test]
fn the_disk_gives_matches_in_order_and_hides_dot_files() {
    let dir = std::env::temp_dir().join(format!("plinth-config-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    for name in ["b.conf", "a.conf", ".c.conf", "d.txt"] {
        std::fs::write(dir.join(name), name).unwrap();
    }
    let found = Disk.matching(&format!("{}/*.conf", dir.display()));
    assert_eq!(found, [dir.join("a.conf"), dir.join("b.conf")]);
    assert_eq!(Disk.read(&found[0]).unwrap(), b"a.conf");
    assert!(Disk.read(&dir.join("none")).is_err());
    assert!(Disk.matching("[*").is_empty());
    std::fs::remove_dir_all(&dir).unwrap();
}
