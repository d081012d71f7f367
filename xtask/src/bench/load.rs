//! Filling a server over one pipelined connection, and the templates that say with what.
//!
//! A template is a command whose arguments may hold fields in braces. They stand
//! for views of a running number, so a data set is the same in every run and on every
//! server:
//!
//! ```text
//!  {key}     16 hexadecimal digits, looking random and yet distinct (a bijection of the number)
//!  {number}  the number itself in 9 digits
//!  {index}   the number itself in 12 digits, as redis-benchmark writes __rand_int__
//!  {score}   below 10^9, looking random, not always distinct
//!  {random}  below 10^6, looking random, without leading zeros
//!  {next}    the number plus one
//!  {lon}, {lat}   degrees from 0 to 10, looking random
//!  {tens3}   of a pair of commands, the fourth of the pair's ten: 1 to 10 for numbers 0 and 1
//! ```

use std::net::SocketAddr;

use super::client::{Connection, put_bulk, put_header};

/// Commands per write. Two such batches are on their way at a time, so that neither side waits
/// for the other; both fit in the socket buffers, so neither can block the other.
const BATCH: u64 = 256;

/// What the server said to a load.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) replies: u64,
    pub(crate) errors: u64,
    /// The first error's text.
    pub(crate) first_error: Option<String>,
}

impl Tally {
    /// Counts one reply.
    pub(crate) fn count(&mut self, reply: &[u8]) {
        self.replies += 1;
        if reply.first() == Some(&b'-') {
            self.errors += 1;
            self.first_error.get_or_insert_with(|| String::from_utf8_lossy(reply).trim().to_owned());
        }
    }

    /// The tally as an error when any reply was one: data that is not there cannot be measured.
    ///
    /// # Errors
    /// With the first error's text.
    pub(crate) fn all_well(self) -> Result<(), String> {
        match self.first_error {
            None => Ok(()),
            Some(first) => Err(format!("{} of {} commands failed: {first}", self.errors, self.replies)),
        }
    }
}

/// Sends the template for each number in `0..count`.
///
/// # Errors
/// When the connection breaks; error replies are counted in the tally.
pub(crate) fn fill(address: SocketAddr, count: u64, template: &[&str]) -> Result<Tally, String> {
    let mut connection = Connection::open(address)?;
    let mut tally = Tally::default();
    let mut batch = Vec::new();
    let (mut sent, mut behind) = (0, 0);
    while tally.replies < count {
        let size = BATCH.min(count - sent);
        batch.clear();
        for number in sent..sent + size {
            expand(template, number, &mut batch);
        }
        connection.send(&batch)?;
        sent += size;
        for _ in 0..behind {
            connection.receive(|reply| tally.count(reply))?;
        }
        behind = size;
    }
    Ok(tally)
}

/// Appends the template's command for one number.
pub(crate) fn expand(template: &[&str], number: u64, out: &mut Vec<u8>) {
    put_header(b'*', template.len(), out);
    for argument in template {
        if argument.contains('{') {
            put_bulk(substituted(argument, number).as_bytes(), out);
        } else {
            put_bulk(argument.as_bytes(), out);
        }
    }
}

/// An argument of a template for one number.
pub(crate) fn substituted(argument: &str, number: u64) -> String {
    let Some((before, rest)) = argument.split_once('{') else { return argument.to_owned() };
    let (field, after) = rest.split_once('}').unwrap_or((rest, ""));
    format!("{before}{}{after}", substitute(field, number))
}

fn substitute(field: &str, number: u64) -> String {
    // Ten degrees in steps of a millionth.
    let degrees = |random: u64| format!("{}.{:06}", random % 10, random / 10 % 1_000_000);
    match field {
        "key" => format!("{:016x}", scramble(number)),
        "number" => format!("{number:09}"),
        "index" => format!("{number:012}"),
        "score" => (scramble(number) % 1_000_000_000).to_string(),
        "random" => (scramble(number) % 1_000_000).to_string(),
        "next" => (number + 1).to_string(),
        "lon" => degrees(scramble(2 * number)),
        "lat" => degrees(scramble(2 * number + 1)),
        tens if tens.starts_with("tens") => (number / 2 * 10 + 1 + tens[4..].parse::<u64>().unwrap_or(0)).to_string(),
        other => format!("{{{other}}}"),
    }
}

/// The finaliser of splitmix64: a bijection, so distinct numbers give distinct keys.
pub(crate) fn scramble(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_gives_keys_of_sixteen_bytes_and_the_same_ones_each_time() {
        let mut first = Vec::new();
        expand(&["SET", "{key}", "value{number}"], 7, &mut first);
        let mut second = Vec::new();
        expand(&["SET", "{key}", "value{number}"], 7, &mut second);
        assert_eq!(first, second);
        let text = String::from_utf8(first).unwrap();
        assert!(text.starts_with("*3\r\n$3\r\nSET\r\n$16\r\n"), "{text}");
        assert!(text.ends_with("$14\r\nvalue000000007\r\n"), "{text}");
    }

    #[test]
    fn keys_are_distinct() {
        let keys: std::collections::HashSet<_> = (0..100_000).map(|n| substitute("key", n)).collect();
        assert_eq!(keys.len(), 100_000);
    }
}
