"""redis-cli in the modes that look at a server, and in the one that fills it."""

import os
import pty
import re
import subprocess
import time

from steps import PORT, step

CLI = ["redis-cli", "-h", "127.0.0.1", "-p", str(PORT)]


def run(*args, text=None, seconds=None):
    """What it prints; ends it after some seconds, where it goes on for ever."""
    program = subprocess.Popen([*CLI, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        said, _ = program.communicate(text, timeout=seconds)
    except subprocess.TimeoutExpired:
        program.terminate()
        said, _ = program.communicate()
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]|\r", "", said.decode("latin-1"))


def shown(*args, what, times):
    """What it shows a terminal, until something came so many times; then it is ended."""
    reader, writer = pty.openpty()
    program = subprocess.Popen([*CLI, *args], stdin=subprocess.DEVNULL, stdout=writer, stderr=writer)
    os.close(writer)
    said, end = b"", time.monotonic() + 20
    while said.count(what) < times and time.monotonic() < end:
        said += os.read(reader, 4096)
    program.terminate()
    program.wait()
    os.close(reader)
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]|\r", "\n", said.decode("latin-1"))


def shape(text):
    """Lines without numbers, blanks and what repeats."""
    lines = []
    for line in text.splitlines():
        line = re.sub(r"[0-9]+(\.[0-9]+)?([KMG]\b)?", "N", line)
        line = re.sub(r"\s+", " ", line).strip()
        if line and line not in lines:
            lines.append(line)
    return lines


run("FLUSHALL")
commands = [["SET", f"text:{at}", "x" * (at % 90)] for at in range(2000)]
commands += [["SET", "text:big", "y" * 5000], ["RPUSH", "list", *"abcdefgh"], ["SADD", "set", *"abc"]]
commands += [["ZADD", "zset", "1", "a", "2", "b"], ["HSET", "hash", "f", "1", "g", "2"], ["XADD", "stream", "1-1", "a", "b"]]
protocol = b"".join(b"*%d\r\n" % len(one) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in one) for one in commands)
step("pipe", shape(run("--pipe", text=protocol)))
step("pipe of an error", shape(run("--pipe", text=b"LPUSH text:1 a\r\nPING\r\nNOSUCH\r\n")))
step("scan", len(run("--scan", "--pattern", "text:*").split()))
step("scan one", sorted(run("--scan", "--pattern", "*t").split()))

found = run("--bigkeys")
step("bigkeys", sorted(re.sub(r"\(([0-9.]+)%", "(%", line) for line in found.splitlines() if re.match(r"Biggest|[0-9]+ ", line)))
found = run("--memkeys")
step("memkeys", sorted(re.sub(r"[0-9.]+", "N", line) for line in found.splitlines() if re.match(r"Biggest|[0-9]+ ", line)))
step("hotkeys refused", [line for line in shape(run("--hotkeys")) if "LFU" in line])
run("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
for _ in range(3):
    run(text=b"GET text:big\n" * 500)
found = run("--hotkeys")
step("hotkeys", [line for line in shape(found) if "text:big" in line and "hot key" in line][:1])
run("CONFIG", "SET", "maxmemory-policy", "noeviction")

step("stat", shape(shown("--stat", "-i", "0.1", what=b")", times=3))[:3])
step("latency", shape(run("--latency", "--raw", "-i", "0.3", seconds=3)))
step("latency shown", shape(shown("--latency", what=b"min:", times=20))[:1])
step("latency csv", len(run("--latency", "--csv", "-i", "0.3", seconds=3).strip().split(",")))
step("latency history", shape(shown("--latency-history", "-i", "0.2", what=b"seconds range", times=2))[:2])
step("raw", run("--no-raw", "HGETALL", "hash"))
step("json", run("--json", "HGETALL", "hash"))
step("csv", run("--csv", "LRANGE", "list", "0", "-1"))
step("RESP3", run("-3", "--no-raw", "HGETALL", "hash"))
step("several", run("-r", "3", "-i", "0", "INCR", "counter"))
step("database", run("-n", "3", text=b"SET a 1\nSELECT 4\nGET a\nMULTI\nSET b 2\nGET b\nEXEC\nDISCARD\n"))
step("subscribed", shape(run("SUBSCRIBE", "c", seconds=0.4)))
step("monitor", shape(run("MONITOR", seconds=0.4)))
step("eval", run("--eval", "/dev/stdin", "k", ",", "v", text=b"return {KEYS[1], ARGV[1]}"))
step("help", shape(run("HELP", "GET"))[:1])
