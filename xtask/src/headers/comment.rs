//! Prose: doc comments of the mirror as comments of a header.
//!
//! Paragraphs are filled anew, because names grow on their way (`CALL_NO_BLOCK` becomes
//! `PLINTH_CALL_NO_BLOCK`); drawings between fences stay as they are.

use super::names::Names;

/// Most columns of a line.
const WIDTH: usize = 100;

/// The comment `docs` at an indentation, each line ended.
pub(super) fn of(docs: &[String], indent: usize, names: &Names) -> String {
    let mut out = String::new();
    let mut paragraph = String::new();
    let mut in_drawing = false;
    let margin = " ".repeat(indent);
    for line in docs {
        if line.starts_with("```") {
            flush(&mut paragraph, &margin, names, &mut out);
            in_drawing = !in_drawing;
        } else if in_drawing {
            push_line(&margin, &format!("   {line}"), &mut out);
        } else if line.is_empty() {
            flush(&mut paragraph, &margin, names, &mut out);
            push_line(&margin, "", &mut out);
        } else {
            if line.starts_with("- ") {
                flush(&mut paragraph, &margin, names, &mut out);
            }
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line);
        }
    }
    flush(&mut paragraph, &margin, names, &mut out);
    out
}

fn flush(paragraph: &mut String, margin: &str, names: &Names, out: &mut String) {
    let text = translate(paragraph, names);
    paragraph.clear();
    let room = WIDTH - margin.len() - "// ".len();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.len() + 1 + word.len() > room {
            push_line(margin, &line, out);
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        push_line(margin, &line, out);
    }
}

fn push_line(margin: &str, text: &str, out: &mut String) {
    let line = format!("{margin}// {text}");
    out.push_str(line.trim_end());
    out.push('\n');
}

/// Text with the names of the mirror, which stand in backquotes, as C has them. A link's brackets
/// go, for C has no links.
fn translate(text: &str, names: &Names) -> String {
    let mut out = String::new();
    let pieces: Vec<&str> = text.split('`').collect();
    for (at, piece) in pieces.iter().enumerate() {
        let is_code = at % 2 == 1;
        if is_code {
            let named = names.of_code(piece);
            let plain = piece.strip_prefix("crate::").unwrap_or(piece);
            out.push_str(&format!("`{}`", named.as_deref().unwrap_or(plain)));
            continue;
        }
        let opens_link = piece.ends_with('[') && pieces.get(at + 2).is_some_and(|next| next.starts_with(']'));
        let closes_link = at >= 2 && piece.starts_with(']') && pieces[at - 2].ends_with('[');
        let from = usize::from(closes_link);
        let to = piece.len() - usize::from(opens_link && piece.len() > from);
        out.push_str(&piece[from..to]);
    }
    out
}
