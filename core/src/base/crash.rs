//! The report of a crash: what is written when a fatal signal comes, before the process ends by it.
//!
//! ```text
//!   signal ─> head ─> stack trace ─> parts that the server adds, one by one ─> the signal again, by default
//!               │          │            │
//!               └──────────┴────────────┴─ one that dies itself is left where it died, and the next begins
//! ```
//!
//! The head and the stack trace allocate nothing, take no lock and call what may be called in a handler, but for
//! the linker, which says whose code an address is in. The parts are ordinary code, run on what may be broken: so
//! each counts itself before it begins, a signal within it leads to the next, and an alarm ends a report in which
//! something waits for ever.
//!
//! The watchdog is the same stack trace without an end: an alarm that goes off when the loop has not come round.
//!
//! Invariant: whatever happens in the report, the process ends by the signal that it began with.

use std::ffi::{CStr, CString, OsStr, c_int, c_void};
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicUsize, Ordering};

/// What ends the process.
const FATAL: [(c_int, &str); 5] = [
    (libc::SIGSEGV, "SIGSEGV"),
    (libc::SIGBUS, "SIGBUS"),
    (libc::SIGFPE, "SIGFPE"),
    (libc::SIGILL, "SIGILL"),
    (libc::SIGABRT, "SIGABRT"),
];
/// Bytes of the stack that the report runs on, since the thread's own may be what is broken.
const STACK_BYTES: usize = 1 << 20;
/// Most frames of a stack trace.
const FRAMES_MAX: usize = 100;
/// Seconds after which a part that waits for something ends the report.
const PART_S_MAX: u32 = 10;
/// Bytes of a piece that is written at once.
const PIECE_BYTES: usize = 1024;

/// What gives the text of a part that the server adds, by its number. It is handed the address that [`watch`] was,
/// on the thread that runs commands.
pub type Text = unsafe fn(*mut c_void, usize) -> String;

struct Parts {
    titles: &'static [&'static str],
    text: Text,
}

/// The signal that the report is about, 0 for none.
static SIGNAL: AtomicI32 = AtomicI32::new(0);
/// The thread that reports.
static REPORTER: AtomicI32 = AtomicI32::new(0);
/// What comes next: 0 the head, 1 the stack trace, then the parts.
static STAGE: AtomicUsize = AtomicUsize::new(0);
/// Whether there are handlers.
static IS_WATCHING: AtomicBool = AtomicBool::new(false);
/// Where the program itself is mapped: the linker calls it by its first argument, over which its title is written.
static PROGRAM: AtomicUsize = AtomicUsize::new(0);
/// Where the signal came: the stack pointer, and the calls that led there, the last first.
static STACK: AtomicUsize = AtomicUsize::new(0);
static CALLS: [AtomicUsize; FRAMES_MAX] = [const { AtomicUsize::new(0) }; FRAMES_MAX];
/// What parts are handed.
static SERVER: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
static PARTS: OnceLock<Parts> = OnceLock::new();
/// Path of the log file; none for the standard output.
static LOG: OnceLock<CString> = OnceLock::new();

/// Write reports into a file instead of the standard output.
pub fn set_file(path: &str) {
    if let Ok(path) = CString::new(path)
        && !path.is_empty()
    {
        let _ = LOG.set(path);
    }
}

/// Report fatal signals from now on, or no longer.
pub fn set_enabled(enabled: bool) {
    if IS_WATCHING.swap(enabled, Ordering::Relaxed) == enabled {
        return;
    }
    if enabled {
        // The first trace loads what traces need, which a handler must not.
        let _ = frames(&mut [std::ptr::null_mut(); FRAMES_MAX]);
        let program = library(on_fatal as *mut c_void).map_or(0, |mapped| mapped.base);
        PROGRAM.store(program, Ordering::Relaxed);
        give_stack();
    }
    for (signal, _) in FATAL {
        if enabled {
            // It may come again while it is handled: then a part has died.
            handle(signal, on_fatal, libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER);
        } else {
            set_default(signal);
        }
    }
}

/// Where the stack of the thread that died ends, for parts that look into it.
pub fn stack_pointer() -> usize {
    STACK.load(Ordering::Relaxed)
}

/// The libraries of the calls that led to the end, the last first, as paths; the handler's own are left out.
pub fn libraries() -> Vec<String> {
    let calls = CALLS.iter().map(|call| call.load(Ordering::Relaxed)).take_while(|call| *call != 0);
    calls.filter_map(|call| Some(library(call as *mut c_void)?.path.to_string_lossy().into_owned())).collect()
}

/// Write where nothing may be written.
pub fn segfault() {
    // SAFETY: it is none, which is what is asked for.
    unsafe { libc::memset(std::hint::black_box(8) as *mut c_void, 0, 1) };
}

/// Have the report end with parts of these titles.
///
/// # Safety
/// The address is one that `text` takes, for as long as the process lives.
pub unsafe fn watch(server: *mut c_void, titles: &'static [&'static str], text: Text) {
    let _ = PARTS.set(Parts { titles, text });
    SERVER.store(server, Ordering::Relaxed);
}

/// Write the stack trace of the thread that runs commands when this is not called again for so many milliseconds;
/// 0 for never.
pub fn set_watchdog(ms: u64) {
    if ms > 0 {
        handle(libc::SIGALRM, on_alarm, libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART);
    }
    let value = libc::timeval { tv_sec: (ms / 1000) as i64, tv_usec: (ms % 1000 * 1000) as i64 };
    let never = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let timer = libc::itimerval { it_interval: never, it_value: value };
    // SAFETY: the struct is whole, and nothing is asked back.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
}

/// End by a report that begins with a text: something is as it must not be.
pub fn die(text: &str) -> ! {
    crate::base::log::warning(text);
    std::process::abort()
}

type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

fn handle(signal: c_int, handler: Handler, flags: c_int) {
    // SAFETY: the struct is whole: zeroes are an empty mask. The handlers of this file run what may run in one.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as usize;
        action.sa_flags = flags;
        libc::sigaction(signal, &raw const action, std::ptr::null_mut());
    }
}

fn set_default(signal: c_int) {
    // SAFETY: changes what the system does on a signal, and nothing of ours counts on the handler any more.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}

/// Give the calling thread a stack for handlers.
fn give_stack() {
    // SAFETY: the memory is new and given away for good; the struct describes it.
    unsafe {
        let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        let memory = libc::mmap(std::ptr::null_mut(), STACK_BYTES, access, kind, -1, 0);
        if memory != libc::MAP_FAILED {
            let stack = libc::stack_t { ss_sp: memory, ss_flags: 0, ss_size: STACK_BYTES };
            libc::sigaltstack(&raw const stack, std::ptr::null_mut());
        }
    }
}

fn thread_id() -> i32 {
    // SAFETY: asks for a number.
    unsafe { libc::syscall(libc::SYS_gettid) as i32 }
}

fn is_main_thread() -> bool {
    // SAFETY: asks for a number.
    thread_id() == unsafe { libc::getpid() }
}

extern "C" fn on_fatal(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let own = thread_id();
    match REPORTER.compare_exchange(0, own, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => SIGNAL.store(signal, Ordering::Relaxed),
        // One report at a time; this thread ends with the process.
        Err(other) if other != own => loop {
            // SAFETY: waits.
            unsafe { libc::pause() };
        },
        Err(_) => line(&mut Raw::open(), format_args!("(This part died itself, by signal {signal}.)")),
    }
    handle(libc::SIGALRM, on_late, libc::SA_SIGINFO | libc::SA_ONSTACK);
    let parts = PARTS.get().filter(|_| is_main_thread());
    loop {
        // SAFETY: sets a timer.
        unsafe { libc::alarm(PART_S_MAX) };
        let mut raw = Raw::open();
        match STAGE.fetch_add(1, Ordering::Relaxed) {
            0 => head(&mut raw, signal, info, context),
            1 => {
                line(&mut raw, format_args!("\n------ STACK TRACE ------"));
                let all = trace(&mut raw, registers(context).0);
                all.iter().zip(&CALLS).for_each(|(at, call)| call.store(*at as usize, Ordering::Relaxed));
            }
            stage => match parts.filter(|parts| stage - 2 < parts.titles.len()) {
                Some(parts) => write_part(&mut raw, parts, stage - 2),
                None => break,
            },
        }
    }
    line(&mut Raw::open(), format_args!("\n=== PLINTH CRASH REPORT END ===\n"));
    end();
}

/// Something in the report waits for ever, as a lock does that the thread had when it died.
extern "C" fn on_late(_signal: c_int, _info: *mut libc::siginfo_t, _context: *mut c_void) {
    line(&mut Raw::open(), format_args!("(This part has not come to an end.)\n=== PLINTH CRASH REPORT END ===\n"));
    end();
}

/// End by the signal that came first.
fn end() -> ! {
    let signal = SIGNAL.load(Ordering::Relaxed);
    set_default(signal);
    // SAFETY: sends a signal to this process, which ends by it.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        libc::raise(signal);
        libc::_exit(128 + signal)
    }
}

/// The loop has not come round.
extern "C" fn on_alarm(signal: c_int, _info: *mut libc::siginfo_t, context: *mut c_void) {
    if !is_main_thread() {
        // SAFETY: sends the signal on to the thread that it is about.
        unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), libc::getpid(), signal) };
        return;
    }
    // SAFETY: the thread's own error number, which the interrupted code may be about to read.
    let error = unsafe { *libc::__errno_location() };
    let mut raw = Raw::open();
    line(&mut raw, format_args!("\n--- WATCHDOG TIMER EXPIRED ---\n------ STACK TRACE ------"));
    let _ = trace(&mut raw, registers(context).0);
    line(&mut raw, format_args!("---\n"));
    drop(raw);
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = error };
}

fn head(raw: &mut Raw, signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let name = FATAL.iter().find(|(known, _)| *known == signal).map_or("?", |(_, name)| name);
    // SAFETY: the system hands a whole struct to a handler that asks for it.
    let (code, address, sender) = unsafe { ((*info).si_code, (*info).si_addr(), (*info).si_pid()) };
    line(
        raw,
        format_args!(
            "\n=== PLINTH CRASH REPORT START ===\nPlinth {} crashed by signal: {signal} ({name}), si_code: {code}",
            crate::base::version::VERSION
        ),
    );
    // SAFETY: asks for a number.
    let pid = unsafe { libc::getpid() };
    line(raw, format_args!("Process: {pid}, thread: {} ({})", thread_id(), thread_name(&mut [0; 16])));
    if code > 0 {
        line(raw, format_args!("Accessing address: {address:p}"));
    } else {
        line(raw, format_args!("Sent by process: {sender}"));
    }
    let (instruction, stack) = registers(context);
    STACK.store(stack, Ordering::Relaxed);
    if let Some(at) = instruction {
        let _ = write!(raw, "Died in: ");
        place(raw, at);
    }
}

fn thread_name(buffer: &mut [u8; 16]) -> &str {
    // SAFETY: the system writes up to 16 bytes, the last a zero.
    unsafe { libc::prctl(libc::PR_GET_NAME, buffer.as_mut_ptr()) };
    let len = buffer.iter().position(|byte| *byte == 0).unwrap_or(0);
    std::str::from_utf8(&buffer[..len]).unwrap_or("?")
}

/// The address of the instruction at which a signal came, and the stack pointer.
fn registers(context: *mut c_void) -> (Option<*mut c_void>, usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the system hands a whole context to a handler that asks for it.
    let (at, stack) = unsafe {
        let all = &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
        (all[libc::REG_RIP as usize] as usize, all[libc::REG_RSP as usize] as usize)
    };
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    let (at, stack) = unsafe {
        let all = &(*context.cast::<libc::ucontext_t>()).uc_mcontext;
        (all.pc as usize, all.sp as usize)
    };
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let (at, stack) = (context as usize & 0, 0);
    ((at != 0).then_some(at as *mut c_void), stack)
}

/// The calls that led here, the last first; how many.
fn frames(into: &mut [*mut c_void; FRAMES_MAX]) -> usize {
    // SAFETY: writes up to so many addresses.
    let count = unsafe { libc::backtrace(into.as_mut_ptr(), FRAMES_MAX as c_int) };
    usize::try_from(count).unwrap_or(0)
}

/// A line for each call that led to an instruction, the last first; the handler's own are left out. The calls.
fn trace(raw: &mut Raw, from: Option<*mut c_void>) -> [*mut c_void; FRAMES_MAX] {
    let mut all = [std::ptr::null_mut(); FRAMES_MAX];
    let count = frames(&mut all);
    let begin = all[..count].iter().position(|at| Some(*at) == from);
    if let (None, Some(from)) = (begin, from) {
        // A jump to nowhere has no frame.
        let _ = write!(raw, "at ");
        place(raw, from);
    }
    let begin = begin.unwrap_or(0);
    all.rotate_left(begin);
    all[count - begin..].fill(std::ptr::null_mut());
    for (number, at) in all[..count - begin].iter().enumerate() {
        let _ = write!(raw, "#{number} ");
        place(raw, *at);
    }
    all
}

/// What the linker knows of an address.
struct Mapped {
    path: &'static OsStr,
    base: usize,
    symbol: Option<(&'static CStr, usize)>,
}

/// The library that an address is in. What is found lives as long as the library, which nobody unmaps any more.
fn library(at: *mut c_void) -> Option<Mapped> {
    // SAFETY: the struct is whole, and what the linker writes in it are texts of C.
    unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        if libc::dladdr(at, &raw mut info) == 0 || info.dli_fname.is_null() {
            return None;
        }
        let symbol = (!info.dli_sname.is_null()).then(|| (CStr::from_ptr(info.dli_sname), info.dli_saddr as usize));
        let path = OsStr::from_bytes(CStr::from_ptr(info.dli_fname).to_bytes());
        Some(Mapped { path, base: info.dli_fbase as usize, symbol })
    }
}

/// A line with an address: where it is in the library that it is in, and behind which of its names.
fn place(raw: &mut Raw, at: *mut c_void) {
    let Some(mapped) = library(at) else { return line(raw, format_args!("{at:p} in no library")) };
    let name = match mapped.base == PROGRAM.load(Ordering::Relaxed) {
        true => b"plinth-server".as_slice(),
        false => mapped.path.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default(),
    };
    let _ = write!(raw, "{at:p} {}+{:#x}", std::str::from_utf8(name).unwrap_or("?"), at as usize - mapped.base);
    if let Some((symbol, symbol_at)) = mapped.symbol {
        let _ = write!(raw, " ({}+{:#x})", symbol.to_str().unwrap_or("?"), at as usize - symbol_at);
    }
    line(raw, format_args!(""));
}

fn write_part(raw: &mut Raw, parts: &Parts, part: usize) {
    line(raw, format_args!("\n------ {} ------", parts.titles[part]));
    // SAFETY: promised by who called `watch`, and this is the thread that runs commands.
    let text = unsafe { (parts.text)(SERVER.load(Ordering::Relaxed), part) };
    line(raw, format_args!("{}", text.trim_end()));
}

fn line(raw: &mut Raw, text: std::fmt::Arguments<'_>) {
    let _ = raw.write_fmt(text);
    let _ = raw.write_char('\n');
    raw.flush();
}

/// The log, without its lock and without memory.
struct Raw {
    fd: c_int,
    piece: [u8; PIECE_BYTES],
    len: usize,
}

impl Raw {
    fn open() -> Raw {
        let fd = LOG.get().map_or(libc::STDOUT_FILENO, |path| {
            let how = libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT | libc::O_NONBLOCK | libc::O_CLOEXEC;
            // SAFETY: the path is a text of C.
            unsafe { libc::open(path.as_ptr(), how, 0o644) }
        });
        Raw { fd, piece: [0; PIECE_BYTES], len: 0 }
    }

    fn flush(&mut self) {
        let mut piece = &self.piece[..self.len];
        while !piece.is_empty() {
            // SAFETY: so many bytes are there.
            let written = unsafe { libc::write(self.fd, piece.as_ptr().cast(), piece.len()) };
            let Some(rest) = usize::try_from(written).ok().and_then(|count| piece.get(count..)) else { break };
            piece = rest;
        }
        self.len = 0;
    }
}

impl Write for Raw {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let mut bytes = text.as_bytes();
        while !bytes.is_empty() {
            if self.len == PIECE_BYTES {
                self.flush();
            }
            let count = bytes.len().min(PIECE_BYTES - self.len);
            self.piece[self.len..self.len + count].copy_from_slice(&bytes[..count]);
            self.len += count;
            bytes = &bytes[count..];
        }
        Ok(())
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.flush();
        if self.fd > libc::STDERR_FILENO {
            // SAFETY: it was opened for this, and nobody else has it.
            unsafe { libc::close(self.fd) };
        }
    }
}
