//! A connection, and replies as trees. Whatever goes wrong is an answer: a server that dies or falls
//! silent is what is looked for.

use std::fmt;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of a reply that are shown.
const SHOWN_BYTES: usize = 120;

/// One command.
pub(crate) type Command = Vec<Vec<u8>>;

/// One reply of either protocol version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reply {
    /// What is one line, with its type byte: `+OK`, `:1`, `,1.5`, `_`, `-ERR ...`.
    Line(String),
    Bulk(Vec<u8>),
    /// A null bulk string or array.
    Null,
    /// Type byte and elements, those of a map in turn.
    Many(char, Vec<Reply>),
}

impl Reply {
    /// The number of an integer reply.
    pub(crate) fn integer(&self) -> Option<i64> {
        match self {
            Reply::Line(line) => line.strip_prefix(':')?.parse().ok(),
            _ => None,
        }
    }
}

/// Bytes for a reader.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let cut = &bytes[..bytes.len().min(SHOWN_BYTES)];
    let more = if cut.len() < bytes.len() { format!("... {} bytes", bytes.len()) } else { String::new() };
    format!("\"{}\"{more}", cut.escape_ascii())
}

impl fmt::Display for Reply {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Line(line) => out.write_str(line),
            Reply::Bulk(bytes) => out.write_str(&shown(bytes)),
            Reply::Null => out.write_str("(null)"),
            Reply::Many(kind, items) => {
                write!(out, "{kind}[")?;
                for (place, item) in items.iter().take(40).enumerate() {
                    write!(out, "{}{item}", if place == 0 { "" } else { ", " })?;
                }
                out.write_str(if items.len() > 40 { ", ...]" } else { "]" })
            }
        }
    }
}

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    bytes: Vec<u8>,
    at: usize,
}

impl Client {
    /// # Errors
    /// When nobody listens there.
    pub(crate) fn connect(port: u16) -> Result<Client, String> {
        let connect = || {
            let stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Ok(stream)
        };
        let stream = connect().map_err(|error: std::io::Error| format!("cannot connect: {error}"))?;
        Ok(Client { stream, bytes: Vec::new(), at: 0 })
    }

    /// Sends commands at once.
    ///
    /// # Errors
    /// When the server does not take them.
    pub(crate) fn send<'c>(&mut self, commands: impl Iterator<Item = &'c Command>) -> Result<(), String> {
        let mut out = Vec::new();
        for command in commands {
            out.extend_from_slice(format!("*{}\r\n", command.len()).as_bytes());
            for arg in command {
                out.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
                out.extend_from_slice(arg);
                out.extend_from_slice(b"\r\n");
            }
        }
        self.stream.write_all(&out).map_err(|error| format!("the connection broke: {error}"))
    }

    /// One command and its reply.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn ask(&mut self, command: &Command) -> Result<Reply, String> {
        self.send(std::iter::once(command))?;
        self.reply()
    }

    /// The next reply.
    ///
    /// # Errors
    /// When none comes, or it is no RESP.
    pub(crate) fn reply(&mut self) -> Result<Reply, String> {
        let line = self.line()?;
        let Some((kind, rest)) = line.split_at_checked(1) else { return Err("an empty line as a reply".to_owned()) };
        let count = || rest.parse::<i64>().map_err(|_| format!("a reply without a length: {line}"));
        match kind {
            "+" | "-" | ":" | "," | "#" | "(" => Ok(Reply::Line(line)),
            "_" => Ok(Reply::Null),
            "$" | "=" | "!" => match usize::try_from(count()?) {
                Err(_) => Ok(Reply::Null),
                Ok(len) => self.bulk(len),
            },
            "*" | "~" | ">" | "%" => match usize::try_from(count()?) {
                Err(_) => Ok(Reply::Null),
                Ok(count) => {
                    let count = if kind == "%" { 2 * count } else { count };
                    let items = (0..count).map(|_| self.reply()).collect::<Result<_, _>>()?;
                    Ok(Reply::Many(kind.chars().next().unwrap_or('*'), items))
                }
            },
            _ => Err(format!("no reply begins like {}", shown(line.as_bytes()))),
        }
    }

    fn bulk(&mut self, len: usize) -> Result<Reply, String> {
        while self.bytes.len() - self.at < len + 2 {
            self.fill()?;
        }
        let bytes = self.bytes[self.at..self.at + len].to_vec();
        self.at += len + 2;
        Ok(Reply::Bulk(bytes))
    }

    fn line(&mut self) -> Result<String, String> {
        loop {
            if let Some(end) = self.bytes[self.at..].windows(2).position(|pair| pair == b"\r\n") {
                let line = String::from_utf8_lossy(&self.bytes[self.at..self.at + end]).into_owned();
                self.at += end + 2;
                return Ok(line);
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Result<(), String> {
        self.bytes.drain(..std::mem::take(&mut self.at));
        let mut room = [0; 1 << 14];
        match self.stream.read(&mut room) {
            Ok(0) => Err("the server closed the connection".to_owned()),
            Ok(count) => {
                self.bytes.extend_from_slice(&room[..count]);
                Ok(())
            }
            Err(error) => Err(format!("no reply: {error}")),
        }
    }
}
