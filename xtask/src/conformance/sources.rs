//! Where this machine's apt looks for packages, turned into where it would look for sources.
//!
//! Few machines have `deb-src` lines, and adding some to `/etc/apt` for the sake of a test would
//! change the machine. So every line that leads to a distribution's own archive is rewritten
//! here: same mirror, same release, same keys, but sources. Apt then reads the rewritten lines
//! from a folder of ours. There are two formats, and both are in use:
//!
//! ```text
//! deb [signed-by=/key.gpg] http://mirror/debian bookworm main      *.list, one line each
//!
//! Types: deb                                                       *.sources, paragraphs
//! URIs: http://mirror/debian
//! Suites: bookworm
//! Components: main
//! ```

use std::path::Path;

/// The same sources in both formats; either may be empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    pub(crate) lines: String,
    pub(crate) paragraphs: String,
}

impl Sources {
    /// Reads apt's folder, normally `/etc/apt`.
    ///
    /// # Errors
    /// When no line there leads to an archive of Debian or of Ubuntu.
    pub(crate) fn read(folder: &Path) -> Result<Sources, String> {
        let mut sources = Sources::default();
        let mut files = vec![folder.join("sources.list")];
        if let Ok(entries) = std::fs::read_dir(folder.join("sources.list.d")) {
            files.extend(entries.flatten().map(|entry| entry.path()));
        }
        files.sort();
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            match file.extension().and_then(|extension| extension.to_str()) {
                Some("list") => sources.add_lines(&text),
                Some("sources") => sources.add_paragraphs(&text),
                _ => {}
            }
        }
        if sources == Sources::default() {
            return Err(format!("no archive of Debian or Ubuntu is named in {}", folder.display()));
        }
        Ok(sources)
    }

    fn add_lines(&mut self, text: &str) {
        for line in text.lines() {
            let Some(rest) = line.trim().strip_prefix("deb-src ").or_else(|| line.trim().strip_prefix("deb ")) else {
                continue;
            };
            let (options, address) = match rest.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                Some((options, address)) => (kept_options(options), address.trim_start()),
                None => (String::new(), rest.trim_start()),
            };
            let source = format!("deb-src {options}{address}\n");
            // A machine that has both lines would make apt complain about one said twice.
            if is_distribution(address) && !self.lines.contains(&source) {
                self.lines.push_str(&source);
            }
        }
    }

    fn add_paragraphs(&mut self, text: &str) {
        let code: String = text.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
        for paragraph in code.split("\n\n") {
            let field = |name: &str| {
                paragraph.lines().find_map(|line| {
                    let (key, value) = line.split_once(':')?;
                    key.eq_ignore_ascii_case(name).then(|| value.trim())
                })
            };
            let off = field("Enabled").is_some_and(|value| value.eq_ignore_ascii_case("no"));
            if off || !field("URIs").is_some_and(is_distribution) {
                continue;
            }
            let source = rewritten(paragraph);
            if !self.paragraphs.contains(&source) {
                self.paragraphs.push_str(&source);
            }
        }
    }
}

/// Sources are for all architectures, so a choice of one has no place in their line.
fn kept_options(options: &str) -> String {
    let kept: Vec<&str> = options.split_whitespace().filter(|option| !option.starts_with("arch")).collect();
    if kept.is_empty() { String::new() } else { format!("[{}] ", kept.join(" ")) }
}

/// A paragraph with sources as its only type. Lines that continue a field, such as a key within
/// the paragraph, stay with it.
fn rewritten(paragraph: &str) -> String {
    let mut source = String::from("Types: deb-src\n");
    let mut drops = false;
    for line in paragraph.lines().filter(|line| !line.is_empty()) {
        if !line.starts_with([' ', '\t']) {
            let key = line.split(':').next().unwrap_or_default();
            drops = ["Types", "Architectures"].iter().any(|dropped| key.eq_ignore_ascii_case(dropped));
        }
        if !drops {
            source.push_str(line);
            source.push('\n');
        }
    }
    source.push('\n');
    source
}

/// Mirrors keep the distribution's name in their addresses. Archives of single vendors do not,
/// have no Redis, and may answer nothing when asked for sources.
fn is_distribution(address: &str) -> bool {
    !address.starts_with("cdrom:") && ["debian", "ubuntu"].iter().any(|name| address.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_lines_become_source_lines_and_only_once() {
        let mut sources = Sources::default();
        sources.add_lines(
            "# a comment\n\
             deb [arch=amd64 signed-by=/keys/debian.gpg] http://mirror.example/debian bookworm main\n\
             deb-src [signed-by=/keys/debian.gpg] http://mirror.example/debian bookworm main\n\
             deb https://packages.vendor.example/apt stable main\n\
             deb cdrom:[debian 12]/ bookworm main\n",
        );
        assert_eq!(sources.lines, "deb-src [signed-by=/keys/debian.gpg] http://mirror.example/debian bookworm main\n");
    }

    #[test]
    fn a_line_without_options_keeps_its_address() {
        let mut sources = Sources::default();
        sources.add_lines("deb http://archive.ubuntu.com/ubuntu noble main universe\n");
        assert_eq!(sources.lines, "deb-src http://archive.ubuntu.com/ubuntu noble main universe\n");
    }

    #[test]
    fn paragraphs_keep_their_keys_and_lose_their_architectures() {
        let mut sources = Sources::default();
        sources.add_paragraphs(
            "Types: deb deb-src\n# a comment\nURIs: http://deb.debian.org/debian\nSuites: bookworm\n\
             Architectures: amd64\nComponents: main\nSigned-By:\n -----BEGIN\n .\n -----END\n\n\
             Types: deb\nURIs: https://vendor.example/node\nSuites: x\nComponents: main\n\n\
             Enabled: no\nTypes: deb\nURIs: http://deb.debian.org/debian\nSuites: sid\nComponents: main\n",
        );
        assert_eq!(
            sources.paragraphs,
            "Types: deb-src\nURIs: http://deb.debian.org/debian\nSuites: bookworm\nComponents: main\n\
             Signed-By:\n -----BEGIN\n .\n -----END\n\n"
        );
    }
}
