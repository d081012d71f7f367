//! A client that sends at a fixed rate whatever the server does, on one thread over many
//! connections.
//!
//! A client that waits for each reply before the next request stops asking just when the server
//! stalls, and so hardly sees the stall (coordinated omission). Here request `i` is due at
//! `i / rate`; its latency is counted from then, whether or not it could be sent in time. The
//! same loop without a rate, each connection sending as soon as it is answered, measures
//! saturation.

use std::collections::VecDeque;
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::event::epoll;
use rustix::time::Timespec;

use super::client::{Connection, Inbox, encode};
use super::load::Tally;

/// As TARGETS has it.
pub(crate) const CONNECTIONS: usize = 50;
/// How long replies may be overdue after the last request.
const GRACE: Duration = Duration::from_secs(30);
/// Requests sent between two looks at the replies when the client is behind.
const BURST: usize = 64;

/// When requests are sent.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// So many a second, in any case.
    Open(f64),
    /// One at a time on each connection.
    Closed,
}

/// A command sent once on a connection of its own, whose effect is watched.
pub(crate) struct Strike<'a> {
    /// When, counted from the start.
    pub(crate) at: Duration,
    /// `None` when the disturbance comes by itself at that time.
    pub(crate) command: Option<&'a [&'a str]>,
    /// Asked every 50 ms after the strike.
    pub(crate) watch: &'a [&'a str],
    /// Whether the reply to `watch` says that the disturbance is over.
    pub(crate) is_over: &'a dyn Fn(&[u8]) -> bool,
    /// What is measured at least and at most after the strike.
    pub(crate) window: [Duration; 2],
}

/// What to send and for how long.
pub(crate) struct Plan<'a> {
    pub(crate) pace: Pace,
    /// Ends after so many requests or so much time, or when the strike's window closes.
    pub(crate) requests: u64,
    pub(crate) time: Duration,
    /// Appends the request of this number.
    pub(crate) request: &'a dyn Fn(u64, &mut Vec<u8>),
    pub(crate) strike: Option<Strike<'a>>,
}

/// What came of a plan.
pub(crate) struct Outcome {
    /// Of the requests due in the window: after the strike, or in the whole time.
    pub(crate) latencies_ns: Vec<u64>,
    pub(crate) replies_per_second: f64,
    /// The replies to the plan's requests.
    pub(crate) tally: Tally,
    /// The longest that a request was sent after it was due.
    pub(crate) latest_ns: u64,
    /// How long the disturbance lasted, if there was one and it ended in its window.
    pub(crate) strike_time: Option<Duration>,
}

/// A nonblocking connection with what is still to be sent and what is still unanswered.
struct Line {
    stream: TcpStream,
    inbox: Inbox,
    outgoing: Vec<u8>,
    /// When each unanswered request was due, in nanoseconds from the start.
    due_ns: VecDeque<u64>,
}

impl Line {
    fn open(address: SocketAddr) -> Result<Line, String> {
        let Connection { stream, inbox } = Connection::open(address)?;
        stream.set_nonblocking(true).map_err(|error| format!("cannot unblock a socket: {error}"))?;
        Ok(Line { stream, inbox, outgoing: Vec::new(), due_ns: VecDeque::new() })
    }

    /// Sends what the socket takes.
    fn flush(&mut self) -> Result<(), String> {
        while !self.outgoing.is_empty() {
            match self.stream.write(&self.outgoing) {
                Ok(count) => drop(self.outgoing.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(format!("cannot send a command: {error}")),
            }
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<(), String> {
        match self.inbox.fill(&mut self.stream) {
            Ok(0) => Err("the server closed the connection".to_owned()),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(format!("cannot read a reply: {error}")),
        }
    }
}

/// A plan being carried out.
struct Course<'a> {
    plan: &'a Plan<'a>,
    begin: Instant,
    lines: Vec<Line>,
    sent: u64,
    next_line: usize,
    answered: Vec<(u64, u64)>,
    tally: Tally,
    latest_ns: u64,
    watch: Option<Watch>,
    /// Set once nothing more is to be sent.
    closed_ns: Option<u64>,
}

/// The strike's connection and what was seen on it.
struct Watch {
    line: Line,
    struck_ns: Option<u64>,
    asked_ns: u64,
    over_ns: Option<u64>,
    /// Replies still expected to the strike itself rather than to a watch command.
    strikes: usize,
}

/// Carries a plan out.
///
/// # Errors
/// When a connection breaks, or replies are missing long after the end.
pub(crate) fn run(address: SocketAddr, plan: &Plan<'_>) -> Result<Outcome, String> {
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(|error| format!("no epoll: {error}"))?;
    let mut lines = Vec::new();
    for place in 0..CONNECTIONS {
        let line = Line::open(address)?;
        epoll::add(&poll, &line.stream, epoll::EventData::new_u64(place as u64), epoll::EventFlags::IN)
            .map_err(|error| format!("cannot watch a socket: {error}"))?;
        lines.push(line);
    }
    let watch = match plan.strike {
        None => None,
        Some(_) => Some(Watch { line: Line::open(address)?, struck_ns: None, asked_ns: 0, over_ns: None, strikes: 0 }),
    };
    let mut course = Course {
        plan,
        begin: Instant::now(),
        lines,
        sent: 0,
        next_line: 0,
        answered: Vec::new(),
        tally: Tally::default(),
        latest_ns: 0,
        watch,
        closed_ns: None,
    };
    let mut events = Vec::with_capacity(CONNECTIONS);
    let nothing = Timespec { tv_sec: 0, tv_nsec: 0 };
    loop {
        course.send()?;
        course.strike()?;
        events.clear();
        match epoll::wait(&poll, rustix::buffer::spare_capacity(&mut events), Some(&nothing)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(format!("cannot wait for replies: {error}")),
        }
        for event in &events {
            course.receive(event.data.u64() as usize)?;
        }
        if course.is_done()? {
            return Ok(course.outcome());
        }
    }
}

impl Course<'_> {
    fn now_ns(&self) -> u64 {
        self.begin.elapsed().as_nanos() as u64
    }

    /// Sends what is due.
    fn send(&mut self) -> Result<(), String> {
        for _ in 0..BURST {
            let now_ns = self.now_ns();
            if self.closed_ns.is_some() {
                break;
            }
            if self.sent == self.plan.requests || now_ns >= self.plan.time.as_nanos() as u64 {
                self.closed_ns = Some(now_ns);
                break;
            }
            let due_ns = match self.plan.pace {
                Pace::Open(rate) => (self.sent as f64 * 1e9 / rate) as u64,
                Pace::Closed => now_ns,
            };
            if due_ns > now_ns {
                break;
            }
            let line = &mut self.lines[self.next_line];
            self.next_line = (self.next_line + 1) % CONNECTIONS;
            if matches!(self.plan.pace, Pace::Closed) && !line.due_ns.is_empty() {
                continue;
            }
            (self.plan.request)(self.sent, &mut line.outgoing);
            line.due_ns.push_back(due_ns);
            line.flush()?;
            self.latest_ns = self.latest_ns.max(now_ns - due_ns);
            self.sent += 1;
        }
        Ok(())
    }

    /// Takes what one connection received.
    fn receive(&mut self, place: usize) -> Result<(), String> {
        let now_ns = self.begin.elapsed().as_nanos() as u64;
        let line = &mut self.lines[place];
        line.fill()?;
        while let Some(reply) = line.inbox.next()? {
            self.tally.count(reply);
            let due_ns = line.due_ns.pop_front().ok_or("the server sent a reply that nobody asked for")?;
            self.answered.push((due_ns, now_ns.saturating_sub(due_ns)));
        }
        line.flush()
    }

    /// Strikes when it is time, and watches the effect.
    fn strike(&mut self) -> Result<(), String> {
        let now_ns = self.now_ns();
        let (Some(strike), Some(watch)) = (&self.plan.strike, &mut self.watch) else { return Ok(()) };
        let Some(struck_ns) = watch.struck_ns else {
            if now_ns >= strike.at.as_nanos() as u64 {
                watch.struck_ns = Some(now_ns);
                watch.asked_ns = now_ns;
                if let Some(command) = strike.command {
                    encode(command, &mut watch.line.outgoing);
                    watch.strikes = 1;
                }
                watch.line.flush()?;
            }
            return Ok(());
        };
        // One question at a time: a stalled server would find a heap of them.
        if watch.over_ns.is_none() && now_ns - watch.asked_ns > 50_000_000 {
            watch.asked_ns = now_ns;
            if watch.line.due_ns.is_empty() {
                encode(strike.watch, &mut watch.line.outgoing);
                watch.line.due_ns.push_back(now_ns);
            }
            watch.line.flush()?;
            watch.line.fill()?;
            while let Some(reply) = watch.line.inbox.next()? {
                if watch.strikes > 0 {
                    watch.strikes -= 1;
                    if reply.first() == Some(&b'-') {
                        return Err(format!("the server refuses: {}", String::from_utf8_lossy(reply).trim()));
                    }
                    continue;
                }
                watch.line.due_ns.pop_front();
                if (strike.is_over)(reply) {
                    watch.over_ns = Some(now_ns);
                }
            }
        }
        let lasted = Duration::from_nanos(now_ns - struck_ns);
        let over = watch.over_ns.is_some() && lasted >= strike.window[0];
        if self.closed_ns.is_none() && (over || lasted >= strike.window[1]) {
            self.closed_ns = Some(now_ns);
        }
        Ok(())
    }

    /// Whether all is sent and answered.
    fn is_done(&self) -> Result<bool, String> {
        let Some(closed_ns) = self.closed_ns else { return Ok(false) };
        let missing = self.sent - self.tally.replies;
        if missing > 0 && self.now_ns() - closed_ns > GRACE.as_nanos() as u64 {
            return Err(format!("{missing} replies are missing {} s after the last request", GRACE.as_secs()));
        }
        Ok(missing == 0)
    }

    fn outcome(self) -> Outcome {
        let seconds = self.closed_ns.unwrap_or(1) as f64 / 1e9;
        let from_ns = self.watch.as_ref().and_then(|watch| watch.struck_ns).unwrap_or(0);
        let until_ns = match &self.watch {
            Some(Watch { struck_ns: Some(struck_ns), over_ns: Some(over_ns), .. }) => {
                let least = self.plan.strike.as_ref().map_or(Duration::ZERO, |strike| strike.window[0]);
                (*over_ns).max(struck_ns + least.as_nanos() as u64)
            }
            _ => u64::MAX,
        };
        let strike_time =
            self.watch.as_ref().and_then(|watch| Some(Duration::from_nanos(watch.over_ns? - watch.struck_ns?)));
        let in_window = self.answered.iter().filter(|(due_ns, _)| (from_ns..=until_ns).contains(due_ns));
        Outcome {
            latencies_ns: in_window.map(|&(_, latency_ns)| latency_ns).collect(),
            replies_per_second: self.tally.replies as f64 / seconds,
            tally: self.tally,
            latest_ns: self.latest_ns,
            strike_time,
        }
    }
}
