//! A fuzzer for configuration text and command lines, as a plain loop.
//!
//! Claims: no text panics; a line is read alike alone and among others; what `quote`
//! writes reads back; includes always end.
//!
//! It runs for a fraction of a second under `cargo test`. For longer:
//!
//! ```text
//!   PLINTH_FUZZ_SECONDS=600 cargo test --release -p plinth config::file::fuzz
//!   PLINTH_FUZZ_SEED=123    starts at that case; a failure prints the seed of its case
//! ```

use super::*;
use crate::settings::value;
use plinth_fuzz::Random;

/// What texts are made of; `0` and `1` are files that exist.
const PIECES: [&str; 28] = [
    "\n",
    "\n",
    "\r\n",
    " ",
    "\t",
    "\x0b",
    "#",
    "\"",
    "'",
    "\\",
    "\\x4",
    "\\x41",
    "\\\"",
    "\\'",
    "port 7000",
    "save \"\"",
    "include 0\n",
    "include 1\n",
    "include *\n",
    "include [\n",
    "include none\n",
    "--",
    "--save",
    "-",
    "0",
    "1gb",
    "99999999999999999999",
    "yes",
];

fn text(random: &mut Random, pieces: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..random.below(pieces) {
        if random.below(8) == 0 {
            out.push(random.word() as u8);
        } else {
            out.extend_from_slice(PIECES[random.below(PIECES.len())].as_bytes());
        }
    }
    out
}

/// Two files, named `0` and `1`.
struct Two([Vec<u8>; 2]);

impl Files for Two {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match path.to_str() {
            Some("0") => Ok(self.0[0].clone()),
            Some("1") => Ok(self.0[1].clone()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn matching(&self, _pattern: &str) -> Vec<PathBuf> {
        vec!["0".into(), "1".into()]
    }
}

fn one_case(random: &mut Random) {
    let files = Two([text(random, 20), text(random, 20)]);
    let args: Vec<Vec<u8>> = (0..random.below(6)).map(|_| text(random, 3)).collect();
    let line = CommandLine::parse(&args);
    let sources = Sources { file: Some(Path::new("0")), stdin: Some(&files.0[1]), options: &line.options };
    let mut seen = 0;
    let outcome = read(&sources, &files, "x", &mut |directive| {
        seen += 1;
        let again = parse_line(&directive.text, directive.line);
        assert_eq!(again, Ok(Some(directive.clone())));
        let mut line = Vec::new();
        for word in std::iter::once(directive.name.as_bytes()).chain(directive.args.iter().map(Vec::as_slice)) {
            words::quote(word, &mut line);
            line.push(b' ');
            let _ = value::memory_size(word);
            let _ = value::octal(word, 0..=0o777);
        }
        let quoted = parse_line(&line, directive.line).unwrap().unwrap();
        assert_eq!((quoted.name, quoted.args), (directive.name, directive.args));
        Ok(())
    });
    if let Err(error) = outcome {
        assert!(!error.to_string().is_empty());
    }
    let lines_max = files.0.iter().map(|text| count_line_ends(text) + 1).max().unwrap();
    assert!(seen <= INCLUDE_FILES_MAX * lines_max + args.len() + 60);
}

#[test]
fn no_text_panics_and_every_directive_reads_back() {
    plinth_fuzz::run(one_case);
}
