//! LOLWUT: a drawing, and which server draws it.
//!
//! The drawing is a plinth of courses of stones, each course narrower than the one below and of stones of other
//! widths, with something on top of it. Which stones there are follows from the numbers that are given, so
//! that the same numbers draw the same plinth.
//!
//! Command: <https://redis.io/docs/latest/commands/lolwut/>.

use crate::admin::spec::CoreCommand;
use crate::base::number::parse_i64;
use crate::base::version::REDIS_VERSION;
use crate::engine::call::Context;
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::command::{self as abi, Arg, Command, Docs};
use plinth_abi::status::{STATUS_NOT_INTEGER, STATUS_OK, Status};

/// Columns of a drawing unless said otherwise, and bounds of what may be said.
const COLUMNS: i64 = 66;
const COLUMNS_MAX: i64 = 160;
const COLUMNS_MIN: i64 = 20;
/// The same for its courses.
const COURSES: i64 = 6;
const COURSES_MAX: i64 = 24;

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[CoreCommand::new(
    Command {
        name: Bytes::new("lolwut"),
        arity: -1,
        flags: abi::COMMAND_READONLY | abi::COMMAND_FAST,
        docs: &Docs {
            summary: Bytes::new("Draws something, and tells the server's version."),
            since: Bytes::new("5.0.0"),
            group: Bytes::new("server"),
            args: Slice::new(&[Arg::new(abi::ARG_INTEGER, "version").token("VERSION").flags(abi::ARG_OPTIONAL)]),
            ..Docs::NEW
        },
        ..Command::NEW
    },
    lolwut,
)];

/// LOLWUT [VERSION version] [columns] [courses] [seed].
fn lolwut(context: &mut Context) -> Status {
    let mut first = 1;
    if context.argc() > 2 && context.arg_is(1, "VERSION") {
        // There is one drawing, whatever the version.
        if parse_i64(context.arg(2)).is_none() {
            return STATUS_NOT_INTEGER;
        }
        first = 3;
    }
    let mut numbers = [COLUMNS, COURSES, context.server().clock.now_ms];
    for (number, at) in numbers.iter_mut().zip(first..context.argc()) {
        let Some(given) = parse_i64(context.arg(at)) else { return STATUS_NOT_INTEGER };
        *number = given;
    }
    let [columns, courses, seed] = numbers;
    let (columns, courses) = (columns.clamp(COLUMNS_MIN, COLUMNS_MAX), courses.clamp(1, COURSES_MAX));
    let mut text = drawing(columns.unsigned_abs() as usize, courses.unsigned_abs() as usize, seed.unsigned_abs());
    text.push_str(&format!("\nPlinth {}, as Redis ver. {REDIS_VERSION}\n", crate::base::version::VERSION));
    context.reply().verbatim(b"txt", text.as_bytes());
    STATUS_OK
}

/// A plinth with something on it, so many columns wide at its foot.
fn drawing(columns: usize, courses: usize, seed: u64) -> String {
    // An odd number is never 0, which a shift register would stay at.
    let mut state = seed << 1 | 1;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound.max(1) as u64) as usize
    };
    let mut lines = Vec::new();
    // Each course stands in by as much that the last one keeps a third of the foot.
    let step = (columns / 3 / courses.max(1)).max(1);
    for course in 0..courses {
        let width = columns.saturating_sub(2 * step * course).max(COLUMNS_MIN as usize / 3);
        lines.push(centred(&stones(width, &mut below), columns));
    }
    let things: [&[&str]; 4] = [
        &["  _  ", " (_) ", "  |  ", " / \\ "],
        &[" ___ ", "/o o\\", "\\_-_/"],
        &["  *  ", " /|\\ ", "/_|_\\"],
        &["|~~~|", "| ? |"],
    ];
    let thing = things[below(things.len())];
    lines.extend(thing.iter().rev().map(|line| centred(line, columns)));
    lines.reverse();
    lines.join("\n") + "\n"
}

/// A course of stones, each between joints.
fn stones(width: usize, below: &mut impl FnMut(usize) -> usize) -> String {
    const FACES: [char; 5] = ['.', ':', '=', '#', '%'];
    let mut course = String::from("[");
    while course.len() + 1 < width {
        let stone = (3 + below(8)).min(width - 1 - course.len());
        let face = FACES[below(FACES.len())];
        course.extend(std::iter::repeat_n(face, stone.saturating_sub(1).max(1)));
        if course.len() + 1 < width {
            course.push('|');
        }
    }
    course.push(']');
    course
}

fn centred(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(text.len()) / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_numbers_draw_the_same_plinth_within_its_columns() {
        for (columns, courses) in [(20, 1), (66, 6), (160, 24), (20, 24)] {
            for seed in 0..50 {
                let drawn = drawing(columns, courses, seed);
                assert_eq!(drawn, drawing(columns, courses, seed));
                assert!(drawn.lines().count() > courses && drawn.lines().all(|line| line.len() <= columns), "{drawn}");
            }
        }
        assert_ne!(drawing(66, 6, 1), drawing(66, 6, 2));
    }
}
