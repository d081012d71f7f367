//! What memory is charged: MEMORY USAGE grows with a value and is believable beside `used_memory`,
//! and a deleted value's memory comes back.

use crate::generate::Kind;
use crate::run::{Pair, Side};
use crate::wire::{Command, Reply};
use std::time::{Duration, Instant};

/// Elements of the values that are measured, small ones first: the first complaint is the smallest.
const SIZES: [usize; 4] = [10, 1_000, 20_000, 200_000];
/// Elements in a command.
const BATCH: usize = 100;
/// Bytes of an element's own text, about, for all types.
const ELEMENT_BYTES: usize = 14;
/// What a server may keep or free beside the value.
const SLACK_BYTES: i64 = 512 * 1024;
/// How long freeing behind the scenes may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sentences about what is not right.
///
/// # Errors
/// When the server does not answer.
pub(crate) fn measure(pair: &mut Pair, kind: Kind) -> Result<Vec<String>, String> {
    let mut complaints = Vec::new();
    for size in SIZES {
        complaints.extend(measure_size(&mut pair.candidate, kind, size)?);
        if !complaints.is_empty() {
            break;
        }
    }
    Ok(complaints)
}

fn measure_size(side: &mut Side, kind: Kind, size: usize) -> Result<Vec<String>, String> {
    let mut complaints = Vec::new();
    side.ask(&["FLUSHALL"])?;
    // What the first value makes a server allocate for good is not the value's.
    fill(side, kind, size.min(BATCH))?;
    side.ask(&["DEL", "big"])?;
    let before = used_memory(side)?;
    fill(side, kind, size)?;
    let grown = used_memory(side)? - before;
    let usage = side.ask(&["MEMORY", "USAGE", "big", "SAMPLES", "0"])?.integer().unwrap_or(0);
    let payload = (size * ELEMENT_BYTES) as i64;
    if usage < payload / 3 || usage > payload * 30 + 4096 {
        complaints.push(format!("{size} elements of {ELEMENT_BYTES} bytes: MEMORY USAGE says {usage}"));
    }
    if grown > 4 * SLACK_BYTES && (usage < grown / 2 || usage > grown * 2) {
        complaints.push(format!("{size} elements: MEMORY USAGE says {usage}, and used_memory grew by {grown}"));
    }
    side.ask(&["DEL", "big"])?;
    let begin = Instant::now();
    let slack = SLACK_BYTES.max(grown / 20);
    loop {
        let left = used_memory(side)? - before;
        if left <= slack {
            return Ok(complaints);
        }
        if begin.elapsed() > PATIENCE {
            complaints.push(format!("{size} elements: {left} bytes of {grown} are still used after DEL"));
            return Ok(complaints);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn fill(side: &mut Side, kind: Kind, size: usize) -> Result<(), String> {
    for start in (0..size).step_by(BATCH) {
        let commands = kind.fill("big", start..(start + BATCH).min(size));
        for reply in side.ask_all(&commands.iter().collect::<Vec<&Command>>()) {
            if let Ok(Reply::Line(line)) = &reply
                && line.starts_with('-')
            {
                return Err(format!("the candidate refuses elements: {line}"));
            }
            reply?;
        }
    }
    Ok(())
}

fn used_memory(side: &mut Side) -> Result<i64, String> {
    let text = match side.ask(&["INFO", "memory"])? {
        Reply::Bulk(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        other => return Err(format!("INFO says {other}")),
    };
    let field = text.lines().find_map(|line| line.strip_prefix("used_memory:"));
    field.and_then(|field| field.trim().parse().ok()).ok_or_else(|| "INFO has no used_memory".to_owned())
}
