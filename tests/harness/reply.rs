//! Replies: where one ends, and what it says as a tree.

/// One reply of either protocol version.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// `+`.
    Simple(String),
    /// `-` and `!`.
    Error(String),
    /// `:`.
    Integer(i64),
    /// `$` and `=`, the second with its format.
    Bulk(Vec<u8>),
    /// `_`, `$-1` and `*-1`.
    Null,
    /// `,`.
    Double(String),
    /// `#`.
    Boolean(bool),
    /// `(`.
    BigNumber(String),
    /// `*`, `~`, `>`, and `%` as its keys and values in turn.
    Array(Vec<Reply>),
}

impl Reply {
    /// The text of a simple, error, bulk, double or big number reply; an integer's digits.
    pub fn text(&self) -> String {
        match self {
            Reply::Simple(text) | Reply::Error(text) | Reply::Double(text) | Reply::BigNumber(text) => text.clone(),
            Reply::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Reply::Integer(value) => value.to_string(),
            other => panic!("{other:?} has no text"),
        }
    }

    /// The number of an integer reply.
    pub fn integer(&self) -> i64 {
        match self {
            Reply::Integer(value) => *value,
            other => panic!("{other:?} is not an integer"),
        }
    }

    /// The elements of an aggregate.
    pub fn items(&self) -> &[Reply] {
        match self {
            Reply::Array(items) => items,
            other => panic!("{other:?} is not an aggregate"),
        }
    }

    /// The elements of an aggregate as texts.
    pub fn texts(&self) -> Vec<String> {
        self.items().iter().map(Reply::text).collect()
    }

    /// The value beside a key in a map, or in an array of keys and values in turn.
    pub fn field(&self, name: &str) -> Option<&Reply> {
        self.items().chunks(2).find(|pair| pair[0].text() == name).map(|pair| &pair[1])
    }
}

/// One reply at the beginning of `bytes`, and its length; `None` when it is not whole yet.
///
/// # Panics
/// When the bytes are no RESP.
pub fn parse(bytes: &[u8]) -> Option<(Reply, usize)> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let line = String::from_utf8_lossy(&bytes[1..end]).into_owned();
    let head = end + 2;
    let kind = *bytes.first()?;
    let count = || line.parse::<i64>().unwrap_or_else(|_| panic!("'{line}' is not a length"));
    let simple = |reply| Some((reply, head));
    match kind {
        b'+' => simple(Reply::Simple(line)),
        b'-' => simple(Reply::Error(line)),
        b':' => simple(Reply::Integer(count())),
        b',' => simple(Reply::Double(line)),
        b'(' => simple(Reply::BigNumber(line)),
        b'#' => simple(Reply::Boolean(line == "t")),
        b'_' => simple(Reply::Null),
        b'$' | b'=' | b'!' => match usize::try_from(count()) {
            Err(_) => simple(Reply::Null),
            Ok(len) => {
                let content = bytes.get(head..head + len + 2)?;
                Some((Reply::Bulk(content[..len].to_vec()), head + len + 2))
            }
        },
        b'*' | b'~' | b'>' | b'%' => match usize::try_from(count()) {
            Err(_) => simple(Reply::Null),
            Ok(count) => elements(bytes, head, if kind == b'%' { 2 * count } else { count }),
        },
        _ => panic!("no reply begins like {:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(40)])),
    }
}

fn elements(bytes: &[u8], head: usize, count: usize) -> Option<(Reply, usize)> {
    let mut at = head;
    let mut items = Vec::new();
    for _ in 0..count {
        let (item, len) = parse(bytes.get(at..)?)?;
        items.push(item);
        at += len;
    }
    Some((Reply::Array(items), at))
}

/// A request as clients send it.
pub fn request<A: AsRef<[u8]>>(args: &[A]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        let arg = arg.as_ref();
        bytes.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        bytes.extend_from_slice(arg);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}
