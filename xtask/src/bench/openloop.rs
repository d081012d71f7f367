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
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::epoll;
use rustix::time::Timespec;

use super::client::{Connection, Inbox, encode};
use super::load::Tally;

/// As TARGETS has it.
pub(crate) const CONNECTIONS: usize = 50;
/// How long replies may be overdue after the last request.
const GRACE: Duration = Duration::from_secs(30);
/// A client that does not come round for so long was held up by the machine: it has a core for
/// itself, and a round takes it microseconds.
const HELD_UP_NS: u64 = 1_000_000;
/// Room that is made for samples beforehand: moving a million of them takes the client 14 ms.
const SAMPLES: u64 = 1 << 24;
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
    /// In the open pace, requests of numbers that differ by a multiple of it share one.
    pub(crate) connections: usize,
    /// Ends after so many requests or so much time, or when the strike's window closes, or when
    /// `stop` is set.
    pub(crate) requests: u64,
    pub(crate) time: Duration,
    pub(crate) stop: Option<&'a AtomicBool>,
    /// Appends the request of this number.
    pub(crate) request: &'a dyn Fn(u64, &mut Vec<u8>),
    /// The reply that the request of this number must get, if that is known.
    pub(crate) expected: Option<&'a dyn Fn(u64) -> &'a [u8]>,
    pub(crate) strike: Option<Strike<'a>>,
}

/// When a request was due, from the start, and how long after that it was sent and answered.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) due_ns: u64,
    pub(crate) late_ns: u64,
    pub(crate) latency_ns: u64,
}

/// A time in which the machine held the client up, in nanoseconds from the start.
#[derive(Clone, Copy)]
pub(crate) struct HoldUp {
    from_ns: u64,
    to_ns: u64,
}

impl HoldUp {
    /// Whether it may have made a request's latency longer: one that was due or unanswered
    /// meanwhile, or that came behind all that had to be made up for, in as much time again.
    pub(crate) fn mars(self, sample: &Sample) -> bool {
        let made_up_ns = self.to_ns + (self.to_ns - self.from_ns);
        sample.due_ns < made_up_ns && sample.due_ns + sample.latency_ns > self.from_ns
    }
}

/// Replies other than expected.
#[derive(Default)]
pub(crate) struct Wrong {
    pub(crate) count: u64,
    /// Number and reply of the first.
    pub(crate) first: Option<(u64, Vec<u8>)>,
}

/// What came of a plan.
pub(crate) struct Outcome {
    /// Of the requests due in the window: after the strike, or in the whole time.
    pub(crate) samples: Vec<Sample>,
    pub(crate) hold_ups: Vec<HoldUp>,
    pub(crate) wrong: Wrong,
    pub(crate) replies_per_second: f64,
    /// The replies to the plan's requests.
    pub(crate) tally: Tally,
    /// How long the disturbance lasted, if there was one and it ended in its window.
    pub(crate) strike_time: Option<Duration>,
}

/// A nonblocking connection with what is still to be sent and what is still unanswered.
struct Line {
    stream: TcpStream,
    inbox: Inbox,
    outgoing: Vec<u8>,
    /// Number of each unanswered request, and what is known of its times.
    asked: VecDeque<(u64, Sample)>,
}

impl Line {
    fn open(address: SocketAddr) -> Result<Line, String> {
        let Connection { stream, inbox } = Connection::open(address)?;
        stream.set_nonblocking(true).map_err(|error| format!("cannot unblock a socket: {error}"))?;
        Ok(Line { stream, inbox, outgoing: Vec::new(), asked: VecDeque::new() })
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
    answered: Vec<Sample>,
    hold_ups: Vec<HoldUp>,
    wrong: Wrong,
    tally: Tally,
    watch: Option<Watch>,
    /// Set once nothing more is to be sent.
    closed_ns: Option<u64>,
}

/// The strike's connection and what was seen on it.
struct Watch {
    line: Line,
    struck_ns: Option<u64>,
    asked_ns: u64,
    /// Whether the last watch command is unanswered.
    waiting: bool,
    over_ns: Option<u64>,
    /// Replies still expected to the strike itself rather than to a watch command.
    strikes: usize,
}

/// Carries a plan out.
///
/// # Errors
/// When a connection breaks, or replies are missing long after the end.
pub(crate) fn run<'a>(address: SocketAddr, plan: &'a Plan<'a>) -> Result<Outcome, String> {
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(|error| format!("no epoll: {error}"))?;
    let mut lines = Vec::new();
    for place in 0..plan.connections {
        let line = Line::open(address)?;
        epoll::add(&poll, &line.stream, epoll::EventData::new_u64(place as u64), epoll::EventFlags::IN)
            .map_err(|error| format!("cannot watch a socket: {error}"))?;
        lines.push(line);
    }
    let watch = match plan.strike {
        None => None,
        Some(_) => Some(Watch {
            line: Line::open(address)?,
            struck_ns: None,
            asked_ns: 0,
            waiting: false,
            over_ns: None,
            strikes: 0,
        }),
    };
    let mut course = Course {
        plan,
        begin: Instant::now(),
        lines,
        sent: 0,
        next_line: 0,
        answered: Vec::with_capacity(plan.requests.min(SAMPLES) as usize),
        hold_ups: Vec::new(),
        wrong: Wrong::default(),
        tally: Tally::default(),
        watch,
        closed_ns: None,
    };
    let mut events = Vec::with_capacity(plan.connections);
    let nothing = Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut from_ns = course.now_ns();
    loop {
        let to_ns = course.now_ns();
        if to_ns - from_ns > HELD_UP_NS {
            course.hold_ups.push(HoldUp { from_ns, to_ns });
        }
        from_ns = to_ns;
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
            let stopped = self.plan.stop.is_some_and(|stop| stop.load(Ordering::Relaxed));
            if stopped || self.sent == self.plan.requests || now_ns >= self.plan.time.as_nanos() as u64 {
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
            self.next_line = (self.next_line + 1) % self.plan.connections;
            if matches!(self.plan.pace, Pace::Closed) && !line.asked.is_empty() {
                continue;
            }
            (self.plan.request)(self.sent, &mut line.outgoing);
            line.asked.push_back((self.sent, Sample { due_ns, late_ns: now_ns - due_ns, latency_ns: 0 }));
            line.flush()?;
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
            let (number, sample) = line.asked.pop_front().ok_or("the server sent a reply that nobody asked for")?;
            self.answered.push(Sample { latency_ns: now_ns.saturating_sub(sample.due_ns), ..sample });
            if self.plan.expected.is_some_and(|expected| expected(number) != reply) {
                self.wrong.count += 1;
                self.wrong.first.get_or_insert_with(|| (number, reply.to_vec()));
            }
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
            if !watch.waiting {
                encode(strike.watch, &mut watch.line.outgoing);
                watch.waiting = true;
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
                watch.waiting = false;
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
        let mut samples = self.answered;
        samples.retain(|sample| (from_ns..=until_ns).contains(&sample.due_ns));
        Outcome {
            samples,
            hold_ups: self.hold_ups,
            wrong: self.wrong,
            replies_per_second: self.tally.replies as f64 / seconds,
            tally: self.tally,
            strike_time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// Answers each byte of each connection with `:1`.
    fn serve(connections: usize) -> SocketAddr {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for _ in 0..connections {
                let (mut stream, _) = listener.accept().unwrap();
                std::thread::spawn(move || {
                    let mut byte = [0];
                    while stream.read(&mut byte).is_ok_and(|count| count == 1) && stream.write_all(b":1\r\n").is_ok() {}
                });
            }
        });
        address
    }

    #[test]
    fn a_reply_other_than_expected_is_counted_and_kept() {
        let plan = Plan {
            pace: Pace::Open(1e6),
            connections: 2,
            requests: 10,
            time: Duration::from_secs(10),
            stop: None,
            request: &|_, out| out.push(b'x'),
            expected: Some(&|number| if number == 3 || number == 8 { b":2\r\n" } else { b":1\r\n" }),
            strike: None,
        };
        let outcome = run(serve(2), &plan).unwrap();
        assert_eq!((outcome.samples.len(), outcome.tally.replies), (10, 10));
        assert_eq!(outcome.wrong.count, 2);
        // Of two connections either may be answered first.
        assert!(matches!(outcome.wrong.first, Some((3 | 8, reply)) if reply == b":1\r\n"));
    }

    #[test]
    fn a_hold_up_mars_what_waited_and_what_came_right_behind() {
        let hold_up = HoldUp { from_ns: 100, to_ns: 150 };
        for (due_ns, latency_ns, marred) in
            [(80, 10, false), (80, 30, true), (120, 5, true), (190, 5, true), (200, 5, false)]
        {
            let sample = Sample { due_ns, late_ns: 0, latency_ns };
            assert_eq!(hold_up.mars(&sample), marred, "due at {due_ns}, answered after {latency_ns}");
        }
    }

    #[test]
    fn a_stop_ends_an_endless_plan() {
        let stop = AtomicBool::new(true);
        let plan = Plan {
            pace: Pace::Open(1e6),
            connections: 1,
            requests: u64::MAX,
            time: Duration::from_secs(10),
            stop: Some(&stop),
            request: &|_, out| out.push(b'x'),
            expected: None,
            strike: None,
        };
        assert_eq!(run(serve(1), &plan).unwrap().samples.len(), 0);
    }
}
