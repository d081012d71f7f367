// A module that watches descriptors, sockets and programs: plinth.loop/1, plinth.socket/1, plinth.process/1 and
// plinth.directives/1, through the public headers; and one that does so badly.
//
//     WATCHES.PIPE            a pipe with two bytes, read one by one; the second call removes the watch
//     WATCHES.LISTEN          echoes lines to whoever connects; the port. The line `bye` is answered by closing the
//                             socket within its own function, and `unload` by an attempt to unload the module
//     WATCHES.CONNECT address port line   sends the line, closes when it comes back
//     WATCHES.SECURE          has all that is accepted and connected from now on speak TLS
//     WATCHES.NEVER           what no socket is, and what fits into none
//     WATCHES.RUN signal word ...         runs a program, and sends it a signal unless that is 0
//     WATCHES.LINES           the lines of `watched` in the configuration file; WATCHES.REWRITE writes it anew
//     WATCHES.SEEN            what has been told, word by word

#include "check.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static const plinth_loop_service *loop_;
static const plinth_socket_service *sockets;
static const plinth_process_service *processes;
static const plinth_directives_service *directives;
static const plinth_run_service *run;

static char seen[4096], lines[4096];
static int ends[2], secure;

static void see(const char *what, long number) {
    const size_t used = strlen(seen);
    snprintf(seen + used, sizeof seen - used, "%s%s %ld", used ? ", " : "", what, number);
}

static void pipe_ready(plinth_call *call, uint64_t id, uint32_t ready, void *data) {
    char byte = 0;
    const int is_right = read(ends[0], &byte, 1) == 1 && ready == PLINTH_LOOP_READ && data == ends;
    see(is_right ? "byte" : "wrong", byte);
    if (byte != 'b') return;
    see("removed", (long)loop_->remove_fd(call, id));
    see("again", (long)loop_->remove_fd(call, id));
    close(ends[0]);
    close(ends[1]);
}

static plinth_status watches_pipe(plinth_call *call) {
    uint64_t id, other;
    CHECK(pipe(ends) == 0 && write(ends[1], "ab", 2) == 2);
    CHECK(loop_->add_fd(call, -1, PLINTH_LOOP_READ, pipe_ready, ends, &id) == PLINTH_STATUS_BAD_DATA);
    CHECK(loop_->add_fd(call, ends[0], 0, pipe_ready, ends, &id) == 0);
    CHECK(loop_->change_fd(call, id, PLINTH_LOOP_READ) == 0);
    CHECK(loop_->add_fd(call, ends[0], PLINTH_LOOP_READ, pipe_ready, ends, &other) == PLINTH_STATUS_EXISTS);
    CHECK(loop_->change_fd(call, id + 1, 0) == PLINTH_STATUS_NONE);
    CHECK(sockets->write(call, id, T("x")) == PLINTH_STATUS_NONE);
    CHECK(sockets->close(call, id) == PLINTH_STATUS_NONE);
    return ok(call);
}

static size_t line_of(plinth_bytes bytes) {
    const void *end = bytes.len ? memchr(bytes.data, '\n', bytes.len) : NULL;
    return end ? (size_t)((const char *)end - (const char *)bytes.data) + 1 : 0;
}

static void connected(plinth_call *call, uint64_t socket, void *data) {
    see("connected", (long)sockets->write(call, socket, T("")));
    (void)data;
}

static void first_byte(void *data, plinth_bytes bytes) { *(char *)data = bytes.len ? (char)bytes.data[0] : 0; }

static void try_unload(plinth_call *call) {
    const plinth_bytes words[] = {T("MODULE"), T("UNLOAD"), T("watches")};
    char byte = 0;
    const plinth_status status = run->run(call, NULL, words, 3, 0, first_byte, &byte);
    see("refused", status == 0 ? byte == '-' : status == PLINTH_STATUS_NOT_ALLOWED);
}

static size_t echo(plinth_call *call, uint64_t socket, plinth_bytes bytes, void *data) {
    const size_t line = line_of(bytes);
    if (line == 4 && memcmp(bytes.data, "bye\n", 4) == 0) {
        see("close", (long)sockets->close(call, socket));
        see("close", (long)sockets->close(call, socket));
        see("write", (long)sockets->write(call, socket, bytes));
        return line;
    }
    if (line == 7 && memcmp(bytes.data, "unload\n", 7) == 0) try_unload(call);
    if (line) sockets->write(call, socket, (plinth_bytes){bytes.data, line});
    (void)data;
    // More than there is, now and then: it is cut.
    return line == bytes.len ? line + 100 : line;
}

static size_t hear(plinth_call *call, uint64_t socket, plinth_bytes bytes, void *data) {
    if (!line_of(bytes)) return 0;
    see("heard", (long)bytes.len);
    sockets->close(call, socket);
    (void)data;
    return 0;
}

static void closed(plinth_call *call, uint64_t socket, int32_t reason, void *data) {
    see("closed", reason == ECONNREFUSED ? 1000 : reason);
    see("dead", (long)sockets->write(call, socket, T("x")));
    (void)data;
}

static plinth_peer peer(size_t (*received)(plinth_call *, uint64_t, plinth_bytes, void *)) {
    return (plinth_peer){.size = PLINTH_SIZE(plinth_peer),
                         .input_bytes_max = 64,
                         .output_bytes_max = 1000,
                         .connected = connected,
                         .received = received,
                         .closed = closed};
}

static plinth_status accepted(plinth_call *call, uint64_t listener, uint64_t socket, plinth_peer *peer_out, void *data) {
    *peer_out = peer(echo);
    if (secure) see("tls", (long)sockets->tls(call, socket, T("")));
    see("accepted", socket > listener && data == NULL && call != NULL);
    return PLINTH_STATUS_OK;
}

static void port_of(void *data, plinth_bytes address) {
    char text[64] = "";
    memcpy(text, address.data, address.len < 63 ? address.len : 63);
    *(int64_t *)data = atoi(strrchr(text, ':') + 1);
}

static plinth_status watches_listen(plinth_call *call) {
    uint64_t socket;
    int64_t port = 0;
    CHECK(sockets->listen(call, T("localhost"), 0, accepted, NULL, &socket) == PLINTH_STATUS_BAD_DATA);
    CHECK(sockets->listen(call, T("127.0.0.1"), 70000, accepted, NULL, &socket) == PLINTH_STATUS_BAD_DATA);
    CHECK(sockets->listen(call, T("127.0.0.1"), 0, accepted, NULL, &socket) == 0);
    CHECK(sockets->write(call, socket, T("x")) == PLINTH_STATUS_NONE);
    CHECK(sockets->tls(call, socket, T("x")) == PLINTH_STATUS_BAD_DATA);
    CHECK(sockets->address(call, socket, 0, port_of, &port) == 0 && port > 0);
    reply->integer(call, port);
    return PLINTH_STATUS_OK;
}

static plinth_status watches_connect(plinth_call *call) {
    uint64_t socket;
    int64_t port;
    const plinth_peer other = peer(hear);
    char line[64];
    CHECK(plinth_integer(call->args[2], &port));
    CHECK(sockets->connect(call, call->args[1], (uint32_t)port, T(""), &other, &socket) == 0);
    if (secure) {
        CHECK(sockets->tls(call, socket, T("localhost")) == 0);
        CHECK(sockets->tls(call, socket, T("localhost")) == PLINTH_STATUS_BAD_DATA);
    }
    const int length = snprintf(line, sizeof line, "%.*s\n", (int)call->args[3].len, (const char *)call->args[3].data);
    CHECK(sockets->write(call, socket, (plinth_bytes){(const uint8_t *)line, (size_t)length}) == 0);
    return ok(call);
}

static plinth_status watches_secure(plinth_call *call) {
    secure = 1;
    return ok(call);
}

static plinth_status watches_never(plinth_call *call) {
    static uint8_t much[2000];
    uint64_t socket;
    const plinth_peer other = peer(hear);
    CHECK(sockets->connect(call, T("no.address"), 1, T(""), &other, &socket) == PLINTH_STATUS_BAD_DATA);
    CHECK(sockets->connect(call, T("/no/such/path"), 0, T(""), &other, &socket) == PLINTH_STATUS_NONE);
    CHECK(sockets->write(call, 1000000, T("x")) == PLINTH_STATUS_NONE);
    CHECK(sockets->close(call, 1000000) == PLINTH_STATUS_NONE);
    CHECK(sockets->address(call, 1000000, 0, port_of, NULL) == PLINTH_STATUS_NONE);
    CHECK(sockets->tls(call, 1000000, T("x")) == PLINTH_STATUS_NONE);
    // Nobody answers there, and nothing is sent meanwhile.
    CHECK(sockets->connect(call, T("127.0.0.1"), 1, T(""), &other, &socket) == 0);
    CHECK(sockets->write(call, socket, (plinth_bytes){much, 900}) == 0);
    CHECK(sockets->write(call, socket, (plinth_bytes){much, 101}) == PLINTH_STATUS_TOO_LARGE);
    CHECK(sockets->write(call, socket, (plinth_bytes){much, 100}) == 0);
    // The server has no certificates.
    CHECK(sockets->tls(call, socket, T("x")) == PLINTH_STATUS_UNSUPPORTED);
    CHECK(sockets->close(call, socket) == 0);
    CHECK(sockets->write(call, socket, T("x")) == PLINTH_STATUS_NONE);
    return ok(call);
}

static void ended(plinth_call *call, uint64_t process, int32_t code, void *data) {
    see("ended", code);
    see("signal", (long)processes->signal(call, process, 9));
    (void)data;
}

static plinth_status watches_run(plinth_call *call) {
    uint64_t process;
    int64_t signal;
    CHECK(plinth_integer(call->args[1], &signal));
    const plinth_bytes_slice none = {0};
    const plinth_bytes_slice words = {.items = call->args + 2, .count = call->argc - 2, .stride = sizeof(plinth_bytes)};
    CHECK(processes->spawn(call, none, ended, NULL, &process) == PLINTH_STATUS_BAD_DATA);
    const plinth_status status = processes->spawn(call, words, ended, NULL, &process);
    if (status) return status;
    CHECK(processes->signal(call, process, -5) == PLINTH_STATUS_BAD_DATA);
    uint32_t pid = 0;
    CHECK(processes->pid(call, process, &pid) == 0 && kill((pid_t)pid, 0) == 0);
    CHECK(processes->pid(call, process + 1, &pid) == PLINTH_STATUS_NONE);
    if (signal) CHECK(processes->signal(call, process, (int32_t)signal) == 0);
    return ok(call);
}

static plinth_status read_line(plinth_call *call, plinth_bytes_slice words, void *data) {
    for (uint32_t at = 0; at < words.count; at++) {
        const size_t used = strlen(lines);
        snprintf(lines + used, sizeof lines - used, "%.*s%s", (int)words.items[at].len, (const char *)words.items[at].data,
                 at + 1 < words.count ? "+" : ";");
    }
    (void)data, (void)call;
    return words.count ? PLINTH_STATUS_OK : PLINTH_STATUS_SYNTAX;
}

static void write_lines(plinth_call *call, void *sink, void *data) {
    const plinth_bytes first[] = {T("one"), T("two words")}, second[] = {T("new")};
    directives->line(sink, (plinth_bytes_slice){.items = first, .count = 2, .stride = sizeof(plinth_bytes)});
    directives->line(sink, (plinth_bytes_slice){.items = second, .count = 1, .stride = sizeof(plinth_bytes)});
    (void)data, (void)call;
}

static plinth_status watches_lines(plinth_call *call) {
    reply->simple(call, (plinth_bytes){(const uint8_t *)lines, strlen(lines)});
    return PLINTH_STATUS_OK;
}

static plinth_status watches_rewrite(plinth_call *call) {
    const plinth_status status = directives->rewrite(call);
    return status ? status : ok(call);
}

static plinth_status watches_seen(plinth_call *call) {
    reply->simple(call, (plinth_bytes){(const uint8_t *)seen, strlen(seen)});
    return PLINTH_STATUS_OK;
}

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    loop_ = plinth_service(call, PLINTH_LOOP_SERVICE, PLINTH_SIZE(plinth_loop_service));
    sockets = plinth_service(call, PLINTH_SOCKET_SERVICE, PLINTH_SIZE(plinth_socket_service));
    processes = plinth_service(call, PLINTH_PROCESS_SERVICE, PLINTH_SIZE(plinth_process_service));
    directives = plinth_service(call, PLINTH_DIRECTIVES_SERVICE, PLINTH_SIZE(plinth_directives_service));
    run = plinth_service(call, PLINTH_RUN_SERVICE, PLINTH_SIZE(plinth_run_service));
    if (!reply || !loop_ || !sockets || !processes || !directives || !run) return PLINTH_STATUS_UNSUPPORTED;
    if (directives->claim(call, T("port"), read_line, write_lines, NULL) != PLINTH_STATUS_EXISTS) {
        return PLINTH_STATUS_UNSUPPORTED;
    }
    return directives->claim(call, T("watched"), read_line, write_lines, NULL);
}

#define COMMAND(text, arity_, function) \
    {.size = PLINTH_SIZE(plinth_command), .arity = (arity_), .name = PLINTH_TEXT(text), .run = {.invoke = (function)}}

static const plinth_command commands[] = {
    COMMAND("watches.pipe", 1, watches_pipe),       COMMAND("watches.listen", 1, watches_listen),
    COMMAND("watches.connect", 4, watches_connect), COMMAND("watches.never", 1, watches_never),
    COMMAND("watches.secure", 1, watches_secure),
    COMMAND("watches.run", -3, watches_run),        COMMAND("watches.lines", 1, watches_lines),
    COMMAND("watches.rewrite", 1, watches_rewrite), COMMAND("watches.seen", 1, watches_seen),
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("watches"),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
