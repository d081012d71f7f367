//! Source files, and their words: identifiers and texts as the compiler sees them, so that
//! comments and docs say what they like.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::path::Path;

/// A source file.
pub(crate) struct File {
    /// From the workspace's root, with slashes.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
    /// Its words; empty for a file that is not Rust.
    pub(crate) words: Vec<Word>,
}

/// An identifier, or the content of a literal text.
pub(crate) struct Word {
    /// Where it stands, from 1.
    pub(crate) line: usize,
    /// It.
    pub(crate) text: String,
    /// Whether it is an identifier or a keyword.
    pub(crate) is_name: bool,
    /// Whether it stands in a `mod tests`.
    pub(crate) in_tests: bool,
}

/// Folders that hold no sources of ours.
const SKIPPED: [&str; 3] = ["target", ".git", ".cache"];

/// All files in Rust and C of the workspace.
///
/// # Errors
/// When one cannot be read, or is not Rust though its name says so.
pub(crate) fn all(root: &Path) -> Result<Vec<File>, String> {
    let mut files = Vec::new();
    collect(root, root, &mut files)?;
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<File>) -> Result<(), String> {
    let fault = |error: std::io::Error| format!("{}: {error}", folder.display());
    for item in std::fs::read_dir(folder).map_err(fault)? {
        let path = item.map_err(fault)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !SKIPPED.contains(&name.as_str()) {
                collect(root, &path, files)?;
            }
        } else if [".rs", ".c", ".h", ".cpp"].iter().any(|end| name.ends_with(end)) {
            files.push(read(root, &path)?);
        }
    }
    Ok(())
}

fn read(root: &Path, path: &Path) -> Result<File, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let short = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
    let words =
        if short.ends_with(".rs") { words(&text).map_err(|error| format!("{short}: {error}"))? } else { vec![] };
    Ok(File { path: short, text, words })
}

/// The words of a text in Rust.
///
/// # Errors
/// When it is none.
pub(crate) fn words(text: &str) -> Result<Vec<Word>, String> {
    let tokens: TokenStream = text.parse().map_err(|error| format!("{error}"))?;
    let mut words = Vec::new();
    walk(tokens, false, &mut words);
    Ok(words)
}

fn walk(tokens: TokenStream, in_tests: bool, words: &mut Vec<Word>) {
    // `mod tests { ... }`: the two words before a brace.
    let mut before = [String::new(), String::new()];
    for token in tokens {
        let line = token.span().start().line;
        match token {
            TokenTree::Ident(name) => {
                let text = name.to_string();
                before = [std::mem::take(&mut before[1]), text.clone()];
                words.push(Word { line, text, is_name: true, in_tests });
            }
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                if let Some((_, text)) = text.strip_suffix('"').and_then(|text| text.split_once('"')) {
                    words.push(Word { line, text: text.to_owned(), is_name: false, in_tests });
                }
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket && is_docs(group.stream()) => {}
            TokenTree::Group(group) => {
                let opens_tests = before == ["mod", "tests"] && group.delimiter() == Delimiter::Brace;
                walk(group.stream(), in_tests || opens_tests, words);
                before = Default::default();
            }
            TokenTree::Punct(_) => {}
        }
    }
}

/// Docs are an attribute to the compiler: `#[doc = "..."]`, or `#[expect(..., reason = "...")]`.
fn is_docs(tokens: TokenStream) -> bool {
    let first = tokens.into_iter().next();
    matches!(first, Some(TokenTree::Ident(name)) if name == "doc" || name == "allow" || name == "expect")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_docs_are_no_words() {
        let text = "//! A list.\n/// A hash.\nfn set() { let x = \"zset\"; /* stream */ }";
        let words: Vec<String> = words(text).unwrap().into_iter().map(|word| word.text).collect();
        assert_eq!(words, ["fn", "set", "let", "x", "zset"]);
    }

    #[test]
    fn words_of_tests_are_marked() {
        let words = words("fn a() { b } #[cfg(test)] mod tests { fn c() { d } } fn e() {}").unwrap();
        let marked: Vec<&str> = words.iter().filter(|word| word.in_tests).map(|word| word.text.as_str()).collect();
        assert_eq!(marked, ["fn", "c", "d"]);
    }
}
